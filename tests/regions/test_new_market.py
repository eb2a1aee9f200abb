"""Markets and categories as data: a chief adds them by the pages, and everything is there at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from curation import operations
from curation.matching import Matcher
from feeds.models import Feed
from feeds.operations import catch_up, publish
from regions.models import Category, Change, Channel, Market, Role, Source, User
from tests.cast import channel_of, make_candidate, make_user
from tests.feeds.conftest import at_the_edge, committed, id_of, published

pytestmark = pytest.mark.django_db
ADD, PLACES = "/places/markets/add/", "/places/"
NAMES = {"de": "Österreich", "nl": "Oostenrijk", "el": "Αυστρία", "ro": "Austria", "hr": "Austrija", "en": "Austria"}


def typed(**more: Any) -> dict[str, Any]:
    """What a chief types of AT: politics and sport."""
    ids = [category.pk for category in Category.objects.filter(slug__in=("politics", "sport"))]
    told = {"code": "at", "country": "AT", "languages": "de, hu", "time_zone": "Europe/Vienna", "categories": ids}
    return told | {f"name_{code}": name for code, name in NAMES.items()} | more


@pytest.fixture
def client(browse: Any, chief: User) -> Client:
    opened: Client = browse(chief)
    return opened


@committed
def test_a_new_market_is_there_at_once(client: Client, browse: Any, api: Any) -> None:
    answer = client.post(ADD, typed())
    assert (answer.status_code, answer["Location"]) == (302, "/places/markets/at/")
    at = Market.objects.get(code="at")
    assert (at.country, at.languages, at.time_zone, at.names) == ("AT", ["de", "hu"], "Europe/Vienna", NAMES)
    assert at.position == Market.objects.get(code="hr").position + 1
    assert [one.category.slug for one in at.channel_set.all()] == ["politics", "sport"]

    for path in ("/desk/at/", "/desk/at/sport/", "/lists/at/settings/", "/lists/at/people/", "/ticker/at/sport/"):
        assert client.get(path).status_code == 200, path
    empty = client.get("/api/v1/feeds/at/sport/").json()
    assert (empty["market"], empty["category"], empty["language"], empty["entries"]) == ("at", "sport", "de", [])
    assert at_the_edge("at")["snapshot"] == 1
    assert at_the_edge("at", "politics", "full")["entries"] == []
    listed = {(one["market"], one["category"]) for one in client.get("/api/v1/feeds/").json()["feeds"]}
    assert {("at", None), ("at", "politics"), ("at", "sport")} <= listed
    assert ("at", "economy") not in listed

    lead = make_user("alma", {"at": Role.LEAD})
    row = make_candidate(channel_of("at", "sport"), "Der SV Lindmark gewinnt 3:1.")
    sent = {"verb": "approve", "version": 1}
    assert api(lead).post(f"/api/v1/candidates/{row.pk}/decisions/", sent, format="json").status_code == 201
    for path in ("/api/v1/feeds/at/sport/", "/api/v1/feeds/at/"):
        assert [entry["id"] for entry in browse().get(path).json()["entries"]] == [id_of(row)]
    assert [entry["id"] for entry in at_the_edge("at", "sport")["entries"]] == [id_of(row)]


def test_sources_of_all_and_blocks_of_all_hold_there_too(client: Client, chief: User) -> None:
    everywhere = Source.objects.create(kind=Source.Kind.ACCOUNT, value="stadtblatt_lindmark")
    client.post(ADD, typed())
    at = Market.objects.get(code="at")
    assert {one.market_id for one in everywhere.channels()} >= {at.pk}
    assert Matcher.of(at) is not None


def test_the_publisher_finds_what_nobody_published(client: Client) -> None:
    """As after a crash between the commit and the publication: this test commits nothing."""
    client.post(ADD, typed())
    assert not Feed.objects.filter(market__code="at").exists()
    assert catch_up() == Market.objects.count()
    assert published("at", "sport")["entries"] == []


def test_it_is_logged_with_all_that_was_set(client: Client, chief: User) -> None:
    client.post(ADD, typed())
    lines = [(one.by, one.noun, one.verb) for one in Change.objects.order_by("pk")]
    assert lines == [(chief, "market", "add"), (chief, "channel", "add"), (chief, "channel", "add")]
    assert Change.objects.first().after["time_zone"] == "Europe/Vienna"  # type: ignore[union-attr]


WRONG = [
    ("code", "", "This is needed."),
    ("code", "aut", "Two lower-case letters."),
    ("code", "a1", "Two lower-case letters."),
    ("code", "ΑΤ", "Two lower-case letters."),
    ("code", "DE", "There is a market with this code already."),
    ("country", "Austria", "The two letters of a country, such as AT."),
    ("country", "XY", "The two letters of a country, such as AT."),
    ("languages", "", "This is needed."),
    ("languages", "de, deutsch", "No language has the code deutsch. Two letters each, such as de, hu."),
    ("languages", "qq", "No language has the code qq. Two letters each, such as de, hu."),
    ("time_zone", "Europe/Atlantis", "There is no such time zone."),
    ("time_zone", "../../etc/passwd", "There is no such time zone."),
    ("categories", [], "A market needs a category, so that it has a desk."),
    ("categories", ["999999"], "Select a valid choice. 999999 is not one of the available choices."),
    ("position", "-1", "A number from 0."),
    ("name_en", "", "This is needed."),
    ("name_de", "a\u202eb", "One line of plain words."),
]


@pytest.mark.parametrize(("name", "value", "told"), WRONG)
def test_what_cannot_be_is_told_at_its_field(client: Client, name: str, value: Any, told: str) -> None:
    answer = client.post(ADD, typed() | {name: value})
    assert (answer.status_code, answer.context["form"].errors) == (422, {name: [told]})
    page = answer.content.decode()
    assert f'id="{name}-wrong" role="alert">{told}</p>' in page
    assert name.startswith("name") or "Österreich" in page
    assert Market.objects.count() == 5


def test_a_market_is_changed_and_its_feeds_follow(client: Client, chief: User) -> None:
    hr = Market.objects.get(code="hr")
    page = client.get("/places/markets/hr/").context["form"]
    sent = {field.html_name: field.value() for field in page if field.value() is not None}
    ids = list(Category.objects.filter(slug__in=("politics", "economy", "sport")).values_list("pk", flat=True))
    answer = save(client, "/places/markets/hr/", sent | {"languages": "de", "name_en": "Hrvatska", "categories": ids})
    assert answer.status_code == 302
    hr.refresh_from_db()
    assert (hr.languages, hr.names["en"], hr.time_zone) == (["de"], "Hrvatska", "Europe/Zagreb")
    publish(hr.pk)
    assert client.get("/api/v1/feeds/hr/sport/").json()["language"] == "de"
    assert client.get("/desk/hr/celebrity/").status_code == 404
    told = Change.objects.get(noun="market")
    assert (told.by, told.before["languages"], told.after["languages"]) == (chief, ["hr"], ["de"])
    assert Change.objects.get(noun="channel").verb == "switch_off"


def test_nothing_changed_is_no_change(client: Client) -> None:
    page = client.get("/places/markets/hr/").context["form"]
    sent = {field.html_name: field.value() for field in page if field.value() is not None}
    assert client.post("/places/markets/hr/", sent).status_code == 302
    assert not Change.objects.exists()


@committed
def test_a_channel_off_and_on_again_is_as_it_was(client: Client, anna: User) -> None:
    row = make_candidate(channel_of("de", "sport"))
    operations.approve(row, by=anna, version=1)
    assert client.get("/api/v1/feeds/de/sport/").json()["entries"]
    every = list(Category.objects.values_list("pk", flat=True))
    sport = Category.objects.get(slug="sport").pk
    page = client.get("/places/markets/de/").context["form"]
    sent = {field.html_name: field.value() for field in page if field.value() is not None}
    save(client, "/places/markets/de/", sent | {"categories": [one for one in every if one != sport]})
    assert client.get("/api/v1/feeds/de/sport/").status_code == 404
    assert client.get("/api/v1/feeds/de/").json()["entries"] == []
    client.post("/places/markets/de/", sent | {"categories": every})
    assert [one["id"] for one in client.get("/api/v1/feeds/de/sport/").json()["entries"]] == [id_of(row)]


def save(client: Client, path: str, sent: dict[str, Any]) -> Any:
    """Saves, and again with the button that says what it switches off."""
    asked = client.post(path, sent)
    assert asked.status_code == 422
    return client.post(path, sent | {"agreed": asked.context["agreed"]})


def form_of(client: Client, path: str) -> dict[str, Any]:
    """A page's form as it is sent unchanged."""
    return {one.html_name: one.value() for one in client.get(path).context["form"] if one.value() is not None}


