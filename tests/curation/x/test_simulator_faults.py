"""Every fault by name, and the chaos that draws from them."""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator
from curation.x.simulator.chaos import KINDS
from curation.x.simulator.kinds import ARRIVING, REPLACING
from curation.x.simulator.turns import TURNS

SEARCH = "/2/tweets/search/recent"
FIELDS = {"tweet__fields": "created_at,author_id", "expansions": "author_id"}
ANSWERS = {
    "unauthorized": (401, "Unauthorized"),
    "credits": (402, "CreditsDepleted"),
    "forbidden": (403, "Forbidden"),
    "conflict": (409, "ConnectionException"),
    "window": (429, "Too Many Requests"),
    "window_bare": (429, "Too Many Requests"),
    "usage_cap": (429, "UsageCapExceeded"),
    "server_problem": (503, "Service Unavailable"),
}


@pytest.fixture
def six(x: Simulator) -> list[str]:
    """Six posts, newest first."""
    return [x.post("hafenblatt", f"Meldung {n}") for n in range(6)][::-1]


@pytest.fixture
def page(ask: Any) -> Callable[..., dict[str, Any]]:
    path = f"/2/users/{ask.user_id('hafenblatt')}/tweets"

    def read(**parameters: Any) -> dict[str, Any]:
        body: dict[str, Any] = ask.json(path, **{"max_results": 5} | FIELDS | parameters)
        return body

    return read


def shown(body: dict[str, Any]) -> list[str]:
    return [post["id"] for post in body["data"]]


@pytest.mark.parametrize(("kind", "status", "title"), [(kind, *told) for kind, told in ANSWERS.items()])
def test_problems(kind: str, status: int, title: str, x: Simulator, ask: Any) -> None:
    x.fail(kind=kind)
    answer = ask.get("/2/users", ids="1")
    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert ask.get("/2/users", ids="1").status_code == 200


def test_three_kinds_of_429(x: Simulator, ask: Any, recorded: Path) -> None:
    now = time.time()
    for kind in ("window", "window_v1", "window_bare", "usage_cap"):
        x.fail(kind=kind, reset=30)
    window, old, bare, cap = (ask.get("/2/users", ids="1") for _ in range(4))
    for answer in (window, old):
        assert now + 28 <= int(answer.headers["x-rate-limit-reset"]) <= now + 32
        assert answer.headers["x-rate-limit-remaining"] == "0"
    assert old.json() == {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}
    assert not [name for name in bare.headers if name.startswith("x-rate-limit")]
    real = json.loads((recorded / "errors/429_usage_cap_exceeded.json").read_text())["body"]
    assert cap.json() | {"account_id": "<redacted>"} == real
    assert int(cap.headers["x-rate-limit-remaining"]) > 800


def test_bodies_that_are_no_problem(x: Simulator, ask: Any) -> None:
    for kind in ("server_empty", "server_html", "list_error", "not_json"):
        x.fail(kind=kind)
    empty, html, listed, page = (ask.get("/2/users", ids="1") for _ in range(4))
    assert (empty.status_code, empty.content) == (500, b"")
    assert (html.status_code, html.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert (listed.status_code, type(listed.json())) == (500, list)
    assert (page.status_code, page.text.startswith("<!DOCTYPE html>")) == (200, True)


def test_redirect_leads_to_another_host(x: Simulator, ask: Any) -> None:
    x.fail(kind="redirect")
    answer = ask.session.get(f"{x.base_url}/2/users?ids=1", allow_redirects=False, timeout=5)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.example/2/tweets")


def test_enormous_bodies(x: Simulator, ask: Any) -> None:
    x.fail(kind="huge")
    x.fail(kind="bomb")
    assert len(ask.get("/2/users", ids="1").content) == 50_000_000
    packed = ask.session.get(f"{x.base_url}/2/users?ids=1", stream=True, timeout=5)
    sent = packed.raw.read(decode_content=False)
    assert (packed.headers["content-encoding"], len(sent) < 2_000_000) == ("gzip", True)
    assert len(gzip.decompress(sent)) > 100_000_000


def test_slow_trickling_and_malformed_answers(x: Simulator, ask: Any, six: list[str]) -> None:
    for order in ({"kind": "slow", "slow": 0.3}, {"kind": "trickle", "trickle": 0.4}):
        x.fail(**order)
        started = time.monotonic()
        assert ask.json("/2/tweets", ids=six[0])["data"][0]["id"] == six[0]
        assert time.monotonic() - started >= 0.25
    x.fail(kind="malformed")
    answer = ask.get("/2/tweets", ids=six[0])
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(answer.content)))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_turned_fields(x: Simulator, six: list[str], page: Any) -> None:
    for kind in ("missing_includes", "number_ids", "plain_dates", "bad_text"):
        x.fail(kind=kind)
    bare, numbers, dates, texts = (page() for _ in range(4))
    assert (set(bare), shown(bare)) == ({"data", "meta"}, six[:5])
    first = numbers["data"][0]
    assert (first["id"], first["edit_history_tweet_ids"]) == (int(six[0]), [int(six[0])])
    assert (first["author_id"], numbers["meta"]["newest_id"]) == (numbers["includes"]["users"][0]["id"], int(six[0]))
    assert {len(post["created_at"]) for post in dates["data"]} == {len("2026-11-22T10:00:00Z")}
    assert [post["text"] for post in texts["data"]] == [f"Meldung {n} \ud83d\x00" for n in (5, 4, 3, 2, 1)]
    assert page()["data"][0]["text"] == "Meldung 5"


