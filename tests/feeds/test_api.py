"""The public feed over HTTP."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings as project
from django.db import connection, connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from feeds import api
from feeds.models import Mode
from feeds.operations import mend_edge, open_consumer, publish, revoke
from feeds.problems import body_of
from feeds.schema import add_feeds
from regions.models import Channel, Market, User
from regions.problems import Refusal
from tests.cast import channel_of, make_candidate
from tests.feeds.conftest import committed

pytestmark = pytest.mark.django_db
FEED, MARKET = "/api/v1/feeds/de/politics/", "/api/v1/feeds/de/"
CACHING = "public, max-age=15, stale-while-revalidate=15, stale-if-error=3600"
PACKED = {"Accept-Encoding": "gzip"}
HEADERS = {
    "Content-Type": "application/json",
    "Content-Encoding": "gzip",
    "Cache-Control": CACHING,
    "Vary": "Accept-Encoding",
    "Access-Control-Allow-Origin": "*",
}


@pytest.fixture(autouse=True)
def bare(settings: Any) -> None:
    """With the middleware that answers public feeds first, as settings have it."""
    name = "feeds.middleware.BareFeedsMiddleware"
    if name not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [name, *project.MIDDLEWARE]
    api.database.asked_again_at = 0.0


@pytest.fixture
def politics(feed_root: Path) -> Channel:
    channel = channel_of("de", "politics")
    make_candidate(channel, "Die Brücke steht", state="approved")
    publish(channel.market_id)
    return channel


def test_a_stranger_reads_the_stored_bytes(politics: Channel, client: Client) -> None:
    response = client.get(FEED, headers=PACKED)
    assert response.status_code == 200
    assert {name: response[name] for name in HEADERS} == HEADERS
    assert response["Content-Length"] == str(len(response.content))
    assert response["ETag"] == f'"3b9aca01-{len(response.content):x}"'
    body = json.loads(gzip.decompress(response.content))
    assert (body["market"], body["category"], body["snapshot"]) == ("de", "politics", 1)
    assert set(body["entries"][0]) == {"id", "url", "category", "pinned", "context", "label", "expires_at"}


def test_headers_do_not_let_the_answer_vary_by_person(politics: Channel, client: Client, anna: User) -> None:
    client.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(FEED, headers={"Accept-Language": "nl"})
    assert response["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in response and "Content-Language" not in response


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br", "gzip; q=0.0, br", "*;q=0", "*", "x-gzip"])
def test_who_takes_no_gzip_gets_plain_bytes_and_a_weak_etag(accepted: str, politics: Channel, client: Client) -> None:
    plain = client.get(FEED, headers={"Accept-Encoding": accepted})
    packed = client.get(FEED, headers=PACKED)
    assert "Content-Encoding" not in plain
    assert plain.content == gzip.decompress(packed.content)
    assert plain["ETag"] == f"W/{packed['ETag']}"
    assert plain["Content-Length"] == str(len(plain.content))


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP", "deflate, gzip;q=0.5", "gzip;q=1, *;q=0"])
def test_who_takes_gzip_gets_it(accepted: str, politics: Channel, client: Client) -> None:
    assert client.get(FEED, headers={"Accept-Encoding": accepted})["Content-Encoding"] == "gzip"


def test_what_is_known_answers_304(politics: Channel, client: Client) -> None:
    etag = client.get(FEED, headers=PACKED)["ETag"]
    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(FEED, headers=PACKED | {"If-None-Match": condition})
        assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)
        assert (response["Cache-Control"], response["Vary"]) == (CACHING, "Accept-Encoding")
    assert client.get(FEED, headers=PACKED | {"If-None-Match": '"other"'}).status_code == 200
    make_candidate(politics, "Neu", state="approved")
    publish(politics.market_id)
    assert client.get(FEED, headers=PACKED | {"If-None-Match": etag}).status_code == 200


def test_two_snapshots_of_one_size_have_two_etags(rf: RequestFactory) -> None:
    body = gzip.compress(b"{}", mtime=0)
    seven, eight = (api.given_out(rf.get(FEED), (number, body))["ETag"] for number in (7, 8))
    assert seven != eight


def test_head_tells_what_get_would(politics: Channel, client: Client) -> None:
    get, head = client.get(FEED, headers=PACKED), client.head(FEED, headers=PACKED)
    assert (head.status_code, head.content, dict(head.headers)) == (200, b"", dict(get.headers))


def test_a_full_consumers_key_brings_text_and_author(politics: Channel, client: Client) -> None:
    key = open_consumer("Widget", by=None).key
    [entry] = client.get(FEED, {"key": key}).json()["entries"]
    assert entry["text"] == "Die Brücke steht"
    assert entry["author"]["username"].startswith("stadtblatt")
    assert client.get(MARKET, {"key": key}).json()["entries"] == [entry]


def test_an_ids_consumers_key_brings_ids(politics: Channel, client: Client) -> None:
    key = open_consumer("Partner", Mode.IDS, by=None).key
    assert client.get(FEED, {"key": key}).content == client.get(FEED).content


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nobody0000000000",
        "nobody0000000000&key=nobody0000000000",
        "../full",
        "%00",
        "x" * 65,
        "ä" * 20,
        "short",
        "a" * 16 + "\n",
    ],
)
def test_an_unknown_key_is_403(key: str, politics: Channel, client: Client) -> None:
    for address in (FEED, "/api/v1/feeds/xx/"):
        response = client.get(address, {"key": key})
        assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
        assert response.json()["code"] == "unknown_key"
        assert response["Access-Control-Allow-Origin"] == "*"


def test_a_revoked_key_is_403(politics: Channel, client: Client) -> None:
    consumer = open_consumer("Widget", by=None)
    revoke(consumer, by=None)
    assert client.get(FEED, {"key": consumer.key}).status_code == 403


@pytest.mark.parametrize(
    "address",
    ["xx/", "xx/politics/", "de/nothing/", "DE/", "de/Politics/", "de/..%2Ffull/", "d%00/", "nl/", "de/a%0A/"],
)
def test_what_is_no_feed_is_404(address: str, politics: Channel, client: Client) -> None:
    response = client.get(f"/api/v1/feeds/{address}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "not_found"


def test_an_inactive_market_or_channel_is_404(politics: Channel, client: Client) -> None:
    Channel.objects.filter(pk=politics.pk).update(active=False)
    assert [client.get(address).status_code for address in (FEED, MARKET)] == [404, 200]
    Market.objects.filter(pk=politics.market_id).update(active=False)
    assert client.get(MARKET).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_feed_can_only_be_read(method: str, politics: Channel, client: Client) -> None:
    response = getattr(client, method)(FEED)
    assert (response.status_code, response["Allow"], response["Content-Type"]) == (
        405,
        "GET, HEAD, OPTIONS",
        "application/problem+json",
    )


def test_a_browser_may_ask_before_it_sends_what_it_has(politics: Channel, client: Client) -> None:
    asked = {"Origin": "https://host.example", "Access-Control-Request-Headers": "if-none-match"}
    for address in (FEED, MARKET, "/api/v1/feeds/", f"{FEED}rss.xml", f"{FEED}?key=nobody"):
        answer = client.options(address, headers=asked)
        assert (answer.status_code, answer.content) == (204, b"")
        assert dict(answer.headers) == {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "If-None-Match",
            "Access-Control-Max-Age": "86400",
        }


def test_the_catalogue_lists_what_was_published(politics: Channel, client: Client) -> None:
    response = client.get("/api/v1/feeds/")
    feeds = response.json()["feeds"]
    assert [(feed["market"], feed["category"]) for feed in feeds] == [
        ("de", None),
        ("de", "politics"),
        ("de", "economy"),
        ("de", "sport"),
        ("de", "celebrity"),
    ]
    assert feeds[1]["names"]["category"]["de"] == "Politik"
    assert feeds[1]["url"].endswith("/api/v1/feeds/de/politics/")
    assert response["Cache-Control"] == CACHING
    assert client.get("/api/v1/feeds/", headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_a_feed_takes_one_query(politics: Channel, client: Client) -> None:
    key = open_consumer("Widget", by=None).key
    for data in ({}, {"key": key}):
        with CaptureQueriesContext(connection) as queries:
            client.get(FEED, data)
        assert len(queries) == 1


@contextmanager
def without_postgresql() -> Iterator[None]:
    connections.close_all()
    told = connection.settings_dict
    host, port = told["HOST"], told["PORT"]
    told["HOST"], told["PORT"] = "127.0.0.1", "1"
    try:
        yield
    finally:
        told["HOST"], told["PORT"] = host, port
        api.database.asked_again_at = 0.0


@committed
def test_without_postgresql_the_files_answer(politics: Channel, client: Client, settings: Any) -> None:
    """Promise 6: the edge's links decide on keys then."""
    mend_edge()
    whole, short = open_consumer("Widget", by=None), open_consumer("Partner", Mode.IDS, by=None)
    addresses = [f"{FEED}?key={whole.key}", f"{MARKET}?key={short.key}", FEED, MARKET]
    before = [client.get(address, headers=PACKED) for address in addresses]
    with without_postgresql():
        after = [client.get(address, headers=PACKED) for address in addresses]
        statuses = [
            client.get(a).status_code for a in ("/api/v1/feeds/", f"{FEED}?key=nobody0000000000", "/api/v1/feeds/xx/")
        ]
    assert [(r.status_code, r.content, r["ETag"]) for r in after] == [(200, r.content, r["ETag"]) for r in before]
    assert statuses == [200, 403, 404]


