"""What a market may read of X: a ledger in posts, drawn before X is asked and settled with what X charged.

X charges each post and each account once a UTC day, whoever asks (X_API, section "Cost"); so do we, to the market that
was first. An account costs as much as two posts and counts as two. What a call drew stays drawn until it is settled:
who is killed in between has spent it. BudgetDay.used is always the sum of charges and open reservations.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Greatest

from curation.models import BudgetDay, Charge, Purpose, Reservation
from curation.x.outcomes import BudgetSpent
from regions.models import Market

PRICE = Decimal("0.005")  # dollars a post; an account is twice that
USER_POSTS = 2
DEAREST = 1 + USER_POSTS  # a post, should X charge the author that it sends along
TURN = timedelta(seconds=60)  # before midnight; no call takes longer
UNDER_WAY = timedelta(minutes=2)  # a reservation older than that is no call's any more
SOON = timedelta(seconds=30)
KEPT = timedelta(days=40)
AT_ONCE = 10_000


@dataclass(frozen=True)
class Balance:
    """A market's budget at one moment, in posts. `price` in dollars for each.

    `used` is what cannot be drawn any more: what was charged and what is `held`, drawn and not charged."""

    day: date
    day_limit: int
    day_used: int
    day_rechecks: int
    month_limit: int
    month_used: int
    reserve: int
    price: Decimal = PRICE
    day_held: int = 0
    month_held: int = 0

    @property
    def days_left(self) -> int:
        """Days of the month after this one."""
        return calendar.monthrange(self.day.year, self.day.month)[1] - self.day.day

    @property
    def kept_today(self) -> int:
        """What is left of today's reserve."""
        return max(0, self.reserve - self.day_rechecks)

    @property
    def kept_this_month(self) -> int:
        return self.kept_today + self.reserve * self.days_left

    def margin(self, purpose: str) -> tuple[int, int]:
        """What the day and what the month leave for a purpose; below 0 where a lead lowered the limit since."""
        day, month = self.day_limit - self.day_used, self.month_limit - self.month_used
        if purpose == Purpose.INGEST:
            day, month = day - self.kept_today, month - self.kept_this_month
        return day, month

    def left(self, purpose: str) -> tuple[int, int]:
        """The same, never below 0."""
        day, month = self.margin(purpose)
        return max(0, day), max(0, month)

    @property
    def left_for_ingest(self) -> int:
        return min(self.left(Purpose.INGEST))

    @property
    def left_for_rechecks(self) -> int:
        return min(self.left(Purpose.RECHECK))

    @property
    def rechecks_again(self) -> datetime | None:
        """When live posts are checked again; None while there is budget for it, so that they are checked now."""
        day, month = self.left(Purpose.RECHECK)
        if day and month:
            return None
        return self.next_day if month else self.next_month

    @property
    def day_charged(self) -> int:
        return self.day_used - self.day_held

    @property
    def month_charged(self) -> int:
        return self.month_used - self.month_held

    @property
    def spent(self) -> Decimal:
        """Dollars of this month, charged."""
        return self.month_charged * self.price

    @property
    def spent_at_most(self) -> Decimal:
        """Dollars of this month, should X charge the author of each post too: it does not say."""
        return self.spent * DEAREST

    @property
    def next_day(self) -> datetime:
        return midnight(self.day + timedelta(days=1))

    @property
    def next_month(self) -> datetime:
        return midnight(self.day + timedelta(days=self.days_left + 1))


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime.combine(day, time(), UTC)


def day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()


def days_of_call(now: datetime) -> list[date]:
    """The days that X may charge a call on which starts now: in the last minute the next one too."""
    return sorted({day_of(now), day_of(now + TURN)})


def balance(market: Market, now: datetime) -> Balance:
    """How much is used, held and left. Nothing is locked: it may be less a moment later."""
    return balances([market], now)[market.pk]


def balances(markets: Sequence[Market], now: datetime) -> dict[int, Balance]:
    """The same of several markets, by their ids, in as many statements as of one."""
    day = day_of(now)
    month = Reservation.objects.filter(market__in=markets, settled_at=None, day__year=day.year, day__month=day.month)
    rows = month.values("market").annotate(month=Sum("posts"), day=Sum("posts", filter=Q(day=day)))
    held: dict[int, Any] = {row["market"]: row for row in rows}
    return {pk: _holding(told, held.get(pk, {})) for pk, told in _on_day(markets, day).items()}


def _holding(told: Balance, held: dict[str, Any]) -> Balance:
    day, month = held.get("day") or 0, held.get("month") or 0
    return replace(told, day_held=min(day, told.day_used), month_held=min(month, told.month_used))


def on_day(market: Market, day: date) -> Balance:
    return _on_day([market], day)[market.pk]


