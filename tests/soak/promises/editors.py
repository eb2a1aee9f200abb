"""People at work over HTTP: editors and leads of several markets, and strangers who try other markets' doors. What they
asked and what they were told is written down once it is settled; a lost answer is asked for again, with its key."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from random import Random
from typing import Any

from tests.soak.deciders import Caller
from tests.soak.promises.files import Lines
from tests.soak.promises.texts import hostile_words

STEPS = {
    "pending": ("approve",) * 6 + ("pin", "block", "schedule", "annotate"),
    "approved": ("block", "block", "reopen", "annotate", "schedule"),
    "pinned": ("unpin", "reopen", "block"),
    "blocked": ("reopen",),
    "lapsed": ("approve", "reopen"),
}
SETTLED = {200, 201, 403, 404, 409, 422}
STALE, UNDONE, REPEATED, BULK, LOOK = 0.08, 0.06, 0.05, 0.25, 0.2
PATIENCE = 120.0
MOST_LIVE = 40


@dataclass
class Newsdesk:
    """What everybody shares: the files, the sign to stop, and what is known of each market's candidates."""

    clients: Lines
    strangers: Lines
    stop: threading.Event = field(default_factory=threading.Event)
    known: dict[str, list[int]] = field(default_factory=dict)
    acts: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Person(threading.Thread):
    def __init__(self, who: str, market: str, caller: Caller, desk: Newsdesk, seed: int) -> None:
        super().__init__(name=who, daemon=True)
        self.who, self.market, self.caller, self.desk = who, market, caller, desk
        self.chance = Random(f"{seed} {who}")
        self.number = 0

    def run(self) -> None:
        while not self.desk.stop.wait(self.chance.uniform(0.3, 1.1)):
            try:
                self.turn()
            except Exception as error:
                self.desk.wrong.append(f"{self.who} ended: {error!r}")
                raise

    def turn(self) -> None:
        raise NotImplementedError

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Once: status 0 where there was no answer."""
        try:
            return self.caller.ask(method, path, body)
        except (OSError, HTTPException):
            return 0, {}


class Editor(Person):
    """Decides. `rows` is what this person saw last: version, where it stands, its category and author."""

    def __init__(self, *told: Any, loud: int, lead: bool) -> None:
        super().__init__(*told)
        self.loud, self.lead = loud, lead
        self.rows: dict[int, tuple[int, str, str, int]] = {}
        self.last: tuple[int, dict[int, int]] | None = None
        self.repeatable: tuple[dict[str, Any], dict[str, Any]] | None = None
        self.blocks: list[tuple[float, int, dict[int, int]]] = []  # of an author: when to lift it, and which act

    def turn(self) -> None:
        throw = self.chance.random()
        if self.blocks and self.blocks[0][0] < time.time():
            _at, act, seen = self.blocks.pop(0)
            self.undo(act, seen)
        elif not self.rows or throw < LOOK:
            self.look()
        elif throw < LOOK + UNDONE and self.last:
            (act, seen), self.last = self.last, None
            self.undo(act, seen)
        elif throw < LOOK + UNDONE + REPEATED and self.repeatable:
            (line, body), self.repeatable = self.repeatable, None
            self.settle(line, body)
        else:
            self.decide()

    def look(self) -> None:
        state = self.chance.choice(("pending", "pending", "approved", "blocked"))
        status, told = self.ask("GET", f"/api/v1/candidates/?market={self.market}&state={state}")
        if status == 200:
            self.learn(told["results"])
            self.desk.known[self.market] = list(self.rows)[-50:]

    def learn(self, candidates: list[dict[str, Any]]) -> None:
        for row in candidates:
            author = int((row["tweet"].get("author") or {}).get("id") or 0)
            where = "pinned" if row["pin"] else row["state"]
            self.rows[row["id"]] = (row["version"], where, row["category"], author)

    def decide(self) -> None:
        live = [pk for pk, row in self.rows.items() if row[1] == "approved"]
        standing = self.chance.choice(sorted({row[1] for row in self.rows.values()} & STEPS.keys()) or ["pending"])
        standing = "approved" if len(live) > MOST_LIVE else standing
        fit = [pk for pk, row in self.rows.items() if row[1] == standing]
        if not fit:
            return
        verb = self.chance.choice(STEPS[standing])
        many = verb != "pin" and self.chance.random() < BULK
        picked = self.chance.sample(fit, min(len(fit), self.chance.randint(2, 12) if many else 1))
        stale = self.chance.random() < STALE
        seen = {pk: max(1, self.rows[pk][0] - stale) for pk in picked}
        body: dict[str, Any] = {"verb": verb} | self.fields(verb)
        line = self.line(verb, seen)
        if len(seen) > 1:
            rows = [{"id": pk, "version": version} for pk, version in seen.items()]
            self.settle(line | {"path": "/api/v1/decisions/"}, body | {"candidates": rows})
            return
        [(pk, version)] = seen.items()
        if verb == "block" and self.rows[pk][3] == self.loud and not self.blocks:
            scope = "market" if self.lead else "channel"
            body["also"] = [{"kind": "author", "value": "", "scope": scope}]
            line |= {"blocks_author": self.loud, "category": None if self.lead else self.rows[pk][2]}
        self.settle(line | {"path": f"/api/v1/candidates/{pk}/decisions/"}, body | {"version": version})

    def fields(self, verb: str) -> dict[str, Any]:
        if verb == "block":
            return {"reason": self.chance.choice(("not_chosen", "off_topic", "spam"))}
        if verb == "annotate":
            return {"context": hostile_words(self.chance)}
        if verb == "schedule":
            return {"expire_at": (datetime.now(UTC) + timedelta(seconds=self.chance.randint(20, 600))).isoformat()}
        return {}

    def undo(self, act: int, seen: dict[int, int]) -> None:
        self.settle(self.line("undo", seen) | {"path": f"/api/v1/acts/{act}/undo/", "undoes": act}, None)

    def line(self, verb: str, seen: dict[int, int]) -> dict[str, Any]:
        self.number += 1
        told = {"who": self.who, "market": self.market, "verb": verb, "key": f"{self.who}-{self.number}"}
        return told | {"seen": {str(pk): version for pk, version in seen.items()}}

    def settle(self, line: dict[str, Any], body: Any) -> None:
        """Asks until there is an answer, and writes it down. Unsettled ones are written down as well, without one."""
        sent, tries, status, told = time.time(), 0, 0, {}
        while status not in SETTLED and time.time() < sent + PATIENCE:
            tries += 1
            try:
                status, told = self.caller.ask("POST", line["path"], body, line["key"])
            except (OSError, HTTPException):
                time.sleep(self.chance.uniform(0.1, 0.5))
                continue
            if status not in SETTLED:
                if status < 500 and status != 429:
                    self.desk.wrong.append(f"{line} was answered {status} {told}")
                    return
                time.sleep(self.chance.uniform(0.1, 0.5))
        results = self.results(line, status, told)
        act = told["act"] if "act" in told else told.get("decision", {}).get("act")
        whole = line | {"sent": sent, "answered": time.time(), "tries": tries, "status": status}
        self.desk.clients.write(whole | {"act": act, "results": results})
        self.after(whole, body, act, results)

    def results(self, line: dict[str, Any], status: int, told: dict[str, Any]) -> list[dict[str, Any]]:
        found = told.get("results")
        if found is None:
            number = int(next(iter(line["seen"]), 0))
            found = [{"id": number, "status": status, "problem": told if status != 201 else {}}]
            found[0] |= {"candidate": told["candidate"]} if told.get("candidate") else {}
        self.learn([one["candidate"] for one in found if one.get("candidate")])
        return [
            {"id": one["id"], "status": one["status"] if "status" in one else one["problem"]["status"]}
            | {name: one["problem"].get(name) for name in ("code", "by", "verb", "at") if one.get("problem")}
            for one in found
        ]

    def after(self, line: dict[str, Any], body: Any, act: int | None, results: list[dict[str, Any]]) -> None:
        for one in results:
            if one["status"] in (404, 409, 422):
                self.rows.pop(one["id"], None) if one.get("code") != "stale_version" else None
        seen = {int(pk): version for pk, version in line["seen"].items()}  # an undone block gives back others as well
        done = {one["id"]: seen[one["id"]] + 1 for one in results if one["status"] == 201 and act and one["id"] in seen}
        if not done or act is None:
            return
        self.desk.acts.setdefault(self.market, []).append(act)
        self.repeatable = ({name: line[name] for name in line if name not in ("sent", "answered")}, body)
        if line.get("blocks_author"):
            self.blocks.append((time.time() + self.chance.uniform(15, 40), act, done))
        elif line["verb"] != "undo":
            self.last = (act, done)


class Lead(Editor):
    """Takes an editor's role away now and then, and gives it back."""

    colleague = ""
    taken = 0.0

    def turn(self) -> None:
        if self.taken and time.time() > self.taken + 4:
            self.taken = 0.0 if self.give("editor") else self.taken
        elif not self.taken and self.chance.random() < 0.03:
            self.taken = time.time() if self.give("viewer") else 0.0
        else:
            super().turn()

    def give(self, role: str) -> bool:
        body = {"market": self.market, "username": self.colleague, "role": role}
        return self.ask("POST", "/api/v1/memberships/", body)[0] in (200, 201)


