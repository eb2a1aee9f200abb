"""However a connection or the process ends: what came meanwhile is found by search, nothing is missed."""

import itertools
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation.ingest.polling import gaps, leases
from curation.ingest.polling.poll import poll
from curation.models import Candidate, Cursor, IngestRun
from curation.models.ingest import INDEXED, STREAM_AWAY
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.stream import Times
from curation.x.wire import id_at, instant_of_id
from regions.models import Source
from tests.curation.ingest.listening import catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM
BREAKS = ("close", "reset", "cut", "disconnect", "silence")


def truth(x: Simulator) -> set[str]:
    return {number for numbers in x.truth().values() for number in numbers}


def lost(why: str = "") -> int:
    """How many connections have ended."""
    return IngestRun.objects.filter(source=None, error__contains=why).exclude(outcome="running").count()


@pytest.mark.parametrize("kind", BREAKS)
def test_no_gap_is_left_after(kind: str, x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source = source_of(STREAM, "from:rathaus")
    with hearing(x) as listening:
        first = x.post("rathaus", "Vorher.")
        assert eventually(lambda: stored() == {first})
        x.break_stream(kind)
        for n in range(3):
            x.post("rathaus", f"Währenddessen {n}.")
        assert eventually(lambda: lost() >= 1 and listening.connected)
        last = x.post("rathaus", "Danach.")
        assert eventually(lambda: last in stored())
    assert Cursor.objects.get().gap_floor_id is not None
    catch_up(x, ask, source)
    assert stored() == truth(x)
    assert Candidate.objects.count() == 5


def test_twelve_disconnects_of_all_kinds(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source = source_of(STREAM, "from:rathaus")
    chance = random.Random(5)
    with hearing(x) as listening:
        for turn, kind in zip(range(12), itertools.cycle(BREAKS), strict=False):
            x.post("rathaus", f"Vor dem Bruch {turn}.")
            assert x.break_stream(kind) == 1
            for n in range(chance.randrange(1, 4)):
                x.post("rathaus", f"Beim Bruch {turn}, {n}.")
            assert eventually(lambda turn=turn: lost() > turn and listening.connected), turn
    catch_up(x, ask, source)
    assert stored() == truth(x)
    assert Candidate.objects.count() == len(truth(x))
    assert not IngestRun.objects.filter(outcome="waiting").exists()


def test_the_end_of_the_process_leaves_the_cursor_right(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source = source_of(STREAM, "from:rathaus")
    with hearing(x):
        x.post("rathaus", "Noch gehört.")
        assert eventually(lambda: stored())
    assert {run.outcome for run in IngestRun.objects.all()} == {"read"}
    stands = instant_of_id(Cursor.objects.get().newest_id or 0)
    assert timedelta(seconds=0.2) < timezone.now() - stands < timedelta(seconds=8)
    x.post("rathaus", "Keiner hört.")
    with hearing(x):
        x.post("rathaus", "Wieder gehört.")
        assert eventually(lambda: len(stored()) == 2)
        cursor = Cursor.objects.get()
        assert (cursor.gap_floor_id, cursor.gap_until_id > id_at(stands)) == (id_at(stands), True)
    catch_up(x, ask, source)
    assert stored() == truth(x)


def test_while_it_is_quiet_the_cursor_goes_on(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x):
        begun = Cursor.objects.get().newest_id
        assert begun is not None
        assert eventually(lambda: (Cursor.objects.get().newest_id or 0) > id_at(instant_of_id(begun + (1 << 32))))
    assert Candidate.objects.count() == 0


def test_nothing_heard_for_too_long_drops_the_connection(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x, silence=0.3) as listening:
        began = time.monotonic()
        x.break_stream("silence")
        assert eventually(lambda: lost("fell silent") == 1)
        assert time.monotonic() - began < 2
        assert eventually(lambda: listening.connected)


def test_a_gap_that_opens_while_it_is_searched_is_kept(x: Simulator, source_of: SourceOf) -> None:
    """The search reads up to the gap's end; meanwhile the stream breaks and comes back."""
    source, now = source_of(STREAM, "from:rathaus"), timezone.now()
    before = id_at(now - timedelta(seconds=50))
    Cursor.objects.update(newest_id=id_at(now), gap_floor_id=before, gap_until_id=id_at(now), due_at=now)
    later = now + timedelta(seconds=20)

    class Meanwhile(Door):
        def search(self, *args: Any, **kwargs: Any) -> Any:
            page = super().search(*args, **kwargs)
            gaps.open_gaps([source.pk], later, timedelta(0))
            return page

    run = poll(source.pk, now=now, ask=Meanwhile(x.base_url, x.token))
    cursor = Cursor.objects.get()
    assert run is not None
    assert (run.outcome, run.error) == ("read", "")
    assert (cursor.gap_floor_id, cursor.gap_until_id) == (id_at(now) - 1, id_at(later))


def test_an_unfinished_search_keeps_the_whole_gap(source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    before, now = Cursor.objects.get(), Cursor.objects.get()
    before.gap_floor_id, before.gap_until_id = 100, 200
    now.newest_id, now.gap_floor_id, now.gap_until_id = 250, 100, 300
    reading = type("Unfinished", (), {"newest_id": 190, "gap_floor_id": 100, "gap_until_id": 150})
    gaps.keep(now, before, reading, streamed=True)  # type: ignore[arg-type]
    assert (now.newest_id, now.gap_floor_id, now.gap_until_id) == (250, 100, 300)


def test_only_gaps_are_searched_while_the_stream_is_there(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source, now = source_of(STREAM, "from:rathaus"), timezone.now()
    x.post("rathaus", "Der Strom bringt es.", at=now - timedelta(seconds=5))
    Cursor.objects.update(newest_id=id_at(now - timedelta(seconds=30)), due_at=now)
    assert leases.offer_due(now, 10) == {}
    run = poll(source.pk, now=now, ask=ask)
    assert run is not None
    assert (run.outcome, run.read, run.charged, stored()) == ("read", 0, 0, set())
    Cursor.objects.update(gap_floor_id=1, gap_until_id=id_at(now - INDEXED / 2), due_at=now)
    assert leases.offer_due(now, 10) == {}
    assert list(leases.offer_due(now + INDEXED, 10)) == [source.pk]


def test_when_nobody_listens_the_rule_is_searched(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source, now = source_of(STREAM, "from:rathaus"), timezone.now()
    found = x.post("rathaus", "Keiner hört.", at=now - timedelta(seconds=5))
    away = now - STREAM_AWAY - timedelta(seconds=1)
    Cursor.objects.update(newest_id=id_at(away), due_at=now)
    assert list(leases.offer_due(now, 10)) == [source.pk]
    Cursor.objects.update(due_at=now)
    run = poll(source.pk, now=now, ask=ask)
    assert run is not None
    assert (run.outcome, stored()) == ("read", {found})
    assert Cursor.objects.get().newest_id == int(found)


def test_a_new_rule_that_nobody_takes_up_is_searched_after_two_minutes(source_of: SourceOf) -> None:
    source = source_of(STREAM, "from:rathaus")
    assert leases.offer_due(timezone.now() + STREAM_AWAY - timedelta(seconds=5), 10) == {}
    assert list(leases.offer_due(timezone.now() + STREAM_AWAY, 10)) == [source.pk]


def test_a_rule_that_search_refuses_goes_on_in_the_stream(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    """X's search takes 512 characters, its stream 1,024."""
    source, now = source_of(STREAM, "from:rathaus " + "-cat " * 120), timezone.now()
    Cursor.objects.update(newest_id=id_at(now), gap_floor_id=1, gap_until_id=id_at(now), due_at=now)
    run = poll(source.pk, now=now, ask=ask)
    source.refresh_from_db()
    assert run is not None
    assert (run.outcome, source.paused_at, Cursor.objects.get().gap_floor_id) == ("refused", None, 1)
    assert run.error


def test_a_busy_cursor_is_moved_the_next_time(source_of: SourceOf) -> None:
    source, now = source_of(STREAM, "from:rathaus"), timezone.now()
    gaps.open_gaps([source.pk], now, timedelta(0))
    gaps.heard_up_to([source.pk], now - timedelta(seconds=9))
    assert Cursor.objects.get().newest_id == id_at(now)
    gaps.heard_up_to([source.pk], now + timedelta(seconds=9))
    assert Cursor.objects.get().newest_id == id_at(now + timedelta(seconds=9))


def test_a_second_break_keeps_the_first_floor(source_of: SourceOf) -> None:
    source, now = source_of(STREAM, "from:rathaus"), timezone.now()
    gaps.open_gaps([source.pk], now, timedelta(0))
    assert Cursor.objects.get().gap_floor_id is None
    for seconds in (60, 90):
        gaps.open_gaps([source.pk], now + timedelta(seconds=seconds), timedelta(seconds=5))
        gaps.heard_up_to([source.pk], now + timedelta(seconds=seconds + 10))
    cursor = Cursor.objects.get()
    assert (cursor.gap_floor_id, cursor.gap_until_id) == (id_at(now), id_at(now + timedelta(seconds=95)))


def test_times_leave_room_for_late_posts() -> None:
    assert Times().silence > 20
    assert Times().connects < 50
    assert timedelta(seconds=Times().late + 120) <= STREAM_AWAY
