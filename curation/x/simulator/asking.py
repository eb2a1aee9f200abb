"""One request, checked and understood: what it wants, in the tweet dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from curation.x.simulator.dialects import Dialect
from curation.x.simulator.fields import Json, View, Wanted
from curation.x.simulator.includes import Includes
from curation.x.simulator.posts import Post
from curation.x.simulator.world import World


@dataclass
class Usage:
    """Posts handed out, each counted once per UTC day, as X charges them."""

    days: dict[str, set[int]] = field(default_factory=dict)

    def count(self, day: str, posts: list[Post]) -> None:
        self.days.setdefault(day, set()).update(post.id for post in posts)


@dataclass
class Request:
    """`parameters`: the path's and the query's, one value each."""

    world: World
    dialect: Dialect
    parameters: dict[str, str]
    pictures: str
    usage: Usage
    query_limit: int = 512

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


def body(data: Any, includes: Includes, errors: list[Json], meta: Json | None = None) -> Json:
    """An answer's parts in X's order; empty parts are left out."""
    parts: list[tuple[str, Any]] = [
        ("data", data),
        ("includes", includes.body()),
        ("errors", [*errors, *includes.errors.values()]),
        ("meta", meta),
    ]
    return {name: part for name, part in parts if part}