class Stranger(Person):
    """Asks for another market's rows, and the same of what nobody has: both must be answered alike."""

    NOBODY = 2_000_000_000
    NOWHERE = "zz"

    def turn(self) -> None:
        others = {code: ids for code, ids in self.desk.known.items() if code != self.market and ids}
        if not others:
            return
        market = self.chance.choice(sorted(others))
        number = self.chance.choice(others[market])
        decision = {"verb": self.chance.choice(("approve", "block", "reopen")), "version": self.chance.randint(1, 4)}
        acts = self.desk.acts.get(market, [])
        method, path, body = self.chance.choice(
            (
                ("GET", "/api/v1/candidates/{pk}/", None),
                ("POST", "/api/v1/candidates/{pk}/decisions/", decision),
                ("POST", "/api/v1/acts/{act}/undo/", None),
                ("GET", "/api/v1/candidates/?market={market}", None),
                ("GET", "/api/v1/decisions/?market={market}", None),
                ("GET", "/api/v1/memberships/?market={market}", None),
                ("GET", "/api/v1/blocks/?market={market}", None),
                ("POST", "/api/v1/feeds/{market}/hold/", {"snapshot": "blank", "reason": "x"}),
            )
        )
        theirs = path.format(pk=number, act=self.chance.choice(acts or [0]), market=market)
        status, told = self.ask(method, theirs, body)
        nowhere = path.format(pk=self.NOBODY, act=self.NOBODY, market=self.NOWHERE)
        nothing, told_nothing = self.ask(method, nowhere, body)
        if 0 in (status, nothing) or max(status, nothing) >= 429:
            return  # no answer: the house is down
        line = {"who": self.who, "method": method, "path": theirs, "market": market, "at": time.time()}
        line |= {
            "status": status,
            "told": self.plain(told),
            "nothing": nothing,
            "told_nothing": self.plain(told_nothing),
        }
        self.desk.strangers.write(line)

    def plain(self, told: Any) -> str:
        """Without what was asked for."""
        return re.sub(r"\d{4,}", "#", str({name: told[name] for name in told if name != "instance"}))
