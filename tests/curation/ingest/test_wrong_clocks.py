"""A machine whose clock is off: it asks X, plans and checks by PostgreSQL's, and what such a clock has left is put
right."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from curation import shared_clock, tasks
from curation.ingest.disbelief import disbelieve
from curation.ingest.polling import leases
from curation.ingest.rechecking.rechecks import recheck
from curation.ingest.streaming import connects
from curation.models import Cursor, IngestRun, RateWindow, Reservation, Tweet
from curation.x.client import Door, door
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source, User
from regions.operations import pause_source
from tests.cast import make_candidate
from tests.curation.ingest.listening import catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
ACCOUNT, LIST, STREAM = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.STREAM
OFF = [timedelta(hours=1), timedelta(days=1), -timedelta(hours=1), -timedelta(days=1)]
A_MOMENT = timedelta(seconds=30)


@pytest.fixture(params=OFF, ids=str)
def really(request: Any) -> Iterator[datetime]:
    """The time, while this process's own clock shows another."""
    now = timezone.now()
    with time_machine.travel(now + request.param):
        yield now


def near(at: datetime | None, now: datetime) -> bool:
    return at is not None and abs(at - now) < A_MOMENT


def test_it_reads_what_is_due_and_plans_by_the_time_that_it_is(
    this_x: Simulator, source_of: SourceOf, eager: None, really: datetime
) -> None:
    this_x.post("stadtblatt", "Der Rat tagt.", at=really - timedelta(minutes=1))
    source = source_of(ACCOUNT, "stadtblatt")
    assert near(Cursor.objects.get().due_at, really)
    Cursor.objects.update(due_at=really - timedelta(seconds=1))
    tasks.poll_due_sources()
    run, cursor = IngestRun.objects.get(), Cursor.objects.get(pk=source.pk)
    assert (run.outcome, run.fresh, near(run.started_at, really), near(run.ended_at, really)) == ("read", 1, True, True)
    planned = cursor.due_at - timedelta(seconds=cursor.interval_seconds)
    assert (near(planned, really), cursor.leased) == (True, False)
    assert near(Tweet.objects.get().checked_at, really)
    assert {row.day for row in Reservation.objects.all()} <= {really.astimezone(UTC).date()}


def test_a_lease_is_as_long_as_any(source_of: SourceOf, really: datetime) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    (offered,) = leases.offer_due(shared_clock.now(), 10).values()
    assert near(offered - leases.WAITING, really)
    lease = leases.take(source.pk, shared_clock.now(), offered)
    assert lease is not None and near(lease - leases.LEASE, really)


def test_it_rechecks_by_the_time_that_it_is(
    this_x: Simulator, de_politics: Channel, de: Market, really: datetime
) -> None:
    tweet = make_candidate(de_politics, "1").tweet
    Tweet.objects.update(checked_at=really - timedelta(hours=7))
    run = recheck([tweet.pk], market=de)
    assert run is not None and near(run.started_at, really) and near(run.ended_at, really)
    tweet.refresh_from_db()
    assert near(tweet.gone_at, really)


def test_its_door_knows_when_a_window_opens(this_x: Simulator, really: datetime) -> None:
    reset = (really + timedelta(minutes=5)).replace(microsecond=0)
    RateWindow.objects.create(endpoint="search", limit=450, remaining=0, reset_at=reset)
    assert abs(door().clock() - really.timestamp()) < 30
    assert door().windows.take("search", door().clock()) == int(reset.timestamp())


def test_who_adds_a_link_asks_x_by_the_time_that_it_is(
    this_x: Simulator, de_politics: Channel, anna: User, browse: Any, really: datetime
) -> None:
    number = this_x.post("stadtblatt", "Der Rat tagt.", at=really - timedelta(minutes=1))
    wish = {"market": "de", "category": "politics", "url": f"https://x.com/stadtblatt/status/{number}"}
    answer = browse(anna).post("/api/v1/candidates/", wish, content_type="application/json")
    assert answer.status_code == 201, answer.content
    run = IngestRun.objects.get()
    assert near(run.started_at, really) and near(run.ended_at, really)
    assert near(Tweet.objects.get().checked_at, really)
    assert {row.day for row in Reservation.objects.all()} == {really.astimezone(UTC).date()}


