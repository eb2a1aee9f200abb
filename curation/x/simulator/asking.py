"""One request, checked and understood: what it wants, in the tweet dialect."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from curation.x.simulator.dialects import Dialect
from curation.x.simulator.fields import Json, View, Wanted
from curation.x.simulator.includes import Includes
from curation.x.simulator.meter import Meter
from curation.x.simulator.world import World

if TYPE_CHECKING:
    from curation.x.simulator.compliance import Compliance
    from curation.x.simulator.rules import Rules
    from curation.x.simulator.streams import Streams


@dataclass(frozen=True)
class Asking:
    """One HTTP request as it came in; `spoiled` when its answer will not arrive whole, `turn` how it is turned."""

    method: str
    path: str
    parameters: dict[str, list[str]]
    authorization: str | None
    sent: bytes = b""
    reader: socket.socket | None = None
    spoiled: bool = False
    turn: str = ""


@dataclass
class Request:
    """`parameters`: the path's and the query's, one value each; `sent` the JSON that came along.

    `endpoint` and `subject` are what is charged to; `spoiled` answers do not arrive whole. Whoever
    answers may set `status`.
    """

    world: World
    dialect: Dialect
    parameters: dict[str, str]
    pictures: str
    meter: Meter
    rules: Rules
    compliance: Compliance
    endpoint: str = ""
    sent: Any = None
    query_limit: int = 512
    spoiled: bool = False
    status: int = 200
    streams: Streams | None = None
    reader: socket.socket | None = None

    def text(self, name: str) -> str | None:
        return self.parameters.get(name)

    def number(self, name: str, default: int) -> int:
        return int(self.parameters.get(name, default))

    def values(self, name: str) -> list[str]:
        value = self.parameters.get(name)
        return value.split(",") if value else []

    def words(self, name: str) -> set[str]:
        """The values of a *.fields or expansions parameter, in the tweet dialect."""
        return {self.dialect.inward(word) for word in self.values(name)}

    @cached_property
    def wanted(self) -> Wanted:
        return Wanted(
            post=self.words(self.dialect.post_fields),
            user=self.words("user.fields"),
            media=self.words("media.fields"),
            poll=self.words("poll.fields"),
            list=self.words("list.fields"),
            usage=self.words("usage.fields"),
            expansions=self.words("expansions"),
        )

    @cached_property
    def view(self) -> View:
        return View(self.world, self.pictures, self.wanted)

    def includes(self) -> Includes:
        return Includes(self.view, self.dialect)

    @property
    def subject(self) -> str:
        """What a page is of: the query, or the id of the account or list."""
        return self.text("query") or self.text("id") or ""

    def charge(self, kind: str, ids: Iterable[int], subject: str = "") -> None:
        """Charges posts ("post") or accounts ("user") that stand in `data`."""
        self.meter.charge(
            kind,
            ids,
            at=self.world.now(),
            endpoint=self.endpoint,
            subject=subject,
            delivered=not self.spoiled,
        )


def body(data: Any, includes: Includes, errors: list[Json], meta: Json | None = None) -> Json:
    """An answer's parts in X's order; empty parts are left out."""
    parts: list[tuple[str, Any]] = [
        ("data", data),
        ("includes", includes.body()),
        ("errors", [*errors, *includes.errors.values()]),
        ("meta", meta),
    ]
    return {name: part for name, part in parts if part}
