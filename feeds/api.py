"""The published feed: stored bytes, given out as they are. No session, language or person is looked at."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.http import parse_etags

from feeds import closure, editorial, files
from feeds.addresses import DOCUMENT, EDITORIAL, FEED, PREFIX, key_in
from feeds.catalogue import catalogue
from feeds.models import Consumer, Feed, Mode, Place, Rendering
from feeds.problems import FeedsAway, NoSuchFeed, OnlyToRead, UnknownKey, body_of
from feeds.syndication import FORMATS, Format, Titled
from regions.permissions import PUBLIC, rule
from regions.problems import CONTENT_TYPE, Refusal

log = structlog.get_logger(__name__)
Stored = tuple[int, bytes]
OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
CACHING = {"Cache-Control": "public, max-age=15, stale-while-revalidate=15, stale-if-error=3600"}
VARYING = {"Vary": "Accept-Encoding"}
TELLING = {"Access-Control-Expose-Headers": "Date"}  # for pages elsewhere, on phones whose clock is wrong
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",
}
GZIP = re.compile(r"\s*gzip\s*(?:;(?!\s*q\s*=\s*0(?:\.0*)?\s*$).*)?", re.IGNORECASE)
READ, ALLOWED = ("GET", "HEAD"), "GET, HEAD, OPTIONS"
PAUSE = 2.0
NAMED = (("feed.json", "json-feed"), ("rss.xml", "rss"))


def bare(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A view that needs neither session nor language (see feeds.middleware). GET and HEAD only, and what browsers ask
    before them."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method == "OPTIONS":
                return preflight()
            if request.method not in READ:
                raise OnlyToRead
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(refusal, request)

    guarded.bare = True  # type: ignore[attr-defined]  # tests/config/test_rules.py: all of these are public
    return guarded


def preflight() -> HttpResponse:
    """What a browser asks before it sends If-None-Match from another host's page."""
    response = HttpResponse(status=204, headers=PREFLIGHT)
    del response["Content-Type"]
    return response


def public(request: HttpRequest) -> HttpResponse | None:
    """The answer to whoever asks below feeds/; None for what members ask (feeds.editorial)."""
    asked = request.path_info[len(PREFIX) :]
    if found := FEED.fullmatch(asked):
        reserved = EDITORIAL.fullmatch(asked)
        return None if reserved else feed(request, **found.groupdict())
    if found := DOCUMENT.fullmatch(asked):
        return syndicated(request, **found.groupdict())
    if not asked:
        return listing(request)
    return None if EDITORIAL.fullmatch(asked) else nothing(request)


