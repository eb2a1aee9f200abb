"""What a hold or a release would change on the phones: selected as a publication selects, compared with what stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curation.models import Candidate
from feeds import holding
from feeds.edition import Edition
from feeds.models import Feed, Snapshot
from feeds.rendering import Entry
from regions.models import Channel, Market, User

STANDS = ("slot", "context", "label")


@dataclass(frozen=True)
class Turn:
    """One feed, from what the phones show of it to what they would show. `altered`: what stays stands in another
    order, with other pins or other words. Of `goes` None is a post that was deleted here."""

    feed: Feed
    goes: Sequence[Candidate | None]
    comes: Sequence[Candidate | None]
    stays: int
    altered: bool

    @property
    def before(self) -> int:
        return self.stays + len(self.goes)

    @property
    def after(self) -> int:
        return self.stays + len(self.comes)

    @property
    def changes(self) -> bool:
        return bool(self.goes or self.comes or self.altered)


@dataclass(frozen=True)
class Outlook:
    """The feed in question first, then those that change with it; `own` are channels that stay held for themselves.
    `seen` names the holds that all this was made of."""

    turns: Sequence[Turn]
    own: Sequence[Feed]
    seen: str

    @property
    def first(self) -> Turn:
        return self.turns[0]

    @property
    def others(self) -> list[Turn]:
        return [turn for turn in self.turns[1:] if turn.changes]


def feeds_of(market: Market, channel: Channel | None) -> list[Feed]:
    """The feed in question and, for a market, those of its active channels behind it; one that was never made is not
    saved."""
    found = Feed.objects.filter(market=market).select_related("market", "channel__category", "held_at", "held_by")
    rows = {feed.channel_id: feed for feed in found.order_by("channel__position", "channel")}
    first = rows.get(channel.pk if channel else None) or Feed(market=market, channel=channel)
    others = [] if channel else [feed for pk, feed in rows.items() if pk and feed.channel and feed.channel.active]
    return [first, *others]


def of_hold(market: Market, channel: Channel | None, at: int | str, by: User, now: datetime) -> Outlook:
    """Raises NothingPublished, NoSuchSnapshot."""
    return _outlook(market, channel, lambda feeds: holding.lay(feeds, at, holding.Order("-", by, None, now)), now)


def of_release(market: Market, channel: Channel | None, now: datetime) -> Outlook:
    return _outlook(market, channel, holding.free, now)


def _outlook(
    market: Market, channel: Channel | None, change: Callable[[Sequence[Feed]], list[Feed]], now: datetime
) -> Outlook:
    feeds = feeds_of(market, channel)
    seen = holding.seen_of(feeds, now)
    changed = change(feeds)
    own = [feed for feed in feeds[1:] if feed.held(now) and feed not in changed]
    if channel:
        feeds += feeds_of(market, None)[:1]  # the market's feed shows the channel too
    return Outlook(turns_of(market, feeds, now), own, seen)


def turns_of(market: Market, feeds: Sequence[Feed], now: datetime) -> list[Turn]:
    """Of each of some feeds, as they are held in memory; the market's others are as they are."""
    known = {feed.channel_id: feed for feed in Feed.objects.filter(market=market).select_related("held_at")}
    known |= {feed.channel_id: feed for feed in feeds}
    channels = list(market.channel_set.select_related("market", "category").order_by("pk"))
    edition = Edition(market, channels, known.values(), now)
    newest = Snapshot.objects.newest_of(feed for feed in feeds if feed.pk)
    pairs = [(feed, newest.get(feed.pk), entries_of(edition, feed)) for feed in feeds]
    ids = {entry["candidate"] for _feed, last, after in pairs for entry in (*entries(last), *after)}
    posts = Candidate.objects.with_tweets().in_bulk(ids)
    return [turn_of(feed, entries(last), after, posts) for feed, last, after in pairs]


def entries_of(edition: Edition, feed: Feed) -> list[dict[str, Any]]:
    """What the feed would show, as snapshots keep it."""
    shown: list[Entry] = edition.channel_entries(feed.channel_id) if feed.channel_id else edition.market_entries()
    return [entry.stored() for entry in shown]


def entries(snapshot: Snapshot | None) -> list[dict[str, Any]]:
    return snapshot.entries if snapshot else []


def turn_of(
    feed: Feed, before: list[dict[str, Any]], after: list[dict[str, Any]], posts: Mapping[int, Candidate]
) -> Turn:
    was, will = ids_of(before), ids_of(after)
    return Turn(
        feed,
        [posts.get(entry["candidate"]) for entry in before if entry["id"] not in will],
        [posts.get(entry["candidate"]) for entry in after if entry["id"] not in was],
        len(was & will),
        standing(before, will) != standing(after, was),
    )


def ids_of(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {entry["id"] for entry in rows}


def standing(rows: Iterable[dict[str, Any]], others: set[str]) -> list[tuple[Any, ...]]:
    """How those that stand in both stand in one."""
    return [(entry["id"], *(entry[name] for name in STANDS)) for entry in rows if entry["id"] in others]
