"""Rate windows, a door's own and those that all workers share."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from curation.models import RateWindow
from curation.x.outcomes import Answer
from curation.x.windows import OwnWindows, Rate, SharedWindows, Windows

NOW = 1_795_000_000.0
RESET = int(NOW) + 900


@pytest.fixture(params=["own", "shared"])
def windows(request: pytest.FixtureRequest, db: None) -> Windows:
    return OwnWindows() if request.param == "own" else SharedWindows()


def test_what_was_never_told_is_open(windows: Windows) -> None:
    assert [windows.take("search", NOW) for _ in range(3)] == [None, None, None]


@pytest.mark.django_db
def test_a_window_of_which_another_tells_at_that_moment_is_open() -> None:
    """It used to be taken for closed: there was nothing to take from, and then there was a window."""

    def tell_after(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        done = execute(sql, *rest)
        if sql.strip().startswith("UPDATE"):
            SharedWindows().tell("search", Rate(450, 449, RESET), NOW)
        return done

    with connection.execute_wrapper(tell_after):
        assert SharedWindows().take("search", NOW) is None
    assert RateWindow.objects.get().remaining == 449


def test_requests_are_counted_down_to_none(windows: Windows) -> None:
    windows.tell("search", Rate(450, 2, RESET), NOW)
    assert [windows.take("search", NOW) for _ in range(4)] == [None, None, RESET, RESET]
    assert windows.take("list", NOW) is None
    assert windows.take("search", RESET) is None


def test_an_answer_never_gives_back_what_others_took(windows: Windows) -> None:
    windows.tell("search", Rate(450, 2, RESET), NOW)
    windows.take("search", NOW)
    windows.tell("search", Rate(450, 2, RESET), NOW)
    assert [windows.take("search", NOW) for _ in range(2)] == [None, RESET]


def test_an_answer_that_tells_less_is_believed(windows: Windows) -> None:
    windows.tell("search", Rate(450, 400, RESET), NOW)
    windows.tell("search", Rate(450, 0, RESET), NOW)
    assert windows.take("search", NOW) == RESET


def test_a_new_window_takes_the_place_of_the_old_and_never_the_reverse(windows: Windows) -> None:
    windows.tell("search", Rate(450, 0, RESET), NOW)
    windows.tell("search", Rate(450, 1, RESET + 900), NOW)
    windows.tell("search", Rate(450, 0, RESET), NOW)
    assert [windows.take("search", NOW) for _ in range(2)] == [None, RESET + 900]


def test_after_the_reset_everything_is_open_until_X_tells(windows: Windows) -> None:
    windows.tell("search", Rate(450, 1, RESET), NOW)
    assert [windows.take("search", RESET + 1) for _ in range(3)] == [None, None, None]


def test_a_reset_far_ahead_is_not_believed(windows: Windows) -> None:
    windows.tell("search", Rate(450, 0, 99_999_999_999), NOW)
    assert windows.take("search", NOW) == int(NOW) + 3600


@pytest.mark.django_db
def test_numbers_that_no_column_holds_are_cut() -> None:
    told = dict(zip(("limit", "remaining", "reset"), ("99999999999", "99999999999", str(RESET)), strict=True))
    rate = Rate.of(answer(told))
    assert rate is not None
    SharedWindows().tell("search", rate, NOW)
    kept = RateWindow.objects.get()
    assert (kept.limit, kept.remaining, kept.reset_at) == (2**31 - 1, 2**31 - 1, datetime.fromtimestamp(RESET, UTC))


@pytest.mark.usefixtures("transactional_db")
def test_eight_workers_take_exactly_what_is_left() -> None:
    SharedWindows().tell("search", Rate(450, 37, RESET), NOW)
    taken: list[int] = []

    def work() -> None:
        mine = SharedWindows()
        taken.append(sum(mine.take("search", NOW) is None for _ in range(20)))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert (len(taken), sum(taken), RateWindow.objects.get().remaining) == (8, 37, 0)


def answer(told: dict[str, str]) -> Answer:
    return Answer(200, {f"x-rate-limit-{name}": value for name, value in told.items()}, b"")
