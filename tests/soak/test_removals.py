"""Blocks and withdrawals by thousands, while Redis and the workers are killed, stay away and come back: how long after
it was acknowledged a post still stood in what nginx serves.

SOAK_REMOVALS changes the number; SOAK=long removes 10,000, SOAK=short 400."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation import operations
from curation.models import Candidate
from regions.models import Channel
from tests.edge.conftest import nginx_here  # noqa: F401  a fixture
from tests.soak.deciders import Caller
from tests.soak.newsroom import BELL, Newsroom, Post, Watch, approve, posts, prepare, shuffled
from tests.soak.sizes import SEED, sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
MANY = sized("SOAK_REMOVALS", short=400, whole=2_500, long=10_000)
AT_ONCE = 40  # live posts of a channel
WITHDRAWN = 0.3  # of them X withdraws, the others an editor blocks
TARGET = 5.0


class Remover(threading.Thread):
    """Approves posts of a market's channels, waits until the edge shows them, and removes them one by one."""

    def __init__(self, house: Newsroom, code: str, caller: Caller, watch: Watch, many: int) -> None:
        super().__init__(name=code, daemon=True)
        self.house, self.code, self.caller, self.watch, self.many = house, code, caller, watch, many
        self.chance = Random(f"{SEED} {code}")
        self.removed: dict[str, float] = {}
        self.withdrawn = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            with self.house.connected():
                channels = list(Channel.objects.filter(market__code=self.code))
                while len(self.removed) < self.many:
                    self.once(channels[len(self.removed) // AT_ONCE % len(channels)])
        except Exception as error:
            self.wrong.append(f"{self.code} ended: {error!r}")
            raise

    def once(self, channel: Channel) -> None:
        made = posts(channel, AT_ONCE)
        approve(self.caller, made)
        if not self.watch.shows((one.id for one in made), 20):
            self.wrong.append(f"{self.code}: not all of {len(made)} came within 20 s")
        for one in shuffled(self.chance, made):
            if self.chance.random() < WITHDRAWN:
                self.withdraw(one)
            else:
                self.block(one)
            self.removed[one.id] = time.monotonic()

    def block(self, one: Post) -> None:
        body = {"verb": "block", "version": 2, "reason": "not_chosen"}
        status, told = self.caller.post(f"/api/v1/candidates/{one.pk}/decisions/", body)
        assert status == HTTPStatus.CREATED, (status, told)

    def withdraw(self, one: Post) -> None:
        """As a recheck does that hears of it; publishing is its process's."""
        tweet = Candidate.objects.values_list("tweet", flat=True).get(pk=one.pk)
        operations.withdraw([tweet], cause="deleted", now=timezone.now())
        self.withdrawn += 1


@contextmanager
def disturbed(house: Newsroom) -> Iterator[None]:
    """Redis and the workers are killed, one or both, stay away for up to eight seconds, and come back."""
    over, began = threading.Event(), threading.Event()

    def disturb() -> None:
        began.set()
        while not over.wait(house.chance.uniform(2, 8)):
            gone = house.chance.choice(([BELL], ["worker"], [BELL, "worker"]))
            for part in gone:
                house.down(part)
            over.wait(house.chance.uniform(0, 8))
            for part in gone:
                house.up(part)

    hand = threading.Thread(target=disturb, daemon=True)
    hand.start()
    began.wait(10)
    try:
        yield
    finally:
        over.set()
        hand.join(60)


def test_what_is_removed_is_off_the_served_feed_within_seconds(
    nginx_here: None,  # noqa: F811
    tmp_path: Path,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.FEED_ROOT = tmp_path / "feeds"
    began = time.monotonic()
    with Newsroom(tmp_path, SEED) as house, house.connected(), ExitStack() as stack:
        callers = prepare(house)
        paths = Channel.objects.values_list("market__code", "category__slug")
        house.open()
        edge = stack.enter_context(house.at_the_edge())
        watches = {
            code: stack.enter_context(Watch(edge, [f"{code}/{slug}/" for where, slug in paths if where == code]))
            for code in callers
        }
        people = [Remover(house, code, one, watches[code], MANY // len(callers)) for code, one in callers.items()]
        with disturbed(house):
            for one in people:
                one.start()
            for one in people:
                one.join(3600)
        time.sleep(2 * TARGET)
        connection.close()
    stood = sorted(max(0.0, watches[one.code].seen[post] - at) for one in people for post, at in one.removed.items())
    told = {
        "removed": len(stood), "withdrawn": sum(one.withdrawn for one in people), "kills": dict(house.kills),
        "answers": sum(one.answers for one in watches.values()), "seconds": round(time.monotonic() - began),
        "gone when acknowledged": sum(not one for one in stood), "p99": round(quantiles(stood, n=100)[98], 2),
        "longest": round(stood[-1], 2),
    }  # fmt: skip
    with capsys.disabled():
        print("\n" + json.dumps(told))
    assert [words for one in people for words in one.wrong] == []
    assert [words for one in watches.values() for words in one.wrong] == []
    assert len(stood) >= MANY - AT_ONCE
    assert told["p99"] < TARGET
