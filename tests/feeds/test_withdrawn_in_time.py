"""What X takes back leaves the feeds that it must, within 10 s of the recheck that saw it: with all processes of the
house, and with the publisher alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from kombu import Connection

from curation.config.celery import app
from curation.config.demo.servers import redis
from curation.models import Candidate, IngestRun, Tweet
from curation.x.simulator import Simulator
from curation.x.simulator.asking import Asking
from curation.x.simulator.faults import Reply
from feeds import files
from feeds.models import Feed, Place
from feeds.operations import publish
from regions.models import Channel, Market
from tests.cast import channel_of, make_author, make_tweet
from tests.feeds.conftest import committed, ids, live, opened
from tests.soak.farm import QUICK, environment
from tests.soak.programs import begin, end_all

PROMISED = 10.0  # seconds
PLACES = [Place(mode, code, slug) for mode in ("ids", "full") for code in ("de", "nl") for slug in ("politics", None)]
BEFALLEN = ["edited", "deleted", "protected", "suspended", "withheld in DE"]
STAYS = "stays"
WORKER = ("-m", "celery", "-A", "curation.config.celery", "worker", "-l", "WARNING", "--concurrency=1", *QUICK)


class Timed(Simulator):
    """Notes when it first answered a recheck."""

    answered = 0.0

    def answer(self, asking: Asking) -> Reply:
        reply = super().answer(asking)
        if asking.path == "/2/tweets":
            self.answered = self.answered or time.monotonic()
        return reply


@dataclass
class House:
    """A worker, a publisher and a Redis of their own, as processes on the tests' database; `gone` is when each file
    was first seen without a post, by place and what befell it."""

    x: Timed
    worker: subprocess.Popen[bytes]
    servers: ExitStack
    broker: Connection
    gone: dict[tuple[Place, str], float] = field(default_factory=dict)

    def ring(self) -> None:
        """What beat does every minute."""
        self.x.answered, self.gone = 0.0, {}
        app.send_task("feeds.tasks.recheck_live", connection=self.broker)

    def kill_worker_and_redis(self) -> None:
        os.killpg(self.worker.pid, signal.SIGKILL)
        self.worker.wait()
        self.servers.close()

    def note(self, posts: dict[str, str]) -> bool:
        """Looks into every file once; whether all have let go of what they must."""
        now = time.monotonic()
        for place in PLACES:
            there = shown(place)
            for befell in BEFALLEN:
                if posts[befell] not in there:
                    self.gone.setdefault((place, befell), now)
        return set(self.gone) == {(place, befell) for place in PLACES for befell in must_leave(place)}

    def slowest(self) -> float:
        """Seconds from X's answer to the last file."""
        return max(self.gone.values()) - self.x.answered


def must_leave(place: Place) -> list[str]:
    return BEFALLEN if place.market == "de" else BEFALLEN[:-1]


def shown(place: Place) -> set[str]:
    """The ids that a served file shows."""
    found = files.read(files.path_of(place))
    return set(ids(opened(found))) if found else set()


@contextmanager
def house(folder: Path) -> Iterator[House]:
    with ExitStack() as all_of_it:
        x = all_of_it.enter_context(Timed(rate=0, catalogue=0))
        servers = all_of_it.enter_context(ExitStack())
        url = servers.enter_context(redis(folder / "redis", fast=True))
        told = {"REDIS_URL": url, "CELERY_BROKER_URL": url, "FEED_ROOT": str(files.root())}
        told |= {"X_API_BASE_URL": x.base_url, "X_BEARER_TOKEN": x.token, "LOG_SEALS": str(folder / "seals.jsonl")}
        programs = []
        for name, words in (("worker", WORKER), ("publisher", ("manage.py", "publisher"))):
            out = all_of_it.enter_context((folder / f"{name}.log").open("wb"))
            programs.append(begin([sys.executable, *words], environment(**told), out))
            all_of_it.callback(end_all, programs[-1])
        yield House(x, programs[0], servers, all_of_it.enter_context(Connection(url)))