def _on_day(markets: Sequence[Market], day: date) -> dict[int, Balance]:
    """Without what is held; limits are read anew."""
    drawn: dict[int, dict[date, BudgetDay]] = defaultdict(dict)
    for row in BudgetDay.objects.filter(market__in=markets, day__year=day.year, day__month=day.month):
        drawn[row.market_id][row.day] = row
    limits = Market.objects.filter(pk__in=[market.pk for market in markets])
    found = {}
    for pk, a_day, a_month, reserve in limits.values_list("pk", "posts_a_day", "posts_a_month", "recheck_reserve"):
        today = drawn[pk].get(day) or BudgetDay()
        month = sum(row.used for row in drawn[pk].values())
        found[pk] = Balance(day, a_day, today.used, today.rechecks, a_month, month, reserve)
    return found


def reserve(
    market: Market,
    wanted: int,
    *,
    least: int = 1,
    purpose: str = Purpose.INGEST,
    for_users: bool = False,
    now: datetime,
) -> Reservation:
    """Draws up to `wanted` posts, at least `least`, before X is asked: committed when this returns.

    Not within a transaction of the caller. Raises BudgetSpent."""
    days = days_of_call(now)
    with transaction.atomic():
        for day in days:
            _lock_month(market, day)
        granted = min(_granted(on_day(market, day), market, wanted, least, purpose, now) for day in days)
        drawn = [_draw(market, day, granted, purpose, now, for_users=for_users) for day in days]
    first = drawn[0]
    first.twin = drawn[1] if len(drawn) > 1 else None
    return first


def settle(reservation: Reservation, *, posts: Iterable[int], users: Iterable[int] = (), now: datetime) -> int:
    """Records what an answer brought, by id; gives back what X did not charge. Returns what was charged, in posts.

    A call that was still under way at midnight may have been charged on either day: it counts on both."""
    posts, users = set(posts), set(users)
    twin = reservation.twin
    if twin is not None:
        brought = len(posts) + USER_POSTS * len(users)
        _keep(twin, brought if day_of(now) >= twin.day else 0, now)
    return _settled(reservation, posts, users, now)


def uncharged(ids: Iterable[int], now: datetime, kind: str = Charge.Kind.POST) -> set[int]:
    """Those that X would charge if it were asked now."""
    wanted = set(ids)
    paid, days = Charge.objects.filter(kind=kind, x_id__in=wanted), days_of_call(now)
    known = [set(paid.filter(day=day).values_list("x_id", flat=True)) for day in days]
    return wanted - known[0].intersection(*known[1:])


def give_back(day: date, most: int, *, before: datetime, now: datetime) -> int:
    """Gives back what calls for posts drew that never ended, of reservations taken before that moment, the oldest
    first: at most so many posts. Returns how many."""
    left = most
    with transaction.atomic():
        never_ended = Reservation.objects.filter(day=day, settled_at=None, for_users=False, taken_at__lt=before)
        for row in never_ended.order_by("taken_at", "pk").select_for_update(skip_locked=True):
            posts = min(row.posts, left)
            give_back_of(row, posts)
            row.posts, left = row.posts - posts, left - posts
            if row.posts == 0:
                row.charged, row.settled_at = 0, now
            row.save(update_fields=["posts", "charged", "settled_at"])
            if left == 0:
                break
    return most - left


def cost(posts: int) -> Decimal:
    """Dollars for so many posts."""
    return posts * PRICE


def rebuild(day: date, *, now: datetime) -> None:
    """Recomputes what markets drew on a day from charges and open reservations. Raises ValueError for an old day."""
    if day < day_of(now - KEPT):
        raise ValueError("the charges of that day are gone")
    with transaction.atomic():
        markets = list(Market.objects.order_by("pk"))
        BudgetDay.objects.bulk_create([BudgetDay(market=one, day=day) for one in markets], ignore_conflicts=True)
        for row in BudgetDay.objects.filter(day=day).order_by("market").select_for_update():
            by_purpose = {purpose: _drawn(row.market_id, day, purpose) for purpose in Purpose.values}
            row.used, row.rechecks = sum(by_purpose.values()), by_purpose[Purpose.RECHECK]
            row.save(update_fields=["used", "rechecks"])


def tidy(now: datetime) -> None:
    """Settled reservations and charges go after forty days; the days' sums stay."""
    before = now - KEPT
    while _deleted("curation_charge", "day < %s", day_of(before)) == AT_ONCE:
        pass
    while _deleted("curation_reservation", "settled_at IS NOT NULL AND taken_at < %s", before) == AT_ONCE:
        pass


# How it is drawn


