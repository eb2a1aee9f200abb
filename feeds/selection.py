"""What a feed shows, as pure functions: candidates, settings and the clock in; ordered entries out.

Callers leave out what may not be shown at all (gone, withheld, blocked); everything else is decided here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The settings of a channel that shape its feed. `minimum` and `length` count entries."""

    id: int
    position: int = 0
    length: int = 10
    lasts: timedelta = timedelta(hours=24)
    minimum: int = 3
    keeps_older: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """An approved candidate. `group` is the id of the candidate that leads its similar ones, or its own."""

    id: int
    channel: int
    tweet: int
    group: int
    approved_at: datetime
    go_live_at: datetime | None = None
    expire_at: datetime | None = None
    slot: int | None = None
    pinned_until: datetime | None = None
    with_similar: bool = False

    @property
    def live_at(self) -> datetime:
        """When it goes or went live."""
        return max(self.approved_at, self.go_live_at) if self.go_live_at else self.approved_at

    def in_window(self, now: datetime) -> bool:
        begun = not (self.go_live_at and self.go_live_at > now)
        return begun and not (self.expire_at and self.expire_at <= now)

    def slot_at(self, now: datetime) -> int | None:
        """The slot it is pinned to, as long as the pin lasts."""
        return None if self.pinned_until and self.pinned_until <= now else self.slot

    def lasts_until(self, rules: ChannelRules) -> datetime:
        return self.live_at + rules.lasts


@dataclass(frozen=True, slots=True)
class Shown:
    """A place in a feed: the candidate, and the slot it holds there, if any."""

    row: Row
    slot: int | None


def channel_feed(rules: ChannelRules, rows: Iterable[Row], now: datetime) -> list[Shown]:
    """Pins by slot, then by the time they went live, newest first; at most the channel's length.

    A similar one waits behind the first approved only while that one is really shown."""
    rivals = sorted((row for row in rows if row.in_window(now)), key=lambda row: (row.approved_at, row.id))
    while True:
        chosen = _chosen(rules, rivals, now)
        shown, rest = chosen[: rules.length], {entry.row.id for entry in chosen[rules.length :]}
        sizes = Counter(row.group for row in rivals)
        idle = {row.id for row in rivals if row.id in rest and sizes[row.group] > 1}
        if not idle:
            break
        rivals = [row for row in rivals if row.id not in idle]
    return shown if rules.keeps_older or len(shown) >= rules.minimum else []


def without_fallback(rules: ChannelRules, rows: Iterable[Row], now: datetime) -> list[Shown]:
    """The same as if the channel had no minimum: nothing older is kept, nothing is hidden."""
    return channel_feed(replace(rules, minimum=0), rows, now)


def market_feed(length: int, channels: Iterable[tuple[ChannelRules, list[Shown]]]) -> list[Shown]:
    """Every channel's entries: pins by slot, then channel order; then by live time. A tweet stands once."""
    placed = sorted(
        ((entry, rules.position) for rules, entries in channels for entry in entries),
        key=lambda pair: (*_place(pair[0])[:2], pair[1], -pair[0].row.id),
    )
    first: dict[int, Shown] = {}
    for entry, _ in placed:
        first.setdefault(entry.row.tweet, entry)
    return list(first.values())[:length]


def next_change(rules: ChannelRules, rows: Iterable[Row], now: datetime) -> datetime | None:
    """The earliest moment after `now` at which time alone can change a channel's feed."""
    moments = (moment for row in rows for moment in _moments(rules, row))
    return min((moment for moment in moments if moment > now), default=None)


def _moments(rules: ChannelRules, row: Row) -> Iterator[datetime]:
    yield row.live_at
    yield row.lasts_until(rules)
    if row.go_live_at:
        yield row.go_live_at
    if row.expire_at:
        yield row.expire_at
    if row.pinned_until:
        yield row.pinned_until


def _chosen(rules: ChannelRules, rivals: list[Row], now: datetime) -> list[Shown]:
    """Everything that may be shown, in order; `rivals` come in the order of their approval."""
    fresh = [row for row in rivals if row.slot_at(now) is not None or row.lasts_until(rules) > now]
    chosen = _ordered(_one_of_each_group(fresh, set()), now)
    missing = rules.minimum - len(chosen)
    if missing <= 0 or not rules.keeps_older:
        return chosen
    taken = {entry.row.group for entry in chosen}
    older = _ordered(_one_of_each_group([row for row in rivals if row not in fresh], taken), now)
    return chosen + older[:missing]


def _one_of_each_group(rows: list[Row], taken: set[int]) -> Iterator[Row]:
    """The first of each group, and those an editor lets stand beside it."""
    for row in rows:
        if row.with_similar or row.group not in taken:
            taken.add(row.group)
            yield row


def _ordered(rows: Iterable[Row], now: datetime) -> list[Shown]:
    return sorted((Shown(row, row.slot_at(now)) for row in rows), key=_place)


def _place(entry: Shown) -> tuple[bool, float, int]:
    """Sorts pins by slot before the rest by live time, newest first."""
    if entry.slot is not None:
        return (False, entry.slot, -entry.row.id)
    return (True, -entry.row.live_at.timestamp(), -entry.row.id)
