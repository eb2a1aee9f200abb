"""Where a market's budget is heading, from the pace of its last days; and what a lower one would mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from curation.intake import grouped, when
from curation.ledger import budget
from curation.ledger.budget import Balance
from curation.models import BudgetDay
from regions.models import Market

PACE = timedelta(days=7)  # whole days that the pace is taken from
SOONEST = 0.02  # of a day: before that the day itself says nothing


@dataclass(frozen=True)
class Forecast:
    """In posts, what is used now (`balance`) and expected by the end of the UTC day and month, at `pace` a day.
    `days` is how many whole days the pace is taken from; 0: from today alone."""

    balance: Balance
    pace: int
    days: int
    today: int
    month: int

    @property
    def over_today(self) -> bool:
        return self.today > self.balance.day_limit

    @property
    def over_month(self) -> bool:
        return self.month > self.balance.month_limit

    @property
    def price(self) -> Decimal:
        """Dollars expected for the month."""
        return min(self.month, self.balance.month_limit) * self.balance.price


def forecast(market: Market, now: datetime) -> Forecast:
    """The expectation before any limit: above the limit, reading pauses when that is reached."""
    told = budget.balance(market, now)
    gone = (now - budget.midnight(told.day)) / timedelta(days=1)
    days, pace = _pace(market, told, gone)
    today = told.day_used + round(pace * (1 - gone))
    return Forecast(told, pace, days, today, told.month_used - told.day_used + today + pace * told.days_left)


def _pace(market: Market, told: Balance, gone: float) -> tuple[int, int]:
    """Days that were looked at, and posts a day."""
    before = BudgetDay.objects.filter(market=market, day__lt=told.day, day__gte=told.day - PACE)
    first = before.order_by("day").values_list("day", flat=True).first()
    if first is None:
        return 0, round(told.day_used / max(gone, SOONEST))
    days = (told.day - first).days
    return days, round((before.aggregate(posts=Sum("used"))["posts"] or 0) / days)


def lowered(market: Market, now: datetime, *, day: int | None, month: int | None) -> Iterator[str]:
    """A sentence for each limit that is below what is used already."""
    told = budget.balance(market, now)
    if day is not None and day < told.day_used:
        words = _("Today %(used)s posts are used already: with %(n)s a day nothing new is read until %(time)s.")
        yield words % {"used": grouped(told.day_used), "n": grouped(day), "time": when(told.next_day, now)}
    if month is not None and month < told.month_used:
        words = _("This month %(used)s posts are used already: with %(n)s a month nothing new is read until %(time)s.")
        yield words % {"used": grouped(told.month_used), "n": grouped(month), "time": when(told.next_month, now)}
