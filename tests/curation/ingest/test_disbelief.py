"""What a wrong clock has left behind, further ahead than anything is planned: it is put right, and said in the log."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from curation import operations, tasks
from curation.ingest import pauses
from curation.ingest.disbelief import disbelieve
from curation.ingest.polling import gaps, leases
from curation.ingest.polling.reading import SEARCHABLE
from curation.ingest.rechecking.rechecks import recheck
from curation.ingest.streaming import connects
from curation.models import ComplianceJob, Cursor, IngestRun, Pause, RateWindow, Tweet
from curation.x.outcomes import BadToken
from curation.x.simulator import Simulator
from curation.x.stream import Times
from curation.x.wire import id_at
from regions.models import Channel, Market, Source
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
ACCOUNT, LIST, STREAM = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.STREAM


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


@pytest.mark.parametrize("due", [timedelta(0), timedelta(days=1)], ids=str)
def test_a_pause_of_everyone_and_a_window_end_within_an_hour(source_of: SourceOf, due: timedelta) -> None:
    """A pause puts those that it turns away off to its own end."""
    source_of(LIST, "1500000000000000000")
    now = timezone.now()
    Pause.objects.create(cause="token", words="No.", since=now, until=now + timedelta(days=1))
    RateWindow.objects.create(endpoint="list", limit=9, remaining=0, reset_at=now + timedelta(days=1))
    RateWindow.objects.create(endpoint="search", limit=9, remaining=0, reset_at=now + timedelta(minutes=59))
    Cursor.objects.update(due_at=now + due)
    disbelieve(now)
    assert (Pause.objects.get().until, [one.endpoint for one in RateWindow.objects.all()]) == (now, ["search"])


@pytest.mark.parametrize("off", [timedelta(hours=2), timedelta(days=1)], ids=str)
def test_a_pause_that_began_tomorrow_lets_the_next_through_and_ends_when_x_answers(
    this_x: Simulator, source_of: SourceOf, eager: None, off: timedelta
) -> None:
    """As the refusal of a link leaves it that somebody adds by a web process whose clock is ahead."""
    for name in ("stadtblatt", "rathaus"):
        this_x.post(name, "Der Rat tagt.")
        source_of(ACCOUNT, name)
    now = timezone.now()
    pauses.take_note(BadToken("No."), None, began=now + off, now=now + off)
    assert {row.due_at for row in Cursor.objects.all()} == {now + off + pauses.PROBE}
    for _ in range(3):
        tasks.poll_due_sources()
    assert Pause.objects.get().ended_at is not None
    assert sum(run.fresh for run in IngestRun.objects.all()) == 2


def test_a_pause_that_began_tomorrow_can_be_ended_by_an_answer(source_of: SourceOf) -> None:
    source_of(ACCOUNT, "stadtblatt")
    now = timezone.now()
    began = now + timedelta(minutes=20)
    pauses.take_note(BadToken("No."), None, began=began, now=began)
    disbelieve(now)
    pauses.take_note(None, None, began=now + timedelta(seconds=1), now=now)
    assert Pause.objects.get().ended_at is not None


def test_what_the_stream_heard_up_to_tomorrow_is_open_from_its_newest_post_on(
    source_of: SourceOf, de_politics: Channel
) -> None:
    now = timezone.now()
    rule, right = source_of(STREAM, "from:stadtblatt"), source_of(STREAM, "from:abendkurier")
    Source.objects.update(created_at=now - timedelta(days=30))
    newest, older = id_at(now - timedelta(hours=2)), id_at(now - timedelta(hours=5))
    for number in (older, newest):
        tweet = make_candidate(de_politics, str(number), source=rule).tweet
        Tweet.objects.filter(pk=tweet.pk).update(first_id=number, current_id=number)
    gap = {"newest_id": id_at(now), "gap_floor_id": older, "gap_until_id": newest}
    Cursor.objects.filter(pk=right.pk).update(**gap)
    gaps.open_gaps([rule.pk], now - timedelta(hours=3), timedelta(seconds=10))
    gaps.heard_up_to([rule.pk], now + timedelta(days=1))
    disbelieve(now)
    cursor = Cursor.objects.get(pk=rule.pk)
    assert cursor.newest_id == cursor.gap_floor_id == newest - (30_000 << 22)
    assert cursor.gap_until_id == id_at(now + timedelta(seconds=10))
    assert cursor.stream_is_away(now)
    assert Cursor.objects.filter(pk=right.pk, **gap).exists()


def test_of_a_rule_without_a_post_it_is_open_from_its_beginning_or_as_far_as_x_searches(source_of: SourceOf) -> None:
    now = timezone.now()
    young, old = source_of(STREAM, "from:stadtblatt"), source_of(STREAM, "from:abendkurier")
    Source.objects.filter(pk=young.pk).update(created_at=now - timedelta(hours=1))
    Source.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=30))
    Cursor.objects.update(newest_id=id_at(now + timedelta(days=1)))
    disbelieve(now)
    floors = dict(Cursor.objects.values_list("pk", "gap_floor_id"))
    assert floors == {young.pk: id_at(now - timedelta(hours=1)), old.pk: id_at(now - SEARCHABLE)}


def test_a_gap_that_ends_tomorrow_ends_now_and_keeps_where_it_began(source_of: SourceOf, de_politics: Channel) -> None:
    now = timezone.now()
    rule = source_of(STREAM, "from:stadtblatt")
    Source.objects.update(created_at=now - timedelta(days=30))
    floor, number = id_at(now - timedelta(hours=20)), id_at(now - timedelta(hours=1))
    tweet = make_candidate(de_politics, str(number), source=rule).tweet
    Tweet.objects.filter(pk=tweet.pk).update(first_id=number, current_id=number)
    ahead = id_at(now + timedelta(days=1))
    Cursor.objects.update(newest_id=id_at(now), gap_floor_id=floor, gap_until_id=ahead)
    disbelieve(now)
    cursor = Cursor.objects.get()
    assert (cursor.gap_floor_id, cursor.gap_until_id) == (floor, id_at(now + timedelta(seconds=10)))


def test_nothing_is_believed_to_be_heard_up_to_a_time_to_come(source_of: SourceOf) -> None:
    rule, now = source_of(STREAM, "from:stadtblatt"), timezone.now()
    Cursor.objects.filter(pk=rule.pk).update(newest_id=id_at(now + timedelta(minutes=9)))
    gaps.open_gaps([rule.pk], now, timedelta(seconds=10))
    cursor = Cursor.objects.get()
    gap = cursor.gap_floor_id, cursor.gap_until_id
    assert gap == (id_at(now - timedelta(minutes=10)), id_at(now + timedelta(seconds=10)))


def test_what_was_gone_tomorrow_comes_back_when_x_shows_it(this_x: Simulator, de_politics: Channel, de: Market) -> None:
    number = this_x.post("stadtblatt", "Der Rat tagt.")
    tweet, now = make_candidate(de_politics, number).tweet, timezone.now()
    Tweet.objects.update(first_id=int(number), current_id=int(number))
    operations.withdraw([tweet.pk], cause=Tweet.Gone.UNVERIFIED, now=now + timedelta(days=1))
    assert Tweet.objects.get().gone_at == now + timedelta(days=1)
    disbelieve(timezone.now())
    Tweet.objects.update(checked_at=now - timedelta(days=1))
    run = recheck([tweet.pk], market=de)
    assert run is not None and run.restored == 1


def test_a_list_handed_in_tomorrow_was_handed_in_now() -> None:
    now = timezone.now()
    ComplianceJob.objects.create(x_id=1, asked=1, created_at=now + timedelta(days=1))
    disbelieve(now)
    assert ComplianceJob.objects.get().created_at == now


def test_connects_of_tomorrow_do_not_count() -> None:
    now = timezone.now()
    for seconds in range(46):
        connects.note(now + timedelta(days=1, seconds=seconds))
    assert connects.not_before(now, Times()) is None
    for seconds in range(46):
        connects.note(now - timedelta(milliseconds=seconds))
    again = connects.not_before(now, Times())
    assert again is not None and abs(again - now - timedelta(minutes=15)) < timedelta(seconds=1)


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
    told = {"windows": 0, "sources": 1, "pauses": 0, "streams": 0, "posts": 0, "jobs": 0}
    assert [{name: line[name] for name in told} for line in lines] == [told]
    assert (lines[0]["event"], lines[0]["log_level"]) == ("wrong_clock_mended", "warning")
