"""What is read for the Health page. Each asks once for all markets, and for a bounded time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, F, Func, Max, OuterRef, Q, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime

from curation.ingest.pauses import fed_by
from curation.ingest.polling import leases
from curation.ledger import budget
from curation.ledger.forecast import Forecast, forecasts
from curation.models import BudgetDay, Candidate, IngestRun, Pause, Quarantined
from regions.models import Market, Source

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
HOURS, RUNS, LISTED = 24, 25, 50
OVERDUE = timedelta(minutes=10)  # beyond a source's longest interval: then no worker reads it
TROUBLED = (IngestRun.Outcome.WAITING, IngestRun.Outcome.BUDGET, IngestRun.Outcome.REFUSED, IngestRun.Outcome.FAILED)


@dataclass(frozen=True)
class Hours:
    """Of a market: posts read in each of the last 24 clock hours, whether a run failed in it, and the last run."""

    read: list[int]
    failed: list[bool]
    last: datetime | None = None


@dataclass(frozen=True)
class Purse:
    """A market's budget with its forecast, and `days`: posts drawn on each day of the month up to today."""

    ahead: Forecast
    days: list[int]


BY_HAND = (IngestRun.Kind.TRY, IngestRun.Kind.LINK)
"""What people ask X themselves: a name mistyped there is no fault of reading."""


@dataclass(frozen=True)
class Fed:
    """The sources that feed a market, those apart that people paused: how many, and how many of them fail at present or
    were refused by X for good. `of_all`: all of them are global, so that their posts count where they are paid.
    `unread_since`: when one was last read that was to be read since; None where none was."""

    number: int = 0
    bad: int = 0
    of_all: bool = False
    unread_since: datetime | None = None


def binned(time: str, step: timedelta, first: datetime) -> Func:
    """The beginning of the step of equal length that a time falls in, counted from `first`: no clock that is set back,
    and no zone of half an hour, moves it."""
    return Func(Value(step), F(time), Value(first), function="date_bin", output_field=DateTimeField())


def first_hour(now: datetime) -> datetime:
    """When the first of the last 24 hours began, by the clocks of the active zone."""
    here = localtime(now)
    since = timedelta(minutes=here.minute, seconds=here.second, microseconds=here.microsecond)
    return now - since - (HOURS - 1) * HOUR


def hours_of(markets: Sequence[Market], now: datetime) -> dict[int, Hours]:
    first = first_hour(now)
    wrong = Q(outcome__in=(IngestRun.Outcome.FAILED, IngestRun.Outcome.REFUSED)) & ~Q(kind__in=BY_HAND)
    runs = IngestRun.objects.filter(market__in=markets, started_at__gte=first)
    rows = runs.values("market", hour=binned("started_at", HOUR, first)).annotate(
        posts=Sum("read"), wrong=Count("pk", filter=wrong), last=Max("started_at")
    )
    found: dict[int, Hours] = {one.pk: Hours([0] * HOURS, [False] * HOURS) for one in markets}
    lasts: dict[int, datetime] = {}
    for row in rows:
        at = int((row["hour"] - first) / HOUR)
        if 0 <= at < HOURS:
            found[row["market"]].read[at] += row["posts"]
            found[row["market"]].failed[at] = row["wrong"] > 0
        lasts[row["market"]] = max(row["last"], lasts.get(row["market"], row["last"]))
    return {pk: Hours(told.read, told.failed, lasts.get(pk)) for pk, told in found.items()}


def purses_of(markets: Sequence[Market], now: datetime) -> dict[int, Purse]:
    day = budget.day_of(now)
    drawn: dict[int, dict[int, int]] = defaultdict(dict)
    for row in BudgetDay.objects.filter(market__in=markets, day__gte=day.replace(day=1), day__lte=day):
        drawn[row.market_id][row.day.day] = row.used
    ahead = forecasts(markets, now)
    return {pk: Purse(told, [drawn[pk].get(n, 0) for n in range(1, day.day + 1)]) for pk, told in ahead.items()}