def test_a_category_that_is_unticked_is_asked_with_what_ends(client: Client, chief: User) -> None:
    path, politics = "/places/markets/de/", Category.objects.get(slug="politics").pk
    for channel, n in (("sport", 2), ("economy", 1)):
        for _ in range(n):
            make_candidate(channel_of("de", channel), state="approved")
    make_candidate(channel_of("de", "sport"))
    asked = client.post(path, form_of(client, path) | {"categories": [politics]})
    assert (asked.status_code, asked.context["button"]) == (422, "Save and switch 3 off")
    assert asked.context["told"] == [
        "DE Economy closes at once: 1 live, 0 pending.",
        "DE Sport closes at once: 2 live, 1 pending.",
        "DE Celebrities closes at once: 0 live, 0 pending.",
    ]
    assert "Nothing was saved yet." in asked.content.decode()
    assert Channel.objects.filter(market__code="de", active=True).count() == 4
    less = form_of(client, path) | {"categories": [politics, Category.objects.get(slug="sport").pk]}
    assert client.post(path, less | {"agreed": asked.context["agreed"]}).status_code == 422
    assert client.post(path, less | {"agreed": "on", "categories": [politics]}).status_code == 422
    assert save(client, path, less).status_code == 302
    assert Channel.objects.filter(market__code="de", active=True).count() == 2


