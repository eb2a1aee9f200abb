"""Bodies turned wrong: what X once sent, or might. Every turn leaves the truth to be had by asking again.

A turn takes a finished body and what it may need, and gives another; the first stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from curation.x.simulator import dialects
from curation.x.simulator.accounts import seeded
from curation.x.simulator.pages import token

Json = dict[str, Any]
LAST = (1 << 63) - 1


@dataclass
class Turning:
    """`before` holds the posts of the page that was last handed out of the same account, list or query."""

    chance: Random
    before: list[Json] = field(default_factory=list)


Turn = Callable[[Json, Turning], Json]


def missing_includes(body: Json, turning: Turning) -> Json:
    return {name: value for name, value in body.items() if name != "includes"}


def number_ids(body: Any, turning: Turning, name: str = "") -> Any:
    """Every id becomes a number."""
    if isinstance(body, dict):
        return {key: number_ids(value, turning, key) for key, value in body.items()}
    if isinstance(body, list):
        return [number_ids(entry, turning, name) for entry in body]
    an_id = name in ("id", "ids") or name.endswith(("_id", "_ids"))
    return int(body) if an_id and isinstance(body, str) and body.isdecimal() else body


def plain_dates(body: Any, turning: Turning) -> Any:
    """Times without fractions of a second."""
    if isinstance(body, dict):
        return {key: plain_dates(value, turning) for key, value in body.items()}
    if isinstance(body, list):
        return [plain_dates(entry, turning) for entry in body]
    return body[:-5] + "Z" if isinstance(body, str) and body.endswith(".000Z") and len(body) == 24 else body


def other_dialect(body: Any, turning: Turning) -> Any:
    """In the words of X's newer document, whatever was asked."""
    return dialects.renamed(body)


def bad_text(body: Json, turning: Turning) -> Json:
    """A lone surrogate and a NUL at the end of every text, where no entity's offset suffers."""
    return _posts(body, lambda post: post | {"text": post.get("text", "") + " \ud83d\x00"})


def shuffled(body: Json, turning: Turning) -> Json:
    posts = _list(body)
    return body | {"data": turning.chance.sample(posts, len(posts))} if len(posts) > 1 else body


def repeated(body: Json, turning: Turning) -> Json:
    """Some posts twice on the page, and again those that the page before ended with."""
    posts = _list(body)
    return body | {"data": [*turning.before[-3:], *posts, *posts[:3]]} if posts else body


def future_ids(body: Json, turning: Turning) -> Json:
    """A post as large as ids can be, and the page's ends say so too."""
    posts = _list(body)
    if not posts:
        return body
    number = str(LAST - int(posts[0]["id"]) % 1000)
    meta = body.get("meta", {})
    ends = {"newest_id": number} if "newest_id" in meta else {}
    # In the middle: a reader who trusts the order stumbles over it.
    at = len(posts) // 2
    far = posts[at] | {"id": number} | {name: [number] for name in posts[at] if name.startswith("edit_history")}
    return body | {"data": [*posts[:at], far, *posts[at:]]} | ({"meta": meta | ends} if meta else {})


def same_token(body: Json, turning: Turning) -> Json:
    """The next page is this page again."""
    return _with_token(body, lambda posts: token(int(posts[0]["id"]) + 1, newer=False))


def looping_token(body: Json, turning: Turning) -> Json:
    """The next page is the first page."""
    return _with_token(body, lambda posts: token(LAST, newer=False))


PAGED: dict[str, Turn] = {
    "same_token": same_token,
    "looping_token": looping_token,
    "repeated": repeated,
    "shuffled": shuffled,
    "future_ids": future_ids,
}
TURNS: dict[str, Turn] = PAGED | {
    "missing_includes": missing_includes,
    "number_ids": number_ids,
    "plain_dates": plain_dates,
    "other_dialect": other_dialect,
    "bad_text": bad_text,
}


class Turner:
    """Turns answers, and remembers for it which posts each subject was answered with last."""

    def __init__(self) -> None:
        self.turned = 0
        self.before: dict[str, list[Json]] = {}

    def turn(self, kind: str, subject: str, body: Json) -> Json:
        """`subject`: what was asked, without its bounds."""
        self.turned += 1
        before = self.before.get(subject, [])
        self.before[subject] = _list(body) or before
        return TURNS[kind](body, Turning(seeded("turn", self.turned), before)) if kind else body


def post_ids(body: Any) -> set[int]:
    """Of the posts that stand in `data`."""
    return {int(post["id"]) for post in _list(body)}


def _list(body: Any) -> list[Json]:
    found = body.get("data") if isinstance(body, dict) else None
    found = [found] if isinstance(found, dict) else found or []
    return [entry for entry in found if isinstance(entry, dict) and "text" in entry and "id" in entry]


def _posts(body: Json, turn: Callable[[Json], Json]) -> Json:
    if not _list(body):
        return body
    found = body["data"]
    return body | {"data": [turn(post) for post in found] if isinstance(found, list) else turn(found)}


def _with_token(body: Json, made: Callable[[list[Json]], str]) -> Json:
    posts = _list(body)
    return body | {"meta": body["meta"] | {"next_token": made(posts)}} if posts and "meta" in body else body
