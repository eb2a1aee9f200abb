"""A million posts, thirty per cent of what is read read twice, pages shuffled, workers killed: nothing is lost.

SOAK_POSTS, SOAK_KILLS and SOAK_SEED change the size; SOAK=long reads the million with 200 kills, SOAK=short 20,000
with 10."""

import os
from pathlib import Path

import pytest

from tests.cast import channel_of
from tests.soak.kills import say, soak
from tests.soak.sizes import SEED, sized
from tests.soak.world import Plan

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
POSTS = sized("SOAK_POSTS", short=20_000, whole=200_000, long=1_000_000)
KILLS = sized("SOAK_KILLS", short=10, whole=40, long=200)
PACE = float(os.environ.get("SOAK_PACE") or 300)


def test_a_million_posts_and_two_hundred_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(POSTS, accounts=40, pace=PACE, seed=SEED)
    channels = channel_of("de", "politics"), channel_of("nl", "politics")
    seconds = 600 + 5 * POSTS / PACE
    outcome = soak(plan, KILLS, channels, tmp_path, lease=30, look=1.5, seconds=seconds, every=(2, 6))
    with capsys.disabled():
        print("\n" + say(outcome))
    assert outcome.passed == []
    assert set(outcome.rest.values()) == {0}, outcome.rest
    assert (sum(outcome.figures["kills"].values()) >= KILLS, outcome.figures["posts"]) == (True, POSTS)
    assert outcome.died == []
