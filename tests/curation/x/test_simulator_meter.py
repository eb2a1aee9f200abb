"""What the simulator charges: each post and user once a day, to whatever asked first."""

from pathlib import Path
from typing import Any

import requests

from curation.x.simulator import Simulator

DAY = 86_400
SEARCH = "/2/tweets/search/recent"
LIST = "/2/lists/1500000000000000000/tweets"
STREAM = "/2/tweets/search/stream"


def test_first_asker_pays_once_a_day(texts: Path, ask_of: Any) -> None:
    now = [1_790_000_000.0]
    with Simulator(texts=texts, rate=0, catalogue=0, clock=lambda: now[0]) as x:
        ask = ask_of(x)
        user = ask.user_id("hafenblatt")
        first, second = (x.post("hafenblatt", f"Der Rat {n}") for n in range(2))
        ask.json(SEARCH, query="rat 1")
        ask.json(f"/2/users/{user}/tweets")
        ask.json(LIST)
        ask.json("/2/tweets", ids=f"{first},{second},77")
        due = {(SEARCH, "rat 1"): 1, ("/2/users/{id}/tweets", user): 1}
        assert x.meter.due() == due
        assert [(charge.id, charge.subject) for charge in x.meter.charges("2026-09-21", "post")] == [
            (int(second), "rat 1"),
            (int(first), user),
        ]
        assert x.meter.reads == {"post": 7}
        now[0] += DAY
        ask.json("/2/tweets", ids=first)
        assert (x.meter.posts("2026-09-21"), x.meter.posts("2026-09-22"), x.meter.posts()) == (2, 1, 3)
        assert x.meter.due("2026-09-22") == {("/2/tweets", ""): 1}


def test_users_are_charged_where_they_are_asked_for(x: Simulator, ask: Any) -> None:
    number = x.post("hafenblatt", "Text von @sv_nordau")
    quote = x.post("stadt_nordau", "Dazu", quote=number)
    ask.json(f"/2/tweets/{quote}", expansions="author_id,referenced_tweets.id,referenced_tweets.id.author_id")
    assert (x.meter.posts(), x.meter.users()) == (1, 0)
    ask.json("/2/users/by", usernames="hafenblatt,sv_nordau,niemand")
    ask.json("/2/users", ids=ask.user_id("hafenblatt"))
    assert (x.meter.users(), x.meter.cents()) == (2, 2.5)


def test_what_is_not_shown_is_not_charged(x: Simulator, ask: Any) -> None:
    gone, closed = x.post("hafenblatt", "Weg"), x.post("sv_nordau", "Zu")
    x.delete(gone)
    x.protect("sv_nordau")
    ask.json("/2/tweets", ids=f"{gone},{closed}")
    x.fail(status=503)
    ask.get("/2/users/by", usernames="hafenblatt")
    assert x.meter.charges() == []


def test_stream_is_charged_when_written(x: Simulator, ask: Any) -> None:
    ask.rule("cat", "de:politics")
    ask.rule("cats OR cat", "nl:sport")
    ask.rule("dog")
    x.post("hafenblatt", "cat, unread")
    assert x.meter.charges() == []
    with ask.stream() as stream:
        found = x.post("hafenblatt", "a cat")
        other = x.post("hafenblatt", "a dog")
        stream.post()
        stream.post()
        ask.json("/2/tweets", ids=f"{found},{other}")
        stream.line()
    assert x.meter.due() == {(STREAM, "de:politics"): 1, (STREAM, "dog"): 1}


def test_cut_answers_are_charged_and_marked(x: Simulator, ask: Any) -> None:
    number = x.post("hafenblatt", "Text")
    for kind in ("cut", "malformed"):
        x.fail(kind=kind)
        try:
            ask.get(f"/2/tweets/{number}").json()
        except requests.exceptions.RequestException:
            continue
        raise AssertionError(kind)
    assert [charge.delivered for charge in x.meter.charges()] == [False]
    ask.json(f"/2/tweets/{number}")
    x.fail(kind="malformed")
    ask.get(f"/2/tweets/{number}")
    assert [charge.delivered for charge in x.meter.charges()] == [True]


def test_usage_and_meter_say_the_same(x: Simulator, ask: Any) -> None:
    for n in range(3):
        x.post("hafenblatt", f"Meldung {n}")
    ask.json(LIST)
    usage = ask.json("/2/usage/tweets", usage__fields="project_usage,daily_project_usage")["data"]
    assert (usage["project_usage"], usage["daily_project_usage"]["usage"][0]["usage"]) == ("3", "3")
    told = requests.get(f"{x.base_url}/simulator/meter", timeout=5).json()
    assert list(told["days"].values()) == [{"posts": 3, "users": 0, "cents": 1.5}]
    assert told["due"] == [{"endpoint": "/2/lists/{id}/tweets", "subject": "1500000000000000000", "charges": 3}]
    assert (told["reads"], told["undelivered"], "charges" in told) == ({"post": 3}, 0, False)
    every = requests.get(f"{x.base_url}/simulator/meter/charges", timeout=5).json()["charges"]
    assert [charge["id"] for charge in every] == [charge.id for charge in x.meter.charges()]


def test_charges_survive_a_restart(tmp_path: Path, texts: Path, ask_of: Any) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        number = x.post("hafenblatt", "Text")
        ask_of(x).json(SEARCH, query="text")
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        ask_of(x).json(f"/2/tweets/{number}")
        assert x.meter.due() == {(SEARCH, "text"): 1}
