"""No source starves another; a slow or failing one delays none; readings follow what a source yields."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation.config.celery import app
from curation.ingest.polling import leases, reading
from curation.ingest.polling.poll import poll
from curation.ingest.polling.runs import next_interval
from curation.models import Cursor, IngestRun, Tweet
from curation.tasks import poll_source
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Source

SourceOf = Callable[..., Source]
Read = Callable[..., IngestRun]
ACCOUNT, SEARCH = Source.Kind.ACCOUNT, Source.Kind.SEARCH
NOW = timezone.now()


@pytest.fixture
def sources(source_of: SourceOf) -> list[Source]:
    """Ten, longest due first."""
    made = [source_of(SEARCH, f"from:stadtblatt Rat {n}") for n in range(10)]
    for n, source in enumerate(made):
        Cursor.objects.filter(pk=source.pk).update(due_at=NOW - timedelta(minutes=10 - n))
    return made


def slow(sources: list[Source]) -> None:
    Cursor.objects.filter(pk__in=[source.pk for source in sources]).update(took_ms=5001)


@pytest.mark.django_db
def test_the_longest_due_come_first(sources: list[Source]) -> None:
    assert list(leases.offer_due(NOW, 4)) == [source.pk for source in sources[:4]]
    assert list(leases.offer_due(NOW, 4)) == [source.pk for source in sources[4:8]]


@pytest.mark.django_db
def test_of_slow_ones_few_are_offered_beside_all_others(sources: list[Source], settings: Any) -> None:
    settings.INGEST_SLOW_AT_ONCE = 2
    slow(sources[:5])
    Cursor.objects.filter(pk=sources[5].pk).update(failures=1)
    assert list(leases.offer_due(NOW, 100)) == [one.pk for one in [*sources[:2], *sources[6:]]]
    assert list(leases.offer_due(NOW, 100)) == [one.pk for one in sources[2:4]]


@pytest.mark.usefixtures("transactional_db")
def test_slow_ones_being_read_count_for_all_workers(sources: list[Source], settings: Any) -> None:
    settings.INGEST_SLOW_AT_ONCE = 2
    slow(sources[:5])
    cursors = [Cursor.objects.get(pk=source.pk) for source in sources]
    begun, done = threading.Barrier(3), threading.Event()

    def work(cursor: Cursor) -> None:
        with leases.lane(cursor) as free:
            assert free
            begun.wait(10)
            done.wait(10)
        connection.close()

    workers = [threading.Thread(target=work, args=[cursor]) for cursor in cursors[:2]]
    for worker in workers:
        worker.start()
    begun.wait(10)
    assert leases.slow_ones_read() == 2
    assert list(leases.offer_due(NOW, 100)) == [one.pk for one in sources[5:]]
    with leases.lane(cursors[2]) as free, leases.lane(cursors[7]) as quick:
        assert (free, quick) == (False, True)
    assert poll(sources[3].pk, now=NOW, ask=Door("http://127.0.0.1:9", "")) is None
    assert Cursor.objects.get(pk=sources[3].pk).due_at == NOW
    done.set()
    for worker in workers:
        worker.join()
    assert leases.slow_ones_read() == 0
    with leases.lane(cursors[2]) as free:
        assert free


@pytest.mark.usefixtures("transactional_db")
def test_one_slow_source_delays_none(x: Simulator, source_of: SourceOf, settings: Any) -> None:
    """Two workers, three slow sources and six quick ones: these are read, and what they bring is stored, while the
    slow one still holds its place."""
    settings.INGEST_SLOW_AT_ONCE = 1
    names = ["rathaus", "stadtblatt"]
    ids = {name: str(getattr(x.world.account(name), "id", "")) for name in names}
    sources = [source_of(ACCOUNT, "rathaus", x_id=ids["rathaus"], name=str(n), category=None) for n in range(1)]
    sources += [source_of(SEARCH, f"from:rathaus Rat{n}") for n in range(2)]
    quick = [source_of(SEARCH, f"from:stadtblatt Rat{n}") for n in range(6)]
    words = {int(x.post("stadtblatt", f"Rat{n} tagt.", at=NOW - timedelta(minutes=9 - n))) for n in range(6)}
    slow(sources)
    Cursor.objects.filter(source__in=sources).update(due_at=NOW - timedelta(hours=1))
    Cursor.objects.filter(source__in=quick).update(due_at=NOW)
    x.fail(f"/2/users/{ids['rathaus']}", slow=2.0, times=None)
    waiting = list(leases.offer_due(NOW, 100).items())
    lock = threading.Lock()
    stored_meanwhile: list[int] = []

    def work() -> None:
        ask = Door(x.base_url, x.token)
        while True:
            with lock:
                if not waiting:
                    break
                source_id, offered = waiting.pop(0)
            poll(source_id, now=NOW, offered=offered, ask=ask)
            if source_id in {one.pk for one in quick} and leases.slow_ones_read() == 1:
                stored_meanwhile.append(source_id)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ended = dict(IngestRun.objects.values_list("source", "ended_at"))
    assert set(ended) == {sources[0].pk, *(one.pk for one in quick)}
    assert all(ended[one.pk] < ended[sources[0].pk] for one in quick)
    assert sorted(stored_meanwhile) == sorted(one.pk for one in quick)
    assert set(Tweet.objects.values_list("first_id", flat=True)) == words
    assert set(IngestRun.objects.filter(source__in=quick).values_list("outcome", "fresh")) == {("read", 1)}


@pytest.mark.django_db
def test_a_reading_tells_how_long_it_took_also_when_it_failed(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(SEARCH, "from:stadtblatt")
    x.fail("/2/tweets/search", slow=0.3)
    read(source)
    assert 300 <= Cursor.objects.get().took_ms < 1500
    x.fail("/2/tweets/search", slow=1.6, status=503)
    read(source)
    cursor = Cursor.objects.get()
    assert (cursor.took_ms >= 1600, cursor.slow) == (True, True)
    read(source)
    cursor = Cursor.objects.get()
    assert (cursor.took_ms < 1500, cursor.slow) == (True, False)


@pytest.mark.django_db
def test_the_place_of_a_slow_one_is_taken_at_once(
    x: Simulator, sources: list[Source], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INGEST_SLOW_AT_ONCE = 1
    monkeypatch.setitem(app.conf.changes, "task_always_eager", True)
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    Cursor.objects.update(failures=1)
    poll_source(source_id=sources[0].pk)
    assert IngestRun.objects.filter(outcome="read").count() == 10


@pytest.mark.django_db
def test_a_source_with_a_long_gap_lets_others_go_first(
    x: Simulator, source_of: SourceOf, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each pass of it ends after a few pages, and then it stands behind those that are due longer."""
    monkeypatch.setattr(reading, "PAGES", 1)
    long, other = source_of(ACCOUNT, "stadtblatt"), source_of(ACCOUNT, "rathaus")
    x.post("stadtblatt", "Anfang.", at=NOW - timedelta(hours=9))
    read(long, NOW)
    for n in range(350):
        x.post("stadtblatt", f"Nummer {n}.", at=NOW - timedelta(hours=8) + timedelta(seconds=n))
    now = NOW
    Cursor.objects.filter(pk=long.pk).update(due_at=now)
    Cursor.objects.filter(pk=other.pk).update(due_at=now + timedelta(seconds=1))
    order = []
    for _ in range(6):
        now += timedelta(seconds=10)
        ((source_id, offered),) = leases.offer_due(now, 1).items()
        run = poll(source_id, now=now, offered=offered, ask=Door(x.base_url, x.token))
        assert run is not None
        order.append((source_id == long.pk, run.read))
    assert order[:2] == [(True, 100), (False, 0)]
    assert order.count((True, 100)) == 3


