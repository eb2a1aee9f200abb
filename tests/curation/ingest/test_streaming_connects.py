"""When the stream is connected to again: by X's refusals, and never too often, whatever is restarted or killed."""

import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation.ingest.streaming import connects
from curation.models import Cursor, IngestRun, Pause
from curation.x.client import Door, Ended
from curation.x.simulator import Simulator
from curation.x.stream import Times
from regions.models import Source
from tests.curation.ingest.listening import Listening, catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM
PATH = "/2/tweets/search/stream"
TOO_MANY = {
    "title": "ConnectionException",
    "detail": "This stream is currently at the maximum allowed connection limit.",
    "connection_issue": "TooManyConnections",
    "type": "https://api.twitter.com/2/problems/streaming-connection",
}


def refuse(x: Simulator, **order: object) -> None:
    """Faults for the stream alone, not for its rules."""
    x.fail(f"{PATH}/rules", times=None)
    x.fail(PATH, **order)


def used(x: Simulator) -> int:
    """How many connects the simulator counted in its window."""
    return x.windows.used.get(f"GET {PATH}", (0, 0))[1]


def runs(**told: object) -> list[IngestRun]:
    return list(IngestRun.objects.filter(source=None, **told).order_by("started_at"))


# Too many


def test_half_of_the_connects_are_free_and_the_rest_are_spread() -> None:
    now, times = timezone.now(), Times(connects=10, window=100)
    for n in range(5):
        assert connects.not_before(now + timedelta(seconds=n), times) is None
        connects.note(now + timedelta(seconds=n))
    last = now + timedelta(seconds=4)
    assert connects.not_before(last, times) == last + timedelta(seconds=10)
    assert connects.not_before(last + timedelta(seconds=10), times) is None


def test_when_all_are_used_the_oldest_must_grow_old() -> None:
    now, times = timezone.now(), Times(connects=10, window=100)
    for n in range(10):
        connects.note(now + timedelta(seconds=n))
    until = now + timedelta(seconds=100, milliseconds=1)
    assert connects.not_before(now + timedelta(seconds=99), times) == until
    assert connects.not_before(until, times) is None


def test_a_flapping_stream_uses_half_and_then_waits(source_of: SourceOf) -> None:
    """X closes each connection as soon as it has said something."""
    with Simulator(rate=0, catalogue=0, keep_alive=0.02) as x:
        x.account("rathaus")
        source_of(STREAM, "from:rathaus")
        with Listening(x, tcp_most=0.0, window=60.0, connects=10):
            assert eventually(lambda: x.break_stream("close") + 1 and used(x) >= 5, 20)
            eventually(lambda: x.break_stream("close") and False, 1.0)
            assert (used(x), len(runs())) == (5, 5)


def test_restarts_count_as_well(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    for _ in range(3):
        with hearing(x, connects=3, window=60.0):
            pass
        IngestRun.objects.update(started_at=timezone.now() - timedelta(seconds=21))
    with hearing(x, connects=6, window=60.0):
        assert len(runs()) == 4
    with Listening(x, connects=4, window=60.0) as listening:
        assert not eventually(lambda: listening.connected, 0.5)
    assert used(x) == 4


# Refusals


@pytest.mark.parametrize(
    ("status", "body", "outcome", "words"),
    [
        (503, "", "refused", "X answered 503."),
        (409, None, "refused", "X answered 409"),
        (429, TOO_MANY, "waiting", "maximum allowed connection limit"),
        (400, None, "refused", "X answered 400."),
        (302, None, "refused", "The stream could not be read: TooManyRedirects."),
    ],
)
def test_what_passes_is_tried_again(
    status: int, body: object, outcome: str, words: str, x: Simulator, source_of: SourceOf
) -> None:
    source_of(STREAM, "from:rathaus")
    headers = {"location": "https://elsewhere.example/"} if status == 302 else {"x-none": ""}
    with Listening(x) as listening:
        refuse(x, status=status, body=body, headers=headers, times=2)
        assert eventually(lambda: listening.connected)
    first = next(run for run in runs() if words in run.error)
    assert first.outcome == outcome


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        (401, None, "token"),
        (402, None, "credits"),
        (429, {"title": "UsageCapExceeded", "type": "https://x.example/usage-capped", "period": "Monthly"}, "cap"),
    ],
)
def test_who_is_barred_waits_long_and_pauses_everything(
    status: int, body: object, cause: str, x: Simulator, source_of: SourceOf
) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x, barred=60.0) as listening:
        refuse(x, status=status, body=body, times=None)
        listening.streamer.connection.drop("The test wants it anew.")
        assert eventually(lambda: Pause.objects.filter(market=None, cause=cause, ended_at=None).exists())
        tried = len(runs())
        assert not eventually(lambda: listening.connected, 0.4)
        assert (len(runs()), used(x)) == (tried, 1)
        assert listening.streamer.not_before > timezone.now() + timedelta(seconds=50)
    assert runs()[-1].outcome == "refused"