def test_so_is_a_market_that_a_category_leaves(client: Client) -> None:
    path, de = "/places/categories/sport/", Market.objects.get(code="de")
    make_candidate(channel_of("gr", "sport"), state="approved")
    others = [pk for pk in form_of(client, path)["markets"] if pk != Market.objects.get(code="gr").pk]
    sent = form_of(client, path) | {"markets": others}
    asked = client.post(path, sent)
    assert asked.context["told"] == ["GR Sport closes at once: 1 live, 0 pending."]
    assert channel_of("gr", "sport").active
    assert save(client, path, sent).status_code == 302
    assert not channel_of("gr", "sport").active
    assert client.post(path, sent).status_code == 302  # it is off already
    assert de.pk in others


def test_switching_a_market_off_says_what_ends(client: Client) -> None:
    make_candidate(channel_of("nl", "sport"), state="approved")
    make_candidate(channel_of("nl", "politics"))
    told = "Netherlands closes at once: 1 live, 1 pending."
    assert client.get("/places/markets/nl/").context["ends"] == [told]
    client.post("/places/markets/nl/switch/", {"on": "no", "sure": "on"})
    assert client.get("/places/markets/nl/").context["ends"] == []


def test_what_ends_is_told_to_chiefs_alone(client: Client, browse: Any, lena: User) -> None:
    for path in ("/closing/de/", "/closing/de/sport/"):
        assert (client.get(path).status_code, browse(lena).get(path).status_code) == (200, 403)
        assert browse().get(path).status_code == 302


def test_their_pages_show_what_was_changed(client: Client, chief: User) -> None:
    path = "/places/markets/de/"
    sent = form_of(client, path) | {"languages": "de, hr"}
    assert client.post(path, sent).status_code == 302
    save(client, "/places/categories/sport/", form_of(client, "/places/categories/sport/") | {"markets": []})
    Channel.objects.filter(market__code="nl", category__slug="politics").update(slots=2)
    client.post("/lists/nl/settings/politics/", {})  # what is refused is no change
    mine = [one.sentence for one in client.get(path).context["changes"]]
    assert mine == ["DE Sport switched off", "DE Germany changed: languages: de → de, hr"]
    every = [one.sentence for one in client.get(PLACES).context["changes"]]
    assert every[-1] == "DE Germany changed: languages: de → de, hr"
    assert sorted(every[:-1]) == [f"{code} Sport switched off" for code in ("DE", "GR", "HR", "NL", "RO")]
    here = client.get("/places/categories/sport/").content.decode()
    assert "RO Sport switched off" in here
    assert "The last 5 changes" in here


