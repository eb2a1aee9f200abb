"""Settings of a market and its channels, as their lead meets them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from curation import ranking
from curation.ledger import budget
from curation.models import BudgetDay, Candidate
from feeds.models import Snapshot
from feeds.operations import publish
from regions import tunable
from regions.forms_of_settings import as_typed
from regions.models import Change, Channel, Market, Role, User
from tests.cast import channel_of, make_candidate, make_user

pytestmark = pytest.mark.django_db
MARKET, POLITICS = "/lists/de/settings/", "/lists/de/settings/politics/"


@pytest.fixture
def lead(browse: Any, lena: User) -> Client:
    client: Client = browse(lena)
    return client


def sent(place: Market | Channel, **typed: Any) -> dict[str, Any]:
    """A page's form as it was shown now, with what was typed."""
    values = tunable.values_of(place)
    fields = {name: "on" if value is True else value for name, value in as_typed(values).items() if value is not False}
    told = fields | {"seen": json.dumps(values)} | typed
    return {name: value for name, value in told.items() if value is not None}


def test_a_page_tells_of_each_setting(lead: Client, de_politics: Channel) -> None:
    for path, place in ((MARKET, de_politics.market), (POLITICS, de_politics)):
        page = lead.get(path)
        lines = {line.setting.name for line in page.context["lines"]}
        assert lines == {setting.name for setting in tunable.settings_of(place)}
        for setting in tunable.settings_of(place):
            assert str(setting.help) in page.content.decode().replace("&#x27;", "'")
    assert "From 1 to 100 entries; usual: 10." in page.content.decode()
    assert "Empty: 20, as the market." in page.content.decode()


def test_every_setting_can_be_saved(lead: Client, lena: User, de_politics: Channel) -> None:
    typed = {"slots": 5, "feed_length": 12, "live_hours": 36, "pending_hours": 72, "half_life_minutes": 60}
    typed |= {"minimum_fill": 4, "fallback": "hide", "second_pair": "on", "reasons": ["spam", "hate"]}
    answer = lead.post(POLITICS, sent(de_politics, **typed, weight_author=30, weight_similar=0))
    assert (answer.status_code, answer["Location"]) == (302, POLITICS)
    now = tunable.values_of(Channel.objects.get(pk=de_politics.pk))
    weights = {"author": 30.0, "similar": 0.0}
    assert now == typed | {"second_pair": True, "reasons": ["spam", "hate"], "rank_weights": weights}
    line = Change.objects.get()
    assert (line.by, line.market.code, line.noun_id) == (lena, "de", de_politics.pk)  # type: ignore[union-attr]
    assert (line.before["slots"], line.after["slots"]) == ("3", "5")
    page = lead.get(POLITICS).content.decode()
    assert "Changed by lena" in page
    assert "3 → 5" in page
    assert "author 30, similar to what is live 0" in page


def test_a_market_too(lead: Client, de_politics: Channel) -> None:
    typed = {"posts_a_day": 9000, "posts_a_month": 90_000, "recheck_reserve": 500, "feed_length": 30}
    typed |= {"retention_days": 14, "weight_source": 50}
    answer = lead.post(MARKET, sent(de_politics.market, figures_per_editor="on", **typed))
    assert answer.status_code == 302
    de = Market.objects.get(code="de")
    told = (de.posts_a_day, de.posts_a_month, de.recheck_reserve, de.feed_length, de.retention_days)
    assert told == (9000, 90_000, 500, 30, 14)
    assert (de.figures_per_editor, de.rank_weights) == (True, {"source": 50.0})
    assert "Empty: 50, as the market." in lead.get(POLITICS).content.decode()
    assert ranking.weights_of(Channel.objects.get(pk=de_politics.pk))["source"] == 50.0


def test_nothing_changed_is_no_change(lead: Client, de_politics: Channel) -> None:
    lead.post(POLITICS, sent(de_politics))
    lead.post(MARKET, sent(de_politics.market))
    assert not Change.objects.exists()
    assert Channel.objects.get(pk=de_politics.pk).revision == 0


def test_the_feed_follows(lead: Client, de_politics: Channel) -> None:
    for _ in range(3):
        make_candidate(de_politics, state="approved")
    publish(de_politics.market_id)
    typed = sent(de_politics, feed_length=1, minimum_fill=1)
    lead.post(POLITICS, typed | {"agreed": lead.post(POLITICS, typed).context["agreed"]})
    publish(de_politics.market_id)
    newest = Snapshot.objects.filter(feed__channel=de_politics).latest("number")
    assert len(newest.entries) == 1


