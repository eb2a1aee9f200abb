"""Publishing goes on after a restored backup: live stays what the database approves and the edge last showed.

What was decided after the backup is lost, and blocks and withdrawals with it. So an approved post that the edge does
not show, in the same version and with the same words, waits for a decision again; numbers go on above those of both;
and what phones may still have of what is no more is told as removed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from curation.models import Candidate
from curation.operations import reopen_lost
from feeds import files, operations
from feeds.holding import FREE, free
from feeds.models import Closure, Consumer, Feed, Mode, Place, Snapshot
from feeds.rendering import moment
from regions.models import Channel, Market
from regions.operations import log_change

BATCH = 500
JUMP = 1_000_000  # numbers that nobody can have seen, where no file tells the last one
YEAR_ONE = datetime(2026, 1, 1, tzinfo=UTC)
Said = tuple[str, str]


@dataclass(frozen=True)
class Shown:
    """What the edge last showed of a feed: context and label by X's id, and what it told to take away. `number` is None
    where it has no file of it; `known`: it has the file that tells."""

    number: int | None
    known: bool = False
    entries: dict[str, Said] = field(default_factory=dict)
    removed: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What happens to a market's approved posts: by their ids, those that stay live and those that wait again; feeds
    without a file at the edge, and holds that end."""

    market: Market
    stay: int
    wait: list[int]
    unknown: list[str]
    holds: list[str]


@dataclass(frozen=True)
class Plan:
    """Of all markets, and the consumers whose keys the edge knows no more."""

    markets: list[Outcome]
    revoked: list[Consumer]
    since: datetime


def plan() -> Plan | None:
    """What reopening would do; None where publishing is not closed. Changes nothing."""
    closed = Closure.objects.standing().order_by("at").first()
    if closed is None:
        return None
    markets = [outcome_of(market, closed.at) for market in Market.objects.order_by("position", "pk")]
    return Plan(markets, revoked_since(closed.at), closed.at)


def outcome_of(market: Market, since: datetime) -> Outcome:
    feeds = feeds_of(market)
    shown = {feed.channel_id: shown_at_the_edge(feed) for feed in feeds}
    whole = shown.get(None, Shown(None))
    found = [
        (pk, said in (shown[channel].entries.get(post), whole.entries.get(post)))
        for pk, channel, post, said in could_be_shown(market, since)
    ]
    unknown = [feed.path for feed in feeds if not shown[feed.channel_id].known and is_public(feed)]
    holds = [feed.path for feed in feeds if feed.hold == Feed.Hold.SNAPSHOT]
    return Outcome(
        market, sum(1 for _pk, same in found if same), [pk for pk, same in found if not same], unknown, holds
    )


def feeds_of(market: Market) -> list[Feed]:
    """Those of a market, the channels' too; new ones, not saved, where there were none."""
    channels = [None, *Channel.objects.filter(market=market).order_by("pk")]
    known = {feed.channel_id: feed for feed in Feed.objects.filter(market=market).select_related("channel__category")}
    return [known.get(channel.pk if channel else None) or Feed(market=market, channel=channel) for channel in channels]


def is_public(feed: Feed) -> bool:
    return feed.market.active and (feed.channel is None or feed.channel.active)


def could_be_shown(market: Market, since: datetime) -> Iterator[tuple[int, int, str, Said]]:
    """Approved before publishing closed, whose end has not come and whose text is kept: id, channel, X's id, words."""
    open_end = Q(expire_at=None) | Q(expire_at__gt=since)
    rows = Candidate.objects.approved().filter(open_end, channel__market=market, approved_at__lt=since)
    rows = rows.filter(tweet__purged_at=None).order_by("pk")
    told = rows.values_list("pk", "channel_id", "tweet__current_id", "context", "label")
    for pk, channel, post, context, label in told.iterator(BATCH):
        yield pk, channel, str(post), (context, label)


def shown_at_the_edge(feed: Feed) -> Shown:
    """The last file of a feed; its number is the highest of its modes'."""
    category = feed.channel.category.slug if feed.channel else None
    found = [files.read(files.path_of(Place(mode, feed.market.code, category))) for mode in (Mode.IDS, Mode.FULL)]
    if found[0] is None:
        return Shown(max((one[0] for one in found if one), default=None))
    body: dict[str, Any] = json.loads(gzip.decompress(found[0][1]))
    entries = {one["id"]: (one["context"] or "", one["label"] or "") for one in body["entries"]}
    return Shown(max(one[0] for one in found if one), known=True, entries=entries, removed=body["removed"])


def revoked_since(closed: datetime) -> list[Consumer]:
    """Keys from before publishing closed that the edge turns away. Where it was lost too, nobody knows."""
    if not (files.root() / files.CONSUMERS).is_dir():
        return []
    return [
        one for one in Consumer.objects.active().filter(created_at__lt=closed) if not files.folder_of(one.key).is_dir()
    ]


def reopen(told: Plan, *, now: datetime) -> None:
    """Does what was planned; then publishing is open, and every market is due.

    Can be broken off and begun again: posts that wait already are no more approved."""
    for outcome in told.markets:
        for start in range(0, len(outcome.wait), BATCH):
            reopen_lost(outcome.wait[start : start + BATCH], before=told.since, now=now)
    with transaction.atomic():
        list(Feed.objects.locked().values_list("pk"))
        for outcome in told.markets:
            for feed in feeds_of(outcome.market):
                go_on(feed, now)
        for consumer in told.revoked:
            operations.revoke(consumer, by=None, now=now)
        Closure.objects.standing().update(ended_at=now)


def go_on(feed: Feed, now: datetime) -> None:
    """An empty snapshot above both numbers, that tells what the edge showed and told as removed; no hold at another."""
    there = shown_at_the_edge(feed)
    if feed.pk is None:
        feed.save()
    number = max(feed.number, there.number) if there.number is not None else unseen(feed.number, now)
    gone = [{"id": post, "at": moment(now)} for post in there.entries]
    gone += [one for one in [*there.removed, *left_by_the_backup(feed, now)] if one["id"] not in there.entries]
    Snapshot.objects.create(
        feed=feed, number=number + 1, at=now, revision=0, entries=[], removed=first_of_each(gone), checksum=""
    )
    feed.number, feed.revision, feed.next_change_at = number + 1, 0, now  # due at once
    changed = ["number", "revision", "next_change_at"]
    if feed.hold == Feed.Hold.SNAPSHOT:
        log_change(
            feed, "release", by=None, market=feed.market, before={"feed": feed.path, "hold": feed.hold}, after={}
        )
        free([feed])
        changed += FREE
    feed.save(update_fields=changed)


def unseen(number: int, now: datetime) -> int:
    """A number that nobody can have seen. The clock is in it, for the day when the same backup is restored again."""
    return max(number + JUMP, int((now - YEAR_ONE).total_seconds()))


def left_by_the_backup(feed: Feed, now: datetime) -> list[dict[str, str]]:
    """What the newest snapshot of the database showed: phones may have it too."""
    last = Snapshot.objects.filter(feed=feed.pk).order_by("-number").first()
    return [{"id": one["id"], "at": moment(now)} for one in last.entries] + last.removed if last else []


def first_of_each(gone: list[dict[str, str]]) -> list[dict[str, str]]:
    return list({one["id"]: one for one in reversed(gone)}.values())[::-1]
