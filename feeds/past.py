"""The time machine: what a feed showed, snapshot by snapshot, and what of it could still be shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curation.models import Candidate, Wording
from feeds.edition import Edition, Left
from feeds.models import Feed, Snapshot
from feeds.outlook import ids_of
from regions.models import Channel, Market

PAGE = 25


@dataclass(frozen=True)
class Step:
    """A snapshot beside the one before it: how many posts came, how many went, None for the first; `altered` where only
    their order, pins, words or ends changed."""

    snapshot: Snapshot
    count: int
    came: int | None
    went: int | None
    altered: bool


@dataclass(frozen=True)
class Steps:
    """Newest first; `older` is the number to go on before, None after the last."""

    rows: Sequence[Step]
    older: int | None


@dataclass(frozen=True)
class Once:
    """An entry of a snapshot as it reads today. `text` is None where it is not what was shown any more; `lost` is why
    it could not be shown again, empty where it could; `live` whether the phones show it now."""

    place: int
    slot: int | None
    candidate: Candidate | None
    channel: Channel | None
    text: str | None
    context: str
    label: str
    lost: str
    live: bool


def steps(feed: Feed, before: int | None = None) -> Steps:
    """A page of a feed's snapshots, those below a number where one is given."""
    rows = list(Snapshot.objects.filter(feed=feed.pk).before(before)[: PAGE + 1])
    told = [step(one, other) for one, other in zip(rows, [*rows[1:], None], strict=False)]
    return Steps(told[:PAGE], rows[PAGE - 1].number if len(rows) > PAGE else None)


def step(one: Snapshot, before: Snapshot | None) -> Step:
    count = len(one.entries)
    if before is None:
        return Step(one, count, None, None, False)
    now, then = ids_of(one.entries), ids_of(before.entries)
    came, went = len(now - then), len(then - now)
    return Step(one, count, came, went, not (came or went) and one.entries != before.entries)


def shown_until(snapshot: Snapshot) -> Snapshot | None:
    """The one that took its place, if any did."""
    return Snapshot.objects.filter(feed=snapshot.feed_id, number__gt=snapshot.number).order_by("number").first()


def shown_before(snapshot: Snapshot) -> Snapshot | None:
    return Snapshot.objects.filter(feed=snapshot.feed_id).before(snapshot.number).first()


def opened(snapshot: Snapshot, market: Market, live: Iterable[dict[str, Any]], now: datetime) -> list[Once]:
    """Its entries, in their order; `live` are those that the phones show now."""
    channels = list(market.channel_set.select_related("market", "category").order_by("pk"))
    left = Edition(market, channels, [], now).left_of(snapshot)
    words = Wording.objects.read({one.entry[word] for one in left for word in ("context", "label")})
    by_pk, there = {channel.pk: channel for channel in channels}, ids_of(live)
    return [
        once(place, one, words, by_pk.get(one.entry["channel"]), live=one.entry["id"] in there)
        for place, one in enumerate(left, start=1)
    ]


def once(place: int, left: Left, words: dict[str, str], channel: Channel | None, *, live: bool) -> Once:
    entry, candidate = left.entry, left.candidate
    same = candidate is not None and candidate.tweet.text_hash == entry["text_hash"] and not candidate.tweet.purged_at
    return Once(
        place,
        entry["slot"],
        candidate,
        channel,
        candidate.tweet.text if candidate and same else None,
        words.get(entry["context"], ""),
        words.get(entry["label"], ""),
        left.lost,
        live,
    )
