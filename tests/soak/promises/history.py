"""What a run left behind, as its judges read it: files of clients, readers and faults, rows of PostgreSQL, X's truth.

Knows nothing of the product's code. A folder holds

    plan.json       seed, seconds, how much faster posts grow old than they should (`scale`)
    clients.jsonl   each settled request of an editor: who, market, verb, key, seen, sent, answered, act, results
    strangers.jsonl each request to another market, with the answer on what is not there at all
    looks.jsonl     each answer of the edge: path, asked, answered, status, etag, body (its hash) or error
    bodies/         the bodies by their hash, unpacked
    pages/          HTML, RSS and JSON Feed as they were served
    faults.jsonl    what was done to the house: kind, target, away (what was not there), from, to
    x.jsonl         what happened to posts and authors at X
    samples.jsonl   cursors with when they are due, newly stored ids, budgets and X's meter, every few seconds
    truth.json      X's posts by the id of their first version
    sql.json        the tables in the end, with the time of each row's commit by PostgreSQL's clock

All times are seconds since 1970 by the clock of the machine."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

Row = dict[str, Any]
FOREVER = float("inf")


@dataclass
class Verdict:
    """How often a promise was put to the test, and each time that it was broken, in words."""

    trials: int = 0
    wrong: list[str] = field(default_factory=list)

    def expect(self, kept: bool, words: str) -> None:
        self.trials += 1
        if not kept:
            self.wrong.append(words)


class Shown(NamedTuple):
    """A post in an answer of the edge: when it was asked for, and answered."""

    asked: float
    answered: float
    path: str
    id: int


class Body(NamedTuple):
    """What of a body is asked for again and again. `entries` are ids with their categories."""

    snapshot: int
    market: str
    entries: tuple[tuple[int, str], ...]


@dataclass
class History:
    plan: Row = field(default_factory=dict)
    clients: list[Row] = field(default_factory=list)
    strangers: list[Row] = field(default_factory=list)
    looks: list[Row] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    faults: list[Row] = field(default_factory=list)
    x: list[Row] = field(default_factory=list)
    samples: list[Row] = field(default_factory=list)
    truth: dict[str, Row] = field(default_factory=dict)
    sql: dict[str, list[Row]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> History:
        lines = {
            name: _lines(folder / f"{name}.jsonl")
            for name in ("clients", "strangers", "looks", "faults", "x", "samples")
        }
        files = {
            name: {one.name: one.read_bytes() for one in (folder / name).iterdir()} for name in ("bodies", "pages")
        }
        whole = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("plan", "truth", "sql")}
        return cls(**lines, **files, **whole)  # type: ignore[arg-type]

    # --- rows
    def table(self, name: str) -> list[Row]:
        return self.sql.get(name, [])

    @cached_property
    def decisions(self) -> dict[int, list[Row]]:
        """Those of each candidate, by version."""
        found: defaultdict[int, list[Row]] = defaultdict(list)
        for row in sorted(self.table("decisions"), key=lambda row: (row["candidate"], row["version"])):
            found[row["candidate"]].append(row)
        return dict(found)

    @cached_property
    def candidates(self) -> dict[int, Row]:
        return {row["id"]: row for row in self.table("candidates")}

    @cached_property
    def first_ids(self) -> dict[int, int]:
        """The first version's id of every version's."""
        return {int(one): int(first) for first, post in self.truth.items() for one in post["versions"]}

    # --- what the edge showed
    @cached_property
    def read_bodies(self) -> dict[str, Body]:
        """Those that can be read."""
        found = {}
        for name, raw in self.bodies.items():
            try:
                told = json.loads(raw)
                shown = tuple((int(one["id"]), sys.intern(one["category"])) for one in told["entries"])
                found[name] = Body(told["snapshot"], told["market"], shown)
            except (ValueError, KeyError, TypeError):
                continue
        return found

    @cached_property
    def shown(self) -> dict[tuple[str, str, int], list[Shown]]:
        """Each look at a post, by market, category and the id of its first version; in the order of the questions."""
        found: defaultdict[tuple[str, str, int], list[Shown]] = defaultdict(list)
        for look in sorted(self.looks, key=lambda look: look["asked"]):
            body = self.read_bodies.get(look.get("body") or "")
            for number, category in body.entries if body else ():
                place = (body.market, category, self.first_ids.get(number, number))
                found[place].append(Shown(look["asked"], look["answered"], look["path"], number))
        return dict(found)

    def place_of(self, candidate: int) -> tuple[str, str, int] | None:
        row = self.candidates.get(candidate)
        return (row["market"], row["category"], row["first_id"]) if row else None

    # --- time that does not count
    def away(self, *parts: str) -> list[tuple[float, float]]:
        """When one of these was not there, joined and in order."""
        spans = sorted((one["from"], one["to"]) for one in self.faults if set(parts) & set(one.get("away", ())))
        joined: list[tuple[float, float]] = []
        for start, end in spans:
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined

    def after(self, moment: float, seconds: float, *parts: str) -> float:
        """The moment so many seconds later, while none of these parts was away."""
        end = moment + seconds
        for start, back in self.away(*parts):
            if back > moment and start < end:
                end += back - max(start, moment)
        return end


def _lines(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def spans_off(decisions: Iterable[Row]) -> Iterator[tuple[Row, float]]:
    """Each decision that took a candidate off the feed, and when the next one approved it again."""
    rows = list(decisions)
    for n, row in enumerate(rows):
        if row["before"]["state"] == "approved" and row["after"]["state"] != "approved":
            again = (one["committed"] for one in rows[n + 1 :] if one["after"]["state"] == "approved")
            yield row, min(again, default=FOREVER)
