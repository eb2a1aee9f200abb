"""A machine whose clock is off: it asks X, plans and checks by PostgreSQL's, and what such a clock has left is put
right."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from structlog.testing import capture_logs

from curation import shared_clock, tasks
from curation.config.celery import app
from curation.ingest.disbelief import disbelieve
from curation.ingest.polling import leases
from curation.ingest.rechecking.rechecks import recheck
from curation.models import Cursor, IngestRun, Pause, RateWindow, Reservation, Tweet
from curation.x.client import door
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source
from tests.cast import make_candidate
from tests.curation.ingest.listening import eventually, hearing

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
ACCOUNT, LIST, STREAM = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.STREAM
OFF = [timedelta(hours=1), timedelta(days=1), -timedelta(hours=1), -timedelta(days=1)]
A_MOMENT = timedelta(seconds=30)


@pytest.fixture
def this_x(x: Simulator, settings: Any) -> Simulator:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    return x


@pytest.fixture
def eager() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


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


# What a wrong clock has left


def test_a_source_that_is_due_tomorrow_is_read_now(this_x: Simulator, source_of: SourceOf, eager: None) -> None:
    this_x.post("stadtblatt", "Der Rat tagt.")
    source_of(ACCOUNT, "stadtblatt")
    Cursor.objects.update(due_at=timezone.now() + timedelta(days=1))
    tasks.poll_due_sources()
    tasks.poll_due_sources()
    assert IngestRun.objects.get().fresh == 1


@pytest.mark.parametrize(
    ("leased", "ahead", "mended"),
    [
        (True, leases.LEASE, False),
        (True, leases.LEASE + timedelta(minutes=2), True),
        (False, timedelta(seconds=7200), False),
        (False, timedelta(seconds=7300), True),
        (False, timedelta(days=1), True),
    ],
)
def test_what_no_plan_of_ours_reaches_is_due_now(
    source_of: SourceOf, leased: bool, ahead: timedelta, mended: bool
) -> None:
    source_of(ACCOUNT, "stadtblatt", most_seconds=7200)
    now = timezone.now()
    Cursor.objects.update(due_at=now + ahead, leased=leased)
    disbelieve(now)
    cursor = Cursor.objects.get()
    assert (cursor.due_at, cursor.leased) == ((now, False) if mended else (now + ahead, leased))


def test_what_waits_for_a_budget_goes_on_waiting(source_of: SourceOf, de: Market) -> None:
    waits, not_ = source_of(ACCOUNT, "stadtblatt"), source_of(LIST, "1500000000000000000")
    now = timezone.now()
    until = now + timedelta(days=20)
    Pause.objects.create(market=de, cause="month", words="Used up.", until=until)
    Cursor.objects.filter(pk=waits.pk).update(due_at=until)
    Cursor.objects.filter(pk=not_.pk).update(due_at=until + timedelta(seconds=1))
    disbelieve(now)
    assert (Cursor.objects.get(pk=waits.pk).due_at, Cursor.objects.get(pk=not_.pk).due_at) == (until, now)


def test_a_pause_of_everyone_and_a_window_end_within_an_hour(source_of: SourceOf) -> None:
    source_of(LIST, "1500000000000000000")
    now = timezone.now()
    Pause.objects.create(cause="token", words="No.", since=now, until=now + timedelta(days=1))
    RateWindow.objects.create(endpoint="list", limit=9, remaining=0, reset_at=now + timedelta(days=1))
    RateWindow.objects.create(endpoint="search", limit=9, remaining=0, reset_at=now + timedelta(minutes=59))
    Cursor.objects.update(due_at=now)
    disbelieve(now)
    assert (Pause.objects.get().until, [one.endpoint for one in RateWindow.objects.all()]) == (now, ["search"])


def test_a_post_checked_tomorrow_is_asked_about_now(de_politics: Channel) -> None:
    now = timezone.now()
    there, gone, right = (make_candidate(de_politics, str(n)).tweet for n in range(3))
    Tweet.objects.exclude(pk=right.pk).update(checked_at=now + timedelta(days=1))
    Tweet.objects.filter(pk=gone.pk).update(gone_at=now, gone_cause="deleted")
    Tweet.objects.filter(pk=right.pk).update(checked_at=now)
    disbelieve(now)
    checked = dict(Tweet.objects.values_list("pk", "checked_at"))
    assert {checked[there.pk], checked[gone.pk]} == {now - timedelta(hours=6)}
    assert checked[right.pk] == now


def test_it_is_said_once_in_the_log(source_of: SourceOf) -> None:
    source_of(ACCOUNT, "stadtblatt")
    now = timezone.now()
    Cursor.objects.update(due_at=now + timedelta(days=1))
    with capture_logs() as lines:
        disbelieve(now)
        disbelieve(now)
    told = {"sources": 1, "windows": 0, "pauses": 0, "posts": 0}
    assert [{name: line[name] for name in told} for line in lines] == [told]
    assert (lines[0]["event"], lines[0]["log_level"]) == ("wrong_clock_mended", "warning")