@committed
def test_a_market_off_and_on_again(client: Client, browse: Any, lena: User) -> None:
    publish(Market.objects.get(code="de").pk)
    client.post("/places/markets/de/switch/", {"on": "no"})
    assert Market.objects.get(code="de").active
    client.post("/places/markets/de/switch/", {"on": "no", "sure": "on"})
    for path in ("/desk/de/", "/lists/de/settings/"):
        assert browse(lena).get(path).status_code == 404
    assert client.get("/api/v1/feeds/de/").status_code == 404
    assert "switched off" in client.get(PLACES).content.decode()
    client.post("/places/markets/de/switch/", {"on": "yes"})
    assert browse(lena).get("/desk/de/").status_code == 200
    assert client.get("/api/v1/feeds/de/").status_code == 200
    verbs = list(Change.objects.order_by("pk").values_list("noun", "verb"))
    assert verbs == [("market", "switch_off"), ("market", "switch_on")]


# --- categories ------------------------------------------------------------------------------------------------------
def of_weather(**more: Any) -> dict[str, Any]:
    codes = ("de", "gr")
    ids = [market.pk for market in Market.objects.filter(code__in=codes)]
    return {"slug": "weather", "name_en": "Weather", "name_de": "Wetter", "markets": ids} | more


@committed
def test_a_new_category_is_a_desk_and_a_feed_where_it_is_ticked(client: Client) -> None:
    answer = client.post("/places/categories/add/", of_weather())
    assert (answer.status_code, answer["Location"]) == (302, "/places/categories/weather/")
    weather = Category.objects.get(slug="weather")
    assert (weather.names, weather.name_in("el")) == ({"en": "Weather", "de": "Wetter"}, "Weather")
    for code, status in (("de", 200), ("gr", 200), ("nl", 404)):
        assert client.get(f"/desk/{code}/weather/").status_code == status
        assert client.get(f"/api/v1/feeds/{code}/weather/").status_code == status
    assert at_the_edge("gr", "weather")["entries"] == []


@pytest.mark.parametrize(
    ("slug", "told"),
    [
        ("hold", "This word is taken by an address of ours. Choose another."),
        ("add", "This word is taken by an address of ours. Choose another."),
        ("feed.json", "Lower-case letters, digits and hyphens."),
        ("sport", "There is a category with this slug already."),
        ("9lives", "Lower-case letters, digits and hyphens."),
        ("", "This is needed."),
    ],
)
def test_bad_slugs_are_told_at_the_field(client: Client, slug: str, told: str) -> None:
    answer = client.post("/places/categories/add/", of_weather(slug=slug))
    assert (answer.status_code, answer.context["form"].errors) == (422, {"slug": [told]})
    assert Category.objects.count() == 4


def test_a_category_moves_with_its_channels(client: Client) -> None:
    page = client.get("/places/categories/sport/").context["form"]
    sent = {field.html_name: field.value() for field in page if field.value() is not None}
    assert client.post("/places/categories/sport/", sent | {"position": 0, "name_de": "Sport!"}).status_code == 302
    assert set(Channel.objects.filter(category__slug="sport").values_list("position", flat=True)) == {0}
    assert Category.objects.get(slug="sport").names["de"] == "Sport!"


# --- doors -----------------------------------------------------------------------------------------------------------
PATHS = (PLACES, ADD, "/places/markets/de/", "/places/categories/add/", "/places/categories/sport/")


@pytest.mark.parametrize("path", [*PATHS, "/places/markets/de/switch/"])
def test_it_is_the_chiefs_alone(browse: Any, lena: User, guest: User, path: str) -> None:
    for person, status in ((lena, 403), (guest, 403), (None, 302)):
        assert browse(person).get(path).status_code == status
        assert browse(person).post(path, typed(on="no")).status_code == status
    assert Market.objects.filter(active=True).count() == 5


def test_what_is_not_there(client: Client) -> None:
    assert client.get("/places/markets/zz/").status_code == 404
    assert client.get("/places/categories/weather/").status_code == 404
