"""Every verb, clocks and blocks, by chance: after each step the feeds are what a plain reading of the log says.

It was seen to fail within ten runs, each time for that, without the comparison of versions (deciding.allowed), without
the selection's look at the blocks (Edition._may_show), and with windows that have no end (Row.in_window)."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.curation.machine import Desk, World

pytestmark = pytest.mark.django_db
RUNS, STEPS = 12, 50


def run_desk(runs: int, steps: int) -> None:
    Desk.world = World()
    healthy = [HealthCheck.too_slow, HealthCheck.data_too_large]
    asked = settings(
        max_examples=runs,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a failure is told as it was met: making it shorter takes many minutes
        suppress_health_check=healthy,
    )
    run_state_machine_as_test(Desk, settings=asked)  # type: ignore[no-untyped-call]


@pytest.mark.long
def test_the_feeds_are_what_a_plain_reading_of_the_log_says() -> None:
    run_desk(RUNS, STEPS)
