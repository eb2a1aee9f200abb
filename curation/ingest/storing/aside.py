"""What could not be understood, as quarantine keeps it: the payload, and what of X's page belongs to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import JSONField, Value

from curation.models import IngestRun, Quarantined
from curation.x.wire import cleaned

LONGEST = 100_000  # characters of JSON; a post has some thousands
LONGEST_REASON = 300
POSTS = ("tweets", "posts")


class Aside(NamedTuple):
    """A payload with the reason. `beside` as in Quarantined."""

    reason: str
    payload: Any
    beside: dict[str, list[Any]] | None = None


def put_aside(reason: str, payload: Any, includes: dict[str, Any] | None = None) -> Aside:
    """`includes`: what X sent beside the posts of the page, in its form; None where there was no page."""
    told = kept(payload)
    whole = includes is not None and isinstance(told, dict)
    return Aside(reason[:LONGEST_REASON], told, kept_beside(told, includes or {}) if whole else None)


def rows_of(run: IngestRun, broken: Iterable[Aside], now: datetime) -> list[Quarantined]:
    """Not saved."""
    return [Quarantined(run=run, at=now, **one._asdict()) for one in broken]


def kept(payload: Any) -> Any:
    """All of a payload, or the beginning of what is long. A null of X's is no NULL."""
    told = cleaned(payload)
    if told is None:
        return Value(None, JSONField())
    words = json.dumps(told)
    return told if len(words) <= LONGEST else words[:LONGEST]


def kept_beside(payload: dict[str, Any], includes: dict[str, Any]) -> dict[str, list[Any]] | None:
    """None for what is too long to be kept whole."""
    told: dict[str, list[Any]] = cleaned(belonging(payload, includes))
    return told if len(json.dumps(told)) <= LONGEST else None


def belonging(payload: dict[str, Any], includes: dict[str, Any]) -> dict[str, list[Any]]:
    """The entries of a page that a post names, whatever of the post cannot be read, and those that the posts among
    them name: nobody else's."""
    names = set(named(payload))
    names |= {name for kind in POSTS for entry in picked(includes.get(kind), names) for name in named(entry)}
    found = {kind: [one for one in picked(entries, names) if one != payload] for kind, entries in includes.items()}
    return {kind: entries for kind, entries in found.items() if entries}


def picked(entries: Any, names: set[str]) -> list[dict[str, Any]]:
    told = (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    return [entry for entry in told if {str(entry.get("id")), str(entry.get("media_key"))} & names]


def named(value: Any, depth: int = 0) -> Iterator[str]:
    """Every word and number in it: ids and media keys are among them."""
    if isinstance(value, str | int):
        yield str(value)
    if depth > 50:
        return
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from named(one, depth + 1)
