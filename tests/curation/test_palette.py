"""The palette: places, authors, posts, filters and pages, and nothing of markets that one does not belong to."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from curation.models import Author, Candidate, State
from curation.verdicts import names_of
from regions.models import Channel, Role, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user
from tests.curation.test_desk import HTMX, text_of

HERE = {"market": "de", "category": "politics"}


def in_english(user: User) -> User:
    user.language = "en"
    user.save()
    return user


def written(channel: Channel, text: str, author: Author, **fields: Any) -> Candidate:
    """As ingest folds it: the words, then the author's names."""
    candidate = make_candidate(channel, tweet=make_tweet(text, author=author), **fields)
    candidate.folded += f" {names_of(author.name, author.username)}"
    candidate.save()
    return candidate


def found(browse: Any, user: User, q: str, **where: str) -> dict[str, list[Any]]:
    response = browse(in_english(user)).get("/palette/", {"q": q} | where, headers=HTMX)
    return {group.name: list(group.options) for group in response.context["groups"]}


def urls(options: list[Any]) -> list[str]:
    return [option.url for option in options]


@pytest.fixture
def courier() -> Author:
    return make_author("Morgen_Kurier", name="Morgenkurier Lindmark")


def test_strangers_are_sent_to_log_in(browse: Any, db: None) -> None:
    assert browse().get("/palette/?q=sport").url == "/accounts/login/?next=/palette/%3Fq%3Dsport"


def test_a_place_is_found_by_any_of_its_names(browse: Any, db: None) -> None:
    mila = make_user("mila", {"de": Role.EDITOR, "nl": Role.VIEWER})
    make_candidate(channel_of("nl", "sport"))
    both = ["/desk/de/sport/", "/desk/nl/sport/"]
    assert urls(found(browse, mila, "sport")["places"]) == both
    assert urls(found(browse, mila, "SPOR", market="nl")["places"]) == both[::-1]
    assert urls(found(browse, mila, "nl spo")["places"]) == both[1:]
    assert urls(found(browse, mila, "Niederl poli")["places"]) == ["/desk/nl/politics/"]
    assert [option.count for option in found(browse, mila, "sport")["places"]] == [0, 1]
    assert urls(found(browse, mila, "nl all cat")["places"]) == ["/desk/nl/"]


def test_without_words_it_offers_what_one_needs_most(browse: Any, anna: User) -> None:
    groups = found(browse, anna, "", **HERE)
    assert list(groups) == ["places", "acts", "pages"]
    assert urls(groups["places"]) == [f"/desk/de/{slug}/" for slug in ("politics", "economy", "sport", "celebrity")]
    assert [option.act for option in groups["acts"]][:4] == ["approve", "pin", "block", "block_reason"]


def test_acts_are_for_those_who_may_decide_here(browse: Any, anna: User, vera: User) -> None:
    acts = found(browse, anna, "bloc", **HERE)["acts"]
    assert [(option.act, option.key, option.needs_row) for option in acts] == [
        ("block", "B", True),
        ("block_reason", "⇧B", True),
    ]
    assert "acts" not in found(browse, anna, "bloc")
    assert "acts" not in found(browse, vera, "bloc", **HERE)


@pytest.mark.parametrize("q", ["morgen", "@morgen", "MORGEN_KU", "lindm", "morgenkurier lindmark", "@Morgen_Kurier"])
def test_an_author_is_found_by_name_and_at_name(
    browse: Any, anna: User, de_politics: Channel, courier: Author, q: str
) -> None:
    written(de_politics, "Die Brücke", courier)
    written(de_politics, "Die Brücke", make_author("sonnenhof", name="Sonnenhof"))
    (option,) = found(browse, anna, q, **HERE)["authors"]
    assert (option.label, option.url, option.count) == (courier.name, f"/desk/de/?author={courier.pk}", 1)


def test_an_author_whose_posts_are_live_is_found_too(
    browse: Any, anna: User, de_politics: Channel, courier: Author
) -> None:
    written(de_politics, "Die Brücke", courier, state=State.APPROVED)
    assert [option.count for option in found(browse, anna, "@morg")["authors"]] == [0]
    Candidate.objects.update(state=State.BLOCKED, approved_at=None)
    assert "authors" not in found(browse, anna, "@morg")


def test_posts_are_found_by_their_words_as_one_types(browse: Any, anna: User, de_politics: Channel) -> None:
    low, high = (make_candidate(de_politics, f"Die Brücke &amp; der Fluß {n}", rank=n) for n in (1, 2))
    make_candidate(de_politics, "Die Brücke", state=State.APPROVED)
    sport = make_candidate(channel_of("de", "sport"), "Brückenlauf", rank=90)
    options = found(browse, anna, "bruck", **HERE)["posts"]
    assert [option.row for option in options] == [high.pk, low.pk, sport.pk]
    assert options[0].label == "Die Brücke & der Fluß 2"
    assert options[0].url == f"/posts/{high.tweet.current_id}/"
    assert [option.row for option in found(browse, anna, "fluss bruc")["posts"]] == [high.pk, low.pk]
    assert found(browse, anna, "':* & | !(").keys() <= {"acts", "places", "pages"}


