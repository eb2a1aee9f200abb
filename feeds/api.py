"""The published feed: stored bytes, given out as they are. No session, language or person is looked at."""

from __future__ import annotations

import gzip
import re
import time
import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.http import parse_etags

from feeds import editorial, files
from feeds.catalogue import catalogue
from feeds.models import KEY_PATTERN, Consumer, Feed, Mode, Place, Rendering
from feeds.problems import NoSuchFeed, OnlyToRead, UnknownKey, body_of
from feeds.syndication import FORMATS, Format, Titled
from regions.permissions import PUBLIC, rule
from regions.problems import CONTENT_TYPE, Refusal

log = structlog.get_logger(__name__)
Stored = tuple[int, bytes]
MARKET, SLUG, KEY = re.compile(r"[a-z]{2}"), re.compile(r"[a-z][a-z0-9-]{1,30}"), re.compile(KEY_PATTERN)
OPEN = {"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff"}
CACHING = {"Cache-Control": "public, max-age=15, stale-while-revalidate=15, stale-if-error=3600"}
PAUSE = 2.0
NAMED = (("feed.json", "json-feed"), ("rss.xml", "rss"))


def bare(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Marks a view that needs neither session nor language (see feeds.middleware). GET and HEAD only."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method not in ("GET", "HEAD"):
                raise OnlyToRead
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(refusal)

    guarded.bare = True  # type: ignore[attr-defined]
    return guarded


@rule(PUBLIC)
@bare
def listing(request: HttpRequest) -> HttpResponse:
    """GET /api/v1/feeds/: the feeds there are, with names and addresses."""
    return given_out(request, database.ask(_catalogue, _catalogue_file))


@rule(PUBLIC)
@bare
def feed(request: HttpRequest, market: str, category: str | None = None) -> HttpResponse:
    """GET /api/v1/feeds/{market}/ and {market}/{category}/: ids; with the key of a full consumer everything."""
    key = request.GET.get("key")
    if key is not None and not KEY.fullmatch(key):
        raise UnknownKey
    if not MARKET.fullmatch(market) or not (category is None or SLUG.fullmatch(category)):
        raise NoSuchFeed
    found = database.ask(lambda: _row(market, category, key), lambda: _file(market, category, key))
    if found is None:
        raise NoSuchFeed
    return given_out(request, found)


@rule(PUBLIC)
@bare
def syndicated(request: HttpRequest, market: str, name: str, category: str | None = None) -> HttpResponse:
    """GET .../feed.json and .../rss.xml: the same for everybody, with or without a key."""
    if not MARKET.fullmatch(market) or not (category is None or SLUG.fullmatch(category)):
        raise NoSuchFeed
    kind, place = FORMATS[name], Place(Mode.IDS, market, category)
    found = database.ask(lambda: _made(place, kind), lambda: files.read(files.beside(place, name)))
    if found is None:
        raise NoSuchFeed
    return given_out(request, found, kind.content_type)


def given_out(request: HttpRequest, found: Stored, content_type: str = "application/json") -> HttpResponse:
    """The bytes as they are stored, or unpacked for a reader who takes no gzip.

    The ETag is nginx's: mtime and size of the file; weak where unpacked, being other bytes (RFC 9110, 8.8.1)."""
    number, body = found
    etag, packed = f'"{files.EPOCH + number:x}-{len(body):x}"', takes_gzip(request.headers.get("Accept-Encoding", ""))
    headers = OPEN | CACHING | {"ETag": etag if packed else f"W/{etag}", "Vary": "Accept-Encoding"}
    if is_known(request.headers.get("If-None-Match", ""), etag):
        response = HttpResponse(status=304, headers=headers)
        del response["Content-Type"]
        return response
    body = body if packed else gzip.decompress(body)
    headers |= {"Content-Length": str(len(body))} | ({"Content-Encoding": "gzip"} if packed else {})
    return HttpResponse(b"" if request.method == "HEAD" else body, content_type=content_type, headers=headers)


def refused(refusal: Refusal) -> HttpResponse:
    """problem+json, readable from every page as the feed is."""
    headers = OPEN | {"Cache-Control": "public, max-age=15"}
    if isinstance(refusal, OnlyToRead):
        headers |= {"Allow": "GET, HEAD"}
    return HttpResponse(body_of(refusal), CONTENT_TYPE, refusal.status, headers=headers)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding allows gzip (RFC 9110, 12.5.3)."""
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False


def is_known(condition: str, etag: str) -> bool:
    """Whether If-None-Match names the ETag, by the weak comparison (RFC 9110, 13.1.2)."""
    return bool(condition) and ("*" in (tags := parse_etags(condition)) or etag in {t.removeprefix("W/") for t in tags})


class Database:
    """PostgreSQL, or the files of the edge while it does not answer: then it is left alone for a moment."""

    def __init__(self) -> None:
        self.asked_again_at = 0.0

    def ask(self, first: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        if time.monotonic() >= self.asked_again_at:
            try:
                return first()
            except (OperationalError, InterfaceError):
                log.exception("feed_from_files")
                self.asked_again_at = time.monotonic() + PAUSE
        return otherwise()


database = Database()


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
    body = gzip.compress(catalogue().encode(), mtime=0)
    return zlib.crc32(body), body


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
