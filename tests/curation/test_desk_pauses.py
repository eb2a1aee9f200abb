"""Why nothing new comes, said where people look; for leads with X's words, the budget and the sources in trouble."""

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext

from curation import shared_clock
from curation.ingest.fares import budget_line
from curation.intake import span_of, troubles_of
from curation.ledger import budget
from curation.ledger.budget import day_of
from curation.models import BudgetDay, Cursor, IngestRun, Pause
from regions.models import Channel, Market, Role, Source, User
from tests.cast import make_candidate, make_user
from tests.curation import test_desk
from tests.curation.test_desk import DESK, HTMX, in_german

TRY = "/pauses/try-again/"
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
SPENT = "No new posts for Germany: today's 20,000 posts are used up. Reading goes on at 01:00 (in 3 h)."


def text_of(response: HttpResponse) -> str:
    return unescape(test_desk.text_of(response))


@pytest.fixture(autouse=True)
def nine_in_the_evening() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def de(de_politics: Channel) -> Market:
    return de_politics.market


def pause(market: Market | None, cause: str = "day", hours: float = 3, **fields: Any) -> Pause:
    told = {"words": "CreditsDepleted", "since": NOW, "until": NOW + timedelta(hours=hours)}
    return Pause.objects.create(market=market, cause=cause, **told | fields)


def changed(browse: Any, user: User, told_of: str) -> str:
    seen = {"decision": 0, "candidate": 0, "told_of": told_of}
    return str(browse(user).get(DESK + "changes/", seen, headers=HTMX).content.decode())


def test_a_spent_day_is_said_on_the_desk_and_at_home(browse: Any, anna: User, lena: User, de: Market) -> None:
    pause(de)
    assert SPENT in text_of(browse(anna).get(DESK))
    assert SPENT in text_of(browse(lena).get("/"))


def test_a_spent_month_names_the_day(browse: Any, anna: User, de: Market) -> None:
    pause(de, "month", hours=24 * 8 + 2)
    said = text_of(browse(anna).get(DESK))
    assert "this month's 500,000 posts are used up. Reading goes on at December 1, 00:00 (in 8 days)." in said


def test_editors_read_a_plain_sentence_and_leads_xs_words(browse: Any, anna: User, lena: User, de: Market) -> None:
    pause(None, "credits", 0.25)
    plain = "No new posts at present: X does not let us read. It is tried again at 22:15 (in 15 min)."
    for user, words in ((anna, False), (lena, True)):
        said = text_of(browse(user).get(DESK))
        assert (plain in said, "CreditsDepleted" in said) == (True, words)


def test_leads_read_why_in_their_language_and_a_spent_budget_once(browse: Any, lena: User, de: Market) -> None:
    pause(None, "credits", 0.25)
    pause(de, words="The day's budget of DE is used up. Read again from 23 November, 00:00 UTC.")
    said = text_of(browse(lena).get("/"))
    assert "Since November 22, 22:00: no credits left at X. CreditsDepleted" in said
    assert "UTC" not in said
    assert "no credits left at X" not in text_of(browse(in_german(lena)).get("/"))


def test_a_chief_alone_has_x_tried_again(browse: Any, chief: User, lena: User, bram: User, de: Market) -> None:
    pause(None, "token", 0.25)
    client = browse(chief)
    assert f'action="{TRY}"' in client.get("/").content.decode()
    for user in (lena, bram):
        assert TRY not in browse(user).get("/").content.decode()
        assert browse(user).post(TRY).status_code in (403, 404)
    assert browse(None).post(TRY).status_code in (302, 401, 403)
    assert (client.get(TRY).status_code, Pause.objects.get().until) == (405, NOW + timedelta(minutes=15))
    assert "X is tried again within seconds." in text_of(client.post(TRY, follow=True))
    assert timedelta(0) <= shared_clock.now() - Pause.objects.get().until < timedelta(seconds=30)  # PostgreSQL's clock


def test_of_many_pauses_of_everything_one_is_said(browse: Any, anna: User, de: Market) -> None:
    pause(None, "token", 0.1)
    pause(None, "credits", 0.25)
    assert text_of(browse(anna).get(DESK)).count("No new posts at present") == 1


def test_what_is_over_or_elsewhere_is_not_said(browse: Any, anna: User, de: Market, nl_politics: Channel) -> None:
    pause(de, ended_at=NOW)
    pause(de, "month", hours=-1)
    pause(nl_politics.market)
    assert "No new posts" not in text_of(browse(anna).get(DESK))


def test_who_belongs_to_no_market_reads_nothing_of_markets(browse: Any, guest: User, de: Market) -> None:
    pause(de)
    assert "No new posts" not in text_of(browse(guest).get("/"))


def test_an_open_desk_hears_of_a_pause_once_and_of_its_end(browse: Any, anna: User, de: Market) -> None:
    assert 'id="pauses"' not in changed(browse, anna, "")
    begun = pause(de)
    first = changed(browse, anna, "")
    assert SPENT in unescape(first)
    assert 'id="pauses" role="status" hx-swap-oob="true"' in first
    key = f"{begun.pk}:in 3 h"
    assert f'name="told_of" value="{key}"' in first
    assert 'id="pauses"' not in changed(browse, anna, key)
    Pause.objects.update(ended_at=NOW)
    assert '<div class="pauses" id="pauses" role="status" hx-swap-oob="true"></div>' in changed(browse, anna, key)