def pauses_of(markets: Sequence[Market], now: datetime) -> dict[int | None, Pause]:
    """The open pause of each market, and under None that of everyone; the longest where there are several."""
    open_ones = Pause.objects.filter(Q(market=None) | Q(market__in=markets, until__gt=now), ended_at=None)
    return {pause.market_id: pause for pause in open_ones.order_by("until")}


def sources_of(markets: Sequence[Market], now: datetime) -> dict[int, Fed]:
    """What feeds each market, global sources too where it is not exempted from them."""
    wanted = {one.pk for one in markets}
    here = Q(market=None, channel=None) | Q(market__in=wanted) | Q(channel__market__in=wanted)
    last = IngestRun.objects.filter(source=OuterRef("pk")).order_by("-started_at")
    rows = (
        Source.objects.filter(here)
        .select_related("cursor")
        .annotate(
            last_read=Coalesce(Subquery(last.values("started_at")[:1]), "created_at"),
            last_outcome=Subquery(last.values("outcome")[:1]),
        )
    )
    by_pk: dict[int, Any] = {
        source.pk: source
        for source in rows
        if not stands_still(source, now) or source.last_outcome == IngestRun.Outcome.REFUSED
    }
    found: dict[int, list[Any]] = defaultdict(list)
    for pk, channels in fed_by(by_pk.values()).items():
        for market in wanted & {channel.market_id for channel in channels}:
            found[market].append(by_pk[pk])
    return {pk: fed(found[pk], now) for pk in wanted}


def fed(sources: Sequence[Any], now: datetime) -> Fed:
    going = [source for source in sources if not stands_still(source, now)]
    polled = [source for source in going if hasattr(source, "cursor")]
    return Fed(
        len(sources),
        len(sources) - len(going) + sum(1 for source in polled if source.cursor.failures),
        bool(sources) and all(source.scope == "global" for source in sources),
        min((source.last_read for source in polled if unread(source, now)), default=None),
    )


def stands_still(source: Source, now: datetime) -> bool:
    """Whether it is paused; X's refusal pauses a source too."""
    return source.paused_at is not None and not (source.paused_until and source.paused_until <= now)


def unread(source: Any, now: datetime) -> bool:
    """Whether its turn came long ago, and nothing else keeps it waiting: beat offers it again and again."""
    longest = timedelta(seconds=source.most_seconds) + OVERDUE
    offered = source.cursor.due_at <= now + leases.WAITING and not source.cursor.is_streamed(now)
    return bool(offered and source.last_read < now - longest)


def yielded(markets: Sequence[Market], now: datetime) -> float | None:
    """Of 100 posts read in seven days how many candidates stand approved; None where nothing was read."""
    runs = IngestRun.objects.filter(market__in=markets, started_at__gt=now - WEEK)
    read = runs.aggregate(posts=Sum("read"))["posts"]
    here = Candidate.objects.approved().filter(channel__market__in=markets, arrived_at__gt=now - WEEK)
    approved = here.exclude(source=None).count()
    return 100 * approved / read if read else None


def runs_of(markets: Sequence[Market], now: datetime, *, troubled: bool, before: int | None) -> list[IngestRun]:
    """The last ones of seven days, newest first, those before one; one more than a page holds where there are more."""
    rows = IngestRun.objects.filter(market__in=markets, started_at__gt=now - WEEK)
    if troubled:
        rows = rows.filter(Q(outcome__in=TROUBLED) | Q(quarantined__gt=0))
    edge = IngestRun.objects.filter(pk=before or 0, market__in=markets).values_list("started_at", flat=True).first()
    if before is not None and edge is None:
        return []
    if edge is not None:
        rows = rows.filter(Q(started_at__lt=edge) | Q(started_at=edge, pk__lt=before))
    return list(rows.select_related("source", "market").order_by("-started_at", "-pk")[: RUNS + 1])


def aside_of(markets: Sequence[Market], *, chief: bool) -> Any:
    """What lies in quarantine of some markets; for chiefs that of no market too."""
    here = Q(run__market__in=markets)
    return Quarantined.objects.filter(here | Q(run__market=None) if chief else here)
