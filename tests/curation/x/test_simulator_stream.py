"""The filtered stream: its rules, its lines, and each way in which it can break."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator

STREAM = "/2/tweets/search/stream"
RULES = STREAM + "/rules"
BROKEN = requests.exceptions.RequestException


def soon(true: Callable[[], bool]) -> bool:
    """Whether it comes true within two seconds."""
    end = time.monotonic() + 2
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def ids(stream: Any, count: int) -> list[str]:
    return [stream.post()["data"]["id"] for _ in range(count)]


# Rules


def test_rules_are_added_listed_and_deleted(x: Simulator, ask: Any) -> None:
    order = [{"value": "from:hafenblatt -is:retweet", "tag": "de:politics"}, {"value": "(Brücke OR tram) lang:de"}]
    answer = ask.post(RULES, {"add": order})
    body = answer.json()
    assert (answer.status_code, answer.headers["x-rate-limit-limit"]) == (201, "100")
    assert [{name: rule[name] for name in rule if name != "id"} for rule in body["data"]] == order
    assert body["meta"]["summary"] == {"created": 2, "not_created": 0, "valid": 2, "invalid": 0}
    listed = ask.get(RULES)
    assert listed.headers["x-rate-limit-limit"] == "450"
    assert (listed.json()["data"], listed.json()["meta"]["result_count"]) == (body["data"], 2)
    first, second = (rule["id"] for rule in body["data"])
    assert ask.json(RULES, ids=second)["data"] == body["data"][1:]
    gone = ask.post(RULES, {"delete": {"ids": [first, "77"]}}).json()
    assert gone["meta"]["summary"] == {"deleted": 1, "not_deleted": 1}
    assert gone["errors"][0]["errors"][0]["message"] == "Rule does not exist"
    assert ask.post(RULES, {"delete": {"values": [order[1]["value"]]}}).json()["meta"]["summary"]["deleted"] == 1
    assert set(ask.json(RULES)) == {"meta"}


def test_dry_run_tells_and_does_nothing(x: Simulator, ask: Any) -> None:
    tried = ask.post(RULES, {"add": [{"value": "cat"}]}, dry_run="true").json()
    assert tried["meta"]["summary"]["created"] == 1
    assert "data" not in ask.json(RULES)
    number = ask.rule("cat")
    ask.post(RULES, {"delete": {"ids": [number]}}, dry_run="true")
    assert ask.json(RULES)["data"][0]["id"] == number


def test_bad_rules_are_named_and_none_is_made(ask: Any) -> None:
    answer = ask.post(RULES, {"add": [{"value": "cat"}, {"value": "list:5"}, {"value": "-dog"}, {"value": "a" * 1025}]})
    body = answer.json()
    assert (answer.status_code, "data" in body) == (200, False)
    assert body["meta"]["summary"] == {"created": 0, "not_created": 4, "valid": 1, "invalid": 3}
    assert {error["title"] for error in body["errors"]} == {"UnprocessableEntity"}
    assert "invalid operator 'list:5'" in body["errors"][0]["details"][0]
    assert "at least one positive" in body["errors"][1]["details"][0]
    assert "maximum length is 1024 characters" in body["errors"][2]["details"][0]
    assert body["errors"][0]["type"].endswith("/invalid-rules")
    assert ask.post(RULES, {"add": [{"value": "a" * 1024}]}).status_code == 201


def test_duplicate_rule_leaves_itself_out(ask: Any) -> None:
    number = ask.rule("cat", "one")
    body = ask.post(RULES, {"add": [{"value": "cat", "tag": "two"}, {"value": "dog"}]}).json()
    assert body["meta"]["summary"] == {"created": 1, "not_created": 1, "valid": 1, "invalid": 1}
    duplicate = {"value": "cat", "id": number, "title": "DuplicateRule"}
    assert body["errors"] == [duplicate | {"type": "https://api.twitter.com/2/problems/duplicate-rules"}]


def test_thousand_rules_and_no_more(ask: Any) -> None:
    assert ask.post(RULES, {"add": [{"value": f"word{n}"} for n in range(1000)]}).status_code == 201
    answer = ask.post(RULES, {"add": [{"value": "another"}]})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "rule-cap")
    assert ask.post(RULES, None, delete_all="true").json()["meta"]["summary"]["deleted"] == 1000


@pytest.mark.parametrize("order", [None, [], {}, {"add": []}, {"add": [{"tag": "a"}]}, {"delete": {"ids": ["x"]}}])
def test_nonsense_orders_are_refused(order: Any, ask: Any) -> None:
    answer = ask.post(RULES, order)
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")


def test_rules_survive_a_restart(tmp_path: Path, texts: Path, ask_of: Any) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        number = ask_of(x).rule("cat", "one")
        ask_of(x).post(RULES, {"delete": {"ids": [ask_of(x).rule("dog")]}})
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        assert ask_of(x).json(RULES)["data"] == [{"id": number, "value": "cat", "tag": "one"}]


# Lines


def test_what_matches_comes_with_its_rules(x: Simulator, ask: Any) -> None:
    rat, nordau = ask.rule("Rat lang:de", "de:politics"), ask.rule("#Nordau")
    x.post("hafenblatt", "Vor der Zeit: Rat")
    with ask.stream(tweet__fields="author_id", expansions="author_id") as stream:
        x.post("hafenblatt", "Nichts davon")
        first = x.post("hafenblatt", "Der Rat tagt in #Nordau")
        second = x.retweet("sv_nordau", first)
        third = x.edit(first, "Der Rat tagt morgen")
        lines = [stream.post() for _ in range(3)]
    assert [line["data"]["id"] for line in lines] == [first, second, third]
    assert lines[0]["data"]["text"] == "Der Rat tagt in #Nordau"
    assert lines[0]["includes"]["users"][0]["username"] == "hafenblatt"
    assert lines[0]["matching_rules"] == [{"id": rat, "tag": "de:politics"}, {"id": nordau}]
    assert lines[2]["matching_rules"] == [{"id": rat, "tag": "de:politics"}]


def test_words_of_a_rule_keep_their_diacritics(x: Simulator, ask: Any) -> None:
    ask.rule("brücke")
    with ask.stream() as stream:
        x.post("hafenblatt", "Die Brucke")
        found = x.post("hafenblatt", "Die BRÜCKE")
        assert ids(stream, 1) == [found]


def test_closed_accounts_are_not_streamed(x: Simulator, ask: Any) -> None:
    ask.rule("Text")
    x.protect("hafenblatt")
    with ask.stream() as stream:
        x.post("hafenblatt", "Text zu")
        found = x.post("sv_nordau", "Text offen")
        assert ids(stream, 1) == [found]


def test_rules_change_while_it_runs(x: Simulator, ask: Any) -> None:
    number = ask.rule("cat")
    with ask.stream() as stream:
        ask.rule("dog")
        ask.post(RULES, {"delete": {"ids": [number]}})
        x.post("hafenblatt", "cat")
        found = x.post("hafenblatt", "dog")
        assert ids(stream, 1) == [found]


def test_quiet_brings_bare_line_ends(x: Simulator, ask: Any) -> None:
    ask.rule("cat")
    with ask.stream() as stream:
        assert stream.answer.headers["transfer-encoding"] == "chunked"
        started = time.monotonic()
        assert [stream.line(), stream.line()] == [b"", b""]
        assert 0.3 <= time.monotonic() - started < 2


# Connections


def test_without_rules_there_is_no_stream(ask: Any) -> None:
    answer = ask.get(STREAM)
    assert (answer.status_code, answer.json()["connection_issue"]) == (409, "RuleConfigurationIssue")


def test_second_connection_is_refused_while_the_first_lives(x: Simulator, ask: Any, recorded: Path) -> None:
    ask.rule("cat")
    with ask.stream():
        refused = ask.get(STREAM)
        real = json.loads((recorded / "errors/429_stream_too_many_connections.json").read_text())
        assert (refused.status_code, refused.json()) == (429, real["body"])
        assert (refused.headers["x-rate-limit-limit"], refused.headers["x-rate-limit-remaining"]) == ("50", "48")
        assert x.streaming == 1
    with ask.stream() as stream:
        found = x.post("hafenblatt", "cat")
        assert ids(stream, 1) == [found]
    assert soon(lambda: x.streaming == 0)


def test_fifty_connects_in_a_window(x: Simulator, ask: Any) -> None:
    ask.rule("cat")
    for _ in range(50):
        with ask.stream():
            pass
    answer = ask.get(STREAM)
    assert (answer.status_code, answer.json()["title"]) == (429, "Too Many Requests")
    assert answer.headers["x-rate-limit-remaining"] == "0"


@pytest.mark.parametrize("name", ["backfill_minutes", "start_time"])
def test_what_only_enterprise_has_is_refused(name: str, ask: Any) -> None:
    ask.rule("cat")
    answer = ask.get(STREAM, **{name: {"backfill_minutes": "5", "start_time": "2026-11-22T10:00:00Z"}[name]})
    assert (answer.status_code, list(answer.json()["errors"][0]["parameters"])) == (400, [name])


def test_other_dialect_is_not_spoken_here(ask: Any) -> None:
    assert ask.get(STREAM, post__fields="id").status_code == 400


# Breaks


@pytest.fixture
def open_stream(x: Simulator, ask: Any) -> Any:
    ask.rule("cat", "pets")
    with ask.stream() as stream:
        yield stream


def test_clean_close(x: Simulator, open_stream: Any, ask: Any) -> None:
    found = x.post("hafenblatt", "cat")
    assert x.break_stream("close") == 1
    assert ids(open_stream, 1) == [found]
    with pytest.raises(StopIteration):
        open_stream.post()
    assert soon(lambda: x.streaming == 0)
    assert x.break_stream("close") == 0


def test_reset_in_the_middle_of_a_line(x: Simulator, open_stream: Any) -> None:
    found = x.post("hafenblatt", "cat")
    assert ids(open_stream, 1) == [found]
    x.break_stream("reset")
    with pytest.raises(BROKEN):
        open_stream.post()


def test_next_post_is_cut(x: Simulator, open_stream: Any, ask: Any) -> None:
    x.break_stream("cut")
    found = x.post("hafenblatt", "cat")
    with pytest.raises(BROKEN):
        open_stream.post()
    assert [(charge.id, charge.delivered) for charge in x.meter.charges()] == [(int(found), False)]
    ask.json(f"/2/tweets/{found}")
    assert [(charge.id, charge.delivered) for charge in x.meter.charges()] == [(int(found), True)]


def test_operational_disconnect(x: Simulator, open_stream: Any, recorded: Path) -> None:
    x.break_stream("disconnect")
    assert (
        open_stream.post() == json.loads((recorded / "errors/stream_operational_disconnect.json").read_text())["body"]
    )
    with pytest.raises(StopIteration):
        open_stream.post()


def test_silence(x: Simulator, open_stream: Any, ask: Any) -> None:
    x.break_stream("silence")
    x.post("hafenblatt", "cat")
    open_stream.answer.raw._fp.fp.raw._sock.settimeout(0.6)
    with pytest.raises(BROKEN):
        while True:
            open_stream.line()
    open_stream.answer.close()
    with ask.stream() as again:
        assert again.line() == b""


def test_garbage_and_unknown_lines_between_posts(x: Simulator, open_stream: Any) -> None:
    x.break_stream("garbage")
    x.break_stream("unknown")
    found = x.post("hafenblatt", "cat")
    lines = [line for line in (open_stream.line() for _ in range(3)) if line]
    with pytest.raises(ValueError, match=r"."):
        json.loads(lines[0])
    assert set(json.loads(lines[1])) == {"notice"}
    assert json.loads(lines[2])["data"]["id"] == found


def test_duplicates_until_mended(x: Simulator, open_stream: Any) -> None:
    x.break_stream("duplicates")
    found = [x.post("hafenblatt", f"cat {n}") for n in range(2)]
    assert ids(open_stream, 4) == [found[0], found[0], found[1], found[1]]
    x.break_stream("again")
    assert ids(open_stream, 2) == found
    x.mend()
    last = x.post("hafenblatt", "cat")
    x.post("hafenblatt", "cat")
    assert ids(open_stream, 2)[0] == last
    assert x.meter.posts() == 4


def test_disorder_until_mended(x: Simulator, open_stream: Any) -> None:
    x.break_stream("disorder")
    found = [x.post("hafenblatt", f"cat {n}") for n in range(7)]
    told = ids(open_stream, 7)
    assert told != found
    assert sorted(told) == found
    x.mend()
    found = [x.post("hafenblatt", f"cat {n}") for n in range(7)]
    assert ids(open_stream, 7) == found


def test_bare_rules(x: Simulator, open_stream: Any) -> None:
    x.break_stream("bare_rules")
    x.post("hafenblatt", "cat")
    assert open_stream.post()["matching_rules"] == [{"id": next(iter(x.rules)).id}]


def test_breaks_over_http(x: Simulator, open_stream: Any) -> None:
    def order(**body: Any) -> requests.Response:
        return requests.post(f"{x.base_url}/simulator/stream", json=body, timeout=5)

    x.post("hafenblatt", "cat")
    open_stream.post()
    wanted = {"connections": 1, "written": 1, "modes": []}  # counted a moment after it was written
    assert soon(lambda: requests.get(f"{x.base_url}/simulator/stream", timeout=5).json() == wanted)
    assert order(kind="rain").status_code == 400
    assert order(kind="close").json() == {"connections": 1}
    with pytest.raises(StopIteration):
        open_stream.post()


def test_end_of_the_simulator_ends_the_stream(texts: Path, ask_of: Any) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0) as x:
        ask_of(x).rule("cat")
        stream = ask_of(x).stream()
    with pytest.raises((StopIteration, BROKEN)):
        stream.post()
