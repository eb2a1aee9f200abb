"""The smaller form of tests/soak/test_million: real workers are killed while they read, and nothing is lost."""

from pathlib import Path

import pytest

from tests.cast import channel_of
from tests.soak.kills import soak
from tests.soak.world import Plan

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.mark.long
def test_killed_workers_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    plan = Plan(posts=1_000, accounts=4, pace=100, seed=3, there=0.6)
    channels = channel_of("de", "politics"), channel_of("nl", "politics")
    outcome = soak(plan, 3, channels, tmp_path, lease=4, look=0.1, seconds=120)
    assert (outcome.passed, set(outcome.rest.values()), outcome.died) == ([], {0}, []), outcome
    assert outcome.figures["fresh"] == outcome.figures["posts"] == 1_000
    assert sum(outcome.figures["kills"].values()) == 3
