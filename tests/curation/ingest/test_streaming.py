"""The filtered stream from the socket to candidates: what comes is stored, whatever comes beside it."""

from collections.abc import Callable, Iterator

import pytest

from curation.models import Candidate, Cursor, IngestRun, Quarantined
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Source
from tests.curation.ingest.listening import eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM


@pytest.fixture
def x() -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0, keep_alive=0.1, window_seconds=3) as simulator:
        simulator.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        simulator.account("rathaus", name="Rathaus Lindmark", category="politics", language="de")
        yield simulator


@pytest.fixture
def ask(x: Simulator) -> Door:
    return Door(x.base_url, x.token, read_seconds=2)


def test_what_a_rule_matches_becomes_a_candidate(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(STREAM, "Brücke lang:de")
    with hearing(x):
        x.post("stadtblatt", "Nichts davon.")
        wanted = x.post("rathaus", "Die Brücke ist fertig.")
        assert eventually(lambda: stored(source) == {wanted}), stored()
    assert Candidate.objects.get().tweet.author.username == "rathaus"
    run = IngestRun.objects.get(source=source)
    assert (run.kind, run.outcome, run.read, run.fresh, run.candidates) == ("stream", "read", 1, 1, 1)
