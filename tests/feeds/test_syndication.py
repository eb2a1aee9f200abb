"""What feed readers get: JSON Feed 1.1, field by field, and RSS 2.0 as a reader reads it; at Django and the edge."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import jsonschema
import pytest
from django.test import Client
from django.utils.dateparse import parse_datetime
from hypothesis import given, settings
from hypothesis import strategies as some

from curation import operations
from feeds import api, files
from feeds.models import Place
from feeds.operations import mend_edge, publish
from feeds.syndication import Titled, json_feed, rss, written_at
from regions.models import Category, Channel, Market, User
from tests.cast import channel_of, make_candidate, make_tweet
from tests.feeds.conftest import committed, live

pytestmark = pytest.mark.django_db
FEED, MARKET = "/api/v1/feeds/de/politics", "/api/v1/feeds/de"
ID = 1_859_000_000_000_000_001
POLITICS = Place("ids", "de", "politics")
TEXT, STRING = {"type": "string"}, {"type": "string", "minLength": 1}
ADDRESS = {"type": "string", "format": "uri", "pattern": "^https?://"}
AUTHORS = {
    "type": "array",
    "items": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {"name": TEXT, "url": ADDRESS, "avatar": ADDRESS},
    },
}
EXTENSIONS = {"^_[^.]+$": {"type": "object"}}
JSON_FEED: dict[str, Any] = {  # https://www.jsonfeed.org/version/1.1/
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "patternProperties": EXTENSIONS,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": STRING,
        "home_page_url": ADDRESS,
        "feed_url": ADDRESS,
        "description": TEXT,
        "user_comment": TEXT,
        "next_url": ADDRESS,
        "icon": ADDRESS,
        "favicon": ADDRESS,
        "authors": AUTHORS,
        "language": {"type": "string", "pattern": "^[a-z]{2,3}(-[A-Za-z0-9]+)*$"},
        "expired": {"type": "boolean"},
        "hubs": {"type": "array"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id"],
                "anyOf": [{"required": ["content_text"]}, {"required": ["content_html"]}],
                "additionalProperties": False,
                "patternProperties": EXTENSIONS,
                "properties": {
                    "id": STRING,
                    "url": ADDRESS,
                    "external_url": ADDRESS,
                    "title": STRING,
                    "content_html": TEXT,
                    "content_text": TEXT,
                    "summary": TEXT,
                    "image": ADDRESS,
                    "banner_image": ADDRESS,
                    "date_published": {"type": "string", "format": "date-time"},
                    "date_modified": {"type": "string", "format": "date-time"},
                    "authors": AUTHORS,
                    "tags": {"type": "array", "items": STRING},
                    "language": TEXT,
                    "attachments": {"type": "array"},
                },
            },
        },
    },
}


@pytest.fixture(autouse=True)
def database_at_once() -> None:
    api.database.asked_again_at = 0.0


@pytest.fixture
def politics(feed_root: Path) -> Channel:
    channel = channel_of("de", "politics")
    tweet = make_tweet("Die Brücke steht.", first_id=ID, current_id=ID)
    live(channel, tweet=tweet, context='Was "R&D" <b>kostet</b>', label="Anzeige")
    live(channel, "Ohne Worte")
    publish(channel.market_id)
    return channel


def read(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200
    return bytes(response.content)


def test_json_feed_holds_to_the_standard(politics: Channel, client: Client) -> None:
    feed = json.loads(read(client, f"{FEED}/feed.json"))
    jsonschema.validate(feed, JSON_FEED, format_checker=jsonschema.FormatChecker())
    assert (feed["title"], feed["language"]) == ("Deutschland · Politik", "de")
    assert feed["feed_url"] == f"http://localhost:8000{FEED}/feed.json"
    assert feed["home_page_url"] == "http://localhost:8000/ticker/de/politics/"
    entries = json.loads(read(client, f"{FEED}/"))["entries"]
    assert [(item["id"], item["url"]) for item in feed["items"]] == [(one["id"], one["url"]) for one in entries]
    by_id = {item["id"]: item for item in feed["items"]}
    told = by_id.pop("1859000000000000001")
    assert told == {
        "id": "1859000000000000001",
        "url": "https://x.com/i/status/1859000000000000001",
        "title": 'Was "R&D" <b>kostet</b>',
        "content_text": 'Was "R&D" <b>kostet</b>',
        "date_published": "2024-11-19T22:25:13Z",
        "tags": ["politics"],
        "_tickerdesk": {"pinned": False, "label": "Anzeige", "expires_at": None},
    }
    [bare] = by_id.values()
    assert ("title" in bare, bare["content_text"]) == (False, bare["url"])


def test_rss_is_read_without_a_complaint(politics: Channel, client: Client) -> None:
    body = read(client, f"{FEED}/rss.xml")
    feed = feedparser.parse(body)
    assert (feed.bozo, feed.version) == (False, "rss20")
    assert (feed.feed.title, feed.feed.link) == ("Deutschland · Politik", "http://localhost:8000/ticker/de/politics/")
    assert (feed.feed.language, feed.feed.ttl) == ("de", "1")
    own = [link.href for link in feed.feed.links if link.rel == "self"]
    assert own == [f"http://localhost:8000{FEED}/rss.xml"]
    published = json.loads(read(client, f"{FEED}/"))["published_at"]
    assert datetime(*feed.feed.updated_parsed[:6], tzinfo=UTC) == parse_datetime(published)
    told = {one.id: one for one in feed.entries}
    one = told.pop("https://x.com/i/status/1859000000000000001")
    assert one.link == one.id
    assert one.published_parsed[:6] == (2024, 11, 19, 22, 25, 13)
    assert [tag.term for tag in one.tags] == ["politics"]
    [bare] = told.values()
    assert bare.title == bare.link
    words = [node.text for node in ElementTree.fromstring(body).iterfind("channel/item/title")]
    assert sorted(words) == ['Anzeige · Was "R&D" <b>kostet</b>', bare.link], "as text, not as markup"


def test_no_words_of_a_post_stand_in_them_whoever_asks(politics: Channel, client: Client) -> None:
    for name in ("feed.json", "rss.xml"):
        plain = read(client, f"{FEED}/{name}")
        assert b"Br\xc3\xbccke" not in plain and b"Ohne Worte" not in plain
        assert read(client, f"{FEED}/{name}?key=0123456789abcdef") == plain


@given(words=some.lists(some.text(some.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_editors_write_both_can_be_read(words: list[str]) -> None:
    titled = Titled("Deutschland", "de", "/ticker/de/", "de")
    entries = [
        {"id": str(1_859_000_000_000_000_001 + n), "url": f"https://x.com/i/status/{n}", "category": "sport",
         "pinned": False, "context": word or None, "label": None, "expires_at": None}
        for n, word in enumerate(words)
    ]  # fmt: skip
    feed = {"snapshot": 1, "published_at": "2026-11-22T08:41:07Z", "ttl": 60, "removed": [], "entries": entries}
    told = json.loads(json_feed(feed, titled))
    jsonschema.validate(told, JSON_FEED)
    assert [item.get("title") for item in told["items"]] == [word or None for word in words]
    parsed = feedparser.parse(rss(feed, titled).encode())
    assert (parsed.bozo, len(parsed.entries)) == (False, len(words))


@pytest.mark.parametrize("name", ["feed.json", "rss.xml"])
@committed
def test_the_edge_has_the_same_bytes_and_drops_what_is_blocked(
    name: str, politics: Channel, client: Client, lena: User
) -> None:
    mend_edge()
    file = files.beside(POLITICS, name)
    answer = client.get(f"{FEED}/{name}", headers={"Accept-Encoding": "gzip"})
    assert files.read(file) == (1, answer.content)
    standing = file.stat()
    assert answer["ETag"] == f'"{int(standing.st_mtime):x}-{standing.st_size:x}"'
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert client.get(f"{FEED}/{name}", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert mend_edge() == 0
    shown = politics.candidate_set.get(tweet__current_id=ID)
    operations.block(shown, by=lena, version=1)
    mend_edge()
    for place in (POLITICS, Place("ids", "de", None)):
        assert b"/status/1859000000000000001" not in gzip.decompress(files.beside(place, name).read_bytes())
    assert files.read(file) == (2, client.get(f"{FEED}/{name}", headers={"Accept-Encoding": "gzip"}).content)


@committed
def test_a_new_name_reaches_them_and_a_closed_channel_has_none(politics: Channel, client: Client) -> None:
    mend_edge()
    names = politics.category.names | {"de": "Politik und Staat"}
    Category.objects.filter(pk=politics.category_id).update(names=names)
    mend_edge()
    file = files.beside(POLITICS, "feed.json")
    assert json.loads(gzip.decompress(file.read_bytes()))["title"] == "Deutschland · Politik und Staat"
    Channel.objects.filter(pk=politics.pk).update(active=False)
    mend_edge()
    assert not file.exists() and not files.path_of(POLITICS).exists()
    assert client.get(f"{FEED}/feed.json").status_code == 404


def test_of_a_market_they_name_each_post_once_with_its_category(politics: Channel, client: Client) -> None:
    make_candidate(channel_of("de", "sport"), "Tor", state="approved", context="Auswärtssieg")
    publish(politics.market_id)
    feed = json.loads(read(client, f"{MARKET}/feed.json"))
    assert feed["title"] == "Deutschland"
    assert sorted(item["tags"][0] for item in feed["items"]) == ["politics", "politics", "sport"]
    assert len(feedparser.parse(read(client, f"{MARKET}/rss.xml")).entries) == 3


@pytest.mark.parametrize(
    "path", ["xx/feed.json", "DE/rss.xml", "de/nothing/feed.json", "de/../feed.json", "de/%00/rss.xml"]
)
def test_what_is_not_there_is_told_as_the_feed_tells_it(path: str, politics: Channel, client: Client) -> None:
    answer = client.get(f"/api/v1/feeds/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_post_from_before_such_ids_has_no_date() -> None:
    assert (written_at("20"), written_at("1859000000000000001")) == (None, "2024-11-19T22:25:13Z")


def test_every_market_has_both(feed_root: Path, client: Client) -> None:
    for market in Market.objects.active():
        publish(market.pk)
        assert feedparser.parse(read(client, f"/api/v1/feeds/{market.code}/rss.xml")).feed.language == market.language
