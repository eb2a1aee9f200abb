"""Many decisions while the house is killed, and what the log must say in the end: test_decisions_survive."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from knox.models import AuthToken

from curation import operations
from curation.config.celery import app
from curation.models import Act, Candidate, Decision, IdempotencyKey
from curation.seal_file import SealFile
from feeds.models import Feed
from regions.models import Channel, Market, Role
from tests.cast import make_candidate, make_user
from tests.soak.deciders import Caller, Decider, Tally
from tests.soak.house import House

OWN, SHARED = 300, 60  # candidates that one of a market's two people decides alone, and that both decide
PAIR = 2


@dataclass
class Outcome:
    """What a run came to: `differences` should all be 0, `wrong` and `died` empty."""

    differences: dict[str, int]
    wrong: list[str]
    died: list[str]
    figures: dict[str, Any]


def decide_and_kill(decisions: int, kills: int, folder: Path, *, seed: int, seconds: float) -> Outcome:
    """At least so many acknowledged decisions of ten people, and kills spread among them."""
    began, tally = time.monotonic(), Tally()
    with House(folder, seed) as house, house.connected():
        call_command("migrate", verbosity=0)
        people = make_people(house.port, folder, seed, tally)
        house.open()
        with deciding(people, tally), ringing():
            while house.killed < kills or tally.acknowledged < decisions:
                assert time.monotonic() - began < seconds, f"not done: {figures(house, tally, began)}"
                assert all(one.is_alive() for one in people), [one.wrong for one in people]
                turn(house, tally, decisions / (kills + 1))
        house.mend()
        sealed(60)
        differences = compare(folder)
        wrong = [words for one in people for words in one.wrong]
        lapsed = {"lapsed by the worker": Decision.objects.filter(by=None).count()}
        return Outcome(differences, wrong, house.died, figures(house, tally, began) | lapsed)


def turn(house: House, tally: Tally, between: float) -> None:
    time.sleep(house.chance.uniform(0.01, 0.1))
    house.mend()
    if tally.acknowledged >= (house.killed + 1) * between:
        let_some_grow_old(house.chance)
        house.kill()


def make_people(port: int, folder: Path, seed: int, tally: Tally) -> list[Decider]:
    """Two editors in each market, who share some of its candidates."""
    people = []
    for market in Market.objects.order_by("pk"):
        channels = list(Channel.objects.filter(market=market))
        rows = [make_candidate(channels[n % len(channels)]).pk for n in range(SHARED + PAIR * OWN)]
        for number in range(PAIR):
            user = make_user(f"{market.code}{number}", {market.code: Role.EDITOR})
            caller = Caller(port, AuthToken.objects.create(user)[1])
            mine = rows[:SHARED] + rows[SHARED + number * OWN : SHARED + (number + 1) * OWN]
            file = folder / f"{user.username}.jsonl"
            people.append(Decider(user.username, caller, mine, file, seed * 1000 + len(people), tally))
    return people


@contextmanager
def deciding(people: list[Decider], tally: Tally) -> Iterator[None]:
    """They decide until the block ends; then each waits for its last answer."""
    for one in people:
        one.start()
    try:
        yield
    finally:
        tally.stop.set()
        for one in people:
            one.join(300)


@contextmanager
def ringing(seconds: float = 0.5) -> Iterator[None]:
    """Rings for the worker's jobs that decide, as beat does."""
    stopped = threading.Event()

    def ring() -> None:
        while not stopped.wait(seconds):
            app.send_task("curation.tasks.lapse_old_candidates", expires=5)

    bell = threading.Thread(target=ring, daemon=True)
    bell.start()
    try:
        yield
    finally:
        stopped.set()
        bell.join(10)


def let_some_grow_old(chance: Random) -> None:
    """Some that wait have waited for a month, so that the worker lapses them, as an act of the system."""
    with suppress(OperationalError, InterfaceError), transaction.atomic():
        waiting = list(Candidate.objects.pending().select_for_update(skip_locked=True).values_list("pk", flat=True))
        old = chance.sample(waiting, min(40, len(waiting)))
        Candidate.objects.filter(pk__in=old).update(pending_since=timezone.now() - timedelta(days=30))
        return
    connection.close()


def sealed(seconds: float) -> None:
    """Waits until the publisher sealed and published all there is."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OperationalError, InterfaceError):
            waiting = sum(operations.verify_log(one, None, now=timezone.now()).unsealed for one in Market.objects.all())
            if not waiting and not Feed.objects.due_markets(timezone.now()):
                return
        connection.close()
        time.sleep(1)
    raise AssertionError("the publisher does not seal or publish")


def acknowledged(folder: Path) -> list[dict[str, Any]]:
    """What the people wrote down."""
    names = Market.objects.values_list("code", flat=True)
    files = [folder / f"{name}{number}.jsonl" for name in names for number in range(PAIR)]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def compare(folder: Path) -> dict[str, int]:
    """How often the log differs from what was acknowledged, by way of differing."""
    told = acknowledged(folder)
    pairs = [
        ((line["act"], int(pk)), (version, line["by"], line["verb"]))
        for line in told
        for pk, version in line["versions"].items()
    ]
    by_people = Decision.objects.exclude(by=None)
    rows = list(by_people.values_list("act", "candidate", "version", "by__username", "verb"))
    logged = {(act, pk): rest for act, pk, *rest in rows}
    keys = {(one.user.username, one.key): one.act_id for one in IdempotencyKey.objects.select_related("user")}
    acts = set(Act.objects.exclude(by=None).values_list("pk", flat=True))
    return {
        "lost": sum(logged.get(pair, []) != list(rest) for pair, rest in pairs),
        "acknowledged twice": len(pairs) - len(dict(pairs)),
        "decided, not acknowledged": len(set(logged) - set(dict(pairs))),
        "twice in one act": len(rows) - len(logged),
        "acts, not acknowledged": len(acts ^ {line["act"] for line in told}),
        "keys": sum(keys.get((line["by"], line["key"])) != line["act"] for line in told) + abs(len(keys) - len(told)),
        "standing": sum(differs_from_log(one) for one in Candidate.objects.all()),
        "log": sum(audit(one, folder) for one in Market.objects.all()),
    }


def differs_from_log(candidate: Candidate) -> bool:
    """Whether a candidate stands otherwise than its last decision left it. Since when it waits was tampered with."""
    last = Decision.objects.filter(candidate=candidate).order_by("-version").first()
    if last is None:
        return candidate.version != 1
    now, then = ({**standing, "pending_since": None} for standing in (candidate.standing(), last.after))
    return candidate.version != last.version or now != then


def audit(market: Market, folder: Path) -> int:
    found = operations.verify_log(market, SealFile(folder / "seals.jsonl"), now=timezone.now())
    return found.found + found.unsealed + found.unvouched


def figures(house: House, tally: Tally, began: float) -> dict[str, Any]:
    return {
        "acknowledged": tally.acknowledged,
        "kills": house.killed,
        "of": dict(house.kills),
        "answers lost": dict(tally.lost),
        "repeated on purpose": tally.repeated,
        "refused": dict(tally.refused),
        "verbs": dict(tally.verbs),
        "seconds": round(time.monotonic() - began),
    }
