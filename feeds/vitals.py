"""How long approvals take to their feeds, and how long what is live goes unchecked: noted by the publisher every
minute, read for the Health page. Nothing here is on the way to the phones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.db import connection
from django.db.models import Aggregate, Exists, F, FloatField, Func, JSONField, Max, OuterRef, Q, Subquery, Value
from django.db.models.functions import Greatest

from curation.models import Candidate
from curation.wellbeing.reads import binned
from feeds import files
from feeds.calls import PATIENCE
from feeds.models import Feed, Receipt, Snapshot, Unchecked
from feeds.standing import since_of
from feeds.verifying import EVERY_LIVE_ONE, shown_at
from regions.models import Channel, Market

log = structlog.get_logger(__name__)
LOOKED_BACK = timedelta(hours=24)
KEPT = timedelta(days=2)
STEP = timedelta(minutes=30)
LATELY = timedelta(hours=1)


class Percentile(Aggregate):
    """The value that a share of the rows does not exceed."""

    function = "percentile_cont"
    template = "%(function)s(%(share)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, share: float, **extra: Any) -> None:
        super().__init__(expression, share=share, **extra)


@dataclass(frozen=True)
class Way:
    """Seconds from approval to feed: of half the approvals, and of 95 of 100."""

    half: float
    most: float


# --- noted every minute -------------------------------------------------------------------------------------------
def note(now: datetime) -> None:
    """A receipt for every approval that its feed took in, and how long what is live goes unchecked. What fails is
    logged: the publisher goes on."""
    try:
        note_receipts(now)
        ages = oldest_unchecked(list(Market.objects.active()), now)
        Unchecked.objects.bulk_create(Unchecked(market_id=pk, at=now, seconds=age) for pk, age in ages.items())
        Receipt.objects.filter(due__lt=now - KEPT).delete()
        Unchecked.objects.filter(at__lt=now - KEPT).delete()
    except Exception:
        if not connection.is_usable():
            raise
        log.exception("vitals_not_noted")


def note_receipts(now: datetime) -> int:
    """How many. What a feed that has caught up does not show, it left out for a reason of its own."""
    taken = [row for row in without_receipt(list(Channel.objects.active()), now) if row.first_shown or row.caught_up]
    receipts = [Receipt(market_id=row.market, candidate=row.pk, due=row.due, seconds=waited(row)) for row in taken]
    Receipt.objects.bulk_create(receipts, ignore_conflicts=True)
    return len(receipts)


def waited(row: Any) -> float | None:
    return (row.first_shown - row.due).total_seconds() if row.first_shown else None


def without_receipt(channels: Sequence[Channel], now: datetime) -> list[Any]:
    """What was approved for some channels and due in the last 24 h, with `due`, `first_shown` (in a snapshot of its
    channel), and whether the feed had `caught_up` with all that was decided when this was asked."""
    due = Greatest("approved_at", "go_live_at")
    named = Func(Value("candidate"), OuterRef("pk"), function="jsonb_build_object", output_field=JSONField())
    entry = Func(named, function="jsonb_build_array", output_field=JSONField())
    snapshots = Snapshot.objects.filter(
        feed=OuterRef("channel__feed"), at__gte=OuterRef("due"), entries__contains=entry
    )
    here = Candidate.objects.approved().filter(channel__in=channels).annotate(due=due, market=F("channel__market"))
    rows = here.filter(~Exists(Receipt.objects.filter(candidate=OuterRef("pk"), due=OuterRef("due")))).annotate(
        first_shown=Subquery(snapshots.order_by("at").values("at")[:1]),
        caught_up=Exists(caught_up(now).filter(channel=OuterRef("channel"), revision=OuterRef("channel__revision"))),
    )
    since = now - LOOKED_BACK
    approved = rows.filter(approved_at__gt=since, due__lte=now)
    begun = rows.filter(approved_at__lte=since, go_live_at__gt=since, go_live_at__lte=now)
    told = ("pk", "due", "market", "first_shown", "caught_up")
    return [row for some in (approved, begun) for row in some.values_list(*told, named=True)]


def caught_up(now: datetime) -> Any:
    return Feed.objects.filter(Q(next_change_at=None) | Q(next_change_at__gt=now))


def oldest_unchecked(markets: Sequence[Market], now: datetime) -> dict[int, int]:
    """By market, for how many seconds X was not asked about the live post for which that is longest ago; 0 where
    nothing is live. What waited unchecked before it went live has its first quarter of an hour still to come."""
    live: dict[int, set[int]] = {market.pk: set() for market in markets}
    feeds = Feed.objects.filter(market__in=live, number__gt=0)
    owners = dict(feeds.values_list("pk", "market"))
    for feed_id, snapshot in Snapshot.objects.newest_of(feeds).items():
        live[owners[feed_id]].update(entry["candidate"] for entry in snapshot.entries)
    rows = Candidate.objects.filter(pk__in=set().union(*live.values()), tweet__gone_at=None)
    known = {row.pk: row for row in rows.select_related("tweet").only("approved_at", "go_live_at", "tweet__checked_at")}
    ages = {
        pk: int((now - max(row.tweet.checked_at, row.live_from() or now)).total_seconds()) for pk, row in known.items()
    }
    limit = int(EVERY_LIVE_ONE.total_seconds())
    if any(age > limit for age in ages.values()):
        standing = shown_at(now - EVERY_LIVE_ONE)
        ages = {pk: age for pk, age in ages.items() if age <= limit or known[pk].tweet_id in standing}
    return {market: max((max(0, ages[pk]) for pk in ids & ages.keys()), default=0) for market, ids in live.items()}


# --- read for the page --------------------------------------------------------------------------------------------
def first_step(now: datetime) -> datetime:
    """When the first of the last 24 hours' half hours began."""
    begun = now.astimezone(UTC)
    return begun.replace(minute=begun.minute // 30 * 30, second=0, microsecond=0) - LOOKED_BACK + STEP


def ways_of(markets: Sequence[Market], now: datetime) -> dict[datetime, Way]:
    """By half hours of the last 24; those in which nothing was approved are missing."""
    first = first_step(now)
    rows = Receipt.objects.shown().filter(market__in=markets, due__gte=first).values(step=binned("due", STEP, first))
    found = rows.annotate(half=Percentile("seconds", 0.5), most=Percentile("seconds", 0.95)).order_by("step")
    return {row["step"]: Way(row["half"], row["most"]) for row in found}


def way_lately(markets: Sequence[Market], now: datetime) -> dict[int | None, Way]:
    """Of the last hour, by market, and under None of all together; without those in which nothing was approved."""
    rows = Receipt.objects.shown().filter(market__in=markets, due__gt=now - LATELY)
    half, most = Percentile("seconds", 0.5), Percentile("seconds", 0.95)
    each = rows.values("market").annotate(half=half, most=most).order_by().values_list("market", "half", "most")
    found: dict[int | None, Way] = {market: Way(*way) for market, *way in each}
    return found | ({None: Way(**rows.aggregate(half=half, most=most))} if found else {})


def checks_of(markets: Sequence[Market], now: datetime) -> dict[datetime, int]:
    """By half hours of the last 24, for how many seconds a live post of any of the markets went unchecked at most;
    those in which no publisher noted it are missing."""
    first = first_step(now)
    rows = Unchecked.objects.filter(market__in=markets, at__gte=first).values(step=binned("at", STEP, first))
    return {row["step"]: row["most"] for row in rows.annotate(most=Max("seconds")).order_by("step")}


def noted_at() -> datetime | None:
    """When the publisher noted anything the last time."""
    return Unchecked.objects.aggregate(last=Max("at"))["last"]


def waiting(markets: Sequence[Market], now: datetime) -> dict[int, list[datetime]]:
    """By market, since when each approval that phones are not shown yet should have been live, of those that are
    late: because no snapshot shows it, or because no file has that snapshot."""
    channels = list(Channel.objects.active().filter(market__in=markets))
    found: dict[int, list[datetime]] = defaultdict(list)
    for row in without_receipt(channels, now - PATIENCE):
        if not row.first_shown and not row.caught_up:
            found[row.market].append(row.due)
    for market, times in unwritten(Feed.objects.public().filter(market__in=markets)).items():
        found[market] += [at for at in times if now - at > PATIENCE]
    return {market: times for market, times in found.items() if times}


def unwritten(feeds: Iterable[Feed]) -> dict[int, list[datetime]]:
    """By market, since when each post stands in a newest snapshot that the feed's files have not."""
    rows = list(feeds)
    late = files.behind(rows)
    behind = [feed for feed in rows if feed.pk in late]
    newest, shown = Snapshot.objects.newest_of(behind), files.shown(behind)
    found: dict[int, list[datetime]] = defaultdict(list)
    for feed in behind:
        there = since_of(shown.get(feed.pk))
        found[feed.market_id] += [at for pk, at in since_of(newest.get(feed.pk)).items() if pk not in there]
    return found
