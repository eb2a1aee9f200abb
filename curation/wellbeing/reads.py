"""What is read for the Health page. Each asks once for all markets, and for a bounded time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncHour

from curation.ledger import budget
from curation.ledger.forecast import Forecast, forecasts
from curation.models import BudgetDay, Candidate, IngestRun, Pause, Quarantined
from regions.models import Market, Source

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
HOURS, RUNS, LISTED = 24, 25, 50
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


def first_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR


def hours_of(markets: Sequence[Market], now: datetime) -> dict[int, Hours]:
    first = first_hour(now)
    wrong = Q(outcome__in=(IngestRun.Outcome.FAILED, IngestRun.Outcome.REFUSED))
    runs = IngestRun.objects.filter(market__in=markets, started_at__gte=first)
    rows = runs.values("market", hour=TruncHour("started_at")).annotate(
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


def sources_of(markets: Sequence[Market], now: datetime) -> dict[int, tuple[int, int]]:
    """Of each market how many sources it has that are switched on, and how many of them fail at present."""
    own = Source.objects.filter(Q(market__in=markets) | Q(channel__market__in=markets))
    on = own.filter(Q(paused_at=None) | Q(paused_until__lte=now))
    rows = on.values("market", "channel__market").annotate(n=Count("pk"), bad=Count("pk", Q(cursor__failures__gt=0)))
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        pk = row["market"] or row["channel__market"]
        number, bad = found.get(pk, (0, 0))
        found[pk] = (number + row["n"], bad + row["bad"])
    return found


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