def test_a_stream_that_is_not_permitted_is_asked_for_seldom(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x, barred=60.0) as listening:
        refuse(x, status=403, times=None)
        listening.streamer.connection.drop("The test wants it anew.")
        assert eventually(lambda: listening.streamer.not_before > timezone.now() + timedelta(seconds=50))
    assert not Pause.objects.exists()


def test_back_off_ends_only_when_something_was_heard(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    x.streams.keep_alive = 60.0
    with hearing(x, silence=9.0) as listening:
        for tried in (1, 2):
            listening.streamer.connection.drop("The test wants it anew.")
            assert eventually(lambda tried=tried: len(runs()) == tried + 1 and listening.connected)
            assert listening.streamer.back_off.tried["tcp"] == tried
        x.post("rathaus", "Es lebt.")
        assert eventually(lambda: listening.streamer.back_off.tried["tcp"] == 0)


# Who leads


def test_two_processes_make_one_connection_and_the_other_takes_over(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x) as first, Listening(x) as second:
        assert not eventually(lambda: second.connected, 0.4)
        assert x.streaming == 1
        first.stop()
        assert eventually(lambda: second.connected)
        assert x.streaming == 1
        found = x.post("rathaus", "Der zweite hört.")
        assert eventually(lambda: stored() == {found})
    assert not runs(outcome="waiting")


def test_who_loses_the_lock_stops_reading_at_once(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source = source_of(STREAM, "from:rathaus")
    with hearing(x, gather=6.0) as listening:
        time.sleep(0.5)  # now it waits six seconds for company, and would not look
        pid = listening.streamer.leader.link.info.backend_pid
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        assert eventually(lambda: x.streaming == 0, 2.0)
        x.post("rathaus", "Keiner hört.")
        assert eventually(lambda: len(runs()) == 2 and x.streaming and listening.connected, 20)
        x.post("rathaus", "Wieder gehört.")
    catch_up(x, ask, source)
    assert len(stored()) == 2


# The real process


def test_killed_and_started_again_nothing_is_missed(
    x: Simulator, source_of: SourceOf, ask: Door, process: Callable[[], Any]
) -> None:
    source = source_of(STREAM, "from:rathaus")
    for turn in range(3):
        running = process()
        assert eventually(lambda: x.streaming and runs(outcome="running"), 20)
        assert eventually(lambda: Cursor.objects.get().newest_id)
        for n in range(3):
            x.post("rathaus", f"Runde {turn}, {n}.")
        running.send_signal(signal.SIGKILL)
        running.wait()
        x.post("rathaus", f"Nach dem Ende {turn}.")
    last = process()
    assert eventually(lambda: x.streaming, 20)
    final = x.post("rathaus", "Zum Schluss.")
    assert eventually(lambda: final in stored(), 10)
    last.send_signal(signal.SIGTERM)
    assert last.wait(10) == 0
    assert [run.error for run in runs()] == ["The process was stopped."] * 3 + ["The process is ending."]
    catch_up(x, ask, source)
    assert stored() == {number for numbers in x.truth().values() for number in numbers}
    assert len(stored()) == 13


def test_how_a_connection_ended_stands_in_its_run() -> None:
    now = timezone.now()
    run = connects.note(now)
    connects.note_end(run, Ended("X closed the stream."), "X closed the stream.", now - timedelta(seconds=1))
    run.refresh_from_db()
    assert (run.outcome, run.error, run.ended_at) == ("read", "X closed the stream.", run.started_at)
    open_one = connects.note(now)
    connects.close_stopped(now)
    open_one.refresh_from_db()
    assert (open_one.outcome, open_one.error) == ("failed", "The process was stopped.")