def test_showing_arrivals_forgets_no_notice(browse: Any, anna: User, de: Market) -> None:
    pause(de)
    seen = {"decision": 0, "candidate": 0, "told_of": "old"}
    answer = browse(anna).get(DESK + "arrivals/", seen, headers=HTMX).content.decode()
    assert 'name="told_of" value="old"' in answer


@pytest.mark.parametrize("told_of", ["x" * 5000, "<b>", "a\0b"])
def test_an_unusable_memory_of_notices_breaks_nothing(browse: Any, anna: User, db: None, told_of: str) -> None:
    seen = {"decision": 0, "candidate": 0, "told_of": told_of}
    assert browse(anna).get(DESK + "changes/", seen, headers=HTMX).status_code in (200, 422)


@pytest.mark.parametrize(
    ("minutes", "span"),
    [(-5, "soon"), (0, "soon"), (3, "soon"), (15, "in 15 min"), (20, "in 15 min"), (25, "in 30 min"), (59, "in 60 min"),
     (61, "in 1 h"), (180, "in 3 h"), (47 * 60, "in 47 h"), (49 * 60, "in 2 days"), (240 * 60, "in 10 days")],
)  # fmt: skip
def test_spans_come_in_few_steps(minutes: int, span: str) -> None:
    assert span_of(NOW + timedelta(minutes=minutes), NOW) == span


def test_leads_see_the_budget_and_others_do_not(browse: Any, lena: User, de: Market) -> None:
    BudgetDay.objects.create(market=de, day=day_of(NOW), used=14_203)
    BudgetDay.objects.create(market=de, day=day_of(NOW) - timedelta(days=1), used=200_000)
    said = text_of(browse(lena).get("/"))
    assert "Budget today: 14,203 of 20,000 posts" in said
    assert "held" not in said
    month = "This month: 214,203 of 500,000, $1,071.02 (at most $3,213.05, should X charge authors too)"
    assert month in said
    budget.reserve(de, 40, now=NOW)
    said = text_of(browse(lena).get("/"))
    assert "Budget today: 14,203 of 20,000 posts and 40 held: X may have charged them; its count will tell" in said
    both = make_user("mila", {"de": Role.EDITOR, "nl": Role.LEAD}, language="en")
    said = text_of(browse(both).get("/"))
    assert ("14,203" in said, said.count("Budget today")) == (False, 1)


@pytest.mark.parametrize(("posts", "price"), [(3, "$0.015"), (19, "$0.095"), (115, "$0.58"), (0, "$0.00")])
def test_health_and_home_tell_the_same_price_rounded_up(
    browse: Any, lena: User, de: Market, posts: int, price: str
) -> None:
    BudgetDay.objects.create(market=de, day=day_of(NOW), used=posts)
    assert f"This month: {posts} of 500,000, {price} (at most $" in text_of(browse(lena).get("/"))
    line = budget_line(de, NOW)
    assert f"this month ({price}, at most $" in line
    assert f"{price[1:].replace('.', ',')} $" in text_of(browse(in_german(lena)).get("/"))


def test_leads_read_when_live_posts_are_no_longer_checked(browse: Any, lena: User, de: Market) -> None:
    assert "no longer checked" not in text_of(browse(lena).get("/"))
    BudgetDay.objects.create(market=de, day=day_of(NOW), used=20_000, rechecks=2_000)
    said = text_of(browse(lena).get("/"))
    assert "Live posts are no longer checked at X: the budget for it is used up. Checks go on at 01:00." in said
    BudgetDay.objects.create(market=de, day=day_of(NOW) - timedelta(days=1), used=500_000)
    assert "Checks go on at December 1, 01:00." in text_of(browse(lena).get("/"))


def test_counts_are_grouped_as_the_reader_does(browse: Any, anna: User, de: Market) -> None:
    pause(de)
    assert "20.000" in text_of(browse(in_german(anna)).get(DESK))


def test_who_leads_the_only_market_stays_at_home(browse: Any, lena: User, anna: User, de: Market) -> None:
    assert browse(lena).get("/").status_code == 200
    assert browse(anna).get("/").url == "/desk/de/"


def test_sources_in_trouble_are_told_to_leads_with_xs_words(
    browse: Any, lena: User, anna: User, de: Market, de_politics: Channel, nl_politics: Channel
) -> None:
    def source(value: str, **fields: Any) -> Source:
        return Source.objects.create(kind="account", value=value, **{"channel": de_politics} | fields)

    source("gone_town", paused_at=NOW, paused_reason="User has been <suspended>")
    source("waits", paused_at=NOW, paused_until=NOW - timedelta(hours=1), paused_reason="over")
    failing = source("slow_town", channel=None, market=de)
    Cursor.objects.create(source=failing, failures=3)
    IngestRun.objects.create(source=failing, error="X answered 503.", outcome="failed", started_at=NOW)
    Cursor.objects.create(source=source("fine_town"), failures=2)
    source("foreign_town", channel=nl_politics, paused_at=NOW, paused_reason="no")
    said = text_of(browse(lena).get("/"))
    assert "@gone_town · Paused: User has been <suspended>" in said
    assert "@slow_town · Failed 3 times in a row: X answered 503. Last asked November 22, 22:00." in said
    assert troubles_of(anna, [de], NOW) == {}
    assert [name in said for name in ("waits", "fine_town", "foreign_town")] == [False] * 3


def test_the_desk_asks_no_more_for_many_pauses(browse: Any, anna: User, de: Market, de_politics: Channel) -> None:
    make_candidate(de_politics)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(anna).get(DESK)
        return len(queries)

    few = asked()
    for market, cause in ((None, "token"), (None, "credits"), (de, "day"), (de, "month")):
        pause(market, cause)
    assert asked() == few
