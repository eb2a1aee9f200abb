"""Our ledger beside X's own count (GET /2/usage/tweets): X counting more than we did is what must not happen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db.models import Sum

from curation.ledger import budget
from curation.ledger.budget import day_of
from curation.models import Charge, Reservation, UsageReading
from curation.x.client import Page

log = structlog.get_logger(__name__)
DAYS = 3
SURELY_OVER = timedelta(hours=1)  # a call that has not been settled by then never will be


class Tells(Protocol):
    """The part of the door that this needs."""

    def usage(self, days: int = 7) -> Page: ...


def reconcile(ask: Tells, now: datetime) -> list[UsageReading]:
    """What X counted of the last days beside what we did, kept a row a day. Raises Failure.

    One WARNING, `x_counted_more`, for a day on which X counted more posts, and again when the difference grows."""
    page = ask.usage(DAYS)
    since = day_of(now) - timedelta(days=DAYS)
    told = {day: count for one in page.raw for day, count in counts(one) if day > since}
    return [_kept(day, count, now) for day, count in sorted(told.items())]


def counts(told: Any) -> Iterator[tuple[date, int]]:
    """X's numbers are strings, whatever its document says; what is no number of a day is passed over."""
    project = told.get("daily_project_usage") if isinstance(told, dict) else None
    days = project.get("usage") if isinstance(project, dict) else None
    for entry in days if isinstance(days, list) else ():
        try:
            yield date.fromisoformat(str(entry["date"])[:10]), min(max(0, int(entry["usage"])), 2**31 - 1)
        except (KeyError, TypeError, ValueError):
            continue


def counted_by_us(day: date) -> int:
    """Posts that were charged on a day, and those that open reservations drew. X tells nothing of accounts here."""
    drawn = (
        Reservation.objects.filter(day=day, settled_at=None, for_users=False).aggregate(posts=Sum("posts"))["posts"]
        or 0
    )
    return Charge.objects.filter(day=day, kind=Charge.Kind.POST).count() + int(drawn)


def _kept(day: date, by_x: int, now: datetime) -> UsageReading:
    surplus = counted_by_us(day) - by_x
    given_back = budget.give_back(day, surplus, before=now - SURELY_OVER, now=now) if surplus > 0 else 0
    if given_back:
        log.info("budget_given_back", day=day.isoformat(), posts=given_back)
    before = UsageReading.objects.filter(day=day).first()
    by_us = counted_by_us(day)
    if by_x - by_us > max(0, before.by_x - before.by_us if before else 0):
        log.warning("x_counted_more", day=day.isoformat(), by_x=by_x, by_us=by_us)
    kept, _ = UsageReading.objects.update_or_create(day=day, defaults={"by_x": by_x, "by_us": by_us, "at": now})
    return kept
