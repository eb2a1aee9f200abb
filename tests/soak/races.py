"""Races of several people for one version over HTTP: of test_races, and of its smaller form in `make test`.

A lane is a channel with candidates and eight connections; in each of its races two to eight requests start together.
Some name several candidates, some are twins: one person's request, sent several times at once with its key."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from django.db import connection, connections
from knox.models import AuthToken

from curation.models import Act, Candidate, Decision, IdempotencyKey
from regions.models import Channel, Role, User
from tests.cast import make_candidate, make_user
from tests.soak.deciders import Caller

VERBS = {
    "pending": ("approve", "block", "pin", "schedule", "annotate"),
    "approved": ("block", "reopen", "pin", "schedule", "annotate"),
    "pinned": ("unpin", "block", "reopen", "annotate"),
    "blocked": ("reopen", "offer"),
}
FIELDS: dict[str, dict[str, Any]] = {
    "block": {"reason": "off_topic"},
    "schedule": {"go_live_at": "2030-01-01T10:00:00Z"},
    "annotate": {"context": "Eine Zeile."},
    "offer": {"market": "nl"},
}
MOST, ROWS, COMPANIONS, SLOTS = 8, 12, 3, 3
BULK, TWINS, UNDO = 0.2, 0.3, 0.15


@dataclass(frozen=True)
class Person:
    user: User
    token: str


@dataclass(frozen=True)
class Runner:
    """One request of a race, from `who`, about `ids`."""

    who: Person
    verb: str
    path: str
    body: dict[str, Any] | None
    ids: tuple[int, ...]
    key: str = ""


@dataclass(frozen=True)
class Ran:
    """Its answer, candidate by candidate."""

    runner: Runner
    act: int | None
    results: dict[int, dict[str, Any]]


@dataclass
class Lane:
    """`wrong` says what was not as it should be; `counts` what there was."""

    port: int
    channel: Channel
    people: list[Person]
    chance: Random
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rows = {make_candidate(self.channel).pk: (1, "pending") for _ in range(ROWS)}
        self.callers = [Caller(self.port, "") for _ in range(MOST)]
        self.last: dict[int, Ran] = {}

    def run(self, races: int) -> None:
        try:
            with ThreadPoolExecutor(MOST) as pool:
                for number in range(races):
                    if self.wrong:
                        break
                    self.race(number, pool)
        except Exception as error:
            self.wrong.append(f"{self.channel}: {error!r}")
            raise
        finally:
            connections.close_all()

    def race(self, number: int, pool: ThreadPoolExecutor) -> None:
        runners = self.runners(f"{self.channel.pk}-{number}")
        gate = threading.Barrier(len(runners))
        ran = list(pool.map(lambda place: self.started(runners[place], place, gate), range(len(runners))))
        for pk in sorted({pk for one in runners for pk in one.ids}):
            self.judge(pk, [one for one in ran if pk in one.runner.ids])
        self.counts.update(["races"] + [f"of {len(runners)}"] + [one.verb for one in runners])

    # --- who runs
    def runners(self, name: str) -> list[Runner]:
        """Two to eight; twins have one key, whoever else has one, or none."""
        size = self.chance.randint(2, MOST)
        raced, *companions = self.chance.sample(sorted(self.rows), 1 + COMPANIONS)
        alike = [pk for pk in companions if self.rows[pk][1] == self.rows[raced][1]]
        found: list[Runner] = []
        while len(found) < size:
            one = self.runner(raced, alike)
            keyed = replace(one, key=f"{name}-{len(found)}" if self.chance.random() < 0.6 else "")
            copies = self.chance.randint(2, 3) if keyed.key and self.chance.random() < TWINS else 1
            found += [keyed] * min(copies, size - len(found))
            self.counts["twins"] += copies > 1
        return found

    def runner(self, raced: int, alike: list[int]) -> Runner:
        last = self.last.get(raced)
        if last and last.runner.verb != "undo" and len(last.runner.ids) == 1 and self.chance.random() < UNDO:
            return Runner(last.runner.who, "undo", f"/api/v1/acts/{last.act}/undo/", None, (raced,))
        verb, who = self.chance.choice(self.verbs_for(raced)), self.chance.choice(self.people)
        body = {"verb": verb} | FIELDS.get(verb, {})
        if alike and verb not in ("pin", "offer", "unpin") and self.chance.random() < BULK:
            seen = [{"id": pk, "version": self.rows[pk][0]} for pk in (raced, *alike)]
            return Runner(who, verb, "/api/v1/decisions/", body | {"candidates": seen}, (raced, *alike))
        path = f"/api/v1/candidates/{raced}/decisions/"
        return Runner(who, verb, path, body | {"version": self.rows[raced][0]}, (raced,))

    def verbs_for(self, raced: int) -> list[str]:
        """Those that its state allows. Pins only while a slot is free, offers only once."""
        full = sum(state == "pinned" for _version, state in self.rows.values()) >= SLOTS
        offered = self.counts[f"offered {raced}"]
        told = VERBS[self.rows[raced][1]]
        return [verb for verb in told if not ((verb == "pin" and full) or (verb == "offer" and offered))]

    def started(self, runner: Runner, place: int, gate: threading.Barrier) -> Ran:
        caller = self.callers[place]
        caller.anew(runner.who.token)
        gate.wait(60)
        status, told = caller.post(runner.path, runner.body, runner.key)
        if "results" in told and told.get("act", 0) != 0:
            return Ran(runner, told["act"], {one["id"]: one for one in told["results"]})
        problem = {} if status == 201 else {"problem": told}
        one = {"status": status, "candidate": told.get("candidate")} | problem
        return Ran(runner, told.get("decision", {}).get("act"), {runner.ids[0]: one})

    # --- what came of it
    def judge(self, pk: int, ran: list[Ran]) -> None:
        """One act won, all others were told of it; the candidate is one version further."""
        seen, _state = self.rows[pk]
        won = [one for one in ran if one.results[pk]["status"] == 201]
        lost = [one for one in ran if one not in won]
        made = list(Decision.objects.filter(candidate=pk, version__gt=seen).select_related("by"))
        if [one.version for one in made] != [seen + 1] or {one.act for one in won} != {made[0].act_id}:
            acts, versions = [one.act for one in won], [one.version for one in made]
            self.wrong.append(f"{pk} from {seen}: acts {acts} won, versions {versions}: {ran}")
            return
        [decision] = made
        if {(one.runner.who.user, one.runner.verb) for one in won} != {(decision.by, decision.verb)}:
            self.wrong.append(f"{pk} from {seen}: {decision} by {decision.by} is not the winner's")
        for one in lost:
            self.judge_lost(one.results[pk], decision, one)
        self.learn(pk, won[0], decision)

    def judge_lost(self, result: dict[str, Any], decision: Decision, ran: Ran) -> None:
        by = decision.by.shown_name if decision.by else None
        wanted = (409, "stale_version", by, decision.verb, decision.at.isoformat(), decision.version)
        told = result.get("problem", {})
        got = (result["status"], *(told.get(name) for name in ("code", "by", "verb", "at")))
        candidate = told.get("candidate") or result.get("candidate") or {}
        if (*got, candidate.get("version")) != wanted:
            self.wrong.append(f"{ran.runner} was told {result}, not {wanted}")
        self.counts["lost"] += 1

    def learn(self, pk: int, won: Ran, decision: Decision) -> None:
        after = decision.after
        state = "pinned" if after["slot"] else after["state"]
        self.rows[pk] = (decision.version, state)
        self.last[pk] = won
        self.counts[f"offered {pk}"] += decision.verb == "offer"
        self.counts["won"] += 1


def people_of(code: str, number: int = 4) -> list[Person]:
    """Editors of a market and its lead, each with a token."""
    roles = [Role.EDITOR] * number + [Role.LEAD]
    users = [make_user(f"{code}_{n}", {code: role}, first_name=f"P{n}") for n, role in enumerate(roles)]
    return [Person(user, AuthToken.objects.create(user)[1]) for user in users]


def run_races(port: int, channels: Iterable[Channel], races: int, *, seed: int) -> list[Lane]:
    """So many races in all, each channel's in a lane of its own, all lanes at once."""
    channels = list(channels)
    people = {code: people_of(code) for code in sorted({channel.market.code for channel in channels})}
    lanes = [Lane(port, one, people[one.market.code], Random(seed * 1000 + n)) for n, one in enumerate(channels)]
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(lambda lane: lane.run(-(-races // len(lanes))), lanes))
    return lanes


def compare(lanes: list[Lane]) -> dict[str, int]:
    """How often the log differs from what the lanes saw, by way of differing. All should be 0."""
    won = sum(lane.counts["won"] for lane in lanes)
    rows = Candidate.objects.filter(pk__in=[pk for lane in lanes for pk in lane.rows])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT candidate_id FROM curation_decision GROUP BY candidate_id"
            " HAVING count(*) <> max(version) - 1 OR min(version) <> 2 OR count(*) <> count(DISTINCT version)) AS gaps"
        )
        [gaps] = cursor.fetchone()
    keyed = IdempotencyKey.objects.exclude(act=None).count()
    return {
        "decisions": Decision.objects.count() - won,
        "versions": sum(row.version for row in rows) - rows.count() - won,
        "gaps": gaps,
        "acts of no decision": Act.objects.filter(decision=None).count(),
        "keys of one act": keyed - len(set(IdempotencyKey.objects.exclude(act=None).values_list("act", flat=True))),
    }


def say(lanes: list[Lane], seconds: float) -> str:
    told: Counter[str] = Counter()
    for lane in lanes:
        told.update({name: n for name, n in lane.counts.items() if not name.startswith("offered ")})
    return json.dumps(dict(sorted(told.items())) | {"seconds": round(seconds)})
