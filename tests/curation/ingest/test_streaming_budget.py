"""The stream spends no more than a market may: allotments drawn ahead, rules that go in time, a connection dropped."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from curation.ingest.streaming.allotments import IN_FLIGHT, LINGER, Allotments
from curation.ledger import budget
from curation.models import BudgetDay, Cursor, IngestRun, Reservation
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


def test_an_allotment_is_drawn_and_what_is_left_goes_back(de: Market) -> None:
    allotments = Allotments(size=10, margin=2)
    assert allotments.keep_open([de], NOON) == {de.pk}
    assert drawn(de) == 10
    assert all(allotments.deliver(de, number) for number in (1, 2, 2, 3))
    assert allotments.room == 7
    allotments.settle_all(NOON)
    assert (drawn(de), allotments.told(), allotments.told()) == (3, {de.pk: 3}, {})


def test_the_next_allotment_comes_before_the_last_is_used_up(de: Market) -> None:
    allotments = Allotments(size=10, margin=4)
    allotments.keep_open([de], NOON)
    for number in range(7):
        assert allotments.deliver(de, number)
    assert allotments.pressing
    assert allotments.keep_open([de], NOON) == {de.pk}
    assert (allotments.room, allotments.pressing, drawn(de)) == (10, False, 17)


def test_without_another_allotment_the_market_closes_and_the_last_one_covers_what_comes(de: Market) -> None:
    allotments = Allotments(size=38, margin=4)
    allotments.keep_open([de], NOON)
    for number in range(35):
        assert allotments.deliver(de, number)
    assert allotments.keep_open([de], NOON) == set()
    assert (drawn(de), allotments.deliver(de, 36), allotments.deliver(de, 37)) == (38, True, True)
    assert not allotments.deliver(de, 38)
    allotments.keep_open([de], NOON + LINGER)
    assert (drawn(de), allotments.allotments) == (38, {})
    assert not allotments.deliver(de, 39)


def test_a_small_budget_gets_no_stream(de: Market) -> None:
    assert Allotments(size=500, margin=250).keep_open([de], NOON) == set()
    assert drawn(de) == 0


def test_a_market_that_closed_opens_again_when_there_is_budget(de: Market) -> None:
    allotments = Allotments(size=100, margin=50)
    assert allotments.keep_open([de], NOON) == set()
    Market.objects.filter(pk=de.pk).update(posts_a_day=200)
    assert allotments.keep_open([de], NOON + timedelta(seconds=30)) == set()
    assert allotments.keep_open([de], NOON + timedelta(seconds=61)) == {de.pk}


def test_before_midnight_an_allotment_for_both_days(de: Market) -> None:
    allotments = Allotments(size=10, margin=2)
    late = NOON.replace(hour=23, minute=59, second=30)
    allotments.keep_open([de], NOON)
    assert allotments.keep_open([de], late) == {de.pk}
    open_days = Reservation.objects.filter(market=de, settled_at=None).values_list("day", flat=True)
    assert sorted(open_days) == [NOON.date(), NOON.date() + timedelta(days=1)]
    assert allotments.deliver(de, 7)
    allotments.settle_all(late + timedelta(minutes=1))
    used = dict(BudgetDay.objects.filter(market=de).values_list("day", "used"))
    assert used == {NOON.date(): 1, NOON.date() + timedelta(days=1): 1}


def test_what_a_break_swallowed_stays_drawn(de: Market) -> None:
    allotments = Allotments(size=10, margin=2)
    allotments.keep_open([de], NOON)
    allotments.deliver(de, 1)
    allotments.broken()
    assert allotments.room == 10 - 1 - IN_FLIGHT
    allotments.settle_all(NOON)
    assert drawn(de) == 1 + IN_FLIGHT


def test_a_kill_leaves_what_was_drawn(de: Market) -> None:
    Allotments(size=10, margin=2).keep_open([de], NOON)
    assert Allotments(size=30, margin=2).keep_open([de], NOON) == {de.pk}
    assert drawn(de) == 40


def test_when_the_budget_ends_the_rules_go_and_nothing_is_overdrawn(
    x: Simulator, source_of: SourceOf, de: Market, nl_politics: Channel
) -> None:
    source_of(STREAM, "from:rathaus")
    other = source_of(STREAM, "from:stadtblatt", market=None, channel=nl_politics)
    with hearing(x, allotments=Allotments(size=20, margin=8)):
        for n in range(60):
            x.post("rathaus", f"Nummer {n}.")
            eventually(lambda n=n: len(stored()) > n or "from:rathaus" not in values(x), 1)
        assert eventually(lambda: values(x) == {"from:stadtblatt"})
        found = x.post("stadtblatt", "Der andere Markt hört weiter.")
        assert eventually(lambda: stored(other) == {found})
        assert x.streaming == 1
    charged = [charge for charge in x.meter.charges() if charge.subject != f"source:{other.pk}"]
    assert 20 <= len(charged) <= 40
    assert len(charged) <= drawn(de) <= 40


def test_what_comes_faster_than_rules_go_drops_the_connection(x: Simulator, source_of: SourceOf, de: Market) -> None:
    """X does not take the rules away, and sends on."""
    source_of(STREAM, "from:rathaus")
    with hearing(x, allotments=Allotments(size=20, margin=8), review=60.0):
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
    allotments = Allotments(size=20, margin=8)
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
