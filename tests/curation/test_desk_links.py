"""Adding by link on pages: the price by GET without X, one POST that asks, the card at once, errors as sentences."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from curation import operations
from curation.ledger.budget import day_of
from curation.models import BudgetDay, Candidate, IngestRun, Pause, State
from curation.x.simulator import Simulator
from regions.models import Channel, Role, User
from tests.cast import channel_of, make_candidate, make_tweet, make_user
from tests.curation.ingest import conftest
from tests.curation.test_desk import DESK, HTMX, in_german, rows_of, text_of

x = conftest.x
LINK, ADD = "/link/de/", "/link/de/add/"


@pytest.fixture
def number(x: Simulator, settings: Settings) -> str:
    """A post at X, which the console asks."""
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    return x.post("rathaus", "Der Rat von Lindmark tagt.", lang="de")


def told(number: str, **fields: str) -> dict[str, str]:
    return {"url": f"https://x.com/rathaus/status/{number}?s=20", "category": "politics"} | fields


def test_the_desk_has_the_form_for_editors_alone(browse: Any, anna: User, vera: User) -> None:
    assert f'href="{LINK}?category=politics"' in browse(anna).get(DESK).content.decode()
    assert LINK not in browse(vera).get(DESK).content.decode()


def test_the_price_is_shown_and_x_is_not_asked(browse: Any, anna: User, x: Simulator, number: str) -> None:
    said = text_of(browse(anna).get(LINK, told(number)))
    price = "Costs 1 post ($0.005; at most $0.015, should X charge its author too)."
    assert f"{price} 18,000 of today's 20,000 are left for Germany." in said
    assert "Add to Politics" in said
    assert (x.meter.reads, IngestRun.objects.exists()) == ({}, False)


def test_prices_and_counts_are_written_as_the_reader_does(browse: Any, anna: User, number: str) -> None:
    assert "18.000" in text_of(browse(in_german(anna)).get(LINK, told(number)))
    assert "0,005" in text_of(browse(anna).get(LINK, told(number)))


def test_without_scripts_one_post_adds_it_and_shows_it(browse: Any, anna: User, number: str) -> None:
    client = browse(anna)
    response = client.post(ADD, told(number))
    candidate = Candidate.objects.get()
    assert response.url == f"{LINK}?category=politics&shown={candidate.pk}"
    page = client.get(response.url)
    assert rows_of(page) == [candidate.pk]
    said = text_of(page)
    assert "Added to Politics." in said
    assert "added by Anna Amsel" in said


def test_on_the_desk_the_card_comes_at_once(browse: Any, anna: User, number: str) -> None:
    response = browse(anna).post(ADD, told(number), headers=HTMX)
    candidate = Candidate.objects.get()
    assert (response.status_code, rows_of(response)) == (200, [candidate.pk])
    assert 'hx-swap-oob="afterbegin:#rows"' in response.content.decode()
    assert response["HX-Trigger-After-Settle"] == f'{{"returned": {{"row": {candidate.pk}}}}}'
    assert "<html" not in response.content.decode()


def test_by_whom_it_was_added_stands_on_the_card(browse: Any, anna: User, ben: User, number: str) -> None:
    browse(anna).post(ADD, told(number))
    assert "added by Anna Amsel" in text_of(browse(ben).get(DESK))


def test_on_a_markets_desk_the_category_is_chosen(browse: Any, anna: User, number: str) -> None:
    page = browse(anna).get(LINK).content.decode()
    assert re.findall(r'<option value="(\w+)"', page)[:2] == ["politics", "economy"]
    browse(anna).post(ADD, told(number, category="sport", everywhere="1"))
    assert Candidate.objects.get().channel == channel_of("de", "sport")


def test_what_is_there_already_is_shown_with_what_became_of_it(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    known = make_candidate(de_politics)
    operations.approve(known, by=ben, version=1)
    sent = told(str(known.tweet.current_id))
    for response in (browse(anna).get(LINK, sent), browse(anna).post(ADD, sent, follow=True)):
        assert rows_of(response) == [known.pk]
        assert re.search(r"Already in Politics: ?.*Ben Buche approved", text_of(response))
    assert not IngestRun.objects.exists()


def test_what_lapsed_can_be_reopened_from_there(browse: Any, anna: User, de_politics: Channel) -> None:
    known = make_candidate(de_politics, state=State.LAPSED)
    sent = told(str(known.tweet.current_id))
    assert 'value="reopen"' in browse(anna).get(LINK, sent).content.decode()
    gone = make_candidate(de_politics, state=State.WITHDRAWN)
    sent = told(str(gone.tweet.current_id))
    assert 'value="reopen"' not in browse(anna).get(LINK, sent).content.decode()


def test_what_is_stored_costs_nothing(browse: Any, anna: User, de_politics: Channel) -> None:
    tweet = make_tweet()
    said = text_of(browse(anna).get(LINK, told(str(tweet.current_id))))
    assert "Costs nothing: the post is here already." in said


@pytest.mark.parametrize(
    "url", ["hello", "https://x.com/rathaus", "https://evil.example/a/status/1", "x" * 900, "a\0b"]
)
def test_what_is_no_link_is_refused_and_kept(browse: Any, anna: User, db: None, url: str) -> None:
    for response in (
        browse(anna).get(LINK, {"url": url, "category": "politics"}),
        browse(anna).post(ADD, {"url": url, "category": "politics"}, headers=HTMX),
    ):
        assert response.status_code == 422
        assert "This is no link to a post at X." in text_of(response)
        assert 'role="alert"' in response.content.decode()


def test_foreign_words_in_a_link_stay_words(browse: Any, anna: User, db: None) -> None:
    html = browse(anna).get(LINK, {"url": '"><script>alert(1)</script>', "category": "politics"}).content.decode()
    assert "<script>alert" not in html


def test_a_post_that_is_gone_says_why(browse: Any, anna: User, x: Simulator, number: str) -> None:
    x.suspend("rathaus")
    response = browse(anna).post(ADD, told(number))
    assert response.status_code == 422
    assert "The author of this post is suspended at X." in text_of(response)


def test_a_closed_window_says_until_when(browse: Any, anna: User, number: str, x: Simulator) -> None:
    x.fail(status=429, reset=120)
    answer = browse(anna).post(ADD, told(number), headers=HTMX)
    found = re.search(r"X allows no more requests at this moment\. Try again at (\d\d:\d\d:\d\d)\.", text_of(answer))
    assert (answer.status_code, found is not None) == (503, True)
    here = timezone.now().astimezone(ZoneInfo("Europe/Berlin"))
    soon = {f"{here + timedelta(seconds=n):%H:%M:%S}" for n in range(100, 125)}
    assert found and found[1] in soon


def test_a_spent_budget_says_until_when(browse: Any, anna: User, number: str, de_politics: Channel) -> None:
    BudgetDay.objects.create(market=de_politics.market, day=day_of(timezone.now()), used=18_000)
    page = browse(anna).get(LINK, told(number))
    assert "Nothing is left of today's 20,000 posts for Germany. Reading goes on at 01:00." in text_of(page)
    assert ADD in page.content.decode()
    assert "Add to Politics" not in text_of(page)
    response = browse(anna).post(ADD, told(number), headers=HTMX)
    tomorrow = timezone.now().date() + timedelta(days=1)
    assert (response.status_code, Candidate.objects.exists()) == (409, False)
    assert f"Reading goes on at {tomorrow:%B} {tomorrow.day}, 01:00." in text_of(response)


def test_x_that_does_not_answer_is_told(browse: Any, anna: User, x: Simulator, number: str) -> None:
    x.fail(status=500)
    response = browse(anna).post(ADD, told(number), headers=HTMX)
    assert response.status_code == 503
    assert "X did not answer in time, or not well." in text_of(response)


def test_errors_speak_the_editors_language(browse: Any, anna: User, db: None) -> None:
    response = browse(in_german(anna)).get(LINK, {"url": "hello", "category": "politics"})
    assert '<html lang="de"' in response.content.decode()


def test_asking_by_get_adds_nothing(browse: Any, anna: User, number: str) -> None:
    assert browse(anna).get(ADD, told(number)).status_code == 405
    assert not Candidate.objects.exists()


def test_viewers_and_strangers_may_not(
    browse: Any, vera: User, bram: User, guest: User, number: str, de_politics: Channel
) -> None:
    sent = told(number)
    assert [browse(vera).get(LINK).status_code, browse(vera).post(ADD, sent).status_code] == [403, 403]
    for user in (bram, guest):
        assert [browse(user).get(LINK).status_code, browse(user).post(ADD, sent).status_code] == [404, 404]
    assert browse().post(ADD, sent).status_code == 302
    assert not Candidate.objects.exists()


def test_another_markets_candidate_is_not_shown(browse: Any, anna: User, nl_politics: Channel) -> None:
    foreign = make_candidate(nl_politics)
    assert browse(anna).get(LINK, {"shown": foreign.pk}).status_code == 404


def test_a_foreign_category_does_not_exist(browse: Any, anna: User, number: str) -> None:
    assert browse(anna).post(ADD, told(number, category="weather")).status_code == 404


def test_whose_market_it_is_pays(browse: Any, db: None, number: str, nl_politics: Channel) -> None:
    both = make_user("mila", {"de": Role.EDITOR, "nl": Role.EDITOR})
    browse(both).post("/link/nl/add/", told(number))
    assert BudgetDay.objects.get().market == nl_politics.market


def test_while_x_turns_everyone_away_no_price_is_shown(browse: Any, anna: User, number: str) -> None:
    until = timezone.now() + timedelta(minutes=9)
    Pause.objects.create(market=None, cause="token", words="Unauthorized", until=until)
    said = text_of(browse(anna).get(LINK, told(number)))
    assert "X does not let us read at present. It is tried again at" in said
    assert ("Costs" in said, "Add to Politics" in said) == (False, False)


def test_a_known_withdrawn_post_says_so_and_why(browse: Any, anna: User, number: str, de_politics: Channel) -> None:
    browse(anna).post(ADD, told(number))
    operations.withdraw([Candidate.objects.get().tweet_id], cause="deleted", now=timezone.now())
    said = browse(anna).get(LINK, told(number))
    assert "Already in Politics, but withdrawn: Deleted at X." in text_of(said)
    assert "#check" not in said.content.decode().partition('id="link-told"')[2].partition("</div>")[0]


def test_of_a_post_that_is_gone_the_price_of_asking_again_is_shown(browse: Any, anna: User, number: str) -> None:
    browse(anna).post(ADD, told(number))
    operations.withdraw([Candidate.objects.get().tweet_id], cause="deleted", now=timezone.now())
    said = text_of(browse(anna).get(LINK, told(number, category="sport")))
    assert re.search(r"Deleted at X, seen .* X is asked whether it is back\.", said)
