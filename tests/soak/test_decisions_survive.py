"""A hundred thousand acknowledged decisions and a hundred kills of web, worker and PostgreSQL among them.

SOAK_DECISIONS, SOAK_DECISION_KILLS and SOAK_SEED change the size; SOAK=short makes 2,000 with 6 kills."""

import json
import os
from pathlib import Path

import pytest

from tests.soak.decisions import decide_and_kill

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
SHORT = os.environ.get("SOAK") == "short"
DECISIONS = int(os.environ.get("SOAK_DECISIONS") or (2_000 if SHORT else 100_000))
KILLS = int(os.environ.get("SOAK_DECISION_KILLS") or (6 if SHORT else 120))
SEED = int(os.environ.get("SOAK_SEED") or 1)


def test_no_acknowledged_decision_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = decide_and_kill(DECISIONS, KILLS, tmp_path, seed=SEED, seconds=300 + DECISIONS / 15)
    with capsys.disabled():
        print("\n" + json.dumps(outcome.figures | {"differences": outcome.differences}))
    assert (outcome.wrong, outcome.died) == ([], [])
    assert set(outcome.differences.values()) == {0}, outcome.differences
    assert (outcome.figures["acknowledged"] >= DECISIONS, outcome.figures["kills"] >= KILLS) == (True, True)
