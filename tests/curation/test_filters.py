"""The queue narrowed: by a mark, an author, a language and a search; each stands in the address and can be cleared."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.ingest.storing.refreshing import refresh_ranks
from curation.models import Candidate, Offer, State, Tweet
from curation.models.candidates import MARKED
from curation.queue import counted_marks
from curation.verdicts import names_of
from regions.models import Channel, Role, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user
from tests.curation.test_desk import DESK, HTMX, in_german, make_many, rows_of, text_of
from tests.curation.test_desk_changes import since


def edited_tweet(**fields: Any) -> Tweet:
    return make_tweet(first_id=8, current_id=9, **fields)


@pytest.fixture
def marked(de_politics: Channel, ben: User) -> dict[str, Candidate]:
    """One that waits with each mark, and a plain one."""
    return {
        "": make_candidate(de_politics),
        "held": make_candidate(de_politics, held=True),
        "offered": make_candidate(de_politics, offered=True),
        "edited": make_candidate(de_politics, tweet=edited_tweet()),
        "sensitive": make_candidate(de_politics, tweet=make_tweet(sensitive=True)),
        "second": make_candidate(de_politics, confirmed_by=ben),
    }


def shown_tabs(context: Any) -> dict[str, int | None]:
    return {tab.show: tab.waiting for tab in context["tabs"]}


@pytest.mark.parametrize("show", MARKED)
def test_each_tab_shows_its_own(browse: Any, anna: User, marked: dict[str, Candidate], show: str) -> None:
    assert rows_of(browse(anna).get(DESK, {"show": show})) == [marked[show].pk]
    assert rows_of(browse(anna).get("/desk/de/", {"show": show})) == [marked[show].pk]


def test_tabs_tell_how_many_wait(browse: Any, anna: User, marked: dict[str, Candidate], de_politics: Channel) -> None:
    make_candidate(de_politics, held=True)
    make_candidate(de_politics, held=True, hidden=True, group=marked["held"])
    make_candidate(de_politics, held=True, state=State.BLOCKED)
    make_candidate(channel_of("de", "sport"), held=True)
    here = {"": 7, "held": 2, "offered": 1, "edited": 1, "sensitive": 1, "second": 1}
    assert shown_tabs(browse(anna).get(DESK).context) == here
    assert shown_tabs(browse(anna).get("/desk/de/").context) == here | {"": 8, "held": 3}


def test_a_tab_without_any_stays_quiet(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(de_politics, held=True)
    html = browse(in_german(anna)).get(DESK).content.decode()
    quiet = re.findall(r'<a href="([^"]*)" class="none"', html)
    assert quiet == [DESK + "?show=offered", DESK + "?show=edited", DESK + "?show=sensitive"]


def test_a_second_pair_of_eyes_has_a_tab_where_it_is_asked_for(browse: Any, anna: User, de_politics: Channel) -> None:
    assert "second" not in shown_tabs(browse(anna).get(DESK).context)
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    assert shown_tabs(browse(anna).get(DESK).context)["second"] == 0


def test_an_author_and_a_language_narrow_it_too(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("morgenkurier", name="Morgenkurier")
    own = make_candidate(de_politics, tweet=make_tweet("Über die Brücke", author=author))
    turkish = make_candidate(de_politics, tweet=make_tweet("Köprü", author=author, lang="tr"), rank=10)
    guessed = make_candidate(de_politics, tweet=make_tweet("Köprüde", lang="und", lang_guess="tr"), rank=5)
    make_candidate(de_politics, rank=1)
    desk = browse(anna)
    assert rows_of(desk.get(DESK, {"author": author.pk})) == [own.pk, turkish.pk]
    assert rows_of(desk.get(DESK, {"lang": "tr"})) == [turkish.pk, guessed.pk]
    assert rows_of(desk.get(DESK, {"lang": "tr", "author": author.pk})) == [turkish.pk]
    assert rows_of(desk.get(DESK, {"author": author.pk, "q": "brucke"})) == [own.pk]
    assert rows_of(desk.get(DESK, {"author": author.pk, "show": "held"})) == []


def test_each_filter_is_shown_and_can_be_cleared(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author("morgenkurier", name="Morgenkurier")
    make_candidate(de_politics, tweet=make_tweet("Köprü", author=author, lang="tr"), held=True)
    asked = {"show": "held", "author": author.pk, "lang": "tr", "q": "kopru", "order": "newest"}
    context = browse(in_german(anna)).get(DESK, asked).context
    assert [(chip.name, chip.value) for chip in context["chips"]] == [
        ("q", "kopru"),
        ("author", "Morgenkurier"),
        ("lang", "Türkisch"),
    ]
    for chip in context["chips"]:
        left = {name: str(value) for name, value in asked.items() if name != chip.name}
        assert dict(re.findall(r"(\w+)=([^&]+)", chip.query)) == left
    assert shown_tabs(context) == {"": None, "held": None, "offered": None, "edited": None, "sensitive": None}


@pytest.mark.parametrize(
    "asked",
    [{"show": "loud"}, {"author": "someone"}, {"author": "-4"}, {"author": 2**63}, {"lang": "x"}, {"lang": "d'e"}],
)
def test_an_unknown_value_falls_back_to_all(
    browse: Any, anna: User, de_politics: Channel, asked: dict[str, Any]
) -> None:
    candidate = make_candidate(de_politics)
    response = browse(anna).get(DESK, asked)
    assert (rows_of(response), response.context["asked"]) == ([candidate.pk], {"order": "best", "q": ""})


def test_pages_keep_to_the_filters_without_a_gap(browse: Any, anna: User, de_politics: Channel) -> None:
    author = make_author()
    own = [make_candidate(de_politics, tweet=make_tweet(author=author), held=True, rank=n).pk for n in range(50, 0, -1)]
    for rank in range(60):
        make_candidate(de_politics, rank=rank)
    first = browse(anna).get(DESK, {"show": "held", "author": author.pk, "lang": "de", "order": "newest"})
    (more,) = set(re.findall(r'href="([^"]*cursor=[^"]*)"', first.content.decode()))
    second = browse(anna).get(more.replace("&amp;", "&"), headers=HTMX)
    assert sorted([*rows_of(first), *rows_of(second)]) == own


def test_news_and_arrivals_keep_to_the_filters(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    seen = make_candidate(de_politics)
    held, plain = make_candidate(de_politics, held=True), make_candidate(de_politics)
    asked = since(0, seen.pk, show="held")
    response = browse(anna).get(DESK + "changes/", asked, headers=HTMX)
    assert (response.context["arrived"], shown_tabs(response.context)["held"]) == (1, 1)
    assert 'id="tabs"' in response.content.decode()
    assert rows_of(browse(anna).get(DESK + "arrivals/", asked, headers=HTMX)) == [held.pk]
    assert 'name="show" value="held"' in response.content.decode()
    acts = [operations.block(one, by=ben, version=1).act for one in (held, plain)]
    for act in acts:
        operations.undo(act, by=ben)
    news = browse(anna).get(DESK + "changes/", since(0, plain.pk, show="held"), headers=HTMX)
    assert [card.candidate.pk for card in news.context["rows"] if card.returned] == [held.pk]


def test_who_leads_a_group_next_comes_only_where_the_filters_show_it(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    first = make_candidate(de_politics, rank=9, held=True)
    plain = make_candidate(de_politics, rank=8, group=first, hidden=True)

    def next_ones(query: str) -> list[int]:
        told = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{DESK}{query}"}
        first.refresh_from_db()
        verb = {"verb": "block", "version": first.version}
        response = browse(anna).post(f"{DESK}candidates/{first.pk}/", verb, headers=told)
        found = [card.candidate.pk for card in response.context["next_ones"]]
        operations.undo(response.context["last"], by=anna)
        return found

    assert next_ones("") == [plain.pk]
    assert next_ones("?show=held") == []


def test_undo_leads_back_to_the_same_filters(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, held=True)
    operations.approve(candidate, by=anna, version=1)
    html = browse(anna).get(DESK, {"show": "held", "q": "a b"}).content.decode()
    assert html.count(f'name="next" value="{DESK}?q=a+b&amp;show=held"') == 2


def test_an_offer_an_edit_and_x_itself_set_the_marks(anna: User, bram: User, nl_politics: Channel) -> None:
    candidate = make_candidate(nl_politics)
    operations.decide("offer", candidate, by=bram, version=1, market="de")
    there = Offer.objects.get().candidate
    assert (there.offered, there.edited, there.sensitive) == (True, False, False)
    Tweet.objects.filter(pk=candidate.tweet_id).update(current_id=candidate.tweet.current_id + 1, sensitive=True)
    operations.edit([candidate.tweet_id], now=timezone.now())
    there.refresh_from_db()
    assert (there.offered, there.edited, there.sensitive) == (True, True, True)
    Tweet.objects.filter(pk=candidate.tweet_id).update(sensitive=False)
    refresh_ranks([candidate.tweet_id], timezone.now())
    there.refresh_from_db()
    assert (there.edited, there.sensitive) == (True, False)


@pytest.mark.parametrize("mark", MARKED)
def test_each_mark_has_its_index_in_the_queues_order(de_politics: Channel, mark: str) -> None:
    make_many(de_politics, 2000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE curation_candidate; ANALYZE curation_tweet")
    ben = make_user("ben", {"de": Role.EDITOR})
    few, others = Candidate.objects.filter(tweet__first_id__lt=3), Candidate.objects.filter(tweet__first_id__gt=1000)
    few.update(held=True, offered=True, edited=True, sensitive=True, confirmed_by=ben)
    others.update(state=State.APPROVED, approved_at=timezone.now(), confirmed_by=ben)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE curation_candidate")
    waiting = Candidate.objects.in_channel(de_politics).pending().leading()
    plan = waiting.marked(mark).best_first().values("pk")[:51].explain()
    assert f"queue_{mark}" in plan, plan


def test_counting_stops_at_a_thousand(de_politics: Channel) -> None:
    make_many(de_politics, 1100)
    Candidate.objects.update(held=True)
    assert counted_marks([de_politics]) == {"held": 1001, "offered": 0, "edited": 0, "sensitive": 0, "second": 0}


def test_tabs_cost_one_question_whatever_waits(browse: Any, anna: User, de_politics: Channel) -> None:
    def asked(**query: Any) -> int:
        with CaptureQueriesContext(connection) as queries:
            browse(anna).get(DESK, query)
        return len(queries)

    for _ in range(3):
        make_candidate(de_politics, held=True, posted_at=timezone.now() - timedelta(hours=1))
    searched, plain = asked(q="brucke"), asked()
    # Elsewhere the tabs tell nothing, and the rows are counted that are shown; a search looks through with two more.
    assert (searched - plain, asked(show="held"), asked(lang="de")) == (1, plain, plain - 1)


def test_the_heading_counts_what_was_found_beyond_the_page_too(
    browse: Any, anna: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.language = "en"
    anna.save()
    for rank in range(52):
        make_candidate(de_politics, f"Brücke {rank}", rank=rank)
    make_candidate(de_politics, "anderes", rank=99)
    first = browse(anna).get(DESK, {"q": "brucke"})
    assert (len(rows_of(first)), first.context["found"]) == (25, 52)
    assert browse(anna).get(DESK, {"q": "brucke 7"}).context["found"] == 1
    monkeypatch.setattr("curation.narrowing.MOST_COUNTED", 50)
    assert browse(anna).get(DESK, {"q": "brucke"}).context["found"] == 51


@pytest.mark.parametrize("words", ["Morgenkurier", "@morgen_kurier", "morgen_kurier", "@Morgen_Kurier brucke"])
def test_search_finds_authors_by_name_and_at_name(browse: Any, anna: User, de_politics: Channel, words: str) -> None:
    author = make_author("morgen_kurier", name="Morgenkurier Lindmark")
    tweet = make_tweet("Die Brücke", author=author)
    folded = f"die brucke {names_of(author.name, author.username)}"
    found = make_candidate(de_politics, tweet=tweet, folded=folded)
    make_candidate(de_politics, "Die Brücke")
    assert rows_of(browse(anna).get(DESK, {"q": words})) == [found.pk]


def test_an_empty_search_says_what_is_searched_and_leads_on(browse: Any, anna: User, de_politics: Channel) -> None:
    anna.language = "en"
    anna.save()
    make_candidate(channel_of("de", "sport"), "Die Brücke")
    response = browse(anna).get(DESK, {"q": "brucke", "show": "held"})
    assert "Nothing found for brucke" in text_of(response)
    html = response.content.decode()
    assert '<a class="button" href="/desk/de/?q=brucke">' in html
    assert f'<a class="button" href="{DESK}" hx-boost="true"' in html
    assert rows_of(browse(anna).get("/desk/de/?q=brucke")) != []


def test_the_heading_counts_what_was_found(browse: Any, anna: User, de_politics: Channel) -> None:
    """Also once others decided: not all that waits, which the rail tells."""
    for words in ("Hafen", "Hafen", "Bahnhof"):
        make_candidate(de_politics, words, held=words == "Bahnhof")
    page = {"": "3 open", "?q=hafen": "2 found", "?show=held": "1 found", "?lang=fr": "0 found"}
    for query, words in page.items():
        html = browse(anna).get(DESK + query).content.decode()
        assert re.findall(r'<i id="waiting">([^<]*)<', html) == [words]
    news = browse(anna).get(DESK + "changes/", since(q="hafen"), headers=HTMX)
    assert re.findall(r'<i id="waiting"[^>]*>([^<]*)<', news.content.decode()) == ["2 found"]