def test_nothing_of_foreign_markets_is_found(browse: Any, anna: User, nl_politics: Channel, courier: Author) -> None:
    written(nl_politics, "De brug over de rivier", courier)
    for q in ("brug", "rivier", "@morgen_kurier", "morgenkurier", "netherlands", "nl", "Ολλανδία"):
        for where in ({}, HERE, {"market": "nl", "category": "politics"}):
            groups = found(browse, anna, q, **where)
            assert {"authors", "posts", "acts"} & groups.keys() == set(), (q, where)
            assert [option for option in groups.get("places", []) if option.code == "nl"] == []
            assert [url for url in urls(groups.get("pages", []) + groups.get("narrow", [])) if "/nl/" in url] == []


def test_a_foreign_place_is_as_none(browse: Any, anna: User, vera: User) -> None:
    foreign = found(browse, anna, "", market="nl", category="politics")
    assert foreign == found(browse, anna, "")
    assert urls(found(browse, vera, "log")["pages"]) == ["/my/decisions/", "/accounts/logout/"]


def test_pages_are_those_one_may_open(browse: Any, anna: User, lena: User) -> None:
    assert urls(found(browse, anna, "log", **HERE)["pages"]) == ["/my/decisions/", "/accounts/logout/"]
    assert urls(found(browse, lena, "log", **HERE)["pages"]) == ["/my/decisions/", "/log/de/", "/accounts/logout/"]
    assert "pages" not in found(browse, anna, "erase", **HERE)
    assert urls(found(browse, lena, "erase", **HERE)["pages"]) == ["/erase/de/"]
    assert urls(found(browse, anna, "theme")["pages"]) == ["/profile/", "", "", ""]
    assert urls(found(browse, anna, "profile")["pages"]) == ["/profile/"]
    assert urls(found(browse, anna, "passk")["pages"]) == ["/accounts/2fa/webauthn/"]


def test_colours_are_chosen_where_one_stands(browse: Any, anna: User) -> None:
    assert [option.theme for option in found(browse, anna, "theme")["pages"]] == ["", "system", "light", "dark"]
    person = browse(anna)
    for headers, element in ((HTMX, 'role="option"'), ({}, 'form="themes"')):
        html = person.get("/palette/", {"q": "dark"}, headers=headers).content.decode()
        assert [element in button for button in re.findall(r"<button[^>]*value=.dark.[^>]*>", html)] == [True]
    response = person.post("/profile/theme/", {"theme": "dark", "next": "/desk/de/politics/"})
    assert (response.url, User.objects.get(pk=anna.pk).theme) == ("/desk/de/politics/", "dark")
    assert 'data-theme="dark"' in person.get("/desk/de/politics/").content.decode()
    assert person.post("/profile/theme/", {"theme": "light", "next": "https://evil.example/"}).url == "/profile/"
    assert person.post("/profile/theme/", {"theme": "pink"}).status_code == 400
    assert User.objects.get(pk=anna.pk).theme == "light"


def test_languages_and_filters_are_found_by_name(browse: Any, anna: User) -> None:
    greek = found(browse, anna, "gree", **HERE)
    assert [option.language for option in greek["pages"]] == ["el"]
    assert urls(greek["narrow"]) == ["/desk/de/politics/?lang=el"]
    assert urls(found(browse, anna, "held", market="de")["narrow"]) == ["/desk/de/?show=held"]


def test_without_scripts_it_is_a_page(browse: Any, anna: User) -> None:
    response = browse(in_english(anna)).get("/palette/", {"q": "sport"})
    html = response.content.decode()
    assert '<a class="palette__option" href="/desk/de/sport/">' in html
    assert 'data-act="' not in html
    nothing = browse(anna).get("/palette/", {"q": "<b>zzz</b>"})
    assert "Nothing found for &lt;b&gt;zzz&lt;/b&gt;" in text_of(nothing)
    assert "<b>zzz" not in nothing.content.decode()


@pytest.mark.parametrize("path", ["/", "/desk/de/", "/my/decisions/", "/profile/", "/palette/", "/log/de/"])
def test_every_page_of_the_console_has_it(browse: Any, lena: User, path: str) -> None:
    html = browse(lena).get(path).content.decode()
    assert (html.count('id="palette"'), html.count("curation/console.js")) == (1, 1)
    assert html.count('name="htmx-config"') == len(re.findall(r"/htmx[^\"]*\.js", html)) == 1


def test_pages_without_a_person_load_nothing_of_it(browse: Any, db: None) -> None:
    html = browse().get("/accounts/login/").content.decode()
    assert ("console.js" in html, "palette.css" in html) == (False, False)


def test_it_asks_a_steady_number_of_questions(browse: Any, anna: User, de_politics: Channel, courier: Author) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(anna).get("/palette/", {"q": "morgen"} | HERE, headers=HTMX)
        return len(queries)

    for _ in range(6):
        written(de_politics, "Die Brücke am Morgen", courier)
    few = asked()
    for _ in range(12):
        written(de_politics, "Der Morgen", make_author(name="Morgenblatt"))
    assert asked() == few


def test_names_are_found_by_their_index(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "authors_by_beginning" in Author.objects.filter(username__istartswith="mor").explain()
