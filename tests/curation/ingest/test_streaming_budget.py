"""The stream spends no more than a market may: posts drawn ahead, rules that go in time, a connection dropped."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from curation.ingest.streaming.allotments import IN_FLIGHT, LINGER, Allotments, Came
from curation.ledger import ahead, budget
from curation.models import BudgetDay, Charge, Cursor, IngestRun, Reservation
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source
from tests.curation.ingest.listening import catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def de() -> Market:
    """DE with forty posts a day and none kept for rechecks."""
    Market.objects.filter(code="de").update(posts_a_day=40, recheck_reserve=0)
    return Market.objects.get(code="de")


def drawn(market: Market) -> int:
    return sum(BudgetDay.objects.filter(market=market).values_list("used", flat=True))


def values(x: Simulator) -> set[str]:
    with x.world.lock:
        return {rule.value for rule in x.rules}


def came(allotments: Allotments, market: Market, *ids: int, nameless: int = 0, now: datetime = NOON) -> None:
    allotments.count({market: Came(set(ids), nameless)}, now)


def rebuilt(market: Market) -> int:
    """What the market drew, summed up anew."""
    for day in (NOON.date(), NOON.date() + timedelta(days=1)):
        budget.rebuild(day, now=NOON)
    return drawn(market)


def test_what_came_is_charged_at_once_and_what_is_left_goes_back(de: Market) -> None:
    allotments = Allotments(least=10, most=10)
    assert allotments.keep_open([de], NOON) == {de.pk}
    assert (drawn(de), Charge.objects.count()) == (10, 0)
    came(allotments, de, 1, 2, 3)
    came(allotments, de, 2, 3)
    assert (allotments.by_market[de.pk].left, drawn(de), Charge.objects.count()) == (7, 10, 3)
    assert rebuilt(de) == 10
    told = budget.balance(de, NOON)
    assert (told.day_charged, told.day_held, told.month_charged, told.month_held) == (3, 7, 3, 7)
    allotments.end_all(NOON)
    assert (drawn(de), rebuilt(de), allotments.told(), allotments.told()) == (3, 3, {de.pk: 3}, {})


def test_the_next_allotment_comes_before_the_last_is_used_up(de: Market) -> None:
    allotments = Allotments(least=10, most=10, calm=4)
    allotments.keep_open([de], NOON)
    came(allotments, de, *range(1, 8))
    assert allotments.pressing(NOON)
    assert allotments.keep_open([de], NOON) == {de.pk}
    assert (allotments.by_market[de.pk].left, drawn(de)) == (10, 17)


def test_a_quiet_market_draws_little_and_a_busy_one_what_its_pace_needs(de: Market) -> None:
    Market.objects.update(posts_a_day=20_000)
    allotments = Allotments()
    for minute in range(5):
        came(allotments, de, minute + 1, now=NOON + timedelta(minutes=minute))
        allotments.overdrawn = False
        allotments.keep_open([de], NOON + timedelta(minutes=minute))
    late = NOON + timedelta(minutes=4, seconds=30)
    assert (allotments.margin(de.pk, late), allotments.size(de.pk, late)) == (7, 20)
    for second in range(60):
        at = late + timedelta(seconds=second)
        came(allotments, de, *range(1000 + 10 * second, 1010 + 10 * second), now=at)
        allotments.keep_open([de], at)
    assert (allotments.margin(de.pk, at), allotments.size(de.pk, at)) == (205, 500)
    later = at + timedelta(minutes=6)
    assert (allotments.margin(de.pk, later), allotments.size(de.pk, later)) == (5, 20)


def test_more_than_was_drawn_counts_and_more_is_drawn(de: Market) -> None:
    """A burst: the budget has it, so nothing is lost and nothing is dropped."""
    Market.objects.update(posts_a_day=200)
    allotments = Allotments(least=10, most=40)
    allotments.keep_open([de], NOON)
    assert allotments.room == 200
    came(allotments, de, *range(1, 31))
    assert (drawn(de), allotments.spent, allotments.pressing(NOON)) == (30, True, True)
    assert allotments.keep_open([de], NOON) == {de.pk}
    assert (drawn(de), rebuilt(de), allotments.spent) == (70, 70, False)


def test_without_another_the_market_closes_and_the_last_one_covers_what_comes(de: Market) -> None:
    allotments = Allotments(least=38, most=38, calm=4)
    allotments.keep_open([de], NOON)
    came(allotments, de, *range(1, 36))
    assert allotments.keep_open([de], NOON) == set()
    came(allotments, de, 36, 37)
    assert (drawn(de), allotments.room, allotments.spent) == (38, 1, False)
    came(allotments, de, 38)
    assert allotments.spent
    allotments.keep_open([de], NOON + LINGER)
    assert (drawn(de), allotments.by_market) == (38, {})
    came(allotments, de, 39, 40, nameless=2)
    assert (drawn(de), rebuilt(de), allotments.spent) == (42, 42, True)


def test_a_small_budget_gets_no_stream(de: Market) -> None:
    assert Allotments(calm=40).keep_open([de], NOON) == set()
    assert drawn(de) == 0


def test_a_market_that_closed_opens_again_when_there_is_budget(de: Market) -> None:
    allotments = Allotments(calm=50)
    assert allotments.keep_open([de], NOON) == set()
    Market.objects.filter(pk=de.pk).update(posts_a_day=200)
    assert allotments.keep_open([de], NOON + timedelta(seconds=30)) == set()
    assert allotments.keep_open([de], NOON + timedelta(seconds=61)) == {de.pk}


def test_an_allotment_is_made_anew_every_five_minutes(de: Market) -> None:
    """Also where nothing came: what is an hour old is taken for a call that never ended."""
    allotments = Allotments()
    for minutes in range(0, 66, 3):
        allotments.keep_open([de], NOON + timedelta(minutes=minutes))
        (open_one,) = Reservation.objects.filter(settled_at=None)
        assert NOON + timedelta(minutes=minutes) - open_one.taken_at < timedelta(minutes=6)
    assert drawn(de) == 20


@pytest.mark.parametrize("second", [1, 14, 20, 50])
def test_before_midnight_one_for_both_days_and_after_it_one_for_the_new_day(de: Market, second: int) -> None:
    allotments, night = Allotments(least=10, most=10), NOON.replace(hour=23, minute=59)
    late = night + timedelta(seconds=max(15, second))
    allotments.keep_open([de], night - timedelta(seconds=30))
    for at in (night + timedelta(seconds=second), late, late + timedelta(seconds=3)):
        assert allotments.keep_open([de], at) == {de.pk}
    open_days = Reservation.objects.filter(market=de, settled_at=None).values_list("day", flat=True)
    assert sorted(open_days) == [NOON.date(), NOON.date() + timedelta(days=1)]
    assert Reservation.objects.count() <= 5
    came(allotments, de, 7, now=late)
    allotments.keep_open([de], late + timedelta(minutes=2))
    came(allotments, de, 8, now=late + timedelta(minutes=2))
    allotments.end_all(late + timedelta(minutes=2))
    used = dict(BudgetDay.objects.filter(market=de).values_list("day", "used"))
    assert used == {NOON.date(): 1, NOON.date() + timedelta(days=1): 2}
    assert rebuilt(de) == 3


def test_what_is_counted_after_a_stall_over_midnight_counts_on_both_days(de: Market) -> None:
    """The process stood still from noon on: X may have sent it on either day."""
    allotments = Allotments(least=10, most=10)
    allotments.keep_open([de], NOON)
    came(allotments, de, 1, 2, 3, now=NOON + timedelta(hours=12, minutes=1))
    allotments.end_all(NOON + timedelta(hours=12, minutes=1))
    used = dict(BudgetDay.objects.filter(market=de).values_list("day", "used"))
    assert used == {NOON.date(): 3, NOON.date() + timedelta(days=1): 3}
    assert rebuilt(de) == 6


def test_what_a_break_swallowed_stays_drawn(de: Market) -> None:
    allotments = Allotments(least=10, most=10)
    allotments.keep_open([de], NOON)
    came(allotments, de, 1)
    allotments.broken()
    assert allotments.by_market[de.pk].left == 10 - 1 - IN_FLIGHT
    allotments.end_all(NOON)
    assert (drawn(de), rebuilt(de)) == (1 + IN_FLIGHT, 1 + IN_FLIGHT)


def test_a_post_whose_id_nobody_can_read_stays_drawn_until_x_has_told(de: Market) -> None:
    allotments = Allotments(least=10, most=10)
    allotments.keep_open([de], NOON)
    came(allotments, de, 1, nameless=2)
    allotments.end_all(NOON)
    told = budget.balance(de, NOON)
    assert (told.day_charged, told.day_held, rebuilt(de)) == (1, 2, 3)
    assert budget.give_back(NOON.date(), 2, before=NOON + timedelta(minutes=1), now=NOON) == 2
    assert drawn(de) == 1


def test_the_next_leader_gives_back_what_a_killed_one_held_but_for_what_may_be_in_flight(de: Market) -> None:
    killed = Allotments(least=30, most=30, calm=4)
    killed.keep_open([de], NOON)
    came(killed, de, 1, 2, 3)
    call = budget.reserve(de, 5, now=NOON)
    assert drawn(de) == 35
    assert ahead.end_left_behind(NOON) == 23
    assert (drawn(de), rebuilt(de)) == (12, 12)  # three charged, four in flight, five of a call
    assert ahead.end_left_behind(NOON) == 0
    assert Reservation.objects.get(pk=call.pk).posts == 5


def test_when_the_budget_ends_the_rules_go_and_nothing_is_overdrawn(
    x: Simulator, source_of: SourceOf, de: Market, nl_politics: Channel
) -> None:
    source_of(STREAM, "from:rathaus")
    other = source_of(STREAM, "from:stadtblatt", market=None, channel=nl_politics)
    with hearing(x, allotments=Allotments(least=20, most=20, calm=8)):
        for n in range(60):
            x.post("rathaus", f"Nummer {n}.")
            eventually(lambda n=n: len(stored()) > n or "from:rathaus" not in values(x), 1)
        assert eventually(lambda: values(x) == {"from:stadtblatt"})
        found = x.post("stadtblatt", "Der andere Markt hört weiter.")
        assert eventually(lambda: stored(other) == {found})
        assert eventually(lambda: x.streaming == 1)  # it goes on hearing
    charged = [charge for charge in x.meter.charges() if charge.subject != f"source:{other.pk}"]
    assert 20 <= len(charged) <= 40
    assert len(charged) <= drawn(de) <= 40


def test_what_comes_faster_than_rules_go_drops_the_connection(x: Simulator, source_of: SourceOf, de: Market) -> None:
    """X does not take the rules away, and sends on."""
    source_of(STREAM, "from:rathaus")
    with hearing(x, allotments=Allotments(least=20, most=20, calm=8), review=60.0):
        x.fail("/2/tweets/search/stream/rules", status=503, times=None)
        for n in range(60):
            x.post("rathaus", f"Nummer {n}.")
            eventually(lambda n=n: len(stored()) > n or not x.streaming, 1)
        assert eventually(lambda: not x.streaming), list(IngestRun.objects.values_list("error", "outcome"))
        assert not eventually(lambda: x.streaming, 0.5)
    assert x.meter.posts() <= drawn(de) <= 40


def test_what_a_closed_market_missed_is_searched_when_there_is_budget(
    x: Simulator, source_of: SourceOf, de: Market, ask: Door
) -> None:
    source = source_of(STREAM, "from:rathaus")
    allotments = Allotments(least=20, most=20, calm=8)
    with hearing(x, allotments=allotments):
        for n in range(60):
            x.post("rathaus", f"Nummer {n}.")
            eventually(lambda n=n: len(stored()) > n or not values(x), 1)
        assert eventually(lambda: not values(x))
        Market.objects.filter(pk=de.pk).update(posts_a_day=1000)
        allotments.closed.clear()
        assert eventually(lambda: values(x) == {"from:rathaus"})
        assert eventually(lambda: Cursor.objects.get().gap_floor_id is not None)
    catch_up(x, ask, source)
    assert len(stored()) == 60
    assert x.meter.posts() == 60
    assert 60 <= budget.balance(de, timezone.now()).day_used <= 60 + 2 * IN_FLIGHT
