"""How sources fare, in one sentence, derived from their runs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.ingest import fares, pauses
from curation.ingest.health import Condition, Counts, Health, health_of
from curation.ingest.yields import Yield
from curation.models import BudgetDay, Cursor, IngestRun, Pause, RateWindow
from curation.models import State as CandidateState
from curation.x.outcomes import BadToken
from regions.models import Category, Channel, Market, Source, SourceExemption
from tests.cast import channel_of, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = Source.Kind.ACCOUNT


@pytest.fixture
def de() -> Market:
    return Market.objects.get(code="de")


@pytest.fixture
def source(source_of: SourceOf) -> Source:
    made = source_of(ACCOUNT, "stadtblatt")
    Source.objects.update(created_at=NOW - timedelta(days=60))
    made.refresh_from_db()
    return made


def ran(source: Source, *, ago: timedelta = timedelta(minutes=5), **told: Any) -> IngestRun:
    at = NOW - ago
    return IngestRun.objects.create(source=source, started_at=at, ended_at=at, **{"outcome": "read"} | told)


def health(source: Source) -> Health:
    source.refresh_from_db()
    return health_of([source], NOW)[source.pk]


def judged(source: Source) -> tuple[str, str]:
    told = health(source)
    return told.condition.value, told.words


def test_one_that_was_never_read(source: Source) -> None:
    assert judged(source) == ("new", "Not read yet.")


def test_one_that_is_well_with_its_counts(source: Source, de_politics: Channel) -> None:
    Cursor.objects.update(due_at=NOW + timedelta(minutes=1))
    ran(source, ago=timedelta(days=31), read=999, fresh=999, charged=999)
    first = ran(source, ago=timedelta(days=8), read=20, fresh=12, charged=18)
    ran(source, ago=timedelta(days=3), read=10, fresh=8, charged=7)
    last = ran(source, read=10, fresh=4, charged=8)
    for state in (CandidateState.APPROVED, CandidateState.APPROVED, CandidateState.BLOCKED):
        make_candidate(de_politics, source=source, state=state, arrived_at=NOW - timedelta(days=2))
    old = NOW - timedelta(days=31)
    make_candidate(de_politics, source=source, state=CandidateState.APPROVED, arrived_at=old)
    assert health(source) == Health(
        condition=Condition.WELL,
        words="Read as it should be.",
        last=last.started_at,
        next=NOW + timedelta(minutes=1),
        day=Counts(10, 4, 8),
        week=Counts(20, 12, 15),
        month=Counts(40, 24, 33),
        yielded=Yield(approved=2, blocked=1),
        fresh_at=last.started_at,
        since=first.started_at,
    )


def test_the_yield_is_of_posts_that_were_decided_on_each_counted_once(source: Source, de_politics: Channel) -> None:
    ran(source, read=500, fresh=7)
    pending, approved, blocked, lapsed, withdrawn = CandidateState.values[0], *CandidateState.values[1:]
    for states in ([pending], [approved, blocked], [blocked, pending], [lapsed], [lapsed], [withdrawn], [pending]):
        tweet = make_tweet()
        for channel, state in zip((de_politics, channel_of("de", "sport")), states, strict=False):
            make_candidate(channel, tweet=tweet, source=source, state=state, arrived_at=NOW - timedelta(days=2))
    told = health(source)
    assert (told.yielded, told.yielded.decided, told.approved) == (Yield(approved=1, blocked=1, lapsed=2), 4, 25.0)


def test_one_that_brings_nothing_new(source: Source) -> None:
    ran(source, ago=timedelta(days=9), read=3, fresh=3)
    ran(source, read=0)
    assert judged(source) == ("silent", "Nothing new for 9 days.")
    assert health(source).approved is None


def test_one_that_fails(source: Source) -> None:
    ran(source, ago=timedelta(hours=1), fresh=1)
    ran(source, outcome="failed", error="X answered 503.")
    Cursor.objects.update(failures=1)
    assert judged(source) == ("failing", "Failed once: X answered 503.")
    Cursor.objects.update(failures=4)
    assert judged(source) == ("failing", "Failed 4 times in a row: X answered 503.")


def test_one_that_waits_for_X_says_until_when(source: Source) -> None:
    ran(source, outcome="waiting", error="Too Many Requests")
    Cursor.objects.update(due_at=NOW + timedelta(minutes=7))
    with timezone.override(UTC):
        assert judged(source) == ("waiting", "X lets us read again at 12:07: too many requests.")
        Cursor.objects.update(due_at=NOW)
        assert judged(source) == ("waiting", "X lets us read again now; it is next in line.")


def test_whose_window_is_closed_waits_too(source: Source, source_of: SourceOf) -> None:
    later, searched = source_of(ACCOUNT, "rathaus"), source_of(Source.Kind.SEARCH, "Rat")
    for one in (source, later, searched):
        ran(one, fresh=1)
    reset = NOW + timedelta(minutes=9)
    Cursor.objects.update(due_at=reset)
    Cursor.objects.filter(pk=later.pk).update(due_at=NOW + timedelta(hours=1))
    RateWindow.objects.create(endpoint="timeline", limit=900, remaining=0, reset_at=reset)
    with timezone.override(UTC):
        told = health_of([source, later, searched], NOW)
        lines = list(fares.told([source, later, searched], NOW))
    assert [told[one.pk].condition.value for one in (source, later, searched)] == ["waiting", "well", "well"]
    assert told[source.pk].words == "X lets us read again at 12:09: too many requests."
    assert lines[0] == "3 sources: 2 fine, 1 waiting."
    assert lines[1].startswith(f"{source.pk} @stadtblatt (account): waiting. X lets us read again at 12:09: too many")


def test_one_of_a_market_that_is_switched_off(source: Source) -> None:
    ran(source, fresh=1)
    Market.objects.filter(code="de").update(active=False)
    assert judged(source) == ("switched off", "Not read: its market is switched off.")
    assert (health(source).next, fares.summed_up([health(source)], NOW)) == (
        None,
        "1 source: 0 fine, 1 switched off.",
    )


def test_a_pause_of_everyone_is_no_failure_of_the_source(source: Source) -> None:
    ran(source, ago=timedelta(hours=2), fresh=1)
    failed = ran(source, ago=timedelta(hours=1), outcome="failed", error="X does not accept the bearer token.")
    began = failed.started_at + timedelta(seconds=1)
    Pause.objects.create(cause="token", words=failed.error, since=began, until=NOW, ended_at=NOW - timedelta(minutes=9))
    assert judged(source) == ("well", "Read as it should be.")
    Cursor.objects.update(failures=2)
    assert health(source).condition == Condition.FAILING
    Cursor.objects.update(failures=0)
    ran(source, outcome="failed", error="X answered 503.")
    assert judged(source) == ("failing", "Failed once: X answered 503.")


def test_a_spent_reserve_is_told(de: Market) -> None:
    assert "no longer checked" not in fares.budget_line(de, NOW)
    BudgetDay.objects.create(market=de, day=NOW.date(), used=20_000, rechecks=2_000)
    line = fares.budget_line(de, NOW)
    assert line.endswith("for rechecks 0. Live posts are no longer checked until 23 Nov 00:00 UTC.")
    BudgetDay.objects.create(market=de, day=NOW.date() - timedelta(days=1), used=500_000)
    assert fares.budget_line(de, NOW).endswith("until 01 Dec 00:00 UTC.")


def test_one_that_X_refuses_and_one_that_a_lead_paused(source: Source) -> None:
    ran(source, fresh=1)
    Source.objects.update(paused_at=NOW, paused_reason="Sommerpause")
    assert judged(source) == ("paused", "Paused: Sommerpause.")
    Source.objects.update(paused_reason="")
    assert judged(source) == ("paused", "Paused.")
    assert health(source).next is None
    ran(source, ago=timedelta(0), outcome="refused", error="no viable alternative")
    Source.objects.update(paused_reason="no viable alternative")
    assert judged(source) == ("refused", "X refuses it: no viable alternative.")
    Source.objects.update(paused_until=NOW - timedelta(minutes=1))
    assert health(source).condition != Condition.REFUSED


def test_one_whose_market_is_out_of_budget(source: Source, source_of: SourceOf) -> None:
    dutch = source_of(ACCOUNT, "rathaus", market=Market.objects.get(code="nl"))
    for one in (source, dutch):
        ran(one, fresh=1)
    until = NOW + timedelta(hours=12)
    Pause.objects.create(market=Market.objects.get(code="de"), cause="day", words="Used up.", since=NOW, until=until)
    told = health_of([source, dutch], NOW)
    assert [(told[one.pk].condition, told[one.pk].words) for one in (source, dutch)] == [
        (Condition.OUT_OF_BUDGET, "Today's budget of its market is used up."),
        (Condition.WELL, "Read as it should be."),
    ]


def test_when_X_turns_everyone_away(source: Source) -> None:
    ran(source, fresh=1)
    pauses.take_note(BadToken("X does not accept the bearer token."), None, began=NOW, now=NOW)
    assert judged(source) == ("waiting", "X turns everyone away: X does not accept the bearer token.")


def test_many_sources_take_as_many_queries_as_one(source: Source, source_of: SourceOf, de: Market) -> None:
    many = [source, *(source_of(ACCOUNT, f"blatt_{n}") for n in range(20))]
    for one in many:
        ran(one, fresh=1)
    for pause in (None, "day"):
        if pause:
            Pause.objects.create(market=de, cause=pause, until=NOW + timedelta(hours=1))
        counts = []
        for some in (many[:1], many):
            with CaptureQueriesContext(connection) as asked:
                health_of(some, NOW)
            counts.append(len(asked))
        assert counts[0] == counts[1]


def test_what_each_feeds_is_told_for_all_at_once(source: Source, de: Market) -> None:
    sport, nl = Category.objects.get(slug="sport"), Market.objects.get(code="nl")
    everywhere = Source.objects.create(kind="search", value="tor", category=sport)
    spared = Source.objects.create(kind="search", value="rat")
    SourceExemption.objects.create(source=spared, market=nl, reason="Anders gelöst.")
    own = Source.objects.create(kind="search", value="rat", market=de)
    narrow = Source.objects.create(kind="search", value="tor", market=de, category=sport)
    Channel.objects.filter(market=de, category__slug="economy").update(active=False)
    found = [source, everywhere, spared, own, narrow]
    with CaptureQueriesContext(connection) as asked:
        told = pauses.fed_by(found)
    assert told == {one.pk: list(one.channels()) for one in found}
    assert len(asked) == 2


def test_a_removed_source_is_read_no_more_and_keeps_its_runs(source: Source) -> None:
    run = ran(source, fresh=1)
    Source.objects.filter(pk=source.pk).update(removed_at=NOW)
    assert not Source.objects.exists()
    assert not Cursor.objects.due(NOW + timedelta(days=1)).exists()
    assert IngestRun.objects.select_related("source").get(pk=run.pk).source == source
    Source.objects.create(kind=source.kind, value=source.value, channel=source.channel)
