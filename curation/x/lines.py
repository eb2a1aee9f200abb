"""Lines of the filtered stream: a post with the rules that it matches, X's farewell, or nothing we know.

Shapes: X_API, section "Shapes". Ids of rules come as strings or integers, tags may be missing.
"""

from __future__ import annotations

import json
import select
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from curation.x.entities import clean
from curation.x.outcomes import message_of
from curation.x.wire import Unreadable, read_id

LONGEST_LINE = 1024 * 1024
NO_WAIT = 0.002  # seconds in which what is buffered is read
SHOWN = 2000  # characters of an unreadable line that are kept


class Lines:
    """Whole lines as they come, without their ends, b"" for a keep-alive. What a break cuts off is left out.

    `sent_after`, in epoch seconds: X sent the last line later than that. It is not when the line was read: who was
    stopped for a minute reads then what is a minute old, and may have missed what came after it."""

    def __init__(self, raw: Any, silence_seconds: float, clock: Callable[[], float] = time.time) -> None:
        self.raw, self.silence_seconds, self.clock = raw, silence_seconds, clock
        self.sent_after = clock()

    def __iter__(self) -> Iterator[bytes]:
        rest, heard_at = b"", time.monotonic()
        while part := self._part():
            *whole, rest = (rest + part).split(b"\n")
            heard_at = time.monotonic() if whole else heard_at
            for line in whole:
                yield line.rstrip(b"\r")
            if len(rest) > LONGEST_LINE:
                raise requests.ConnectionError("a line is too long")
            if time.monotonic() - heard_at > self.silence_seconds:
                raise requests.Timeout("no line was finished")

    def _part(self) -> bytes:
        """What is there next. Only when nothing was there before, and it had to be waited for, is it new for sure."""
        began, waited = self.clock(), time.monotonic()
        empty = not select.select([self.raw], [], [], 0)[0]
        part: bytes = self.raw.read1(65_536)
        if empty and time.monotonic() - waited > NO_WAIT:
            self.sent_after = began
        return part


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