@rule(PUBLIC)
@bare
def listing(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/feeds/: the feeds there are, with names and addresses."""
    return given_out(request, database.ask(_catalogue, _catalogue_file))


@rule(PUBLIC)
@bare
def feed(request: HttpRequest, market: str, category: str | None = None) -> HttpResponse:
    """GET /api/v1/feeds/{market}/ and {market}/{category}/: ids; with the key of a full consumer everything."""
    key = key_in(request.META.get("QUERY_STRING", ""))
    found = stored(lambda: _row(market, category, key), lambda: _file(market, category, key))
    return given_out(request, found)


@rule(PUBLIC)
@bare
def syndicated(request: HttpRequest, market: str, name: str, category: str | None = None) -> HttpResponse:
    """GET .../feed.json and .../rss.xml: the same for everybody, with or without a key."""
    kind, place = FORMATS[name], Place(Mode.IDS, market, category)
    found = stored(lambda: _made(place, kind), lambda: files.read(files.beside(place, name)))
    return given_out(request, found, kind.content_type)


@bare
def nothing(request: HttpRequest) -> HttpResponse:
    """No address of a feed."""
    raise NoSuchFeed


def given_out(request: HttpRequest, found: Stored, content_type: str = "application/json") -> HttpResponse:
    """The bytes as they are stored, or unpacked for a reader who takes no gzip.

    The ETag is nginx's: mtime and size of the file; weak where unpacked, being other bytes (RFC 9110, 8.8.1). A 304
    has the strong one, as nginx's has."""
    number, body = found
    etag, packed = f'"{files.EPOCH + number:x}-{len(body):x}"', takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    condition = request.META.get("HTTP_IF_NONE_MATCH")
    if condition and is_known(condition, etag):
        response = HttpResponse(status=304, headers=OPEN | TELLING | CACHING | VARYING | {"ETag": etag})
        del response["Content-Type"]
        return response
    headers = OPEN | TELLING | CACHING | {"ETag": etag if packed else f"W/{etag}"}
    return packed_or_not(request, body, packed, content_type, headers)


def packed_or_not(
    request: HttpRequest, body: bytes, packed: bool, content_type: str, headers: dict[str, str], status: int = 200
) -> HttpResponse:
    body = body if packed else gzip.decompress(body)
    headers |= VARYING | {"Content-Length": str(len(body))} | ({"Content-Encoding": "gzip"} if packed else {})
    return HttpResponse(b"" if request.method == "HEAD" else body, content_type, status, headers=headers)


def refused(refusal: Refusal, request: HttpRequest) -> HttpResponse:
    """problem+json, readable from every page as the feed is."""
    headers = OPEN | {"Cache-Control": "public, max-age=15"}
    if isinstance(refusal, OnlyToRead):
        headers["Allow"] = ALLOWED
    if isinstance(refusal, FeedsAway):
        headers = OPEN | {"Retry-After": "15"}
    packed = takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    _number, body = files.unnumbered(body_of(refusal))
    response = packed_or_not(request, body, packed, CONTENT_TYPE, headers, refusal.status)
    response._has_been_logged = True  # type: ignore[attr-defined]  # Django's line for each: strangers would fill the log
    return response


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding names gzip (RFC 9110, 12.5.3). To "*" we answer without, as nginx does."""
    return any(GZIP.fullmatch(coding) for coding in accepted.split(","))


def is_known(condition: str, etag: str) -> bool:
    """Whether If-None-Match names the ETag, by the weak comparison (RFC 9110, 13.1.2)."""
    return "*" in (tags := parse_etags(condition)) or etag in {t.removeprefix("W/") for t in tags}


class Database:
    """PostgreSQL, or the files of the edge while it does not answer: then it is left alone for a moment."""

    def __init__(self) -> None:
        self.asked_again_at = 0.0

    def ask(self, first: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        if time.monotonic() >= self.asked_again_at:
            try:
                return self._asked(first)
            except (OperationalError, InterfaceError):
                log.exception("feed_from_files")
                self.asked_again_at = time.monotonic() + PAUSE
        return self.at_the_edge(otherwise)

    def at_the_edge(self, otherwise: Callable[[], Any]) -> Any:
        if not (files.root() / Mode.IDS / files.NAME).is_file():
            raise FeedsAway
        return otherwise()

    def _asked(self, first: Callable[[], Any]) -> Any:
        """Without the question whether the connection still stands, which costs as much as the answer: where it does
        not, it is asked again on a new one."""
        stands = connection.connection is not None and not connection.in_atomic_block
        connection.health_check_done = True  # type: ignore[attr-defined]  # the stubs do not know it
        try:
            return first()
        except (OperationalError, InterfaceError):
            if not stands or connection.is_usable():
                raise
            connection.close()
            return first()


database = Database()


def stored(first: Callable[[], Stored | None], otherwise: Callable[[], Stored | None]) -> Stored:
    """Of the database, or of the edge while that is away or publishing is closed. Raises NoSuchFeed, FeedsAway."""
    found: Stored | None = database.ask(first, otherwise)
    if found is None and database.ask(closure.stands, bool):
        found = database.at_the_edge(otherwise)
    if found is None:
        raise NoSuchFeed
    return found


def _row(market: str, category: str | None, key: str | None) -> Stored | None:
    found: Stored | None = Rendering.objects.read_by(key, market, category)
    if found is None and key is not None and not Consumer.objects.active().filter(key=key).exists():
        raise UnknownKey
    return found


def _file(market: str, category: str | None, key: str | None) -> Stored | None:
    folder = files.root() / Mode.IDS if key is None else files.folder_of(key)
    if key is not None and not folder.is_dir():
        raise UnknownKey
    return files.read(folder / market / (category or "") / files.NAME)


def _made(place: Place, kind: Format) -> Stored | None:
    found = Rendering.objects.read_by(None, place.market, place.category)
    feed = Feed.objects.public().at(place.market, place.category) if found else None
    if found is None or feed is None:
        return None
    return found[0], kind.gzipped(found[1], Titled.of(feed.market, feed.channel))


def _catalogue() -> Stored:
    return files.unnumbered(catalogue())


def _catalogue_file() -> Stored:
    found = files.read(files.root() / Mode.IDS / files.NAME)
    if found is None:
        raise NoSuchFeed
    return found


urlpatterns = [
    *editorial.urlpatterns,
    path("feeds/", listing, name="feeds"),
    *(path(f"feeds/<str:market>/{name}", syndicated, {"name": name}, f"{stem}-of-market") for name, stem in NAMED),
    *(
        path(f"feeds/<str:market>/<str:category>/{name}", syndicated, {"name": name}, f"{stem}-of-channel")
        for name, stem in NAMED
    ),
    path("feeds/<str:market>/", feed, name="feed-of-market"),
    path("feeds/<str:market>/<str:category>/", feed, name="feed-of-channel"),
]