def _lock_month(market: Market, day: date) -> None:
    """Who draws on a month waits here for others who do; what they drew is seen by the statements after it."""
    BudgetDay.objects.bulk_create([BudgetDay(market=market, day=day)], ignore_conflicts=True)
    month = BudgetDay.objects.filter(market=market, day__year=day.year, day__month=day.month)
    list(month.order_by("day").select_for_update().values_list("pk", flat=True))


def _granted(told: Balance, market: Market, wanted: int, least: int, purpose: str, now: datetime) -> int:
    day, month = told.left(purpose)
    if min(day, month) >= min(least, wanted):
        return min(wanted, day, month)
    others = Reservation.objects.filter(market=market, day=told.day, settled_at=None, taken_at__gt=now - UNDER_WAY)
    held = others.aggregate(posts=Sum("posts"))["posts"] or 0
    if min(told.margin(purpose)) + held >= min(least, wanted):
        words = "Readings under way hold what is left of the budget."
        raise BudgetSpent(words, market.pk, now + SOON, "day", passing=True)
    raise _spent(told, market, purpose, of_month=month < min(least, wanted))


def _spent(told: Balance, market: Market, purpose: str, of_month: bool) -> BudgetSpent:
    limit, used, kept = told.day_limit, told.day_used, told.kept_today
    until, cause = told.next_day, "day"
    if of_month:
        limit, used, kept = told.month_limit, told.month_used, told.kept_this_month
        until, cause = told.next_month, "month"
    words = f"The {cause}'s budget of {market.code.upper()} is used up: {used:,} of {limit:,} posts"
    if purpose == Purpose.INGEST and kept:
        words += f", {kept:,} kept for rechecks"
    return BudgetSpent(f"{words}. Read again from {until:%d %B, %H:%M} UTC.", market.pk, until, cause)


def _draw(market: Market, day: date, posts: int, purpose: str, now: datetime, *, for_users: bool) -> Reservation:
    rechecks = posts if purpose == Purpose.RECHECK else 0
    day_row = BudgetDay.objects.filter(market=market, day=day)
    day_row.update(used=F("used") + posts, rechecks=F("rechecks") + rechecks)
    told = {"purpose": purpose, "for_users": for_users, "posts": posts, "taken_at": now}
    return Reservation.objects.create(market=market, day=day, **told)


# How it is settled

CHARGE = """
    INSERT INTO curation_charge (day, kind, x_id, market_id, purpose)
    SELECT %s, %s, x_id, %s, %s FROM unnest(%s::bigint[]) AS told (x_id) ORDER BY x_id
    ON CONFLICT DO NOTHING
"""


def _settled(reservation: Reservation, posts: set[int], users: set[int], now: datetime) -> int:
    with transaction.atomic():
        row = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if row.charged is not None:
            return row.charged
        row.charged = charge(row, Charge.Kind.POST, posts) + USER_POSTS * charge(row, Charge.Kind.USER, users)
        row.settled_at = now
        row.save(update_fields=["charged", "settled_at"])
        give_back_of(row, row.posts - row.charged)
    return row.charged


def charge(row: Reservation, kind: str, ids: set[int]) -> int:
    """How many of them nobody had paid for on that day. Sorted, so that two at once wait and do not deadlock."""
    if not ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(CHARGE, [row.day, kind, row.market_id, row.purpose, sorted(ids)])
        return int(cursor.rowcount)


def _keep(reservation: Reservation, posts: int, now: datetime) -> None:
    """Lowers the reservation on the second day; what stays is never settled, since X may charge the ids there anew."""
    with transaction.atomic():
        row = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if row.charged is not None or posts >= row.posts:
            return
        give_back_of(row, row.posts - posts)
        row.posts = posts
        if posts == 0:
            row.charged, row.settled_at = 0, now
        row.save(update_fields=["posts", "charged", "settled_at"])


def give_back_of(row: Reservation, posts: int) -> None:
    """Less than nothing when X gave more than it was asked for."""
    day_row = BudgetDay.objects.filter(market=row.market_id, day=row.day)
    rechecks = posts if row.purpose == Purpose.RECHECK else 0
    day_row.update(used=Greatest(F("used") - posts, 0), rechecks=Greatest(F("rechecks") - rechecks, 0))


def _drawn(market_id: int, day: date, purpose: str) -> int:
    charges = Charge.objects.filter(market=market_id, day=day, purpose=purpose)
    posts, users = (charges.filter(kind=kind).count() for kind in (Charge.Kind.POST, Charge.Kind.USER))
    open_ones = Reservation.objects.filter(market=market_id, day=day, purpose=purpose, settled_at=None)
    return posts + USER_POSTS * users + (open_ones.aggregate(posts=Sum("posts"))["posts"] or 0)


def _deleted(table: str, condition: str, *values: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} LIMIT {AT_ONCE})",  # noqa: S608
            values,
        )
        return int(cursor.rowcount)
