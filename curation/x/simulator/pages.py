"""Pages of posts: bounds by id and time, tokens that neither lose nor repeat a post."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice, takewhile

from curation.x.simulator.posts import Post, snowflake
from curation.x.simulator.world import World

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
PREFIX = "7140dibd"


def token(post_id: int, newer: bool) -> str:
    """Names the posts before (or after, when `newer`) this id."""
    number, text = post_id * 2 + newer, ""
    while number:
        number, rest = divmod(number, 36)
        text = DIGITS[rest] + text
    return PREFIX + text


@dataclass(frozen=True)
class Cursor:
    post_id: int
    newer: bool


def cursor(text: str) -> Cursor:
    """Raises ValueError for what was never a token."""
    if not text.startswith(PREFIX):
        raise ValueError(text)
    number = int(text.removeprefix(PREFIX), 36)
    return Cursor(number // 2, bool(number % 2))


@dataclass(frozen=True)
class Bounds:
    """Ids between `above` and `below`, both exclusive."""

    above: int = 0
    below: int = 1 << 63

    def since(self, post_id: int) -> Bounds:
        return Bounds(max(self.above, post_id), self.below)

    def until(self, post_id: int) -> Bounds:
        return Bounds(self.above, min(self.below, post_id))

    def from_time(self, ms: int) -> Bounds:
        return self.since(snowflake(ms) - 1)

    def to_time(self, ms: int) -> Bounds:
        return self.until(snowflake(ms))


@dataclass(frozen=True)
class Page:
    posts: list[Post]
    next_token: str | None = None
    previous_token: str | None = None

    def meta(self, ends: bool) -> dict[str, str | int]:
        """`ends`: whether the endpoint tells newest_id and oldest_id."""
        found: dict[str, str | int] = {"result_count": len(self.posts)}
        if ends and self.posts:
            found |= {"newest_id": str(self.posts[0].id), "oldest_id": str(self.posts[-1].id)}
        tokens = {"next_token": self.next_token, "previous_token": self.previous_token}
        return found | {name: value for name, value in tokens.items() if value}


@dataclass(frozen=True)
class Shelf:
    """The posts an endpoint pages through: those of `order` (None: all) that fit, within bounds."""

    world: World
    fits: Callable[[Post], bool]
    bounds: Bounds
    order: list[int] | None = None

    def down(self, bounds: Bounds) -> Iterator[Post]:
        falling = self.world.descending(bounds.below, self.order)
        return filter(self.fits, takewhile(lambda post: post.id > bounds.above, falling))

    def up(self, above: int) -> Iterator[Post]:
        rising = self.world.ascending(max(above, self.bounds.above), self.order)
        return filter(self.fits, takewhile(lambda post: post.id < self.bounds.below, rising))


def page(shelf: Shelf, at: Cursor | None, size: int) -> Page:
    """The newest posts of the shelf; or those the cursor names."""
    if at and at.newer:
        return _newer(shelf, at, size)
    narrowed = shelf.bounds.until(at.post_id) if at else shelf.bounds
    found = list(islice(shelf.down(narrowed), size + 1))
    posts = found[:size]
    following = token(posts[-1].id, newer=False) if len(found) > size else None
    start = posts[0].id if posts else (at.post_id - 1 if at else 0)
    return Page(posts, following, token(start, newer=True) if at else None)


def _newer(shelf: Shelf, at: Cursor, size: int) -> Page:
    found = list(islice(shelf.up(at.post_id), size + 1))
    posts = found[:size][::-1]
    last = posts[-1].id if posts else at.post_id + 1
    before = token(posts[0].id, newer=True) if len(found) > size else None
    return Page(posts, token(last, newer=False), before)
