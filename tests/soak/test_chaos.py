"""Seeds of chaos, each with every fault: nobody dies, nothing is lost, no budget is overrun.

SOAK_SEEDS=1-50 says which; SOAK=long tries fifty, SOAK=short five. Breaks of the stream are
tried by test_stream_soak."""

import os

import pytest

from tests.cast import channel_of
from tests.soak.chaos import MARKETS, Chaos
from tests.soak.sizes import sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
FIRST, _, LAST = (os.environ.get("SOAK_SEEDS") or f"1-{sized('SOAK_CHAOS', short=5, whole=15, long=50)}").partition("-")


@pytest.mark.parametrize("seed", range(int(FIRST), int(LAST or FIRST) + 1))
def test_chaos_costs_time_and_nothing_else(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    report = Chaos(seed).whole({code: channel_of(code, "politics") for code in MARKETS}, seconds=1_200)
    with capsys.disabled():
        print(f"\nseed {seed}: {report.told()}")
    assert (report.untried, report.errors) == ([], [])
    assert (report.differences, report.overruns, report.wrong_outcomes) == ([], [], [])
