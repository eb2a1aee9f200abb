"""The ledger: drawn before, settled after, never exceeded, a resource paid once a UTC day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from curation.ledger import budget
from curation.models import BudgetDay, Charge, Purpose, Reservation
from curation.x.outcomes import BudgetSpent
from regions.models import Market

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)
RECHECK = Purpose.RECHECK


@pytest.fixture
def de() -> Market:
    return limited("de", 1000, 100_000, 200)


def limited(code: str, day: int, month: int, reserve: int) -> Market:
    Market.objects.filter(code=code).update(posts_a_day=day, posts_a_month=month, recheck_reserve=reserve)
    return Market.objects.get(code=code)


def used(market: Market, day: date = TODAY) -> tuple[int, int]:
    row = BudgetDay.objects.filter(market=market, day=day).first()
    return (row.used, row.rechecks) if row else (0, 0)


def test_what_is_drawn_counts_until_it_is_settled(de: Market) -> None:
    drawn = budget.reserve(de, 100, now=NOON)
    assert (drawn.posts, used(de)) == (100, (100, 0))
    assert budget.settle(drawn, posts=range(1, 31), now=NOON) == 30
    assert used(de) == (30, 0)
    drawn.refresh_from_db()
    assert (drawn.charged, drawn.settled_at) == (30, NOON)


def test_settling_twice_counts_once(de: Market) -> None:
    drawn = budget.reserve(de, 100, now=NOON)
    assert [budget.settle(drawn, posts=[1, 2], now=NOON) for _ in range(2)] == [2, 2]
    assert used(de) == (2, 0)


def test_a_resource_is_paid_once_a_day_by_whoever_was_first(de: Market) -> None:
    nl = limited("nl", 1000, 100_000, 0)
    first, second = budget.reserve(de, 10, now=NOON), budget.reserve(nl, 10, now=NOON)
    assert budget.settle(first, posts=[1, 2, 3], now=NOON) == 3
    assert budget.settle(second, posts=[2, 3, 4], now=NOON) == 1
    assert (used(de), used(nl)) == ((3, 0), (1, 0))
    assert dict(Charge.objects.values_list("x_id", "market__code")) == {1: "de", 2: "de", 3: "de", 4: "nl"}
    tomorrow = NOON + timedelta(days=1)
    assert budget.settle(budget.reserve(nl, 10, now=tomorrow), posts=[1, 2], now=tomorrow) == 2
    assert used(nl, TOMORROW) == (2, 0)


def test_an_account_counts_as_two_posts_and_is_no_post(de: Market) -> None:
    drawn = budget.reserve(de, 10, now=NOON)
    assert budget.settle(drawn, posts=[7], users=[7, 8], now=NOON) == 5
    assert used(de) == (5, 0)
    assert budget.uncharged([7, 8, 9], NOON) == {8, 9}
    assert budget.uncharged([7, 8, 9], NOON, Charge.Kind.USER) == {9}
    assert budget.uncharged([7], NOON + timedelta(days=1)) == {7}


def test_ingest_leaves_the_reserve_of_the_day(de: Market) -> None:
    assert [budget.reserve(de, 500, now=NOON).posts for _ in range(2)] == [500, 300]
    with pytest.raises(BudgetSpent) as told:
        budget.reserve(de, 1, now=NOON + timedelta(hours=1))
    assert str(told.value) == (
        "The day's budget of DE is used up: 800 of 1,000 posts, 200 kept for rechecks. "
        "Read again from 23 November, 00:00 UTC."
    )
    assert (told.value.until, told.value.market_id) == (datetime(2026, 11, 23, tzinfo=UTC), de.pk)
    assert (told.value.cause, told.value.passing) == ("day", False)
    assert budget.reserve(de, 500, purpose=RECHECK, now=NOON).posts == 200
    assert used(de) == (1000, 200)
    with pytest.raises(BudgetSpent):
        budget.reserve(de, 1, purpose=RECHECK, now=NOON + timedelta(hours=1))


def test_rechecks_use_their_reserve_and_then_what_ingest_leaves(de: Market) -> None:
    assert budget.reserve(de, 600, purpose=RECHECK, now=NOON).posts == 600
    assert budget.balance(de, NOON).left_for_ingest == 400
    assert budget.reserve(de, 600, now=NOON).posts == 400


def test_ingest_leaves_the_reserve_of_the_month_that_is_left() -> None:
    de = limited("de", 10_000, 4_000, 100)  # 22 November: eight days after today, nine with it
    assert budget.balance(de, NOON).left_for_ingest == 4_000 - 900
    assert budget.reserve(de, 5_000, now=NOON).posts == 3_100
    with pytest.raises(BudgetSpent) as told:
        budget.reserve(de, 1, now=NOON + timedelta(hours=1))
    assert (told.value.cause, told.value.until) == ("month", datetime(2026, 12, 1, tzinfo=UTC))
    assert "900 kept for rechecks" in str(told.value)
    assert budget.reserve(de, 5_000, purpose=RECHECK, now=NOON).posts == 900
    december = datetime(2026, 12, 1, tzinfo=UTC)
    assert budget.balance(de, december).month_used == 0
    assert budget.reserve(de, 10, now=december).posts == 10


def test_less_than_X_gives_at_least_is_not_drawn(de: Market) -> None:
    budget.settle(budget.reserve(de, 795, now=NOON), posts=range(795), now=NOON)
    with pytest.raises(BudgetSpent):
        budget.reserve(de, 100, least=10, now=NOON)
    assert budget.reserve(de, 100, least=5, now=NOON).posts == 5
    assert used(de) == (800, 0)


def test_what_readings_under_way_hold_is_waited_for(de: Market) -> None:
    budget.reserve(de, 800, now=NOON)
    with pytest.raises(BudgetSpent) as told:
        budget.reserve(de, 100, now=NOON + timedelta(seconds=100))
    assert (told.value.passing, told.value.until) == (True, NOON + timedelta(seconds=130))
    with pytest.raises(BudgetSpent) as told:
        budget.reserve(de, 100, now=NOON + timedelta(seconds=121))
    assert told.value.passing is False


def test_a_limit_lowered_below_what_is_used_is_no_passing_shortage(de: Market) -> None:
    budget.settle(budget.reserve(de, 500, now=NOON), posts=range(1, 501), now=NOON)
    budget.reserve(de, 200, now=NOON)
    Market.objects.filter(pk=de.pk).update(posts_a_day=400)
    with pytest.raises(BudgetSpent) as told:
        budget.reserve(de, 100, now=NOON)
    assert (told.value.cause, told.value.passing) == ("day", False)


def test_in_the_last_minute_both_days_are_drawn(de: Market) -> None:
    late = datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC)
    drawn = budget.reserve(de, 100, now=late)
    assert (used(de), used(de, TOMORROW)) == ((100, 0), (100, 0))
    budget.settle(drawn, posts=[1, 2], now=late + timedelta(seconds=5))
    assert (used(de), used(de, TOMORROW)) == ((2, 0), (0, 0))


def test_a_call_over_midnight_counts_on_both_days(de: Market) -> None:
    """X may have charged it on either; so tomorrow its posts are no known ones."""
    late, past = datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC), datetime(2026, 11, 23, 0, 0, 5, tzinfo=UTC)
    drawn = budget.reserve(de, 100, now=late)
    assert budget.settle(drawn, posts=[1, 2], users=[3], now=past) == 4
    assert (used(de), used(de, TOMORROW)) == ((4, 0), (4, 0))
    assert budget.uncharged([1, 2], past) == {1, 2}
    assert budget.uncharged([1, 2], late) == {1, 2}
    budget.rebuild(TOMORROW, now=past)
    assert used(de, TOMORROW) == (4, 0)


def test_the_last_minute_of_a_month_needs_budget_in_both() -> None:
    de = limited("de", 1000, 500, 0)
    late = datetime(2026, 11, 30, 23, 59, 30, tzinfo=UTC)
    budget.settle(budget.reserve(de, 450, now=NOON), posts=range(450), now=NOON)
    assert budget.reserve(de, 100, now=late).posts == 50
    assert used(de, date(2026, 12, 1)) == (50, 0)


def test_a_day_can_be_rebuilt(de: Market) -> None:
    nl = limited("nl", 1000, 100_000, 0)
    budget.settle(budget.reserve(de, 50, now=NOON), posts=[1, 2], users=[3], now=NOON)
    budget.settle(budget.reserve(de, 50, purpose=RECHECK, now=NOON), posts=[5], now=NOON)
    budget.reserve(de, 30, purpose=RECHECK, now=NOON)
    budget.reserve(nl, 40, now=NOON)
    expected = {de: (35, 31), nl: (40, 0)}
    assert {market: used(market) for market in expected} == expected
    BudgetDay.objects.update(used=999, rechecks=998)
    BudgetDay.objects.filter(market=nl).delete()
    budget.rebuild(TODAY, now=NOON)
    assert {market: used(market) for market in expected} == expected
    with pytest.raises(ValueError, match="gone"):
        budget.rebuild(TODAY, now=NOON + timedelta(days=41))


def test_old_charges_and_settled_reservations_go(de: Market) -> None:
    budget.settle(budget.reserve(de, 50, now=NOON), posts=[1, 2], now=NOON)
    left_open = budget.reserve(de, 5, now=NOON)
    budget.tidy(NOON + timedelta(days=40))
    assert (Charge.objects.count(), Reservation.objects.count()) == (2, 2)
    budget.tidy(NOON + timedelta(days=41))
    assert (Charge.objects.count(), list(Reservation.objects.all())) == (0, [left_open])
    assert used(de) == (7, 0)


def test_the_standing_says_what_is_left_and_what_it_costs(de: Market) -> None:
    budget.settle(budget.reserve(de, 50, now=NOON), posts=range(40), now=NOON)
    told = budget.balance(de, NOON)
    assert (told.day_limit, told.day_used, told.month_limit, told.month_used) == (1000, 40, 100_000, 40)
    assert (told.left_for_ingest, told.left_for_rechecks) == (760, 960)
    assert (told.price, told.spent) == (Decimal("0.005"), Decimal("0.200"))
    assert (told.next_day, told.next_month) == (datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize("posts_a_day", [0, 150])
def test_a_reserve_larger_than_the_budget_leaves_ingest_nothing(posts_a_day: int) -> None:
    de = limited("de", posts_a_day, 100_000, 200)
    with pytest.raises(BudgetSpent):
        budget.reserve(de, 1, now=NOON)
    assert budget.balance(de, NOON).left_for_rechecks == posts_a_day
