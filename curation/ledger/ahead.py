"""What the stream draws ahead: X charges each post that it sends, before anybody can reserve it.

An allotment is an open reservation. What came of it is charged at once and leaves it, so that after a kill only what
was not counted yet is unknown: `in_flight` bounds it. What X charged counts even where nothing was drawn for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from curation.ledger import budget
from curation.models import BudgetDay, Charge, Purpose, Reservation
from regions.models import Market


def draw(market: Market, wanted: int, *, least: int, in_flight: int, now: datetime) -> Reservation:
    """An allotment of up to `wanted` posts, near midnight with its twin. Raises BudgetSpent."""
    drawn = budget.reserve(market, wanted, least=least, purpose=Purpose.INGEST, now=now)
    for row in rows_of(drawn):
        row.in_flight = in_flight
        row.save(update_fields=["in_flight"])
    return drawn


@transaction.atomic
def count(drawn: Reservation, ids: Iterable[int], nameless: int, now: datetime) -> int:
    """Charges what came: posts by id, each once a day, and those whose id nobody can read. Returns how many are new.

    `drawn.posts` is what is left afterwards. X may have charged it on any day between the drawing and now: on the
    first by id, on the others, whose ids X may charge anew, it stays drawn."""
    ids = set(ids)
    first, *others = rows_of(drawn)
    new = _taken_from(first, _charged(first.market_id, first.day, ids), nameless, now)
    for row in others:
        _taken_from(row, 0, len(ids) + nameless, now)
    if budget.day_of(now) not in {row.day for row in (first, *others)}:
        _hold(first.market_id, budget.day_of(now), len(ids) + nameless, now)
    return new + nameless


@transaction.atomic
def bear(market: Market, ids: Iterable[int], nameless: int, now: datetime) -> int:
    """What X charged with no allotment to take it from: it counts, whatever the budget says. Returns how many."""
    day = budget.day_of(now)
    new = _charged(market.pk, day, set(ids))
    _use(market.pk, day, new)
    _hold(market.pk, day, nameless, now)
    return new + nameless


@transaction.atomic
def end(drawn: Reservation, now: datetime, *, keep: int = 0) -> None:
    """Gives back what did not come; `keep` posts stay drawn, since X may have charged them: X's own count tells later
    (curation.ledger.usage)."""
    for told in rows_of(drawn):
        _end(Reservation.objects.select_for_update().get(pk=told.pk), keep, now)


@transaction.atomic
def end_left_behind(now: datetime) -> int:
    """Ends the allotments of a leader that is no more. Returns how many posts went back.

    What it had counted is charged. What it heard and did not count, or never heard, lies in the gap that its cursors
    leave, and is charged when it is searched for; what is deleted meanwhile, or no search brings, is in flight."""
    left = Reservation.objects.filter(settled_at=None).exclude(in_flight=None).order_by("pk").select_for_update()
    return sum(_end(row, row.in_flight or 0, now) for row in left)


def rows_of(drawn: Reservation) -> list[Reservation]:
    return [drawn, drawn.twin] if drawn.twin else [drawn]


def _end(row: Reservation, keep: int, now: datetime) -> int:
    if row.settled_at:
        return 0
    back = max(0, row.posts - keep)
    budget.give_back_of(row, back)
    row.posts, row.in_flight = row.posts - back, None
    if row.posts == 0:
        row.charged, row.settled_at = 0, now
    row.save(update_fields=["posts", "in_flight", "charged", "settled_at"])
    return back


def _charged(market_id: int, day: date, ids: set[int]) -> int:
    row = Reservation(market_id=market_id, day=day, purpose=Purpose.INGEST)
    return budget.charge(row, Charge.Kind.POST, ids)


def _taken_from(told: Reservation, charged: int, nameless: int, now: datetime) -> int:
    """Out of the allotment, into charges and what stays drawn. More than it has is used all the same."""
    row = Reservation.objects.select_for_update().get(pk=told.pk)
    gone = charged + nameless
    _use(row.market_id, row.day, max(0, gone - row.posts))
    row.posts = told.posts = max(0, row.posts - gone)
    row.save(update_fields=["posts"])
    _keep_drawn(row.market_id, row.day, nameless, now)
    return charged


def _hold(market_id: int, day: date, posts: int, now: datetime) -> None:
    _use(market_id, day, posts)
    _keep_drawn(market_id, day, posts, now)


def _keep_drawn(market_id: int, day: date, posts: int, now: datetime) -> None:
    """An open reservation that nobody settles: X's count does, an hour later."""
    if posts:
        Reservation.objects.create(market_id=market_id, day=day, posts=posts, taken_at=now)


def _use(market_id: int, day: date, posts: int) -> None:
    if posts:
        BudgetDay.objects.bulk_create([BudgetDay(market_id=market_id, day=day)], ignore_conflicts=True)
        BudgetDay.objects.filter(market=market_id, day=day).update(used=F("used") + posts)
