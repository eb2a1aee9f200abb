"""A thousand holds at random old snapshots (SOAK=short: 100; SOAK_HOLDS its number), by tests/feeds/restoring.py."""

from __future__ import annotations

import os

import pytest

from tests.feeds.conftest import committed
from tests.feeds.restoring import run_holds

SHORT = os.environ.get("SOAK") == "short"
HOLDS = int(os.environ.get("SOAK_HOLDS") or (100 if SHORT else 1_000))
SEED = int(os.environ.get("SOAK_SEED") or 1)


@committed
@pytest.mark.soak
def test_a_thousand_holds_show_what_was_without_what_was_lost(capsys: pytest.CaptureFixture[str]) -> None:
    judge = run_holds(HOLDS, max(50, HOLDS // 4), SEED)
    with capsys.disabled():
        print(f"\n{dict(judge.seen)}, lost: {len(judge.lost)}, wrong: {len(judge.found)}, seed {SEED}")
    assert judge.found == []
