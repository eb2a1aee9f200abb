"""Where a market's budget is heading, from the pace of its last days; and what a lower one would mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

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
    return forecasts([market], now)[market.pk]


def forecasts(markets: Sequence[Market], now: datetime) -> dict[int, Forecast]:
    """The same of several markets, by their ids, in as many statements as of one."""
    day = budget.day_of(now)
    before: dict[int, dict[date, int]] = defaultdict(dict)
    for row in BudgetDay.objects.filter(market__in=markets, day__lt=day, day__gte=day - PACE):
        before[row.market_id][row.day] = row.used
    return {pk: _ahead(told, before[pk], now) for pk, told in budget.balances(markets, now).items()}


def _ahead(told: Balance, before: dict[date, int], now: datetime) -> Forecast:
    gone = (now - budget.midnight(told.day)) / timedelta(days=1)
    days = (told.day - min(before)).days if before else 0
    pace = round(sum(before.values()) / days) if days else round(told.day_used / max(gone, SOONEST))
    today = told.day_used + round(pace * (1 - gone))
    return Forecast(told, pace, days, today, told.month_used - told.day_used + today + pace * told.days_left)


def lowered(market: Market, now: datetime, *, day: int | None, month: int | None) -> Iterator[str]:
    """A sentence for each limit that is below what is used already."""
    told = budget.balance(market, now)
    if day is not None and day < told.day_used:
        words = _("Today %(used)s posts are used already: with %(n)s a day nothing new is read until %(time)s.")
        yield words % {"used": grouped(told.day_used), "n": grouped(day), "time": when(told.next_day, now)}
    if month is not None and month < told.month_used:
        words = _("This month %(used)s posts are used already: with %(n)s a month nothing new is read until %(time)s.")
        yield words % {"used": grouped(told.month_used), "n": grouped(month), "time": when(told.next_month, now)}
