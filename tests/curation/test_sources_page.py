"""The sources of a market: what the list tells, who may change what, and what each act leaves."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.ingest.polling import leases
from curation.models import Candidate, Cursor, IngestRun, State
from curation.sourcing.listing import Listing
from regions.models import Change, Channel, Market, Source, SourceExemption, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db
LIST = "/lists/de/sources/"
NEW = LIST + "new/"
Made = Callable[..., Source]


@pytest.fixture
def made(de_politics: Channel) -> Made:
    """A source of DE politics unless a scope is given, listed forty days ago."""

    def make(value: str, kind: str = "account", **fields: Any) -> Source:
        scope = {} if "market" in fields else {"channel": de_politics}
        told = {"created_at": timezone.now() - timedelta(days=40)} | scope | fields
        return Source.objects.create(kind=kind, value=value, **told)

    return make


def ran(source: Source, *, ago: timedelta = timedelta(minutes=5), **told: Any) -> IngestRun:
    at = timezone.now() - ago
    return IngestRun.objects.create(source=source, started_at=at, ended_at=at, **{"outcome": "read"} | told)


def typed(**fields: Any) -> dict[str, Any]:
    told = {"kind": "account", "value": "@rathaus", "scope": "channel", "category": "politics", "name": "Rathaus"}
    return told | {"trust": "60", "least_seconds": "60", "most_seconds": "1800", "save": "1"} | fields


def names(response: Any) -> list[str]:
    """The sources in the list, in order."""
    return re.findall(r'<th scope="row"><a [^>]*><bdi>(.*?)</bdi>', response.content.decode())


def address_of(source: Source, tail: str = "") -> str:
    return f"{LIST}{source.pk}/{tail}"


def test_the_list_tells_what_each_costs_and_brings(browse: Any, lena: User, made: Made, de_politics: Channel) -> None:
    source = made("rathaus", name="Rathaus Lindmark")
    ran(source, read=100, fresh=50, charged=90, ago=timedelta(days=3))
    ran(source, read=100, fresh=50, charged=90, ago=timedelta(days=20))
    for _n in range(24):
        make_candidate(de_politics, source=source, state=State.APPROVED)
    for _n in range(76):
        make_candidate(de_politics, source=source, state=State.LAPSED)
    for _n in range(9):
        make_candidate(de_politics, source=source)
    said = text_of(browse(lena).get(LIST))
    assert "Rathaus LindmarkAccount · @rathaus DE Politics 50 24 $0.45" in said
    assert "reads" in said
    bar = re.search(r'<rect width="(\d+)" height="4"/></svg>', browse(lena).get(LIST).content.decode())
    assert bar and bar[1] == "48"


def test_many_sources_take_as_many_queries_as_one(browse: Any, lena: User, made: Made) -> None:
    ran(made("blatt_0"), fresh=1)
    client = browse(lena)
    client.get(LIST)
    counts = []
    for many in (range(0), range(1, 25)):
        for n in many:
            ran(made(f"blatt_{n}"), fresh=1)
            made(f"tor {n}", "search", market=None)
        with CaptureQueriesContext(connection) as asked:
            client.get(LIST)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_tabs_by_origin_and_troubled(browse: Any, lena: User, made: Made, de_politics: Channel) -> None:
    made("eins", name="Eins")
    made("drei", "search", market=de_politics.market, name="Drei")
    made("vier", "list", market=None, name="Vier")
    made("fuenf", channel=channel_of("de", "sport"), name="Fünf", paused_at=timezone.now(), paused_reason="Ruht.")
    made("sechs", channel=channel_of("nl", "sport"), name="Sechs")
    client = browse(lena)
    page = client.get(LIST)
    assert names(page) == ["Eins", "Fünf", "Drei", "Vier"]
    tabs = re.findall(r">([^<>]+) <i>(\d+)</i>", page.content.decode())
    assert tabs == [("All", "4"), ("Politics", "1"), ("Sport", "1"), ("DE", "1"), ("Global", "1"), ("Troubled", "1")]
    shown = {show: names(client.get(LIST, {"show": show})) for show in ("in-sport", "market", "global", "troubled")}
    assert shown == {"in-sport": ["Fünf"], "market": ["Drei"], "global": ["Vier"], "troubled": ["Fünf"]}
    assert "Paused: Ruht." in text_of(client.get(LIST, {"show": "troubled"}))


def test_search_finds_name_value_and_place_and_answers_htmx_in_part(browse: Any, lena: User, made: Made) -> None:
    made("rathaus", name="Stadt Lindmark")
    made("(brücke OR tunnel) lang:de", "search")
    client = browse(lena)
    assert names(client.get(LIST, {"q": "lindm"})) == ["Stadt Lindmark"]
    assert names(client.get(LIST, {"q": "bruecke"})) == []
    assert names(client.get(LIST, {"q": "BRUCKE politics"})) == ["(brücke OR tunnel) lang:de"]
    told = {"HX-Request": "true", "HX-Target": "found"}
    part = client.get(LIST, {"q": "rathaus"}, headers=told)
    assert (names(part), "<html" in part.content.decode()) == (["Stadt Lindmark"], False)
    assert part["HX-Push-Url"] == f"{LIST}?q=rathaus"
    assert 'hx-swap-oob="true"' in part.content.decode()
    assert "No source fits." in text_of(client.get(LIST, {"q": "nichts"}))


def test_long_lists_come_in_pages(browse: Any, lena: User, made: Made) -> None:
    for n in range(102):
        made(f"blatt_{n:03}")
    client = browse(lena)
    first = client.get(LIST)
    more = re.search(r'href="([^"]*after=\d+)"', first.content.decode())
    assert more and len(names(first)) == 100
    assert names(client.get(more[1])) == ["@blatt_100", "@blatt_101"]


def test_a_new_source_is_listed_once_and_logged(browse: Any, lena: User, de_politics: Channel) -> None:
    client = browse(lena)
    answer = client.post(NEW, typed(value="https://x.com/Rathaus", auto_approve="1"))
    source = Source.objects.get()
    assert (answer.status_code, answer.url) == (302, LIST)
    assert (source.value, source.channel, source.trust, source.auto_approve) == ("Rathaus", de_politics, 60, True)
    change = Change.objects.get()
    assert (change.by, change.verb, change.market, change.noun_id) == (lena, "add", de_politics.market, source.pk)
    assert change.after == {"kind": "account", "value": "Rathaus", "auto_approve": True}
    said = text_of(client.get(LIST))
    assert f"Changed by {lena.shown_name}," in said
    assert "Rathaus: listed · approve by itself" in said
    again = client.post(NEW, typed(value="@rathaus"))
    assert again.status_code == 409
    assert "“Rathaus” stands in the list already: DE Politics." in text_of(again)
    assert Source.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"value": "@name_of_sixteen_"}, "value"),
        ({"kind": "search", "value": "lang:de"}, "value"),
        ({"kind": "feed"}, "kind"),
        ({"category": ""}, "category"),
        ({"scope": "planet"}, "scope"),
        ({"scope": "market", "category": "weather"}, "category"),
        ({"trust": "101"}, "trust"),
        ({"trust": "much"}, "trust"),
        ({"least_seconds": "9"}, "least_seconds"),
        ({"least_seconds": "3600"}, "most_seconds"),
        ({"name": "x" * 101}, "name"),
        ({"name": "", "auto_approve": "1"}, "name"),
        ({"kind": "search", "value": "rathaus", "auto_approve": "1"}, "auto_approve"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_stays_typed(
    browse: Any, lena: User, fields: dict[str, str], field: str
) -> None:
    answer = browse(lena).post(NEW, typed(**fields))
    page = answer.content.decode()
    assert (answer.status_code, Source.objects.exists()) == (422, False)
    assert f'id="wrong-{field}" role="alert"' in page
    assert page.count('class="wrong"') == 1
    if field == "value":
        assert fields["value"] in page


def test_everything_that_is_wrong_is_told_at_once(browse: Any, lena: User) -> None:
    wrong = {"kind": "search", "value": "(rat", "trust": "101", "least_seconds": "3600", "auto_approve": "1"}
    answer = browse(lena).post(NEW, typed(**wrong))
    fields = re.findall(r'id="wrong-(\w+)" role="alert">([^<]*)', answer.content.decode())
    assert (answer.status_code, fields) == (422, [
        ("value", "A bracket is opened and not closed. (at character 1)"),
        ("most_seconds", "The longest time is shorter than the shortest."),
        ("trust", "From 0 to 100."),
        ("auto_approve", "Only a single account can be approved by itself."),
    ])  # fmt: skip
    assert answer.content.decode().count('aria-invalid="true"') == 4


def test_only_categories_of_the_market_are_offered(browse: Any, lena: User, chief: User) -> None:
    Channel.objects.filter(market__code="de", category__slug="sport").update(active=False)
    offered = {}
    for user in (lena, chief):
        page = browse(user).get(NEW).content.decode()
        here, _group, elsewhere = page[page.index('id="category"') :].partition("</select>")[0].partition("<optgroup")
        offered[user.username] = ['value="politics"' in here, 'value="sport"' in here, 'value="sport"' in elsewhere]
    assert offered == {lena.username: [True, False, False], chief.username: [True, False, True]}


def test_a_wider_source_that_feeds_the_channel_already_is_told(
    browse: Any, lena: User, made: Made, de_politics: Channel
) -> None:
    wide = made("rathaus", market=de_politics.market)
    assert browse(lena).post(NEW, typed()).status_code == 409
    Source.objects.filter(pk=wide.pk).update(category=channel_of("de", "sport").category)
    asked = browse(lena).post(NEW, typed())
    assert (asked.status_code, Source.objects.count()) == (200, 1)
    assert "DE · Sport reads it already. Save again to read it here too." in text_of(asked)
    told = re.search(r'name="told_beside" value="(.*?)"', asked.content.decode())
    assert told and browse(lena).post(NEW, typed(told_beside=told[1])).status_code == 302
    made_now = Source.objects.get(channel=de_politics)
    assert "DE · Sport reads it already." in text_of(browse(lena).get(address_of(made_now)))


def test_global_ones_are_the_chiefs(browse: Any, lena: User, chief: User, made: Made) -> None:
    assert browse(lena).post(NEW, typed(scope="global", category="")).status_code == 403
    assert browse(chief).post(NEW, typed(scope="global", category="sport")).status_code == 302
    source = Source.objects.get()
    assert (source.scope, source.category and source.category.slug) == ("global", "sport")
    page = browse(lena).get(address_of(source))
    assert "It holds for all markets" in text_of(page)
    assert 'name="save"' not in page.content.decode()
    assert browse(lena).post(address_of(source), typed()).status_code == 403
    for act in ("pause", "resume", "remove"):
        assert browse(lena).post(address_of(source, "act/"), {"act": act, "reason": "x"}).status_code == 403
    assert Source.objects.filter(paused_at=None).count() == 1


def test_a_global_one_is_left_out_with_a_reason_and_taken_over_again(
    browse: Any, lena: User, made: Made, de_politics: Channel
) -> None:
    source, client = made("tor", "search", market=None), browse(lena)
    refused = client.post(address_of(source, "act/"), {"act": "exempt", "reason": " "})
    assert (refused.status_code, SourceExemption.objects.exists()) == (422, False)
    assert 'id="wrong-reason" role="alert"' in refused.content.decode()
    client.post(address_of(source, "act/"), {"act": "exempt", "reason": "Zu viel Sport."})
    assert de_politics not in source.channels()
    page = client.get(address_of(source))
    assert "left out hereZu viel Sport." in text_of(page)
    assert f"Left out by {lena.shown_name}" in text_of(page)
    client.post(address_of(source, "act/"), {"act": "take_over"})
    assert de_politics in source.channels()
    verbs = list(Change.objects.order_by("pk").values_list("verb", "market__code"))
    assert verbs == [("exempt", "de"), ("end_exemption", "de")]


def test_a_source_is_paused_with_a_reason_and_resumed_here(browse: Any, lena: User, made: Made) -> None:
    source, client = made("rathaus"), browse(lena)
    leases.add_missing_cursors()
    Cursor.objects.update(due_at=timezone.now() + timedelta(hours=3))
    assert client.post(address_of(source, "act/"), {"act": "pause"}).status_code == 422
    client.post(address_of(source, "act/"), {"act": "pause", "reason": "Wahlkampf"})
    source.refresh_from_db()
    assert (source.paused_at is None, source.paused_reason) == (False, "Wahlkampf")
    assert "Paused: Wahlkampf." in text_of(client.get(LIST))
    client.post(address_of(source, "act/"), {"act": "resume"})
    source.refresh_from_db()
    assert (source.paused_at, Cursor.objects.get().due_at <= timezone.now()) == (None, True)
    assert list(Change.objects.order_by("pk").values_list("verb", "by")) == [("pause", lena.pk), ("resume", lena.pk)]


def test_a_removed_source_leaves_its_candidates_and_runs(
    browse: Any, lena: User, made: Made, de_politics: Channel
) -> None:
    source, client = made("rathaus", name="Rathaus Lindmark"), browse(lena)
    leases.add_missing_cursors()
    run, candidate = ran(source, fresh=1), make_candidate(de_politics, source=source)
    client.post(address_of(source, "act/"), {"act": "remove"})
    assert (names(client.get(LIST)), Cursor.objects.exists()) == ([], False)
    assert client.get(address_of(source)).status_code == 404
    assert Candidate.objects.get(pk=candidate.pk).source == source
    assert IngestRun.objects.get(pk=run.pk).source == source
    assert "found by Rathaus Lindmark" in text_of(client.get(f"/posts/{candidate.tweet.current_id}/"))
    assert "Rathaus Lindmark: removed" in text_of(client.get(LIST))
    assert client.post(NEW, typed()).status_code == 302


def test_a_change_is_kept_with_before_and_after_and_overwrites_nobody(browse: Any, lena: User, made: Made) -> None:
    source, client = made("rathaus", name="Rathaus", trust=50, x_id="77"), browse(lena)
    seen = re.search(r'name="seen" value="(\d+)"', client.get(address_of(source)).content.decode())
    assert seen and client.post(address_of(source), typed(seen=seen[1])).status_code == 302
    change = Change.objects.get()
    assert (change.before, change.after) == ({"trust": "50"}, {"trust": "60"})
    late = client.post(address_of(source), typed(seen=seen[1], trust="10"))
    assert (late.status_code, "Somebody changed this source meanwhile." in text_of(late)) == (409, True)
    source.refresh_from_db()
    assert (source.trust, source.x_id) == (60, "77")
    assert "trust: 50 → 60" in text_of(client.get(LIST))
    panel = late.content.decode()[late.content.decode().index('id="panel"') :]
    assert re.search(rf"{lena.shown_name}</span>.*changed · <bdi>trust: 50 → 60</bdi>", panel), "who, and what"
    assert 'value="10"' in panel and f'href="{address_of(source)}#panel"' in panel
    seen = re.search(r'name="seen" value="(\d+)"', panel)
    assert seen and client.post(address_of(source), typed(seen=seen[1], trust="10")).status_code == 302
    source.refresh_from_db()
    assert source.trust == 10


def test_another_account_is_read_from_its_beginning(browse: Any, lena: User, made: Made) -> None:
    source = made("rathaus", x_id="77", paused_at=timezone.now(), paused_reason="X knows no such account.")
    leases.add_missing_cursors()
    ran(source, outcome="refused", error="X knows no such account.")
    Cursor.objects.update(newest_id=99, gap_floor_id=5, gap_until_id=9, leased=True)
    browse(lena).post(address_of(source), typed(value="@ratshaus"))
    source.refresh_from_db()
    cursor = Cursor.objects.get()
    assert (source.value, source.x_id, source.paused_at) == ("ratshaus", "", None)
    assert (cursor.newest_id, cursor.gap_floor_id, cursor.leased) == (None, None, False)


def test_a_changed_query_is_read_on_from_where_it_was(browse: Any, lena: User, made: Made) -> None:
    source = made("landtag", "search")
    leases.add_missing_cursors()
    Cursor.objects.update(newest_id=99, due_at=timezone.now() + timedelta(hours=1))
    browse(lena).post(address_of(source), typed(kind="search", value="landtag -quiz"))
    cursor = Cursor.objects.get()
    assert (cursor.newest_id, cursor.due_at <= timezone.now()) == (99, True)
    assert Source.objects.get().value == "landtag -quiz"


def test_what_a_rule_let_through_today_is_listed(browse: Any, lena: User, made: Made, de_politics: Channel) -> None:
    source = made("rathaus", name="Rathaus", auto_approve=True)
    author = make_author("rathaus")
    tweet = make_tweet("Der Rat &amp; die Brücke", author=author)
    make_candidate(de_politics, tweet=tweet, source=source)
    assert operations.approve_by_rule(source, now=timezone.now()) == 1
    page = browse(lena).get(address_of(source))
    assert "Let through today: 1 post" in text_of(page)
    assert "Der Rat &amp; die Brücke" in page.content.decode()
    assert f'href="/posts/{tweet.current_id}/"' in page.content.decode()
    form = re.search(
        r'action="(/desk/[^"]+)".*?name="version" value="(\d+)".*?name="next" value="([^"]+)"', page.content.decode()
    )
    assert form
    gone = browse(lena).post(form[1], {"version": form[2], "next": form[3], "verb": "block"})
    assert (gone.url, Candidate.objects.get().state) == (f"{address_of(source)}#panel", State.BLOCKED)
    assert 'value="block"' not in browse(lena).get(address_of(source)).content.decode()
    assert "approved by itself" in text_of(browse(lena).get(LIST))


def decided(source: Source, channel: Channel, **counts: int) -> None:
    """Posts that a source brought, so many of each state."""
    for state, number in counts.items():
        for _n in range(number):
            make_candidate(channel, source=source, state=State(state))


def told_of(home: Market, user: User) -> dict[str, str]:
    return {one.row.source.name: one.sentence for one in Listing(home, user, timezone.now()).suggestions}


def test_suggestions_say_what_could_go(browse: Any, lena: User, made: Made, de_politics: Channel) -> None:
    ran(made("still", name="Still"), fresh=1, read=1, ago=timedelta(days=16))
    ran(Source.objects.get(value="still"), read=0)
    gone = made("weg", name="Weg", paused_at=timezone.now(), paused_reason="Could not find user.")
    ran(gone, outcome="refused", error="Could not find user.")
    poor = made("viel", "search", name="Viel")
    ran(poor, ago=timedelta(days=9), read=100, fresh=30)
    ran(poor, read=900, fresh=40, charged=300)
    decided(poor, de_politics, approved=1, blocked=9, lapsed=50, pending=200)
    young = made("neu", name="Neu", created_at=timezone.now() - timedelta(days=3))
    ran(young, read=0)
    ran(made("gut", "search", name="Gut"), read=20, fresh=20)
    sentence = "60 posts that it brought in 9 days were decided on: 1 approved, 9 blocked, 50 not chosen in time."
    assert told_of(de_politics.market, lena) == {
        "Viel": sentence,
        "Still": "Nothing new came for 16 days.",
        "Weg": "X shows nothing of it any more.",
    }
    assert f"{sentence} It cost $1.50 in 7 days." in text_of(browse(lena).get(LIST))


def test_what_is_read_again_and_what_waits_speaks_against_no_source(
    lena: User, made: Made, de_politics: Channel
) -> None:
    poor, other = made("viel", "search", name="Viel"), made("gut", "search", name="Gut")
    first = ran(poor, ago=timedelta(days=6), read=246, fresh=40)
    ran(poor, read=2000)
    decided(poor, de_politics, pending=400, lapsed=49)
    assert told_of(de_politics.market, lena) == {}, "for six days, with 49 decided on"
    decided(poor, de_politics, lapsed=1)
    assert told_of(de_politics.market, lena) == {}, "for six days"
    IngestRun.objects.filter(pk=first.pk).update(started_at=timezone.now() - timedelta(days=8))
    assert told_of(de_politics.market, lena) == {}, "where nothing at all was approved nobody decides"
    decided(other, de_politics, approved=1)
    assert list(told_of(de_politics.market, lena)) == ["Viel"]
    change = Change.objects.create(noun="source", noun_id=poor.pk, verb="change", before={"value": "wenig"})
    assert told_of(de_politics.market, lena) == {}, "a new query is not judged by what the old one brought"
    Change.objects.filter(pk=change.pk).update(before={"trust": "50"})
    Candidate.objects.filter(source=poor, state=State.LAPSED).first().delete()  # type: ignore[union-attr]
    assert told_of(de_politics.market, lena) == {}, "with 49 decided on"


def test_one_that_nobody_asked_is_not_silent(lena: User, made: Made, de_politics: Channel) -> None:
    source = made("still", name="Still")
    ran(source, ago=timedelta(days=25), fresh=1)
    ran(source, ago=timedelta(days=3))
    assert told_of(de_politics.market, lena) == {}


def test_removing_says_what_goes_and_can_be_undone_twice_over(
    browse: Any, lena: User, made: Made, de_politics: Channel
) -> None:
    source, client = made("rathaus", name="Rathaus Lindmark", trust=70), browse(lena)
    ran(source, read=90, fresh=12, charged=90, ago=timedelta(days=2))
    decided(source, de_politics, approved=3, blocked=1)
    said = text_of(client.get(address_of(source)))
    assert "In the last 7 days it brought 12 new posts and cost $0.45." in said
    assert "Of what it brought in 30 days 3 posts were approved." in said
    back = address_of(source, "restore/")
    for _again in range(2):
        client.post(address_of(source, "act/"), {"act": "remove"})
        page = client.get(LIST)
        assert (names(page), page.content.decode().count(f'action="{back}"')) == ([], 2), "told and in the log"
        client.post(back)
        assert names(client.get(LIST)) == ["Rathaus Lindmark"]
        assert f'action="{back}"' not in client.get(LIST).content.decode()
    source.refresh_from_db()
    assert (source.removed_at, source.trust, source.value) == (None, 70, "rathaus")
    client.post(back)
    assert list(Change.objects.order_by("pk").values_list("verb", "by")) == [
        ("remove", lena.pk), ("restore", lena.pk), ("remove", lena.pk), ("restore", lena.pk),
    ]  # fmt: skip


def test_what_is_listed_again_meanwhile_is_not_put_back(
    browse: Any, lena: User, anna: User, eleni: User, made: Made
) -> None:
    source, wide, client = made("rathaus", name="Rathaus"), made("tor", "search", market=None), browse(lena)
    client.post(address_of(source, "act/"), {"act": "remove"})
    client.post(NEW, typed())
    client.post(address_of(source, "restore/"))
    assert "“Rathaus” stands in the list already: DE Politics." in text_of(client.get(LIST))
    assert Source.objects.filter(value="rathaus").count() == 1
    Source.ever.update(removed_at=timezone.now())
    assert [browse(user).post(address_of(source, "restore/")).status_code for user in (anna, eleni)] == [403, 404]
    assert client.post(address_of(wide, "restore/")).status_code == 403
    assert not Source.objects.exists()


def test_nobody_else_comes_in(
    browse: Any, anna: User, vera: User, bram: User, guest: User, eleni: User, made: Made
) -> None:
    source = made("rathaus")
    addresses = [LIST, NEW, LIST + "bring/", LIST + "sheet.csv", address_of(source)]
    assert {browse(user).get(one).status_code for user in (anna, vera) for one in addresses} == {403}
    assert {browse(user).get(one).status_code for user in (bram, guest, eleni) for one in addresses} == {404}
    assert {browse().get(one).status_code for one in addresses} == {302}
    for user, status in ((anna, 403), (eleni, 404)):
        assert browse(user).post(address_of(source, "act/"), {"act": "remove"}).status_code == status
        assert browse(user).post(NEW, typed()).status_code == status
    foreign = made("gemeente", channel=channel_of("gr", "sport"))
    assert browse(eleni).get(f"/lists/gr/sources/{source.pk}/").status_code == 404
    assert browse(eleni).get(f"/lists/gr/sources/{foreign.pk}/").status_code == 200
    assert Source.objects.count() == 2


def test_foreign_words_stay_words(browse: Any, lena: User, made: Made) -> None:
    source = made("rathaus", name='<script>alert("1")</script>')
    for address in (LIST, address_of(source), LIST + "?q=%3Cscript%3Ealert"):
        assert "<script>alert" not in browse(lena).get(address).content.decode()


def test_another_market_pays_for_a_global_one(browse: Any, eleni: User, made: Made) -> None:
    made("tor", "search", market=None)
    said = text_of(browse(eleni).get("/lists/gr/sources/"))
    assert "Global DE pays" in re.sub(r"(?<=Global)(?=DE)", " ", said)
    assert Market.objects.active().first() == Market.objects.get(code="de")
