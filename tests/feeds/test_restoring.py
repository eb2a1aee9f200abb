"""Twelve holds at random old snapshots show the old entries without what was lost since; tests/soak has a thousand."""

import pytest

from tests.feeds.conftest import committed
from tests.feeds.restoring import KINDS, run_holds

HOLDS, TURNS = 12, 25


@committed
@pytest.mark.long
def test_twelve_holds_show_what_was_without_what_was_lost() -> None:
    judge = run_holds(HOLDS, TURNS, seed=7, blows=0.8)
    assert judge.found == []
    assert judge.seen["compared"] > 4 * HOLDS
    assert min(judge.seen[f"left out: {kind}"] for kind in KINDS) > 0, judge.seen