def make_posts(x: Simulator, prefix: str, *, checked: timedelta) -> dict[str, str]:
    """A post for each thing that befalls one, and one more, all live in DE and NL; their ids."""
    found = {}
    for n, befalls in enumerate([*BEFALLEN, STAYS]):
        account = x.account(f"{prefix}_{n}", category="politics", language="de")
        found[befalls] = x.post(account.username, befalls, at=timezone.now() - timedelta(minutes=20))
        author = make_author(account.username, x_id=account.id)
        seen = {"author": author, "checked_at": timezone.now() - checked}
        tweet = make_tweet(befalls, first_id=int(found[befalls]), **seen)
        for market in ("de", "nl"):
            live(channel_of(market, "politics"), tweet=tweet)
    return found


def befall(x: Simulator, prefix: str, posts: dict[str, str]) -> None:
    """Each has happen to it what its text says."""
    x.edit(posts["edited"], "edited since")
    x.delete(posts["deleted"])
    x.protect(f"{prefix}_2")
    x.suspend(f"{prefix}_3")
    x.withhold(posts["withheld in DE"], ["DE"])


def soon(what: Callable[[], Any], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "not in time"
        time.sleep(0.01)


def decided(posts: dict[str, str]) -> None:
    """The edited one waits in both markets with its difference; the others are withdrawn where they must be."""
    rows = Candidate.objects.filter(tweet__first_id__in=map(int, posts.values()))
    told = rows.values_list("tweet__first_id", "channel__market__code", "state")
    states = {(str(number), code): state for number, code, state in told}
    found = {befell: [states[number, code] for code in ("de", "nl")] for befell, number in posts.items()}
    gone = dict.fromkeys(BEFALLEN, ["withdrawn"] * 2)
    apart = {"edited": ["pending"] * 2, "withheld in DE": ["withdrawn", "approved"], STAYS: ["approved"] * 2}
    assert found == gone | apart
    edited = Tweet.objects.get(first_id=posts["edited"])
    assert (edited.text, edited.previous_text) == ("edited since", "edited")


@committed
def test_each_is_off_the_files_in_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with house(tmp_path) as whole:
        first = make_posts(whole.x, "erste", checked=timedelta(hours=1))
        second = make_posts(whole.x, "zweite", checked=timedelta(0))
        everything = {*first.values(), *second.values()}
        Channel.objects.update(feed_length=len(everything))
        Market.objects.update(feed_length=len(everything))
        for market in Market.objects.filter(code__in=("de", "nl")):
            publish(market.pk)
        soon(lambda: all(shown(place) == everything for place in PLACES), 20)
        soon(lambda: (tmp_path / "publisher.log").stat().st_size, 60)

        befall(whole.x, "erste", first)
        whole.ring()
        soon(lambda: whole.note(first), 60)  # it may still be starting
        together = whole.slowest()
        decided(first)

        befall(whole.x, "zweite", second)
        Tweet.objects.filter(first_id__in=second.values()).update(checked_at=timezone.now() - timedelta(hours=1))
        with transaction.atomic():
            list(Feed.objects.select_for_update())  # so that the worker dies before it has published
            whole.ring()
            soon(lambda: Tweet.objects.filter(first_id=second["deleted"]).exclude(gone_at=None).exists(), 5)
            whole.kill_worker_and_redis()
            assert all(second["deleted"] in shown(place) for place in PLACES)
        soon(lambda: whole.note(second), 20)
        alone = whole.slowest()
        decided(second)

        stay = {first[STAYS], second[STAYS]}
        withheld = {first["withheld in DE"], second["withheld in DE"]}
        assert [shown(place) for place in PLACES] == [stay | withheld if p.market == "nl" else stay for p in PLACES]
    assert set(IngestRun.objects.values_list("kind", flat=True)) == {"recheck"}
    with capsys.disabled():
        print(f"\noff the files {together:.1f} s after X's answer, by the publisher alone {alone:.1f} s")
    assert (together < PROMISED, alone < PROMISED) == (True, True), (together, alone)
