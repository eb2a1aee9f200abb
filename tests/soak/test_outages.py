"""PostgreSQL, Redis, workers, publisher and web are killed one by one and all together: nginx serves the last good
feeds throughout, and everything catches up after.

SOAK_OUTAGE_SECONDS changes the time, three minutes; SOAK=long takes ten, SOAK=short one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from regions.models import Channel
from tests.edge.conftest import nginx_here  # noqa: F401  a fixture
from tests.edge.reading import Reader, disagreeing
from tests.soak.deciders import Caller
from tests.soak.newsroom import BELL, FEEDS, Newsroom, Post, Watch, approve, posts, prepare
from tests.soak.sizes import SEED, sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
SECONDS = float(sized("SOAK_OUTAGE_SECONDS", short=60, whole=180, long=600))
EACH = ("postmaster", BELL, "worker", "publisher", "web")
OUTAGES = ((EACH[0],), (EACH[1],), (EACH[2],), (EACH[3],), (EACH[4],), EACH)
AWAY = 8.0  # seconds
CAUGHT_UP = 30.0


def settled(ask: Callable[[], Any], seconds: float) -> Any:
    """The answer of the web, asked for until it is back."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (OSError, HTTPException, AssertionError):
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def block(caller: Caller, one: Post) -> None:
    body = {"verb": "block", "version": 2, "reason": "not_chosen"}
    status, told = caller.post(f"/api/v1/candidates/{one.pk}/decisions/", body, key=f"block-{one.pk}")
    assert status in (200, 201), (status, told)


def test_the_edge_goes_on_and_everything_catches_up(
    nginx_here: None,  # noqa: F811
    tmp_path: Path,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.FEED_ROOT = tmp_path / "feeds"
    began, turns, slowest, standing = time.monotonic(), 0, 0.0, []
    with Newsroom(tmp_path, SEED) as house, house.connected(), ExitStack() as stack:
        caller = prepare(house)["de"]
        politics = Channel.objects.get(market__code="de", category__slug="politics")
        house.open()
        edge = stack.enter_context(house.at_the_edge())
        stock = posts(politics, 2 * int(SECONDS / AWAY) + 20)
        first, stock = stock[:5], stock[5:]
        approve(caller, first)
        watch = stack.enter_context(Watch(edge, ["de/politics/"]))
        assert watch.shows((one.id for one in first), 30)
        watch.wrong.clear()  # nothing had been published before
        paths = ("de/politics/", "de/", "nl/", "nl/sport/feed.json")
        readers = [stack.enter_context(Reader(edge, f"{FEEDS}/{path}", pause=0.05)) for path in paths[:3]]
        while time.monotonic() < began + SECONDS or turns % len(OUTAGES):
            gone, live = OUTAGES[turns % len(OUTAGES)], stock.pop()
            for part in gone:
                house.down(part)
            time.sleep(AWAY)
            for part in gone:
                house.up(part)
            back = time.monotonic()
            settled(lambda: approve(caller, [live]), CAUGHT_UP)  # noqa: B023
            assert watch.shows([live.id], CAUGHT_UP), (gone, live)
            settled(lambda: block(caller, live), CAUGHT_UP)  # noqa: B023
            blocked = time.monotonic()
            time.sleep(5)
            if watch.seen[live.id] > blocked + 5:
                standing.append((gone, live))
            slowest, turns = max(slowest, time.monotonic() - back - 5), turns + 1
            house.mend()
        shown = {one.id for one in first}
        assert {one for one, at in watch.seen.items() if at > time.monotonic() - 2} == shown
    told = {
        "outages": turns, "kills": dict(house.kills), "seconds": round(time.monotonic() - began),
        "answers": watch.answers + sum(one.answers for one in readers), "slowest to catch up": round(slowest, 1),
    }  # fmt: skip
    with capsys.disabled():
        print("\n" + json.dumps(told))
    assert (watch.wrong, [one.wrong for one in readers], disagreeing(readers)) == ([], [[]] * len(readers), [])
    assert (standing, house.died) == ([], [])