WRONG = [
    ("slots", 11, "From 0 to 10."),
    ("feed_length", 0, "From 1 to 100."),
    ("feed_length", "many", "From 1 to 100."),
    ("live_hours", "", "From 1 to 720."),
    ("half_life_minutes", 4, "From 5 to 10,080."),
    ("half_life_minutes", "9" * 30, "From 5 to 10,080."),
    ("minimum_fill", 11, "Of 10 entries in the feed no more than these can be the fewest."),
    ("weight_author", 101, "author: From 0 to 100."),
    ("weight_author", "nan", "author: From 0 to 100."),
    ("fallback", "panic", "Select a valid choice. panic is not one of the available choices."),
    ("reasons", "not_chosen", "Select a valid choice. not_chosen is not one of the available choices."),
]


@pytest.mark.parametrize(("name", "typed", "told"), WRONG)
def test_what_cannot_be_is_told_at_its_field(
    lead: Client, de_politics: Channel, name: str, typed: Any, told: str
) -> None:
    answer = lead.post(POLITICS, sent(de_politics, slots=4) | {name: typed})
    assert answer.status_code == 422
    setting = "rank_weights" if name.startswith("weight") else name
    wrong = {line.setting.name: line.wrong for line in answer.context["lines"] if line.wrong}
    assert wrong == {setting: [told]}
    page = answer.content.decode()
    assert f'id="{setting}-wrong" role="alert"' in page
    assert name == "slots" or 'name="slots" value="4"' in page
    assert Channel.objects.get(pk=de_politics.pk).slots == 3


@pytest.mark.parametrize(("reserve", "status"), [(5000, 302), (5001, 422)])
def test_rechecks_are_left_no_more_than_a_day_has(lead: Client, reserve: int, status: int) -> None:
    de = Market.objects.get(code="de")
    answer = lead.post(MARKET, sent(de, posts_a_day=5000, recheck_reserve=reserve))
    assert answer.status_code == status
    if status == 422:
        assert "Of 5,000 posts a day no more than these can be kept for rechecks." in answer.content.decode()


def test_a_shorter_feed_is_refused_where_the_fewest_do_not_fit(lead: Client, de_politics: Channel) -> None:
    answer = lead.post(POLITICS, sent(de_politics, feed_length=2))
    assert answer.status_code == 422
    assert "Of 2 entries in the feed no more than these can be the fewest." in answer.content.decode()


# --- two leads at once -----------------------------------------------------------------------------------------------
def test_the_same_setting_twice_is_told_and_nothing_overwritten(
    lead: Client, browse: Any, chief: User, de_politics: Channel
) -> None:
    shown = sent(de_politics)
    browse(chief).post(POLITICS, shown | {"slots": 7})
    answer = lead.post(POLITICS, shown | {"slots": 5, "live_hours": 30})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "chief set this at" in page
    assert ": 7. Saving again" in page
    assert 'name="slots" value="5"' in page
    assert 'name="live_hours" value="30"' in page
    stands = Channel.objects.get(pk=de_politics.pk)
    assert (stands.slots, stands.live_hours) == (7, 24)
    again = shown | {"slots": 5, "live_hours": 30, "seen": answer.context["seen"]}
    assert lead.post(POLITICS, again).status_code == 302
    stands.refresh_from_db()
    assert (stands.slots, stands.live_hours) == (5, 30)


def test_different_settings_do_not_meet(lead: Client, browse: Any, chief: User, de_politics: Channel) -> None:
    shown = sent(de_politics)
    assert browse(chief).post(POLITICS, shown | {"slots": 7}).status_code == 302
    assert lead.post(POLITICS, shown | {"live_hours": 30}).status_code == 302
    stands = Channel.objects.get(pk=de_politics.pk)
    assert (stands.slots, stands.live_hours) == (7, 30)


# --- the budget ------------------------------------------------------------------------------------------------------
def test_a_budget_below_what_is_used_is_told_before(lead: Client) -> None:
    de = Market.objects.get(code="de")
    BudgetDay.objects.create(market=de, day=budget.day_of(timezone.now()), used=7_203)
    typed = sent(de, posts_a_day=7_000, recheck_reserve=100)
    answer = lead.post(MARKET, typed)
    assert answer.status_code == 422
    assert "Today 7,203 posts are used already: with 7,000 a day nothing new is read until" in answer.content.decode()
    assert Market.objects.get(code="de").posts_a_day == de.posts_a_day
    assert "Save all the same" in answer.content.decode()
    assert lead.post(MARKET, typed | {"agreed": answer.context["agreed"]}).status_code == 302
    assert Market.objects.get(code="de").posts_a_day == 7_000
    assert lead.post(MARKET, sent(Market.objects.get(code="de"), posts_a_day=8_000)).status_code == 302


