"""The stream's rules at X, kept in step with the sources: one rule for each text, tag source:<id>.

X knows no markets and lets no two rules have one text: sources of several markets that ask for the same share a rule,
named after the first of them. There is one app, so every other rule is a stranger and goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from curation.x.client import Door, Page
from curation.x.lines import Delivery, number_of
from curation.x.outcomes import QueryRefused, Unreachable, last_segment, message_of
from regions.models import Channel, Market, Source
from regions.operations import pause_source

log = structlog.get_logger(__name__)
MOST = 1000  # rules that X allows
AT_ONCE = 100
DUPLICATE = "duplicate-rules"


@dataclass(frozen=True)
class Listened:
    """A source of kind stream: its channels, and the market that pays."""

    source: Source
    channels: list[Channel]
    market: Market


@dataclass(frozen=True)
class StreamRule:
    """A rule as X has it."""

    id: int
    value: str
    tag: str


@dataclass
class Step:
    """Sources whose rule is new at X; and those whose rule X had lost, with the last time that it was seen there."""

    added: set[int] = field(default_factory=set)
    lost: dict[int, datetime] = field(default_factory=dict)


def listened() -> list[Listened]:
    """Sources of kind stream that run and feed a channel, by id."""
    running = Source.objects.running().filter(kind=Source.Kind.STREAM).select_related("market", "channel__market")
    found = []
    for source in running.order_by("pk"):
        channels = list(source.channels())
        if channels:
            found.append(Listened(source, channels, channels[0].market))
    return found


class Rulebook:
    """`live`: the sources whose rule X has. `in_step`: whether X has our rules and no other."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.rules: dict[str, StreamRule] = {}
        self.wanted: dict[str, list[Listened]] = {}
        self.known: dict[int, Listened] = {}
        self.live: set[int] = set()
        self.in_step = False
        self.looked_at: datetime | None = None
        self.stale = True
        self.opened: set[int] = set()
        self.doubted: dict[int, datetime] = {}
        self.gone: dict[int, str] = {}  # texts of rules that X had once, by id

    def want(self, sources: Iterable[Listened]) -> None:
        """Which sources shall have a rule, by its text."""
        self.wanted = {}
        for one in sources:
            self.known[one.source.pk] = one
            if len(self.wanted) < MOST or one.source.value.strip() in self.wanted:
                self.wanted.setdefault(one.source.value.strip(), []).append(one)

    def keep_in_step(self, now: datetime, *, look: bool) -> None:
        """Adds and deletes what differs; with `look`, asks X first what it has. Raises Failure: then `step` still
        tells what was done."""
        before, self.in_step = self.live, False
        try:
            if look or self.stale:
                self._look(now)
            self._delete([rule for value, rule in self.rules.items() if not self._fits(value, rule)])
            self._add([value for value in self.wanted if value not in self.rules], now)
            self.in_step = not self.stale
        finally:
            self.live = {one.source.pk for value, group in self.wanted.items() if value in self.rules for one in group}
            self.opened |= self.live - before

    def step(self) -> Step:
        """What became live since the last time."""
        lost = {pk: since for pk, since in self.doubted.items() if pk in self.live}
        step = Step(self.opened & self.live - set(lost), lost)
        self.opened, self.doubted = set(), {pk: at for pk, at in self.doubted.items() if pk not in lost}
        return step

    def forget(self) -> None:
        """X says that it is not as we think: it is asked the next time."""
        self.stale, self.in_step = True, False

    def matched(self, delivery: Delivery) -> list[Listened]:
        """The sources of a post's rules, the first rule's first; also those whose rule has just gone."""
        by_id = self.gone | {rule.id: value for value, rule in self.rules.items()}
        found: dict[int, Listened] = {}
        for number, tag in delivery.rules:
            named = self.known.get(number_of(tag.removeprefix("source:"))) if tag.startswith("source:") else None
            value = by_id.get(number) or (named.source.value.strip() if named else "")
            for one in self.wanted.get(value) or ([named] if named else self._once(value)):
                found.setdefault(one.source.pk, one)
        return list(found.values())

    def _once(self, value: str) -> list[Listened]:
        """Sources that had such a rule."""
        return [one for one in self.known.values() if value and one.source.value.strip() == value]

    def _fits(self, value: str, rule: StreamRule) -> bool:
        return value in self.wanted and rule.tag == tag_of(self.wanted[value])

    def _look(self, now: datetime) -> None:
        """Asks X. Rules that were there the last time and are gone, or are others by now, were deaf for a while."""
        before = self.rules
        told = [rule_at_x(entry) for entry in self.door.stream_rules().raw]
        self.rules = {rule.value: rule for rule in told if rule}
        lost = {rule.id: value for value, rule in before.items() if self.rules.get(value) != rule}
        self.gone |= lost
        for value in lost.values():
            for one in self.wanted.get(value, []):
                self.doubted.setdefault(one.source.pk, self.looked_at or now)
        self.looked_at, self.stale = now, False

    def _delete(self, rules: list[StreamRule]) -> None:
        for at in range(0, len(rules), AT_ONCE):
            batch = rules[at : at + AT_ONCE]
            self.door.delete_stream_rules([rule.id for rule in batch])
            for rule in batch:
                self.rules.pop(rule.value, None)
                self.gone[rule.id] = rule.value
            strangers = [rule.value for rule in batch if not rule.tag.startswith("source:")]
            log.info("stream_rules_changed", deleted=len(batch), strangers=strangers)

    def _add(self, values: list[str], now: datetime) -> None:
        """In batches. X makes none of a batch when one of it is wrong: then the others are sent again."""
        for at in range(0, len(values), AT_ONCE):
            batch = values[at : at + AT_ONCE]
            while batch:
                page = self._added(batch)
                self._made(page)
                twins, refused = told_apart(page)
                for value in refused:
                    self._refuse(value, refused[value], now)
                left = [value for value in batch if value not in self.rules and value not in refused]
                if twins:
                    self.forget()
                    raise Unreachable("X has a rule that it had not told of.")
                if left and not refused:
                    raise Unreachable("X took a rule without saying so.")
                batch = left

    def _added(self, batch: list[str]) -> Page:
        try:
            return self.door.add_stream_rules([(value, tag_of(self.wanted[value])) for value in batch])
        except QueryRefused as refusal:
            if len(batch) > 1:
                return self._added(batch[: len(batch) // 2])
            return Page(errors=[{"value": batch[0], "detail": refusal.message}])

    def _made(self, page: Page) -> None:
        made = [rule for rule in map(rule_at_x, page.raw) if rule]
        self.rules |= {rule.value: rule for rule in made}
        if made:
            log.info("stream_rules_changed", added=len(made))

    def _refuse(self, value: str, words: str, now: datetime) -> None:
        for one in self.wanted.pop(value, []):
            log.warning("stream_rule_refused", source=str(one.source), market=one.market.code, error=words)
            pause_source(one.source, words, by=None, now=now)


def tag_of(group: list[Listened]) -> str:
    return f"source:{group[0].source.pk}"


def rule_at_x(entry: Any) -> StreamRule | None:
    """None where there is no telling what it is."""
    if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
        return None
    tag, number = entry.get("tag"), number_of(entry.get("id"))
    return StreamRule(number, entry["value"], tag if isinstance(tag, str) else "") if number else None


def told_apart(page: Page) -> tuple[list[str], dict[str, str]]:
    """Of the rules that X did not make: those it has already, and those it refuses with its words."""
    twins, refused = [], {}
    for error in page.errors:
        value, details = error.get("value"), error.get("details")
        if not isinstance(value, str):
            continue
        if last_segment(error.get("type")) == DUPLICATE:
            twins.append(value)
        else:
            told = [{"message": one} for one in details] if isinstance(details, list) else []
            refused[value] = message_of({"errors": told} if told else error) or "X refuses the rule."
    return twins, refused
