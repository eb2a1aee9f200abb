"""When X is not asked: out of budget, or turned away; why, until when, and how it goes on."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from curation.ingest import pauses
from curation.ingest.health import health_of
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.polling.runs import ending, in_words
from curation.ledger import budget
from curation.models import BudgetDay, Charge, Cursor, IngestRun, Pause, Purpose, Quarantined, Reservation, Tweet
from curation.x.client import Door
from curation.x.outcomes import BadToken, BudgetSpent, OutOfCredits
from curation.x.simulator import Simulator
from curation.x.windows import SharedWindows
from curation.x.wire import id_at
from regions.models import Category, Market, Source

pytestmark = pytest.mark.django_db
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT, LIST, SEARCH = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.SEARCH
NOON = timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
MIDNIGHT = NOON.replace(hour=0) + timedelta(days=1)
MINUTE = timedelta(minutes=1)
TURNED_AWAY = [({"status": 401}, "token"), ({"status": 402}, "credits")]
TURNED_AWAY += [({"status": 429, "body": {"title": "UsageCapExceeded", "detail": "Usage cap exceeded."}}, "cap")]


@pytest.fixture
def x() -> Any:
    """A simulator whose clock stands at noon, so that no test runs over midnight."""
    with Simulator(rate=0, catalogue=0, clock=NOON.timestamp) as simulator:
        simulator.account("stadtblatt", name="Stadtblatt", category="politics", language="de")
        simulator.account("rathaus", name="Rathaus Lindmark", category="politics", language="de")
        yield simulator


@pytest.fixture
def de() -> Market:
    return Market.objects.get(code="de")


def allow(code: str, day: int, month: int = 100_000, reserve: int = 0) -> None:
    Market.objects.filter(code=code).update(posts_a_day=day, posts_a_month=month, recheck_reserve=reserve)


def posts(x: Simulator, count: int, start: datetime) -> list[int]:
    return [int(x.post("stadtblatt", f"Nummer {n}.", at=start + timedelta(seconds=n))) for n in range(count)]


def due(source: Source) -> datetime:
    return Cursor.objects.get(pk=source.pk).due_at


def known(x: Simulator, source: Source) -> Source:
    """Its account's id is known: nothing to pay for but posts."""
    account = x.world.account(source.value)
    assert account is not None
    Source.objects.filter(pk=source.pk).update(x_id=str(account.id))
    return source


def test_a_pass_pays_for_what_it_reads_once_a_day(x: Simulator, source_of: SourceOf, read: Read, de: Market) -> None:
    posts(x, 3, NOON - timedelta(hours=1))
    first, second = source_of(ACCOUNT, "stadtblatt"), source_of(SEARCH, "from:stadtblatt")
    assert [read(source, NOON).charged for source in (first, second, second)] == [5, 0, 0]  # an account counts as two
    assert (budget.balance(de, NOON).day_used, Charge.objects.count()) == (5, 4)
    assert read(second, NOON + timedelta(days=1)).charged == 0
    assert not Reservation.objects.filter(settled_at=None).exists()


def test_X_is_asked_for_no_more_than_is_left(x: Simulator, source_of: SourceOf, read: Read, de: Market) -> None:
    ids = posts(x, 40, NOON - timedelta(hours=1))
    allow("de", 12)
    run = read(known(x, source_of(ACCOUNT, "stadtblatt")), NOON)
    assert (run.outcome, run.read, run.charged, Tweet.objects.count()) == ("read", 12, 12, 12)
    assert set(Tweet.objects.values_list("first_id", flat=True)) == set(ids[-12:])