def test_what_is_not_below_it_is_not_asked(lead: Client) -> None:
    de = Market.objects.get(code="de")
    BudgetDay.objects.create(market=de, day=budget.day_of(timezone.now()), used=7_203)
    assert lead.post(MARKET, sent(de, posts_a_day=7_203)).status_code == 302


def test_it_is_told_while_one_types(lead: Client) -> None:
    BudgetDay.objects.create(market=Market.objects.get(code="de"), day=budget.day_of(timezone.now()), used=7_203)
    for typed, told in (("7202", True), ("7203", False), ("", False), ("-1", False), ("9" * 40, False)):
        part = lead.get("/budget/de/lowered/", {"posts_a_day": typed}).content.decode()
        assert ("Today 7,203 posts are used already" in part) is told
    assert "This month 7,203" in lead.get("/budget/de/lowered/", {"posts_a_month": "5"}).content.decode()


def test_the_forecast_takes_the_pace_of_the_last_days(lead: Client) -> None:
    de, today = Market.objects.get(code="de"), budget.day_of(timezone.now())
    for back in range(1, 4):
        BudgetDay.objects.create(market=de, day=today - timedelta(days=back), used=30_000)
    with time_machine.travel(datetime.combine(today, time(6), UTC), tick=False):  # later in the day it lasts
        part = lead.get("/budget/de/", headers={"HX-Request": "true"}).content.decode()
    assert "At this pace today's posts run out" in part
    assert "30,000 posts a day" in part
    assert "<html" not in part
    assert "<html" in lead.get("/budget/de/").content.decode()


# --- the half-life ---------------------------------------------------------------------------------------------------
def test_another_half_life_sorts_what_waits_as_what_comes(lead: Client, de_politics: Channel) -> None:
    kept = {"source": 12.5, "similar": -3}
    other = make_candidate(channel_of("de", "sport"), rank=50)
    row = make_candidate(de_politics, rank=1, rank_parts=kept)
    lead.post(POLITICS, sent(de_politics, half_life_minutes=30))
    channel = Channel.objects.get(pk=de_politics.pk)
    wanted = ranking.rank(kept, row.posted_at, channel)
    assert Candidate.objects.get(pk=row.pk).rank == pytest.approx(wanted, abs=1e-6)
    assert Candidate.objects.get(pk=other.pk).rank == 50
    Candidate.objects.filter(pk=row.pk).update(rank=1)
    lead.post(POLITICS, sent(channel, slots=2))
    assert Candidate.objects.get(pk=row.pk).rank == 1


# --- doors -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [MARKET, POLITICS])
def test_it_is_the_leads_alone(
    browse: Any, anna: User, eleni: User, guest: User, chief: User, path: str, de_politics: Channel
) -> None:
    for person, status in ((anna, 403), (eleni, 404), (guest, 404), (chief, 200), (None, 302)):
        assert browse(person).get(path).status_code == status
        if status != 200:
            assert browse(person).post(path, sent(de_politics, slots=9)).status_code == status
    assert not Change.objects.exists()


def test_no_such_channel(lead: Client) -> None:
    assert lead.get("/lists/de/settings/weather/").status_code == 404


@pytest.mark.parametrize("seen", ["", "[]", "no json", '{"slots": "x"}', '{"other": 1}', "null"])
def test_a_form_that_somebody_made_up_breaks_nothing(lead: Client, de_politics: Channel, seen: str) -> None:
    assert lead.post(POLITICS, sent(de_politics, slots=4, seen=seen)).status_code in (302, 409, 422)


def test_the_admin_keeps_the_same_bounds(browse: Any, chief: User, de_politics: Channel) -> None:
    client = browse(chief)
    url = f"/admin/regions/channel/{de_politics.pk}/change/"
    form = client.get(url).context["adminform"].form
    typed = {name: value for name in form.fields if (value := form[name].value()) is not None}
    answer = client.post(url, typed | {"half_life_minutes": 4, "reasons": "spam"})
    assert answer.context["adminform"].form.errors["half_life_minutes"] == ["From 5 to 10,080."]


def test_leads_of_two_markets_keep_to_each(browse: Any) -> None:
    mila = make_user("mila", {"de": Role.LEAD, "gr": Role.EDITOR})
    assert [browse(mila).get(f"/lists/{code}/settings/").status_code for code in ("de", "gr", "nl")] == [200, 403, 404]
