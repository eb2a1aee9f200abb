"""Somebody of one market who tries everything in another: real ids and invented ones, odd words in every parameter."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client

from regions.models import User
from tests.config import test_matrix as matrix

WORDS = [
    "", "0", "-1", "1", "de", "DE", "nl", "gr", "de%00", "de'--", "<b>x</b>", "../full", "politics", "sport", "block",
    "approve", "lead", "9" * 30, "٣", "Ω", "\u202e", "null", "[]", "{}", "true", "%", "1 OR 1=1", "hold", "2030-01-01",
]  # fmt: skip
PARAMETERS = [
    "market", "category", "state", "q", "order", "cursor", "show", "person", "after", "who", "verb", "reason", "from",
    "to", "post", "act", "since", "decision", "candidate", "version", "note", "role", "username", "take", "slot",
    "until", "also", "id", "pk", "user", "format", "next", "at", "snapshot", "url", "author", "system", "loaded", "ids",
]  # fmt: skip
ELSEWHERE = ["de", "nl", "hr", "ro", "zz", "xx", "de-", "politics", "0"]  # none of them theirs
BODIES: dict[str, dict[str, Any]] = {  # whole ones, so that the market decides and not a missing field
    "api-membership": {"role": "lead"},
    "api-candidate-decisions": {"verb": "approve", "version": 1},
}


@dataclass
class Stranger:
    """`ids` are those of the foreign markets' rows; `wrong` collects answers that differ from those on what is not
    there at all."""

    user: User
    chance: random.Random
    ids: list[int]
    wrong: list[tuple[str, str, int]] = field(default_factory=list)
    nothing: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client = Client(raise_request_exception=False, headers={"Accept-Language": "en"})
        self.client.force_login(self.user, backend="django.contrib.auth.backends.ModelBackend")
        self.nothing = {
            "/": self.client.get("/nowhere/").content,
            "/api/": self.client.get("/api/v1/acts/0/x/").content,
        }

    def tries(self, count: int) -> int:
        """Asks so often; how many were asked."""
        for _ in range(count):
            name, address = self.chance.choice(matrix.GUARDED)
            self.ask(name, address)
        return count

    def ask(self, name: str, address: str) -> None:
        path, method = self.filled(address), "POST" if name in matrix.POSTED else "GET"
        method = "PATCH" if name in matrix.PATCHED else method
        words = self.parameters()
        query = words | {"market": self.elsewhere()}
        sent: dict[str, Any] = {"QUERY_STRING": urlencode(query)}
        if method != "GET":
            told = BODIES.get(name, words)
            sent |= {"data": json.dumps(told), "content_type": "application/json"}
        if self.chance.random() < 0.3:
            sent["headers"] = {"HX-Request": "true", "HX-Target": self.chance.choice(["found", "rows", "live"])}
        answer = self.client.generic(method, path, **sent)
        if not self.is_nothing(path, answer):
            self.wrong.append((method, path, answer.status_code))

    def is_nothing(self, path: str, answer: HttpResponse) -> bool:
        """The same 404 as for what no route knows."""
        api = path.startswith("/api/")
        if answer.status_code != 404:
            return False
        if api:
            return set(json.loads(answer.content)) == {"type", "title", "status", "code", "detail"}
        return answer.content == self.nothing["/"]

    def filled(self, address: str) -> str:
        told = address.replace("<slug:market>", self.elsewhere()).replace("<market>", self.elsewhere())
        for slot in ("<int:pk>", "<int:post>", "<int:number>"):
            told = told.replace(slot, str(self.number()))
        for slot in ("<slug:category>", "<slug:verb>"):
            told = told.replace(slot, self.chance.choice(["politics", "sport", "block", "hold", "x" * 40, "0"]))
        return "/" + told

    def elsewhere(self) -> str:
        return self.chance.choice(ELSEWHERE)

    def number(self) -> int:
        return self.chance.choice(
            [*self.ids, 0, 1, 2**31, 2**63 - 1, 2**63, 10**25, self.chance.randrange(10**6) + 10**7]
        )

    def parameters(self) -> dict[str, str]:
        names = self.chance.sample(PARAMETERS, self.chance.randrange(4))
        return {name: self.chance.choice(WORDS) for name in names}
