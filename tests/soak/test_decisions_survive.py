"""Acknowledged decisions by the thousand and kills of web, worker and PostgreSQL among them.

SOAK_DECISIONS, SOAK_DECISION_KILLS and SOAK_SEED change the size; SOAK=long makes 100,000 with 120
kills, SOAK=short 2,000 with 6."""

import json
from pathlib import Path

import pytest

from tests.soak.decisions import decide_and_kill
from tests.soak.sizes import SEED, sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
DECISIONS = sized("SOAK_DECISIONS", short=2_000, whole=20_000, long=100_000)
KILLS = sized("SOAK_DECISION_KILLS", short=6, whole=24, long=120)


def test_no_acknowledged_decision_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = decide_and_kill(DECISIONS, KILLS, tmp_path, seed=SEED, seconds=300 + DECISIONS / 15)
    with capsys.disabled():
        print("\n" + json.dumps(outcome.figures | {"differences": outcome.differences}))
    assert (outcome.wrong, outcome.died) == ([], [])
    assert set(outcome.differences.values()) == {0}, outcome.differences
    assert (outcome.figures["acknowledged"] >= DECISIONS, outcome.figures["kills"] >= KILLS) == (True, True)