@pytest.mark.django_db
def test_a_gap_is_read_on_soon_without_making_its_source_a_lively_one(
    x: Simulator, source_of: SourceOf, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGES", 1)
    source = source_of(ACCOUNT, "stadtblatt")
    x.post("stadtblatt", "Anfang.", at=NOW - timedelta(hours=9))
    read(source, NOW)
    Cursor.objects.update(interval_seconds=1000)
    for n in range(150):
        x.post("stadtblatt", f"Nummer {n}.", at=NOW - timedelta(hours=8) + timedelta(seconds=n))
    read(source, NOW)
    cursor = Cursor.objects.get()
    assert (cursor.due_at, cursor.interval_seconds) == (NOW + timedelta(seconds=10), 250)


def a_day(source: Source, posts: list[float]) -> tuple[int, float]:
    """How often a source was read on a day, and how long its posts waited on average; posts in seconds of the day."""
    cursor = Cursor(source=source, interval_seconds=source.least_seconds)
    at, readings, waited, left = 0.0, 0, 0.0, sorted(posts)
    while at < 86_400:
        readings += 1
        found = [post for post in left if post <= at]
        left = left[len(found) :]
        waited += sum(at - post for post in found)
        cursor.interval_seconds = next_interval(source, cursor, len(found))
        at += cursor.interval_seconds
    return readings, waited / max(1, len(posts) - len(left))


def test_over_a_day_readings_follow_what_a_source_yields() -> None:
    source = Source(least_seconds=60, most_seconds=1800)
    chance = random.Random(7)
    told = {}
    for posts in (0, 12, 240, 20_000):
        told[posts] = a_day(source, [chance.uniform(0, 86_400) for _ in range(posts)])
    readings = {posts: count for posts, (count, _) in told.items()}
    waits = {posts: wait for posts, (_, wait) in told.items()}
    assert readings[0] < 86_400 / 1800 + 12
    assert readings[0] < readings[12] < readings[240] < readings[20_000] <= 86_400 / 60 + 1
    assert readings[20_000] > 1400
    assert readings[240] < 900
    assert waits[12] < 1000 > waits[240]
    assert waits[240] < 200
    assert waits[20_000] < 35


def test_a_source_that_wakes_is_read_often_within_a_few_readings() -> None:
    source = Source(least_seconds=60, most_seconds=1800)
    cursor, seconds = Cursor(source=source, interval_seconds=1800), []
    for found in (60, 60, 60):
        cursor.interval_seconds = next_interval(source, cursor, found)
        seconds.append(cursor.interval_seconds)
    assert seconds == [450, 112, 60]
    for _ in range(9):
        cursor.interval_seconds = next_interval(source, cursor, 0)
    assert cursor.interval_seconds == 1800
