"""People who decide over HTTP and write down what was acknowledged. A lost answer is asked for again with its key."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from random import Random
from typing import Any

from curation.config.demo.ports import HOST

STEPS = {
    "pending": ("approve", "approve", "block", "pin", "annotate"),
    "approved": ("reopen", "block", "annotate"),
    "pinned": ("unpin", "reopen", "block"),
    "blocked": ("reopen",),
    "lapsed": ("approve", "reopen", "block"),
}
SINGLE, MOST, UNDONE, REPEATED = 0.5, 200, 0.04, 0.05
SETTLED = {200, 201, 409, 422}


@dataclass(frozen=True)
class Asked:
    """A request. `seen`: the version of each candidate that it names, or for an undo the one to be taken back."""

    key: str
    verb: str
    path: str
    body: dict[str, Any] | None
    seen: dict[int, int]


@dataclass
class Tally:
    """What all of them came to, and the sign to stop."""

    acknowledged: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, verb: str, acknowledged: int, refused: Iterable[str]) -> None:
        with self.lock:
            self.acknowledged += acknowledged
            self.verbs[verb] += acknowledged
            self.refused.update(refused)


class Caller:
    """One connection to the web as somebody, opened anew when it was lost."""

    def __init__(self, port: int, token: str) -> None:
        self.token = token
        self.link = HTTPConnection(HOST, port, timeout=60)

    def anew(self, token: str) -> None:
        """As somebody else, on a new connection that waits for the request."""
        self.token = token
        self.link.close()
        self.link.connect()

    def post(self, path: str, body: Any, key: str = "") -> tuple[int, dict[str, Any]]:
        return self.ask("POST", path, body, key)

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, dict[str, Any]]:
        """Status and answer. Raises OSError or HTTPException where the connection is lost."""
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            self.link.request(method, path, json.dumps(body) if body is not None else None, headers)
            reply = self.link.getresponse()
            text = reply.read()
        except (OSError, HTTPException):
            self.link.close()
            raise
        return reply.status, json.loads(text) if reply.headers.get("Content-Type", "").endswith("json") else {}


class Decider(threading.Thread):
    """One person. `known` is what they saw last of each of their candidates: version and where it stands."""

    def __init__(self, name: str, caller: Caller, rows: list[int], file: Path, seed: int, tally: Tally) -> None:
        super().__init__(name=name, daemon=True)
        self.caller, self.file, self.chance, self.tally = caller, file, Random(seed), tally
        self.known = dict.fromkeys(rows, (1, "pending"))
        self.number = 0
        self.wrong: list[str] = []
        self.last: Asked | None = None  # to be undone
        self.before: tuple[Asked, Any] | None = None  # to be repeated

    def run(self) -> None:
        try:
            with self.file.open("w") as self.out:
                while not self.tally.stop.is_set():
                    self.repeat_one() if self.before and self.chance.random() < REPEATED else self.decide()
        except Exception as error:
            self.wrong.append(f"{self.name} ended: {error!r}")
            raise

    def decide(self) -> None:
        undoes = self.last and self.chance.random() < UNDONE
        asked = self.undo(self.last) if undoes and self.last else self.choose()
        status, told = self.settled(asked)
        results = told.get("results") or [self.as_result(asked, status, told)]
        act = told["act"] if "act" in told else told.get("decision", {}).get("act")
        done = {one["id"]: asked.seen[one["id"]] + 1 for one in results if one["status"] == 201}
        self.learn(results)
        if done:
            self.write_down(asked, act, done)
        refused = [one["problem"]["code"] for one in results if one["status"] != 201]
        self.tally.add(asked.verb, len(done), refused)

    def choose(self) -> Asked:
        """A verb, and one or many candidates that it may be said of."""
        standing = self.chance.choice(sorted({where for _version, where in self.known.values()}))
        verb = self.chance.choice(STEPS[standing])
        fit = [pk for pk, (_version, where) in self.known.items() if where == standing]
        size = 1 if verb == "pin" or self.chance.random() < SINGLE else self.chance.randint(2, MOST)
        seen = {pk: self.known[pk][0] for pk in self.chance.sample(fit, min(size, len(fit)))}
        body: dict[str, Any] = {"verb": verb}
        if verb == "block":
            body["reason"] = self.chance.choice(("not_chosen", "off_topic", "spam"))
        if verb == "annotate" or (verb == "approve" and self.chance.random() < 0.3):
            body["context"] = f"Zeile {self.chance.randint(1, 500)}"
        if len(seen) == 1:
            [(pk, version)] = seen.items()
            return self.asked(verb, f"candidates/{pk}/decisions/", body | {"version": version}, seen)
        rows = [{"id": pk, "version": version} for pk, version in seen.items()]
        return self.asked(verb, "decisions/", body | {"candidates": rows}, seen)

    def undo(self, last: Asked) -> Asked:
        self.last = None
        return self.asked("undo", last.path, None, last.seen)

    def asked(self, verb: str, path: str, body: dict[str, Any] | None, seen: dict[int, int]) -> Asked:
        self.number += 1
        return Asked(f"{self.name}-{self.number}", verb, f"/api/v1/{path}", body, seen)

    def settled(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """The answer; asked for until there is one. While the house is down for longer than minutes: an error."""
        until = time.monotonic() + 300
        while time.monotonic() < until:
            try:
                status, told = self.caller.post(asked.path, asked.body, asked.key)
            except (OSError, HTTPException) as error:
                self.missed(type(error).__name__)
                continue
            if status in SETTLED:
                return status, told
            if status < 500:
                raise AssertionError(f"{status} {told} for {asked}")
            self.missed(str(status))
        raise AssertionError(f"no answer to {asked}")

    def missed(self, why: str) -> None:
        with self.tally.lock:
            self.tally.lost[why] += 1
        time.sleep(self.chance.uniform(0.02, 0.3))

    def as_result(self, asked: Asked, status: int, told: dict[str, Any]) -> dict[str, Any]:
        """The answer to a single decision in the form of a bulk's."""
        [pk] = asked.seen if len(asked.seen) == 1 else [0]
        candidate = {"candidate": told["candidate"]} if "candidate" in told else {}
        return {"id": pk, "status": status} | candidate | ({"problem": told} if status != 201 else {})

    def learn(self, results: list[dict[str, Any]]) -> None:
        for row in (one["candidate"] for one in results if one.get("candidate")):
            self.known[row["id"]] = (row["version"], "pinned" if row["pin"] else row["state"])

    def write_down(self, asked: Asked, act: int, done: dict[int, int]) -> None:
        line = {"by": self.name, "key": asked.key, "verb": asked.verb, "act": act, "versions": done}
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()
        self.before = asked, (act, sorted(done))
        if asked.verb != "undo":
            self.last = Asked("", "undo", f"acts/{act}/undo/", None, done)

    def repeat_one(self) -> None:
        """The same request again, though it was answered: the same act, the same ones done."""
        asked, wanted = self.before or (None, None)
        assert asked is not None
        self.before = None
        status, told = self.settled(asked)
        results = told.get("results") or [self.as_result(asked, status, told)]
        act = told["act"] if "act" in told else told.get("decision", {}).get("act")
        got = act, sorted(one["id"] for one in results if one["status"] == 201)
        if got != wanted:
            self.wrong.append(f"{asked.key} gave {wanted}, repeated {got}")
        self.learn(results)
        with self.tally.lock:
            self.tally.repeated += 1
