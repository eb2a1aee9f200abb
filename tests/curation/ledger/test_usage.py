"""Our count beside X's."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.ledger.usage import reconcile
from curation.models import BudgetDay, Reservation, UsageReading
from curation.x.client import Door, Page
from curation.x.outcomes import Failure
from curation.x.simulator import Simulator
from regions.models import Market

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = date(2026, 11, 22)


class Telling:
    """X's answer, whatever it is."""

    def __init__(self, *raw: Any) -> None:
        self.raw = list(raw)

    def usage(self, days: int = 7) -> Page:
        return Page(raw=self.raw)


def usage(*days: tuple[str, Any]) -> dict[str, Any]:
    return {"daily_project_usage": {"usage": [{"date": day, "usage": count} for day, count in days]}}


def test_both_count_the_same(x: Simulator) -> None:
    for n in range(7):
        x.post("stadtblatt", f"Nummer {n}.")
    ask = Door(x.base_url, x.token, clock=NOON.timestamp)
    meter = Metered(ask, Market.objects.get(code="de"))
    for _ in range(2):
        meter.search("from:stadtblatt")
    with capture_logs() as lines:
        reconcile(ask, NOON)
    kept = {one.day: (one.by_x, one.by_us) for one in UsageReading.objects.all()}
    assert (kept.pop(TODAY), set(kept.values()), lines) == ((7, 7), {(0, 0)}, [])
    assert (x.meter.posts("2026-11-22"), meter.charged) == (7, 7)


def test_X_counting_more_is_warned_of_once(x: Simulator) -> None:
    with capture_logs() as lines:
        for by_x in (5, 5, 3, 9):
            reconcile(Telling(usage(("2026-11-22T00:00:00.000Z", str(by_x)))), NOON)
    assert lines == [
        {"event": "x_counted_more", "log_level": "warning", "day": "2026-11-22", "by_x": by_x, "by_us": 0}
        for by_x in (5, 9)
    ]


def test_what_is_drawn_and_not_settled_counts_as_ours(x: Simulator) -> None:
    budget.reserve(Market.objects.get(code="de"), 100, now=NOON)
    with capture_logs() as lines:
        (kept,) = reconcile(Telling(usage(("2026-11-22", "80"))), NOON)
    assert (kept.by_x, kept.by_us, lines) == (80, 100, [])


@pytest.mark.parametrize("raw", [[], ["x"], [{}], [{"daily_project_usage": "x"}], [usage(("soon", "1"))]])
def test_an_answer_that_tells_nothing_changes_nothing(raw: list[Any]) -> None:
    assert reconcile(Telling(*raw), NOON) == []


def test_numbers_that_are_none_are_passed_over() -> None:
    told = [("2026-11-22", "many"), ("2026-11-21", None), ("2026-11-20", "4"), ("2026-01-01", "5")]
    kept = reconcile(Telling(usage(*told)), NOON)
    assert [(one.day, one.by_x) for one in kept] == [(date(2026, 11, 20), 4)]


def test_what_calls_without_an_answer_drew_is_given_back_down_to_what_X_counted() -> None:
    de, minute = Market.objects.get(code="de"), timedelta(minutes=1)
    for minutes in (300, 200, 100, 59):
        budget.reserve(de, 100, now=NOON - minutes * minute)
    with capture_logs() as lines:
        (kept,) = reconcile(Telling(usage(("2026-11-22", "150"))), NOON)
    assert (kept.by_x, kept.by_us, BudgetDay.objects.get(market=de, day=TODAY).used) == (150, 150, 150)
    told = Reservation.objects.order_by("taken_at").values_list("posts", "settled_at")
    assert list(told) == [(0, NOON), (0, NOON), (50, None), (100, None)]
    assert [(line["event"], line["posts"]) for line in lines] == [("budget_given_back", 250)]
    reconcile(Telling(usage(("2026-11-22", "20"))), NOON)
    assert budget.balance(de, NOON).day_used == 100  # one is not an hour old


def test_of_a_day_that_X_does_not_tell_nothing_is_given_back() -> None:
    de = Market.objects.get(code="de")
    budget.reserve(de, 100, now=NOON - timedelta(hours=5))
    reconcile(Telling(usage(("2026-11-21", "0"))), NOON)
    assert budget.balance(de, NOON).day_used == 100


def test_what_was_drawn_for_accounts_is_not_given_back_by_a_count_of_posts() -> None:
    de, long_ago = Market.objects.get(code="de"), NOON - timedelta(hours=5)
    budget.reserve(de, 40, for_users=True, now=long_ago)
    budget.reserve(de, 10, now=long_ago)
    (kept,) = reconcile(Telling(usage(("2026-11-22", "4"))), NOON)
    assert (kept.by_x, kept.by_us, budget.balance(de, NOON).day_used) == (4, 4, 44)


def test_a_look_up_of_accounts_draws_for_accounts(x: Simulator) -> None:
    x.fail("/2/users", cut=True)
    meter = Metered(Door(x.base_url, x.token, clock=NOON.timestamp), Market.objects.get(code="de"))
    with suppress(Failure):
        meter.users(ids=[17])
    assert list(Reservation.objects.values_list("posts", "for_users")) == [(2, True)]
