"""nginx and Django give the same answers: status, bytes, ETag, caching, type, what they vary by, CORS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import pytest
from django.test import Client
from django.utils.http import http_date
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from feeds import files
from feeds.models import Mode, Place
from feeds.operations import mend_edge, open_consumer, revoke
from regions.models import Channel
from tests.cast import channel_of
from tests.edge.asking import Headers, ask, ask_django, over
from tests.edge.nginx import Edge

FEEDS, PACKED = "/api/v1/feeds/", {"Accept-Encoding": "gzip"}
pytestmark = pytest.mark.django_db
FULL, SHORT, GONE = "f" * 32, "S0" * 8, "9" * 64


class Both(NamedTuple):
    """Asks both, and takes what they agree on."""

    line: HTTPConnection
    client: Client

    def ask(self, path: str, headers: Headers | None = None, method: str = "GET") -> int:
        edge, django = over(self.line, path, headers, method), ask_django(self.client, path, headers, method)
        assert edge.agreed == django.agreed, (method, path, headers)
        return edge.status


@pytest.fixture
def both(edge: Edge, politics: Channel, client: Client) -> Iterator[Both]:
    for key, mode in ((FULL, Mode.FULL), (SHORT, Mode.IDS), (GONE, Mode.FULL)):
        consumer = open_consumer(key, mode, by=None)
        type(consumer).objects.filter(pk=consumer.pk).update(key=key)
    consumer.refresh_from_db()
    revoke(consumer, by=None)
    Channel.objects.filter(pk=channel_of("gr", "sport").pk).update(active=False)
    mend_edge()
    line = edge.line()
    yield Both(line, client)
    line.close()


ADDRESSES = {
    "": 200, "de/": 200, "de/politics/": 200, "nl/sport/": 200, "de/feed.json": 200, "de/politics/rss.xml": 200,
    "d%65/": 200, "de%2Fpolitics/": 200, "xx/": 404, "DE/": 404, "de/Politics/": 404, "de/nothing/": 404, "de": 404,
    "de/politics": 404, "gr/sport/": 404, "gr/sport/rss.xml": 404, "xx/feed.json": 404, "de/feed.json/": 404,
    "de/atom.xml": 404, "de/politics/more/": 404, "full/": 404, "ids/de/": 404, "../feeds/de/": 404, "./de/": 404,
    "de/../nl/": 404, "de/..%2fnl/": 404, "nl/%2e%2e/de/": 404, "%2e/de/": 404, "..%2F..%2Ffull/de/": 404, "/de/": 404,
    "de//politics/": 404, "de/%0A": 404, "de/politics/%0A": 404, "locks/": 404, "locks/de.lock": 404,
    "problems/403.json": 404, "consumers/": 404, f"consumers/{FULL}/de/": 404, "index.json": 404, "de/index.json": 404,
    "de/index.json.gz": 404, "ä/": 404, "%C3%A4/": 404, "d/": 404, "de/-/": 404, "de/" + "a" * 40 + "/": 404,
    "de/.index.json.gz.new": 404, "?x=1": 200, "de/?x=1&y": 200, "de/?": 200, "de/..#": 404, "de/politics/.#": 404,
}  # fmt: skip


def test_whatever_address_is_asked_for(both: Both) -> None:
    told = {path: both.ask(FEEDS + path) for path in ADDRESSES if path.isascii()}
    assert told == {path: status for path, status in ADDRESSES.items() if path.isascii()}


KEYS = {
    f"key={FULL}": 200, f"key={SHORT}": 200, f"x=1&key={FULL}": 200, f"key={FULL}&": 200, f"monkey={GONE}": 200,
    f"Key={GONE}": 200, f"x;key={GONE}": 200, f"key={GONE}": 403, "key": 403, "key=": 403, "key&": 403,
    "key=nobody0000000000": 403, "key=short": 403, "key=" + "a" * 65: 403, "key=../full": 403, "key=..%2Ffull": 403,
    "key=../../full": 403, "key=%2E%2E/full": 403, "key=../ids": 403, f"key={FULL}/../{FULL}": 403, "key=%00": 403,
    f"key={FULL}%00": 403, f"key={FULL}%0A": 403, f"key={FULL}/": 403, f"key=%66{FULL[1:]}": 403, f"key=+{FULL}": 403,
    f"key={FULL}&key={FULL}": 403, f"key={FULL}&x=1&key": 403, f"key&key={FULL}": 403, f"key={GONE}&key={FULL}": 403,
    f"key=.{FULL}": 403, f"key={FULL}=": 403, f"key={FULL}?key={FULL}": 403, f"key={FULL.upper()}": 403,
}  # fmt: skip


def test_whatever_key_is_sent(both: Both) -> None:
    told = {query: both.ask(f"{FEEDS}de/politics/?{query}") for query in KEYS}
    assert told == KEYS
    assert both.ask(f"{FEEDS}xx/?key={FULL}") == 404
    assert both.ask(f"{FEEDS}xx/?key=nobody0000000000") == 403, "first the key"
    for path in ("", "de/feed.json", "de/politics/rss.xml"):
        assert both.ask(f"{FEEDS}{path}?key=nobody0000000000") == 200, "the same for everybody"


PARTS = some.sampled_from(
    ["de", "nl", "politics", "sport", "/", "//", ".", "..", "%2e", "%2F", "%0a", "%5C", "feed.json", "rss.xml",
     "full", "ids", "consumers", FULL, "DE", "-", "~", "hold", "x" * 40]
)  # fmt: skip
QUERIES = some.sampled_from(["key", "=", "&", FULL, SHORT, GONE, "../", "full", "%66", "+", "?", "x", "a" * 16, "KEY"])
ENCODINGS = (
    "gzip",
    "GZIP",
    "identity",
    "*",
    "br, gzip",
    "gzip;q=0",
    "gzip; q=0.0",
    "gzip;q=0.5, br",
    "x-gzip",
    "deflate",
)


@given(
    path=some.lists(PARTS, max_size=6).map("".join),
    query=some.none() | some.lists(QUERIES, max_size=5).map("".join),
    encoding=some.none() | some.sampled_from(ENCODINGS),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_put_together(path: str, query: str | None, encoding: str | None, both: Both) -> None:
    editors = any(path.rstrip("/").endswith(word) for word in ("hold", "snapshots", "release"))
    if not editors:
        headers = {"Accept-Encoding": encoding} if encoding else {}
        both.ask(FEEDS + path + ("" if query is None else f"?{query}"), headers)


def test_what_a_reader_has_is_not_sent_again(both: Both, edge: Edge) -> None:
    for path in ("", "de/", "de/politics/rss.xml", f"de/?key={FULL}"):
        etag = ask(edge, FEEDS + path, PACKED).headers["etag"]
        known = (etag, f"W/{etag}", f'"other", {etag}', "*", f'W/"other",W/{etag}')
        strange = ('"other"', etag.strip('"'), f'{etag[:-2]}"', "", "W/*", "rubbish")
        for encoding in (PACKED, {}):
            told = [both.ask(FEEDS + path, encoding | {"If-None-Match": one}) for one in (*known, *strange)]
            assert told == [304] * len(known) + [200] * len(strange)
    since = http_date(files.path_of(Place(Mode.IDS, "de", None)).stat().st_mtime)
    assert both.ask(f"{FEEDS}de/", {"If-Modified-Since": since}) == 200, "the time of a file is no time"
    assert both.ask(f"{FEEDS}xx/", {"If-None-Match": "*"}) == 404


def test_every_way_to_ask(both: Both) -> None:
    paths = ("", "de/", "de/politics/", "de/rss.xml", f"de/?key={FULL}", "de/?key=short", "xx/", "de/../nl/")
    for path in paths:
        assert both.ask(FEEDS + path, PACKED, "HEAD") == both.ask(FEEDS + path, PACKED)
        assert both.ask(FEEDS + path, method="OPTIONS") == 204
        assert [both.ask(FEEDS + path, method=one) for one in ("POST", "PUT", "DELETE", "PATCH")] == [405] * 4
    for accepted in ENCODINGS:
        assert both.ask(f"{FEEDS}de/", {"Accept-Encoding": accepted}) == 200
        assert both.ask(f"{FEEDS}xx/", {"Accept-Encoding": accepted}) == 404


def test_no_part_is_given_and_a_proxy_between_gets_gzip(both: Both) -> None:
    assert both.ask(f"{FEEDS}de/", PACKED | {"Range": "bytes=0-9"}) == 200
    assert both.ask(f"{FEEDS}de/", {"Range": "bytes=5-", "Via": "1.1 cache"}) == 200
    assert (
        both.ask(f"{FEEDS}de/", PACKED | {"Via": "1.1 cache", "Cookie": "a=b", "Origin": "https://host.example"}) == 200
    )


def test_a_body_that_is_sent_is_no_matter(edge: Edge, politics: Channel) -> None:
    answer = ask(edge, f"{FEEDS}de/", PACKED, "POST", b"x" * 500_000)
    assert (answer.status, json.loads(answer.text)["code"]) == (405, "method_not_allowed")


def test_a_full_consumer_reads_the_post_and_nobody_else(both: Both, edge: Edge) -> None:
    told = {key: ask(edge, f"{FEEDS}de/politics/{query}").text for key, query in
            (("none", ""), ("full", f"?key={FULL}"), ("ids", f"?key={SHORT}"))}  # fmt: skip
    assert ["Die Brücke steht" in told[key] for key in told] == [False, True, False]
    assert told["ids"] == told["none"]


def test_a_folder_that_is_away_is_told_apart_from_a_feed_that_is_gone(edge: Edge, feed_root: Path) -> None:
    """Else an edge without its disk would have every ticker drop what it shows."""
    for path in ("", "de/", f"de/?key={FULL}", "de/rss.xml"):
        answer = ask(edge, FEEDS + path)
        assert (answer.status, answer.headers["content-type"]) == (503, "application/problem+json")
        assert json.loads(answer.text)["status"] == 503
        assert answer.headers["access-control-allow-origin"] == "*"
