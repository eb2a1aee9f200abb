"""The smaller form of tests/soak/test_chaos: an X that misbehaves by a seed costs time and nothing else."""

import pytest

from tests.cast import channel_of
from tests.soak.chaos import MARKETS, Chaos

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.mark.long
def test_chaos_costs_time_and_nothing_else() -> None:
    report = Chaos(103, posts=24).whole({code: channel_of(code, "politics") for code in MARKETS}, seconds=120)
    assert (report.untried, report.errors) == ([], [])
    assert (report.differences, report.overruns, report.wrong_outcomes) == ([], [], [])
