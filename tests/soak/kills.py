"""Reading a busy X while workers are killed: the run of test_million, and of its smaller form in `make test`."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from django.db.models import Sum

from curation.ingest.polling import leases
from curation.models import Cursor, IngestRun
from curation.x.simulator.accounts import account_id
from regions.models import Channel, Market, Source
from tests.soak.farm import Farm, environment
from tests.soak.watch import Watch
from tests.soak.world import Plan, running

TWICE = 0.43  # of the accounts are read for two channels: 0.43 / 1.43 = 30 % of what is read is known by then


@dataclass
class Outcome:
    """What a run came to. `passed` are pairs of source and post that a cursor was ahead of."""

    passed: list[tuple[int, int]]
    rest: dict[str, int]
    died: list[str]
    figures: dict[str, Any]


def make_sources(plan: Plan, first: Channel, second: Channel, every: tuple[int, int]) -> dict[int, int]:
    """A source for each account, and a second one, for another channel, for some; source to author. Each is read
    `every` so many seconds, at least and at most.

    They are read from the beginning, where a new source would begin with the newest page."""
    Market.objects.update(posts_a_day=2_000_000_000, posts_a_month=2_000_000_000)
    names = plan.usernames()
    told = [(name, first) for name in names] + [(name, second) for name in names[: round(len(names) * TWICE)]]
    authors, (least, most) = {}, every
    for name, channel in told:
        bounds = {"least_seconds": least, "most_seconds": most}
        source = Source.objects.create(kind="account", value=name, channel=channel, **bounds)
        authors[source.pk] = account_id(name)
    leases.add_missing_cursors()
    Cursor.objects.update(newest_id=1)
    return authors


def soak(
    plan: Plan,
    kills: int,
    channels: tuple[Channel, Channel],
    folder: Path,
    *,
    lease: int,
    look: float,
    seconds: float,
    every: tuple[int, int] = (1, 3),
) -> Outcome:
    """Reads the plan's posts with 4 worker processes, of which `kills` are killed at random moments.

    Kills are spread over the time the posts take to come, and go on until their number is reached; for reading
    all there are at most `seconds`. Cursors are held against what is stored every `look` seconds or so."""
    authors, chance = make_sources(plan, *channels, every), Random(plan.seed)
    began = time.monotonic()
    passed: list[tuple[int, int]] = []
    died: list[str] = []
    with running(plan, environment(), folder) as told:
        more = {"X_API_BASE_URL": told.base_url, "X_BEARER_TOKEN": "simulator", "INGEST_LEASE_SECONDS": str(lease)}
        watch = Watch(told, authors)
        with Farm(folder, environment(**more), seed=plan.seed) as farm:
            while not passed and (farm.killed < kills or not watch.complete()):
                assert time.monotonic() - began < seconds, f"not done: {figures(plan, watch, farm, began)}"
                time.sleep(chance.uniform(0.5, 1.5) * look)
                if died := farm.mend():
                    break
                passed += watch.sample()
                if farm.killed < kills and due(plan, farm.killed, kills, began):
                    farm.kill()
            return Outcome(passed, watch.rest(), died, figures(plan, watch, farm, began))


def due(plan: Plan, killed: int, kills: int, began: float) -> bool:
    """Whether it is time for the next kill."""
    return (time.monotonic() - began) > killed * (plan.posts * (1 - plan.there) / plan.pace) / (kills + 1)


def figures(plan: Plan, watch: Watch, farm: Farm, began: float) -> dict[str, Any]:
    runs = IngestRun.objects.all()
    read, fresh, known = runs.aggregate(read=Sum("read"), fresh=Sum("fresh"), known=Sum("known")).values()
    stopped = runs.filter(error="The worker was stopped.").count()
    return {
        "posts": watch.posts,
        "read": read,
        "fresh": fresh,
        "known": known,
        "kills": farm.kills,
        "workers that Celery gave up": farm.restarts,
        "runs": runs.count(),
        "runs stopped by a kill": stopped,
        "samples": watch.samples,
        "posts held against a cursor": watch.looked_at,
        "seconds": round(time.monotonic() - began),
        "seed": plan.seed,
    }


def say(outcome: Outcome) -> str:
    return json.dumps(outcome.figures | {"differences": outcome.rest, "cursor ahead": len(outcome.passed)})