def test_who_tries_a_source_asks_x_by_the_time_that_it_is(
    this_x: Simulator, de_politics: Channel, lena: User, browse: Any, really: datetime
) -> None:
    this_x.post("stadtblatt", "Der Rat tagt.", at=really - timedelta(minutes=1))
    wish = {"market": "de", "kind": "account", "value": "stadtblatt", "scope": "channel", "category": "politics"}
    answer = browse(lena).post("/api/v1/sources/try/", wish, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["posts"] == 1
    assert near(IngestRun.objects.get().started_at, really)
    assert {row.day for row in Reservation.objects.all()} == {really.astimezone(UTC).date()}


def test_what_a_lead_resumes_is_due_now(source_of: SourceOf, lena: User, browse: Any, really: datetime) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    pause_source(source, "No.", by=None, now=really)
    Cursor.objects.update(due_at=really + timedelta(minutes=30))
    wish = {"paused": False}
    answer = browse(lena).patch(f"/api/v1/sources/{source.pk}/", wish, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert near(Cursor.objects.get().due_at, really)


def test_a_source_that_is_paused_until_a_time_runs_from_then_on(source_of: SourceOf, really: datetime) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    for minutes, runs in ((1, False), (-1, True)):
        until = really + timedelta(minutes=minutes)
        Source.objects.filter(pk=source.pk).update(paused_at=really, paused_until=until, paused_reason="No.")
        assert Source.objects.running().exists() == runs


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("off", OFF[:2], ids=str)
def test_the_stream_says_it_heard_up_to_now_and_no_further(x: Simulator, source_of: SourceOf, off: timedelta) -> None:
    source = source_of(STREAM, "from:stadtblatt")
    x.world.clock = lambda: time.time() - off.total_seconds()  # X is right
    with time_machine.travel(timezone.now() + off), hearing(x):
        found = x.post("stadtblatt", "Der Rat tagt.")
        assert eventually(lambda: Tweet.objects.filter(first_id=int(found)).exists())
        assert eventually(lambda: (Cursor.objects.get(pk=source.pk).newest_id or 0) >= int(found))
        newest = Cursor.objects.get(pk=source.pk).newest_id or 0
    assert (newest - int(found)) >> 22 < 30_000  # milliseconds


WRONG = """
CREATE SCHEMA wrong;
CREATE TABLE wrong.clock (off interval);
INSERT INTO wrong.clock VALUES ('0');
CREATE FUNCTION wrong.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
    'SELECT pg_catalog.clock_timestamp() + off FROM wrong.clock';
"""


@pytest.fixture
def postgresql_off() -> Iterator[Callable[[timedelta], None]]:
    """Sets PostgreSQL's clock off, for connections that are opened from now on."""

    def tell(sql: str, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    tell(WRONG)
    tell(f"ALTER DATABASE {database} SET search_path = wrong, public, pg_catalog")
    yield lambda off: tell("UPDATE wrong.clock SET off = %s", off)
    tell(f"ALTER DATABASE {database} RESET search_path")
    tell("DROP SCHEMA wrong CASCADE")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("off", OFF, ids=str)
def test_the_stream_goes_on_when_postgresql_is_set_right_and_nothing_is_missing(
    x: Simulator, source_of: SourceOf, ask: Door, postgresql_off: Callable[[timedelta], None], off: timedelta
) -> None:
    rule = source_of(STREAM, "from:stadtblatt")

    def heard(text: str) -> str:
        number = x.post("stadtblatt", text)
        assert eventually(lambda: number in stored(rule)), text
        return number

    def anew(times: int) -> bool:
        ended = connects.connects().exclude(outcome=IngestRun.Outcome.RUNNING)
        return bool(eventually(lambda: ended.count() >= times and listening.connected))

    with hearing(x) as listening:
        posts = [heard("Before.")]
        for turn, shift in enumerate((off, timedelta(0))):
            postgresql_off(shift)
            assert anew(2 * turn + 1)
            told = f"By a clock that is {shift} off."
            posts.append(x.post("stadtblatt", told) if shift < timedelta(0) else heard(told))  # "from the future"
            assert x.break_stream("cut") == 1
            posts.append(x.post("stadtblatt", "While it was away."))
            assert anew(2 * turn + 2)
        disbelieve(timezone.now())
        posts.append(heard("After."))
    disbelieve(timezone.now())
    catch_up(x, ask, rule)
    assert stored(rule) == set(posts)
