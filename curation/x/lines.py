"""Lines of the filtered stream: a post with the rules that it matches, X's farewell, or nothing we know.

Shapes: X_API, section "Shapes". Ids of rules come as strings or integers, tags may be missing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from curation.x.entities import clean
from curation.x.outcomes import message_of
from curation.x.wire import Unreadable, read_id

LONGEST_LINE = 1024 * 1024
SHOWN = 2000  # characters of an unreadable line that are kept


def lines(raw: Any, silence_seconds: float) -> Iterator[bytes]:
    """Whole lines without their ends, b"" for a keep-alive. What a break cuts off is left out."""
    rest, heard_at = b"", time.monotonic()
    while part := raw.read1(65_536):
        *whole, rest = (rest + part).split(b"\n")
        heard_at = time.monotonic() if whole else heard_at
        for line in whole:
            yield line.rstrip(b"\r")
        if len(rest) > LONGEST_LINE:
            raise requests.ConnectionError("a line is too long")
        if time.monotonic() - heard_at > silence_seconds:
            raise requests.Timeout("no line was finished")


@dataclass(frozen=True)
class Delivery:
    """A post as X gave it, unchecked, and the rules it matches: id (0 when unreadable) and tag ("" without)."""

    payload: dict[str, Any]
    includes: dict[str, Any] = field(default_factory=dict)
    rules: list[tuple[int, str]] = field(default_factory=list)

    @property
    def post_id(self) -> int | None:
        """What X charges for, where it can be read."""
        return number_of(self.payload.get("id")) or None


class Farewell(Exception):
    """X says that it is about to close the connection, and why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def read_line(line: bytes) -> Delivery:
    """Raises Farewell, or Unreadable for what is neither."""
    try:
        told = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the line is not JSON") from error
    if not isinstance(told, dict):
        raise Unreadable("the line is not an object")
    payload, includes, rules = (told.get(name) for name in ("data", "includes", "matching_rules"))
    if isinstance(payload, dict):
        matched = [entry for entry in rules if isinstance(entry, dict)] if isinstance(rules, list) else []
        return Delivery(payload, includes if isinstance(includes, dict) else {}, [rule_of(entry) for entry in matched])
    if "errors" in told:
        raise Farewell(message_of(told) or "X ends the stream without saying why.")
    raise Unreadable("a message of a kind that is not known")


def rule_of(entry: dict[str, Any]) -> tuple[int, str]:
    tag = entry.get("tag")
    return number_of(entry.get("id")), tag if isinstance(tag, str) else ""


def number_of(value: Any) -> int:
    try:
        return read_id(value)
    except Unreadable:
        return 0


def shown(line: bytes) -> str:
    """The beginning of a line, for who looks into the quarantine."""
    return clean(line[: 4 * SHOWN].decode(errors="replace"))[:SHOWN]
