"""What of the feeds calls for somebody: thin ones, those on hold, approvals that are not live yet; and how long the
others last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from curation.models import Candidate
from feeds import files
from feeds.edition import Edition, Fill
from feeds.live import LATE
from feeds.models import Feed, Snapshot
from feeds.rendering import Entry
from regions.models import Channel, Market

PATIENCE = timedelta(seconds=LATE)


@dataclass(frozen=True)
class Call:
    """A channel's feed, or a market's where `channel` is None. `late`: approvals that are not live, `since` when."""

    market: Market
    channel: Channel | None
    held: Feed | None = None
    fill: Fill | None = None
    late: int = 0
    since: datetime | None = None

    @property
    def live(self) -> int:
        return self.fill.live if self.fill else 0

    @property
    def thin(self) -> bool:
        return bool(self.fill and self.fill.thin)


@dataclass(frozen=True)
class MarketCalls:
    """A market with its feeds that call for somebody, worst first, and how many do not."""

    market: Market
    calls: Sequence[Call]
    well: int

    @property
    def loud(self) -> list[Call]:
        """Each with a line of its own."""
        return [call for call in self.calls if call.held or call.late]

    @property
    def thin(self) -> list[Call]:
        """Those that are thin and nothing worse, told in one line."""
        return [call for call in self.calls if not (call.held or call.late)]


@dataclass(frozen=True)
class Lasting:
    """How many entries a feed has, and when the next one ends; None where none does. `hours`: full ones until then."""

    live: int
    until: datetime | None
    hours: int = 0


def calls_of(markets: Iterable[Market], now: datetime) -> list[MarketCalls]:
    """Every market, those that call first. A handful of queries for each."""
    asked = Channel.objects.active().select_related("market", "category")
    rows = Market.objects.filter(pk__in=[market.pk for market in markets])
    wanted = list(rows.prefetch_related(Prefetch("channel_set", asked)))
    feeds: dict[int, list[Feed]] = {market.pk: [] for market in wanted}
    known = Feed.objects.filter(market__in=wanted)
    for feed in known.select_related("market", "channel__category", "held_at", "held_by"):
        feeds[feed.market_id].append(feed)
    shown = files.shown(feed for some in feeds.values() for feed in some)
    told = [of_market(market, feeds[market.pk], shown, now) for market in wanted]
    return sorted(told, key=lambda one: not one.calls)


def of_market(market: Market, feeds: list[Feed], shown: dict[int, Snapshot], now: datetime) -> MarketCalls:
    channels = list(market.channel_set.all())
    edition = Edition(market, channels, feeds, now)
    by_channel = {feed.channel_id: feed for feed in feeds}
    whole = by_channel.get(None)
    found = [Call(market, None, held=whole)] if whole and whole.held(now) else []
    for channel in channels:
        feed = by_channel.get(channel.pk)
        entries = edition.channel_entries(channel.pk)
        held = feed if feed and feed.held(now) and not feed.with_market else None
        late = [] if feed and feed.held(now) else waiting(entries, shown.get(feed.pk) if feed else None, now)
        fill = edition.fill_of(channel.pk)
        if held or fill.thin or late:
            found.append(Call(market, channel, held, fill, len(late), min(late, default=None)))
    called = {call.channel.pk for call in found if call.channel}
    return MarketCalls(market, sorted(found, key=weight), len(channels) - len(called))


def weight(call: Call) -> tuple[bool, bool, int]:
    """Held before late before thin, the emptiest first."""
    return (call.held is None, not call.late, call.fill.fresh if call.fill else 0)


def waiting(entries: Iterable[Entry], shown: Snapshot | None, now: datetime) -> list[datetime]:
    """Since when each entry that phones are not shown yet should be live, of those for whom that is long ago."""
    there = {entry["candidate"] for entry in shown.entries} if shown else set()
    missing = [entry.candidate for entry in entries if entry.candidate not in there]
    rows = Candidate.objects.filter(pk__in=missing) if missing else ()
    began = [row.live_from() for row in rows]
    return [at for at in began if at and now - at > PATIENCE]


def lasting(market: Market, channel: Channel | None, now: datetime) -> Lasting:
    """Of a channel's feed, or of the whole market's."""
    channels = list(market.channel_set.active().select_related("market", "category"))
    edition = Edition(market, channels, Feed.objects.filter(market=market).select_related("held_at"), now)
    entries = edition.channel_entries(channel.pk) if channel else edition.market_entries()
    rows = Candidate.objects.select_related("channel").filter(pk__in=[entry.candidate for entry in entries])
    ends = [at for row in rows if (at := end_of(row, now))]
    until = min(ends, default=None)
    return Lasting(len(entries), until, int((until - now) / timedelta(hours=1)) if until else 0)


def end_of(row: Candidate, now: datetime) -> datetime | None:
    """When time takes it off the feed; None where it does not: pinned without an end, or kept since it is thin."""
    since = row.live_from()
    pinned = row.pinned and not (row.pinned_until and row.pinned_until <= now)
    old = since + timedelta(hours=row.channel.live_hours) if since and not pinned else None
    return min((at for at in (row.expire_at, old) if at and at > now), default=None)
