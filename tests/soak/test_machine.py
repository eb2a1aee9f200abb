"""The state machine of tests/curation/test_machine.py run by run; SOAK=long makes 2,000, SOAK_RUNS its number."""

import pytest

from tests.curation.test_machine import STEPS, run_desk
from tests.soak.sizes import sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db]
RUNS = sized("SOAK_RUNS", short=200, whole=400, long=2_000)


def test_two_thousand_runs_of_the_desk() -> None:
    run_desk(RUNS, STEPS)
