"""Trying a source before it is saved: what it would bring, what that costs, and each way that X refuses."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from curation.ledger.budget import day_of
from curation.models import BudgetDay, Candidate, Charge, IngestRun, Pause, Reservation, State, Tweet
from curation.sourcing.trying import MOST, Tried, try_source
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Source, User
from tests.cast import make_candidate, make_tweet
from tests.curation.ingest import conftest
from tests.curation.test_desk import text_of
from tests.curation.test_sources_page import LIST, NEW, address_of, typed

pytestmark = pytest.mark.django_db
x, ask = conftest.x, conftest.ask
Try = Callable[..., Tried]


@pytest.fixture
def attempt(ask: Door, lena: User, de_politics: Channel) -> Try:
    """Tries a source of DE politics that is not stored, as Lena."""

    def now(kind: str, value: str, per_hundred: float | None = 10.0, **fields: Any) -> Tried:
        source = Source(kind=kind, value=value, channel=de_politics, **fields)
        told = {"by": lena, "now": timezone.now(), "per_hundred": per_hundred, "ask": ask}
        return try_source(source, de_politics.market, [de_politics], **told)

    return now


@pytest.fixture
def here(x: Simulator, settings: Settings) -> Simulator:
    """The simulator as the X that the console asks."""
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    return x


def ago(**span: float) -> dict[str, Any]:
    return {"at": timezone.now() - timedelta(**span)}


def test_a_query_is_asked_for_its_last_day_and_nothing_is_stored(x: Simulator, attempt: Try) -> None:
    for n in range(3):
        x.post("rathaus", f"Der Landtag tagt, Teil {n}.", lang="de", **ago(hours=n + 1))
    x.post("rathaus", "Der Landtag tagte.", lang="de", **ago(hours=25))
    told = attempt("search", "landtag lang:de")
    assert (told.posts, told.whole, told.hours, told.known, told.charged) == (3, True, 24, 0, 3)
    assert (told.a_day, str(told.a_week_costs), str(told.highest_a_week)) == (3, "0.105", "0.315")
    assert told.expected == pytest.approx(0.3)
    assert not Tweet.objects.exists() and not Candidate.objects.exists()
    run = IngestRun.objects.get()
    assert (run.kind, run.outcome, run.read, run.charged, run.source) == ("try", "read", 3, 3, None)


def test_the_market_pays_for_it_and_gets_back_what_it_did_not_need(
    x: Simulator, attempt: Try, de_politics: Channel
) -> None:
    x.post("rathaus", "Der Landtag tagt.", lang="de")
    attempt("search", "landtag")
    assert (BudgetDay.objects.get().used, Charge.objects.get().market) == (1, de_politics.market)
    assert Reservation.objects.get().charged == 1


def test_a_post_that_was_paid_today_costs_nothing_again(x: Simulator, attempt: Try) -> None:
    x.post("rathaus", "Der Landtag tagt.", lang="de")
    assert [attempt("search", "landtag").charged for _n in range(2)] == [1, 0]


def test_never_more_is_read_than_was_told(x: Simulator, attempt: Try) -> None:
    for n in range(MOST + 30):
        x.post("rathaus", f"Der Landtag tagt, Teil {n}.", lang="de", **ago(minutes=n))
    for kind, value in (("search", "landtag"), ("account", "rathaus"), ("list", conftest.POLITICS_DE)):
        told = attempt(kind, value)
        assert (told.posts, told.whole, told.read) == (MOST, False, MOST)
        assert told.a_day == pytest.approx(MOST * 24 * 60 / (MOST - 1), rel=0.02)
    assert BudgetDay.objects.get().used == MOST + 2


def test_what_was_decided_here_counts_as_it_was(x: Simulator, attempt: Try, de_politics: Channel) -> None:
    ids = [int(x.post("rathaus", f"Der Landtag tagt, Teil {n}.", lang="de", **ago(hours=1))) for n in range(4)]
    for number, state in zip(ids, (State.APPROVED, State.BLOCKED, State.PENDING), strict=False):
        make_candidate(de_politics, tweet=make_tweet(first_id=number), state=state)
    told = attempt("search", "landtag")
    assert (told.posts, told.known) == (4, 3)
    assert told.expected == pytest.approx(1 + 2 * 0.1)
    assert told.per_hundred == 30
    assert attempt("search", "landtag", per_hundred=None).expected is None


def test_what_a_rule_would_let_through_is_told(x: Simulator, attempt: Try, de_politics: Channel) -> None:
    ids = [int(x.post("rathaus", f"Der Landtag tagt, Teil {n}.", lang="de", **ago(hours=1))) for n in range(5)]
    standing = [{"state": State.BLOCKED}, {"state": State.BLOCKED, "blocked_by_lists": True}, {"held": True}]
    for number, fields in zip(ids, standing, strict=False):
        make_candidate(de_politics, tweet=make_tweet(first_id=number), **fields)
    told = attempt("account", "rathaus", auto_approve=True, name="Rathaus")
    assert (told.posts, told.by_itself, told.by_itself_a_day) == (5, 3, 3), "the rule asks no editor"
    assert told.expected == pytest.approx(3 + 2 * 0.1)
    de_politics.second_pair = True
    told = attempt("account", "rathaus", auto_approve=True, name="Rathaus")
    assert (told.by_itself, told.expected) == (0, pytest.approx(4 * 0.1)), "nothing, where a second pair of eyes looks"
    assert attempt("account", "rathaus").by_itself is None


def test_the_panel_says_what_goes_live_unseen_and_of_an_account_no_length(
    browse: Any, lena: User, here: Simulator
) -> None:
    here.post("rathaus", "Der Landtag tagt.", lang="de", **ago(minutes=3))
    said = text_of(browse(lena).post(NEW, typed(auto_approve="1", **{"try": "1"})))
    assert "1 post a day would go live with nobody looking, but for what a block stops or another source brings" in said
    assert "About 1 a day would be approved: yield 100." in said
    assert "X takes it" not in said


def test_the_best_come_first_with_their_score(x: Simulator, attempt: Try) -> None:
    x.post("rathaus", "Der Landtag tagte.", lang="de", **ago(hours=20))
    x.post("rathaus", "Der Landtag &amp; der Rat", lang="de", **ago(minutes=2))
    told = attempt("search", "landtag")
    assert [(one.name, one.known) for one in told.sample] == [("Rathaus Lindmark", False)] * 2
    assert told.sample[0].text.startswith("Der Landtag &amp;")
    assert told.sample[0].points > told.sample[1].points + 90


def test_an_account_tells_its_name(x: Simulator, attempt: Try) -> None:
    x.post("stadtblatt", "Guten Morgen.", lang="de")
    told = attempt("account", "StadtBlatt")
    assert (told.name, told.posts, told.charged) == ("Stadtblatt", 1, 3)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("deleted", "There is no such account at X."),
        ("protected", "This account shows its posts to its followers alone."),
        ("suspended", "This account is suspended at X."),
    ],
)
def test_an_account_that_is_not_there_is_told(browse: Any, lena: User, here: Simulator, cause: str, words: str) -> None:
    if cause != "deleted":
        getattr(here, {"protected": "protect", "suspended": "suspend"}[cause])("rathaus")
    name = "@nobody_here" if cause == "deleted" else "@rathaus"
    answer = browse(lena).post(NEW, typed(value=name, **{"try": "1"}))
    page = answer.content.decode()
    assert (answer.status_code, words in text_of(answer)) == (422, True)
    assert 'id="wrong-value" role="alert"' in page and name in page
    assert IngestRun.objects.get().outcome == "refused"
    assert not Source.objects.exists()


def test_x_s_own_refusal_is_shown_in_its_words(browse: Any, lena: User, here: Simulator) -> None:
    answer = browse(lena).post(NEW, typed(kind="search", value="rat entity:x", **{"try": "1"}))
    assert answer.status_code == 422
    said = text_of(answer)
    assert "X refuses this: " in said
    assert "Reference to invalid operator" in said
    assert (IngestRun.objects.get().charged, Source.objects.exists()) == (0, False)


def test_the_price_is_told_first_and_x_is_not_asked(browse: Any, lena: User, here: Simulator) -> None:
    said = text_of(browse(lena).get(NEW))
    price = "A try asks X for the last 24 hours: at most 202 posts ($1.01; at most $3.03, should X charge authors too)."
    left = "18,000 of today's 20,000 are left for reading for Germany; 2,000 more are kept for checking what is live."
    assert f"{price} {left}" in said.replace("&#x27;", "'")
    assert (here.meter.reads, IngestRun.objects.exists()) == ({}, False)


def test_the_panel_shows_what_came_and_keeps_what_was_typed(browse: Any, lena: User, here: Simulator) -> None:
    here.post("rathaus", "<b>Der Landtag</b> tagt.", lang="de", **ago(minutes=3))
    answer = browse(lena).post(NEW, typed(kind="search", value="landtag", name="", **{"try": "1"}))
    said, page = text_of(answer), answer.content.decode()
    assert answer.status_code == 200
    assert re.search(r"1 post in the last 24 hours\s*\. 0 of them are known here\.", said)
    assert "Cost $0.035 a week (at most $0.11)." in said
    assert "&lt;b&gt;Der Landtag&lt;/b&gt; tagt." in page
    assert ">landtag</textarea>" in page
    assert not Source.objects.exists()


def test_a_changed_one_is_compared_with_today(browse: Any, lena: User, here: Simulator, de_politics: Channel) -> None:
    source = Source.objects.create(kind="search", value="landtag", channel=de_politics)
    now = timezone.now()
    IngestRun.objects.create(source=source, outcome="read", started_at=now - timedelta(days=6))
    IngestRun.objects.create(source=source, outcome="read", read=999, fresh=200, charged=263, started_at=now)
    for state in [State.APPROVED] * 26 + [State.LAPSED] * 234:
        make_candidate(de_politics, source=source, state=state)
    here.post("rathaus", "Der Landtag tagt.", lang="de", **ago(minutes=3))
    sent = typed(kind="search", value="landtag -quiz", **{"try": "1"})
    said = text_of(browse(lena).post(address_of(source), sent))
    assert "1 post in the last 24 hours, today it is 263." in said
    assert "yield 10 instead of 10" in said
    assert "Cost $0.035 a week (at most" in said, "six days are no week"
    IngestRun.objects.filter(read=0).update(started_at=now - timedelta(days=7))
    said = text_of(browse(lena).post(address_of(source), sent))
    assert "Cost $0.035 a week instead of $1.32" in said
    source.refresh_from_db()
    assert source.value == "landtag"
    same = text_of(browse(lena).post(address_of(source), sent | {"value": "landtag"}))
    assert ("Cost $0.035 a week (at most" in same, "instead of" in same, "today it is" in same) == (True, False, False)


def test_without_budget_nothing_can_be_tried(browse: Any, lena: User, here: Simulator, de_politics: Channel) -> None:
    BudgetDay.objects.create(market=de_politics.market, day=day_of(timezone.now()), used=18_000)
    page = browse(lena).get(NEW)
    assert "Nothing is left of today" in text_of(page)
    assert 'name="try"' not in page.content.decode()
    answer = browse(lena).post(NEW, typed(kind="search", value="landtag", **{"try": "1"}))
    assert (answer.status_code, here.meter.reads) == (409, {})
    assert "The budget of this market is used up." in text_of(answer)


def test_while_x_turns_everyone_away_nothing_is_asked(browse: Any, lena: User, here: Simulator) -> None:
    Pause.objects.create(market=None, cause="token", until=timezone.now() + timedelta(minutes=9))
    page = browse(lena).get(NEW)
    assert "X does not let us read at present." in text_of(page)
    assert 'name="try"' not in page.content.decode()
    assert browse(lena).post(NEW, typed(**{"try": "1"})).status_code == 503
    assert here.meter.reads == {}


@pytest.mark.parametrize(("fault", "words"), [
    ({"status": 500}, "X did not answer in time, or not well."),
    ({"status": 429, "reset": 120}, "X allows no more requests at this moment."),
])  # fmt: skip
def test_x_s_faults_are_told(browse: Any, lena: User, here: Simulator, fault: dict[str, int], words: str) -> None:
    here.fail(**fault)
    answer = browse(lena).post(NEW, typed(kind="search", value="landtag", **{"try": "1"}))
    assert (answer.status_code, words in text_of(answer)) == (503, True)


def test_asking_by_get_tries_nothing(browse: Any, lena: User, here: Simulator) -> None:
    browse(lena).get(NEW, typed(kind="search", value="landtag", **{"try": "1"}))
    browse(lena).get(LIST, {"try": "1"})
    assert (here.meter.reads, IngestRun.objects.exists()) == ({}, False)