def test_an_answer_in_the_other_dialect(x: Simulator, six: list[str], page: Any) -> None:
    x.fail(kind="other_dialect")
    first = page()["data"][0]
    assert (first["id"], first["edit_history_post_ids"], "edit_history_tweet_ids" in first) == (six[0], [six[0]], False)
    assert page()["data"][0]["edit_history_tweet_ids"] == [six[0]]


def test_turned_order(x: Simulator, six: list[str], page: Any) -> None:
    x.fail(kind="shuffled")
    mixed = page()
    assert shown(mixed) != six[:5]
    assert (sorted(shown(mixed)), mixed["meta"]) == (sorted(six[:5]), page()["meta"])


def test_posts_come_again_on_the_next_page(x: Simulator, six: list[str], page: Any) -> None:
    first = page()
    x.fail(kind="repeated")
    second = page(pagination_token=first["meta"]["next_token"])
    assert shown(second) == [*six[2:5], six[5], six[5]]
    assert x.meter.posts() == 6


def test_post_from_the_far_future(x: Simulator, six: list[str], page: Any) -> None:
    x.fail(kind="future_ids")
    body = page()
    number = body["meta"]["newest_id"]
    assert int(number) > 9_223_372_036_854_774_000
    assert shown(body) == [*six[:2], number, *six[2:5]]
    assert x.meter.posts() == 6
    assert shown(page()) == six[:5]


def test_tokens_that_lead_in_circles(x: Simulator, six: list[str], page: Any) -> None:
    first = page()
    x.fail(kind="same_token", times=None)
    second = page(pagination_token=first["meta"]["next_token"])
    third = page(pagination_token=second["meta"]["next_token"])
    assert (shown(second), shown(third)) == (six[5:], six[5:])
    assert second["meta"]["next_token"] == third["meta"]["next_token"]
    x.mend()
    x.fail(kind="looping_token")
    last = page(pagination_token=first["meta"]["next_token"])
    assert (shown(last), shown(page(pagination_token=last["meta"]["next_token"]))) == (six[5:], six[:5])
    assert "next_token" not in page(pagination_token=first["meta"]["next_token"])["meta"]


def test_every_kind_can_be_ordered_over_http_and_no_other(x: Simulator) -> None:
    def order(kind: str) -> int:
        url = f"{x.base_url}/simulator/faults"
        return requests.post(url, json={"kind": kind}, timeout=5).status_code

    assert {kind: order(kind) for kind in (*REPLACING, *ARRIVING, *TURNS)} == dict.fromkeys(
        (*REPLACING, *ARRIVING, *TURNS), 201
    )
    assert order("rain") == 400


# Chaos


def dealt(texts: Path, ask_of: Any, seed: int, rate: float) -> tuple[list[str], dict[str, int]]:
    """How 60 answers went by name, and the counts."""
    kinds = [kind for kind in KINDS if kind not in ("huge", "bomb", "slow", "trickle", "redirect", "stream.silence")]
    with Simulator(texts=texts, rate=0, catalogue=0, chaos=seed, chaos_rate=rate, chaos_kinds=kinds) as x:
        for n in range(6):
            x.post("hafenblatt", f"Meldung {n}")
        went = []
        for _ in range(60):
            try:
                answer = ask_of(x).get(SEARCH, query="meldung", **FIELDS)
                went.append(f"{answer.status_code} {len(answer.content)}")
            except requests.exceptions.RequestException:
                went.append("broken")
        return went, dict(x.chaos.counts)


def test_chaos_is_the_same_for_the_same_seed(texts: Path, ask_of: Any) -> None:
    first, counts = dealt(texts, ask_of, 3, 0.4)
    assert (first, counts) == dealt(texts, ask_of, 3, 0.4)
    assert counts != dealt(texts, ask_of, 4, 0.4)[1]
    assert 12 <= sum(counts.values()) <= 36
    assert dealt(texts, ask_of, 3, 0)[1] == {}


def test_chaos_deals_out_every_kind(texts: Path, ask_of: Any) -> None:
    counts = dealt(texts, ask_of, 5, 1.0)[1]
    assert sum(counts.values()) >= 55
    assert len(counts) >= 15


def test_chaos_reaches_the_stream(texts: Path, ask_of: Any) -> None:
    kinds = ["stream.garbage", "stream.again"]
    with Simulator(texts=texts, rate=0, catalogue=0, chaos=1, chaos_rate=1.0, chaos_kinds=kinds) as x:
        ask = ask_of(x)
        ask.rule("cat")
        with ask.stream() as stream:
            for n in range(8):
                x.post("hafenblatt", f"cat {n}")
            lines = [stream.line() for _ in range(8)]
        assert sum(x.chaos.counts.values()) == 8
        assert set(x.chaos.counts) == set(kinds)
        assert any(not line.startswith(b'{"data": {"id"') for line in lines)


def test_chaos_knows_its_kinds() -> None:
    with pytest.raises(ValueError, match="unknown kinds: rain"):
        Simulator(chaos=1, chaos_kinds=["rain"])
