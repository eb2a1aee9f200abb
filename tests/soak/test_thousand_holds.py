"""Holds at random old snapshots (SOAK=long: a thousand; SOAK_HOLDS its number), by tests/feeds/restoring.py."""

from __future__ import annotations

import pytest

from tests.feeds.conftest import committed
from tests.feeds.restoring import run_holds
from tests.soak.sizes import SEED, sized

HOLDS = sized("SOAK_HOLDS", short=100, whole=250, long=1_000)


@committed
@pytest.mark.soak
def test_a_thousand_holds_show_what_was_without_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    judge = run_holds(HOLDS, max(50, HOLDS // 4), SEED)
    with capsys.disabled():
        print(f"\n{dict(judge.seen)}, lost: {len(judge.lost)}, wrong: {len(judge.found)}, seed {SEED}")
    assert judge.found == []
