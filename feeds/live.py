"""The desk's view of a feed: what should be live now, since when it is, and what is not there yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from curation.models import Candidate
from feeds import closure, files
from feeds.edition import Edition, Fill
from feeds.models import Feed, Snapshot
from feeds.rendering import Entry
from feeds.standing import since_of
from regions.models import Channel, Market

LATE = 10  # seconds until an editor is told that something is not live yet
MOST_PLANNED = 50


@dataclass(frozen=True)
class Line:
    """One entry. `since` is the time of the snapshot since which it stands without a break, None while the phones are
    not shown it; `waits` in seconds. `key` makes a repeated press count once."""

    candidate: Candidate
    slot: int | None
    place: int
    since: datetime | None
    waits: int

    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def late(self) -> bool:
        """Whether it should have been shown long ago."""
        return self.since is None and self.waits >= LATE

    @property
    def above(self) -> int:
        """The slot above its own, 0 for none."""
        return (self.slot or 1) - 1

    @property
    def below(self) -> int:
        """The slot below its own, 0 for none."""
        return self.slot + 1 if self.slot and self.slot < self.candidate.channel.slots else 0


@dataclass(frozen=True)
class Thin:
    """A channel whose feed is below its minimum, and how full it is."""

    channel: Channel
    fill: Fill


@dataclass(frozen=True)
class Board:
    """A feed with the snapshot that phones read, its lines in the feed's order, and the slots that are free.
    `planned`: what goes live later, the next first. `held`: the feed, where it is held now; `thin`: channels of it that
    are below their minimum. `closed`: nothing is published, and what the phones show is not known here: no line says it
    is live."""

    feed: Feed | None
    snapshot: Snapshot | None
    lines: Sequence[Line]
    planned: Sequence[Line]
    slots: int
    length: int
    held: Feed | None
    thin: Sequence[Thin]
    closed: bool = False

    @property
    def pins(self) -> list[tuple[int, Line | None]]:
        """Every slot with its line, None where it is free; in a market's feed each channel has its own slots."""
        held = [(line.slot, line) for line in self.lines if line.slot]
        free = {*range(1, self.slots + 1)} - {slot for slot, _line in held}
        return sorted([*held, *((slot, None) for slot in free)], key=lambda pair: pair[0])

    @property
    def pinned(self) -> int:
        return sum(1 for line in self.lines if line.slot)

    @property
    def flow(self) -> list[Line]:
        return [line for line in self.lines if not line.slot]

    @property
    def live(self) -> int:
        return sum(1 for line in self.lines if line.since)

    @property
    def waiting(self) -> bool:
        return not self.closed and self.live < len(self.lines)


def board(market: Market, channel: Channel | None, now: datetime) -> Board:
    """The feed of a channel, or of the whole market."""
    channels = list(market.channel_set.select_related("market", "category").order_by("pk"))
    asked = Feed.objects.filter(market=market)
    feeds = list(asked.select_related("market", "channel__category", "held_at", "held_by"))
    edition = Edition(market, channels, feeds, now)
    feed = next((feed for feed in feeds if feed.channel_id == (channel.pk if channel else None)), None)
    entries = edition.channel_entries(channel.pk) if channel else edition.market_entries()
    closed = closure.stands()
    shown = files.shown([feed]).get(feed.pk) if feed and not closed else None
    return Board(
        feed,
        shown,
        lines(shown, entries, now),
        planned([channel] if channel else channels, now),
        channel.slots if channel else 0,
        channel.feed_length if channel else market.feed_length,
        feed if feed and feed.held(now) else None,
        [] if closed else thin_of(edition, [channel] if channel else channels),
        closed,
    )


def thin_of(edition: Edition, channels: Iterable[Channel]) -> list[Thin]:
    """Those of some channels that are active and below their minimum, in their order."""
    fills = [Thin(channel, edition.fill_of(channel.pk)) for channel in channels if channel.active]
    blank = {pk for pk, feed in edition.held.items() if feed.hold == Feed.Hold.BLANK}
    return [one for one in fills if one.fill.thin and one.channel.pk not in blank]


def lines(shown: Snapshot | None, entries: Iterable[Entry], now: datetime) -> list[Line]:
    """A line for each entry, in their order."""
    since = since_of(shown)
    rows = list(entries)
    candidates = Candidate.objects.with_tweets().in_bulk([entry.candidate for entry in rows])
    told = []
    for place, entry in enumerate(rows, start=1):
        candidate = candidates[entry.candidate]
        waits = max(0, int((now - (candidate.live_from() or now)).total_seconds()))
        told.append(Line(candidate, entry.slot, place, since.get(str(entry.tweet.current_id)), waits))
    return told


def planned(channels: Iterable[Channel], now: datetime) -> list[Line]:
    """A line for each approved one whose time has yet to come, the next first; of many the first MOST_PLANNED."""
    here = Candidate.objects.approved().filter(channel__in=channels, channel__active=True, go_live_at__gt=now)
    rows = here.with_tweets().order_by("go_live_at", "pk")[:MOST_PLANNED]
    return [Line(row, row.slot, place, None, 0) for place, row in enumerate(rows, start=1)]
