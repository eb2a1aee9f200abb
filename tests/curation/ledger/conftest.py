"""A simulator at noon that posts nothing by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from curation.x.simulator import Simulator

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def x() -> Iterator[Simulator]:
    """Its clock stands; it knows one account."""
    with Simulator(rate=0, catalogue=0, clock=NOON.timestamp) as simulator:
        simulator.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        yield simulator