def test_out_of_budget_in_the_middle_keeps_what_was_read_and_the_gap(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    first = posts(x, 1, NOON - timedelta(hours=3))
    source = known(x, source_of(ACCOUNT, "stadtblatt"))
    read(source, NOON)
    ids = posts(x, 230, NOON - timedelta(hours=2))
    allow("de", 131)
    run = read(source, NOON + MINUTE)
    assert (run.outcome, run.read, run.charged) == ("budget", 130, 130)
    assert set(Tweet.objects.values_list("first_id", flat=True)) == set(first + ids[-130:])
    cursor = Cursor.objects.get(pk=source.pk)
    assert (cursor.newest_id, cursor.gap_floor_id, cursor.gap_until_id) == (ids[-1], first[0], ids[-130])
    assert "budget of DE is used up" in run.error
    assert due(source) == MIDNIGHT
    pauses.resume(MIDNIGHT)
    assert (read(source, MIDNIGHT).read, Tweet.objects.count()) == (100, 231)


def test_without_budget_for_the_newest_version_the_rest_is_stored(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    first = x.post("rathaus", "Alt.", at=NOON - timedelta(hours=2))
    repost = x.retweet("stadtblatt", first)
    x.edit(first, "Neu.")
    posts(x, 4, NOON - timedelta(minutes=30))
    allow("de", 5)
    source = known(x, source_of(ACCOUNT, "stadtblatt"))
    run = read(source, NOON)
    assert (run.outcome, run.read, run.missing, run.charged) == ("budget", 5, 0, 5)
    cursor = Cursor.objects.get(pk=source.pk)
    assert (Tweet.objects.count(), cursor.newest_id) == (4, int(repost))
    assert (cursor.gap_floor_id, cursor.gap_until_id) == (int(repost) - 1, int(repost) + 1)
    allow("de", 100)
    pauses.resume(NOON + MINUTE)
    assert (read(source, NOON + MINUTE).outcome, Tweet.objects.count()) == ("read", 5)
    assert Cursor.objects.get(pk=source.pk).gap_floor_id is None


def test_posts_whose_authors_the_budget_did_not_reach_are_stored_later(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    """A page of a hundred posts without includes, and a budget for a quarter of their authors."""
    authors = [x.account(f"autor{n}", name=f"Autor {n}", category="politics", language="de") for n in range(100)]
    first = id_at(NOON - timedelta(minutes=30))
    told = [{"id": str(first + n), "text": f"Nummer {n}.", "author_id": str(who.id)} for n, who in enumerate(authors)]
    x.fail("/2/tweets/search/recent", status=200, body={"data": told, "meta": {"result_count": 100}}, times=None)
    source = source_of(SEARCH, "lang:de Rat")
    allow("de", 150)
    run = read(source, NOON)
    assert (run.outcome, run.read, run.fresh, run.charged, run.quarantined) == ("budget", 100, 25, 150, 0)
    assert (due(source), Pause.objects.get().ended_at) == (MIDNIGHT, None)
    allow("de", 1000)
    pauses.resume(NOON + MINUTE)
    assert due(source) == NOON + MINUTE
    run = read(source, NOON + MINUTE)
    assert (run.outcome, run.fresh, run.charged) == ("read", 75, 150)
    assert set(Tweet.objects.values_list("first_id", flat=True)) == {first + n for n in range(100)}
    cursor = Cursor.objects.get(pk=source.pk)
    assert (Quarantined.objects.count(), cursor.gap_floor_id, cursor.newest_id) == (0, None, first + 99)


def test_where_no_pause_stands_a_source_without_budget_comes_again_soon(source_of: SourceOf, de: Market) -> None:
    """Its lead raised the budget meanwhile: nobody would wake it."""
    source = source_of(SEARCH, "lang:de Rat")
    spent = BudgetSpent("used up", de.pk, MIDNIGHT, "day")
    end = ending(spent, source, Cursor.objects.get(pk=source.pk), NOON)
    assert (end.outcome, end.due_at, end.failures) == ("budget", NOON + timedelta(seconds=10), 0)


def test_a_market_out_of_budget_is_paused_until_the_day_turns(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    posts(x, 40, NOON - timedelta(hours=1))
    sport = Category.objects.get(slug="sport")
    reader, other = known(x, source_of(ACCOUNT, "stadtblatt")), source_of(SEARCH, "lang:de Rat")
    everywhere = source_of(ACCOUNT, "rathaus", scope="all", category=sport)
    dutch = source_of(ACCOUNT, "rathaus", market=Market.objects.get(code="nl"))
    Cursor.objects.update(due_at=NOON)
    allow("de", 3)
    with capture_logs() as lines:
        assert read(reader, NOON).outcome == "budget"
    paused = Pause.objects.get()
    assert (paused.market, paused.cause, paused.since > NOON, paused.until) == (de, "day", True, MIDNIGHT)
    told = [line for line in lines if line["event"] == "ingest_paused"]
    assert [(line["market"], line["cause"], line["words"]) for line in told] == [("de", "day", paused.words)]
    assert [due(one) for one in (reader, other, everywhere, dutch)] == [MIDNIGHT, MIDNIGHT, MIDNIGHT, NOON]
    later = NOON + timedelta(hours=1)
    Cursor.objects.filter(pk=other.pk).update(due_at=later)
    assert poll(other.pk, now=later, ask=Door(x.base_url, x.token)) is None
    assert (due(other), IngestRun.objects.count()) == (MIDNIGHT, 1)
    assert pauses.admit(de, later, Purpose.RECHECK) is None
    assert pauses.admit(Market.objects.get(code="nl"), later) is None
    pauses.resume(MIDNIGHT - timedelta(seconds=1))
    assert Pause.objects.get().ended_at is None
    pauses.resume(MIDNIGHT)
    assert (Pause.objects.get().ended_at, pauses.admit(de, MIDNIGHT)) == (MIDNIGHT, None)
    assert read(reader, MIDNIGHT).outcome == "budget"  # three posts are fewer than X gives


def test_a_raised_budget_ends_the_pause_at_once(x: Simulator, source_of: SourceOf, read: Read, de: Market) -> None:
    source, now = known(x, source_of(ACCOUNT, "stadtblatt")), NOON + MINUTE
    allow("de", 3)
    read(source, NOON)
    pauses.resume(now)
    assert (Pause.objects.get().ended_at, due(source)) == (None, MIDNIGHT)
    allow("de", 1000)
    with capture_logs() as lines:
        pauses.resume(now)
        pauses.resume(now)
    assert [line["event"] for line in lines] == ["ingest_resumed"]
    assert (Pause.objects.get().ended_at, due(source)) == (now, now)
    assert read(source, now).outcome == "read"


def test_out_of_the_months_budget_waits_for_the_next_month(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    source = known(x, source_of(ACCOUNT, "stadtblatt"))
    allow("de", 1000, month=0)
    read(source, NOON)
    first = (NOON.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
    assert (Pause.objects.get().cause, Pause.objects.get().until, due(source)) == ("month", first, first)


def test_waiting_for_readings_under_way_pauses_nobody(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    source = known(x, source_of(ACCOUNT, "stadtblatt"))
    allow("de", 100)
    budget.reserve(de, 100, now=NOON)
    run = read(source, NOON)
    assert (run.outcome, Pause.objects.count(), run.charged) == ("budget", 0, 0)
    assert 30 <= (due(source) - NOON).total_seconds() < 31


def test_an_error_costs_nothing_and_a_broken_answer_what_was_drawn(
    x: Simulator, source_of: SourceOf, read: Read, de: Market
) -> None:
    source = known(x, source_of(ACCOUNT, "stadtblatt"))
    for order, held in (({"status": 503}, 0), ({"status": 400, "body": {}}, 0), ({"cut": True}, 100)):
        Source.objects.update(paused_at=None)
        x.fail("/2/users/", **order)
        run = read(source, NOON)
        assert (run.charged, run.uncertain, BudgetDay.objects.get(market=de).used) == (0, held, held)
    assert in_words(run) == "0 charged and 100 held"
    counts = health_of([source], NOON + MINUTE)[source.pk].day
    balance = budget.balance(de, NOON)
    assert (counts.charged, counts.held) == (balance.day_charged, balance.day_held) == (0, 100)
    budget.give_back(NOON.date(), 100, before=NOON + MINUTE, now=NOON + MINUTE)
    assert (run.uncertain, health_of([source], NOON + MINUTE)[source.pk].day.held) == (0, 0)


@pytest.mark.parametrize(("order", "cause"), TURNED_AWAY)
def test_who_is_turned_away_pauses_everything_with_one_alarm(
    x: Simulator, source_of: SourceOf, read: Read, order: dict[str, Any], cause: str
) -> None:
    sources = [source_of(SEARCH, "lang:de Rat"), source_of(SEARCH, "lang:nl Rat"), source_of(ACCOUNT, "rathaus")]
    Cursor.objects.update(due_at=NOON)
    x.fail("/2/", times=None, **order)
    ask = Door(x.base_url, x.token)
    with capture_logs() as lines:
        runs = [poll(source.pk, now=NOON, ask=ask) for source in sources]
    alarms = [line for line in lines if line["event"] == "ingest_paused"]
    paused = Pause.objects.get()
    assert [(one["log_level"], one["market"], one["cause"], one["words"]) for one in alarms] == [
        ("error", "all", cause, paused.words)
    ]
    assert (paused.market, paused.cause) == (None, cause)
    assert [run is None for run in runs] == [False, True, True]
    assert paused.until == NOON + timedelta(minutes=15)
    assert {due(source) for source in sources[1:]} == {paused.until}
    assert leases.offer_due(NOON + MINUTE, 10) == {}


def test_every_quarter_of_an_hour_one_pass_goes_through(x: Simulator, source_of: SourceOf, read: Read) -> None:
    sources = [source_of(SEARCH, f"lang:{language} Rat") for language in ("de", "nl", "el")]
    x.fail("/2/", status=402, times=None)
    read(sources[0], NOON)
    ask = Door(x.base_url, x.token)
    for minutes, asked in ((16, 1), (20, 0), (32, 1)):
        now = NOON + timedelta(minutes=minutes)
        Cursor.objects.update(due_at=now)
        runs = [poll(source.pk, now=now, ask=ask) for source in sources]
        assert len([run for run in runs if run]) == asked
    assert (IngestRun.objects.count(), Pause.objects.count(), Pause.objects.get().ended_at) == (3, 1, None)


def test_a_pass_that_succeeds_ends_the_pause_for_all(x: Simulator, source_of: SourceOf, read: Read) -> None:
    sources = [source_of(SEARCH, f"lang:{language} Rat") for language in ("de", "nl", "el")]
    far = source_of(SEARCH, "lang:hr Rat")
    Cursor.objects.filter(pk=far.pk).update(due_at=NOON + timedelta(days=1))
    Cursor.objects.exclude(pk=far.pk).update(due_at=NOON)
    x.fail("/2/", status=401)
    with capture_logs() as lines:
        read(sources[0], NOON)
        now = NOON + timedelta(minutes=16)
        run = read(sources[1], now)
    assert [line["event"] for line in lines if line["event"] != "source_read"] == ["ingest_paused", "ingest_resumed"]
    ended = Pause.objects.get().ended_at
    assert (run.outcome, ended is not None and now <= ended) == ("read", True)
    assert all(due(source) <= now + MINUTE for source in sources)
    assert due(far) == NOON + timedelta(days=1)


def test_a_pass_that_began_before_the_pause_does_not_end_it(de: Market) -> None:
    pauses.take_note(BadToken("no"), de, began=NOON, now=NOON + MINUTE)
    pauses.take_note(None, de, began=NOON, now=NOON + 2 * MINUTE)
    assert Pause.objects.get().ended_at is None
    pauses.take_note(None, de, began=NOON + 20 * MINUTE, now=NOON + 21 * MINUTE)
    assert Pause.objects.get().ended_at == NOON + 21 * MINUTE


def test_passes_under_way_that_fail_too_raise_no_second_alarm(de: Market) -> None:
    with capture_logs() as lines:
        for seconds in range(3):
            pauses.take_note(BadToken("no"), de, began=NOON, now=NOON + timedelta(seconds=seconds))
    assert [line["event"] for line in lines] == ["ingest_paused"]
    assert Pause.objects.get().until == NOON + timedelta(minutes=15)


def test_another_reason_takes_the_place_of_the_first(de: Market) -> None:
    pauses.take_note(BadToken("no"), de, began=NOON, now=NOON)
    later = NOON + 16 * MINUTE
    assert pauses.admit(de, later) is None
    pauses.take_note(OutOfCredits("empty"), de, began=later, now=later)
    assert list(Pause.objects.filter(ended_at=None).values_list("cause", flat=True)) == ["credits"]


def test_a_market_without_budget_does_not_use_up_the_one_pass(de: Market) -> None:
    nl, later = Market.objects.get(code="nl"), NOON + 16 * MINUTE
    Pause.objects.create(market=de, cause="day", since=NOON, until=MIDNIGHT)
    pauses.take_note(BadToken("no"), nl, began=NOON, now=NOON)
    assert pauses.admit(de, later) is not None
    assert pauses.admit(nl, later) is None
    assert pauses.admit(nl, later) is not None


def test_windows_are_the_same_for_every_door(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(SEARCH, "lang:de Rat")
    Cursor.objects.update(due_at=NOON)
    x.windows.scale = 1 / 450
    clock = NOON.timestamp
    ask = [Door(x.base_url, x.token, clock=clock, windows=SharedWindows()) for _ in range(2)]
    ask[0].search("lang:nl Rat")
    run = poll(source.pk, now=NOON, ask=ask[1])
    assert run is not None
    assert (run.outcome, run.charged, run.error) == ("waiting", 0, "Too many requests in this window.")
