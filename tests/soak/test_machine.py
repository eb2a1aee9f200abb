"""The state machine of tests/curation/test_machine.py for 2,000 runs; SOAK=short makes 200, SOAK_RUNS its number."""

import os

import pytest

from tests.curation.test_machine import STEPS, run_desk

pytestmark = [pytest.mark.soak, pytest.mark.django_db]
RUNS = int(os.environ.get("SOAK_RUNS") or (200 if os.environ.get("SOAK") == "short" else 2_000))


def test_two_thousand_runs_of_the_desk() -> None:
    run_desk(RUNS, STEPS)