@committed
def test_without_files_too_it_says_that_it_cannot_now(politics: Channel, client: Client) -> None:
    """And not that there is no such feed, at which a ticker would drop what it shows."""
    with without_postgresql():
        for address in ("/api/v1/feeds/", FEED, f"{FEED}?key=nobody0000000000", f"{FEED}rss.xml"):
            answer = client.get(address)
            assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "unavailable", "15")
            assert "Cache-Control" not in answer


@committed
def test_a_connection_that_broke_is_made_anew(politics: Channel, client: Client) -> None:
    """Nobody asks beforehand whether it stands, and nobody notices."""
    mend_edge()
    Channel.objects.filter(pk=politics.pk).update(active=False)  # the file still has it
    connection.close()
    client.get(MARKET)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    with closing(psycopg2.connect(**connection.get_connection_params())) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert [client.get(address).status_code for address in (FEED, MARKET)] == [404, 200]


def test_the_schema_tells_of_the_feeds_as_they_are(politics: Channel, client: Client) -> None:
    described = add_feeds({})
    entry, body = described["components"]["schemas"]["FeedEntry"], described["components"]["schemas"]["Feed"]
    [short] = client.get(FEED).json()["entries"]
    key = open_consumer("Widget", by=None).key
    [full] = client.get(FEED, {"key": key}).json()["entries"]
    assert list(short) == entry["required"]
    assert list(full) == list(entry["properties"])
    assert list(client.get(FEED).json()) == body["required"]
    assert set(full["author"]) == set(entry["properties"]["author"]["required"])


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_refusal_is_the_same_for_every_reader(language: str) -> None:
    """Else a bare view would answer in whatever language its thread spoke last."""
    with override(language):
        assert json.loads(body_of(Refusal()))["detail"] == "This cannot be done."
