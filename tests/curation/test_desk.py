"""The desk's pages: who sees what, in which order, under which address."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from curation import operations
from curation.models import Candidate, Hit, State, Tweet
from regions.models import Block, BlockList, Channel, Role, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet, make_user

DESK = "/desk/de/politics/"
HTMX = {"HX-Request": "true"}


def rows_of(response: HttpResponse) -> list[int]:
    """The candidates on a page, from top to bottom."""
    return [int(pk) for pk in re.findall(r'<li id="row-(\d+)"', response.content.decode())]


def text_of(response: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


@pytest.mark.parametrize("path", ["/", "/desk/de/", DESK, DESK + "changes/", DESK + "arrivals/"])
def test_strangers_are_sent_to_log_in(browse: Any, db: None, path: str) -> None:
    response = browse().get(path)
    assert (response.status_code, response.url) == (302, f"/accounts/login/?next={path}")


@pytest.mark.parametrize("path", ["/desk/de/", DESK, DESK + "changes/", DESK + "arrivals/", "/desk/xx/"])
def test_another_market_does_not_exist(browse: Any, bram: User, path: str) -> None:
    assert browse(bram).get(path).status_code == 404


def test_a_category_without_a_channel_does_not_exist(browse: Any, anna: User) -> None:
    assert browse(anna).get("/desk/de/weather/").status_code == 404


def test_home_goes_straight_to_the_only_market(browse: Any, anna: User) -> None:
    assert browse(anna).get("/").url == "/desk/de/"


def test_home_lists_ones_markets_with_their_counts(browse: Any, db: None) -> None:
    both = make_user("mila", {"de": Role.EDITOR, "nl": Role.VIEWER}, language="en")
    for _ in range(3):
        make_candidate(channel_of("nl", "sport"))
    counts = {market.noun.code: market.waiting for market in browse(both).get("/").context["markets"]}
    assert counts == {"de": 0, "nl": 3}


def test_home_tells_a_guest_what_to_do(browse: Any, guest: User) -> None:
    assert "You belong to no market yet" in text_of(browse(guest).get("/"))


def test_the_best_comes_first_or_the_newest(browse: Any, anna: User, de_politics: Channel) -> None:
    good = make_candidate(de_politics, rank=80, posted_at=timezone.now() - timedelta(hours=3))
    new = make_candidate(de_politics, rank=20, posted_at=timezone.now())
    assert rows_of(browse(anna).get(DESK)) == [good.pk, new.pk]
    assert rows_of(browse(anna).get(DESK + "?order=newest")) == [new.pk, good.pk]


def test_only_what_waits_in_this_channel_is_shown(browse: Any, anna: User, de_politics: Channel) -> None:
    waiting = make_candidate(de_politics)
    make_candidate(de_politics, state=State.APPROVED)
    make_candidate(de_politics, group=waiting, hidden=True)
    elsewhere = make_candidate(channel_of("de", "sport"), rank=10)
    assert rows_of(browse(anna).get(DESK)) == [waiting.pk]
    assert rows_of(browse(anna).get("/desk/de/")) == [waiting.pk, elsewhere.pk]


def test_pages_follow_each_other_without_a_gap(browse: Any, anna: User, de_politics: Channel) -> None:
    made = [make_candidate(de_politics, rank=rank).pk for rank in range(50, 0, -1)]
    first = browse(anna).get(DESK)
    (more,) = set(re.findall(r'href="([^"]*cursor=[^"]*)"', first.content.decode()))
    second = browse(anna).get(more.replace("&amp;", "&"), headers=HTMX)
    assert [*rows_of(first), *rows_of(second)] == made
    assert second.content.decode().lstrip().startswith("<li")


def test_search_finds_folded_words_and_keeps_to_what_waits(browse: Any, anna: User, de_politics: Channel) -> None:
    found = make_candidate(de_politics, "Die Brücke über den Fluß ist ΑΝΟΙΧΤΌΣ")
    make_candidate(de_politics, "Ganz etwas anderes")
    for words in ("brucke", "BRÜCKE fluss", "ανοιχτος", '"uber den"', "-anderes fluß"):
        assert rows_of(browse(anna).get(DESK, {"q": words})) == [found.pk], words


def make_many(channel: Channel, count: int) -> None:
    """Pending candidates without a word about who wrote them."""
    at = timezone.now()
    tweets = Tweet.objects.bulk_create(
        Tweet(first_id=pk, current_id=pk, text="x", created_at=at) for pk in range(count)
    )
    Candidate.objects.bulk_create(
        Candidate(channel=channel, tweet=tweet, posted_at=at, folded=f"post {tweet.pk} word{tweet.pk}")
        for tweet in tweets
    )


def test_search_uses_the_index(de_politics: Channel) -> None:
    make_many(de_politics, 1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE curation_candidate; SET LOCAL enable_seqscan = off")
    plan = Candidate.objects.pending().holding_words("word7").values("pk").explain()
    assert "queue_search" in plan, plan


def test_an_unusable_address_falls_back_to_the_first_page(browse: Any, anna: User, de_politics: Channel) -> None:
    assert browse(anna).get(DESK + "?cursor=nonsense").url == DESK
    assert browse(anna).get(DESK + "?order=loudest").context["asked"] == {"order": "best", "q": ""}


def test_a_viewer_sees_no_buttons(browse: Any, vera: User, de_politics: Channel) -> None:
    make_candidate(de_politics)
    response = browse(vera).get(DESK)
    assert len(rows_of(response)) == 1
    assert 'name="verb"' not in response.content.decode()


def test_counts_stop_at_a_thousand(browse: Any, anna: User, de_politics: Channel) -> None:
    make_many(de_politics, 1002)
    assert "Politik 1000+ offen" in text_of(browse(in_german(anna)).get(DESK))


def in_german(user: User) -> User:
    user.language = "de"
    user.save()
    return user


def test_a_card_shows_what_is_wrong_with_a_post(browse: Any, anna: User, de_politics: Channel) -> None:
    tweet = make_tweet("Zwei warfen Böller", sensitive=True, withheld_in=["FR"], current_id=9, first_id=8)
    candidate = make_candidate(de_politics, tweet=tweet, held=True)
    gewalt = BlockList.objects.create(name="Gewalt", market=de_politics.market)
    block = make_block("Böller", effect=Block.Effect.HOLD, block_list=gewalt, market=de_politics.market)
    Hit.objects.create(candidate=candidate, block=block, start=12, end=18)
    make_candidate(de_politics, group=candidate, hidden=True)
    response = browse(in_german(anna)).get(DESK)
    assert "Zwei warfen <mark>Böller</mark>" in response.content.decode()
    told = text_of(response)
    for words in ("Zurückgehalten: Böller · Gewalt · DE", "Von X als sensibel markiert", "Bearbeitet bei X",
                  "Von X zurückgehalten in FR", "1 ähnlicher"):  # fmt: skip
        assert words in told


def test_foreign_names_never_become_markup(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("evil", name="<img src=x onerror=alert(1)>", avatar_url="")
    make_candidate(de_politics, tweet=make_tweet("<b>hi</b>", author=author))
    html = browse(anna).get(DESK).content.decode()
    assert ("<img src=x" in html, "<b>hi</b>" in html) == (False, False)
    assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_times_are_the_markets(browse: Any, eleni: User) -> None:
    at = timezone.now().replace(year=2026, month=1, day=5, hour=10, minute=0, second=0)
    make_candidate(channel_of("gr", "sport"), posted_at=at)
    assert "12:00:00" in browse(eleni).get("/desk/gr/sport/").content.decode()


def test_the_page_asks_a_steady_number_of_questions(browse: Any, anna: User, de_politics: Channel) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(anna).get(DESK)
        return len(queries)

    make_candidate(de_politics)
    few = asked()
    for _ in range(20):
        make_candidate(de_politics)
    assert asked() == few


def test_without_anything_to_do_the_page_says_so(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(channel_of("de", "sport"))
    told = text_of(browse(in_german(anna)).get(DESK))
    assert "Politik ist gelesen." in told
    assert "Sport · 1" in told


def test_the_last_act_can_be_undone_from_a_fresh_page(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    outcome = operations.decide("approve", candidate, by=anna, version=1)
    response = browse(in_german(anna)).get(DESK)
    assert response.context["last"] == outcome.act
    assert f"/desk/de/acts/{outcome.act.pk}/undo/" in response.content.decode()


def test_what_others_decided_since_is_passed_over_for_what_can_be_undone(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    """Else Z would stand for ever before an act that nobody can take back: overtaken, or moved and decided there."""
    first, overtaken, moved = (make_candidate(de_politics) for _ in range(3))
    approved = operations.decide("approve", first, by=anna, version=1)
    operations.decide("approve", overtaken, by=anna, version=1)
    operations.decide("move", moved, by=anna, version=1, category="sport")
    operations.decide("block", overtaken, by=ben, version=2)
    assert browse(anna).get(DESK).context["last"].verb == "move"
    there = Candidate.objects.get(tweet=moved.tweet, channel__category__slug="sport")
    operations.decide("block", there, by=ben, version=1)
    assert browse(anna).get(DESK).context["last"] == approved.act


def test_another_persons_act_is_not_ones_own_to_undo(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    operations.decide("approve", make_candidate(de_politics), by=ben, version=1)
    assert browse(anna).get(DESK).context["last"] is None


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_the_page_brings_the_words_for_ages(browse: Any, anna: User, de_politics: Channel, language: str) -> None:
    anna.language = language
    anna.save()
    for passed in (timedelta(seconds=90), timedelta(hours=3, minutes=30), timedelta(days=2, hours=12)):
        make_candidate(de_politics, posted_at=timezone.now() - passed)
    html = browse(anna).get(DESK).content.decode()
    with translation.override(language):
        words = {86400: "%(n)d d", 3600: "%(n)d h", 60: "%(n)d min", 1: "%(n)d s"}
        told = {unit: translation.gettext(one) for unit, one in words.items()}
    for unit, one in told.items():
        assert f'<template data-ages="{unit}">{one}</template>' in html
    assert [age_in_page(html, told[unit] % {"n": n}) for unit, n in ((60, 1), (3600, 3), (86400, 2))] == [1, 1, 1]


def age_in_page(html: str, words: str) -> int:
    return html.count(f" data-age>{words}</time>")
