"""The feed for feed readers: JSON Feed 1.1 and RSS 2.0, made of what a feed says without a key.

One body each, whoever asks: the editors' line as title and a link, no text of a post. The same document always gives
the same bytes, so that the edge and Django answer alike."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.feedgenerator import Rss201rev2Feed
from django.utils.translation import gettext as _
from django.utils.translation import override

from curation.x.wire import Unreadable, instant_of_id
from feeds.rendering import LEVEL, as_json, moment
from regions.models import Channel, Market

JSON_FEED = "https://jsonfeed.org/version/1.1"
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
Document = dict[str, Any]


@dataclass(frozen=True)
class Titled:
    """What a feed is called, in its market's language, and the path of its ticker."""

    title: str
    language: str
    page: str
    path: str

    @classmethod
    def of(cls, market: Market, channel: Channel | None) -> Titled:
        names = [market.name_in(market.language)]
        place, name = [market.code], "ticker"
        if channel:
            names.append(channel.category.name_in(market.language))
            place, name = [market.code, channel.category.slug], "channel-ticker"
        return cls(" · ".join(names), market.language, reverse(name, args=place), "/".join(place))

    @property
    def home(self) -> str:
        return settings.CONSOLE_URL.rstrip("/") + self.page

    def address(self, name: str) -> str:
        """The public address of one of its documents."""
        return f"{settings.PUBLIC_FEED_URL.rstrip('/')}/{self.path}/{name}"

    @property
    def description(self) -> str:
        with override(self.language):
            return _("Posts that the editors chose")


def json_feed(feed: Document, titled: Titled) -> str:
    """JSON Feed 1.1; `_tickerdesk` holds what the standard has no name for."""
    return as_json(
        {
            "version": JSON_FEED,
            "title": titled.title,
            "home_page_url": titled.home,
            "feed_url": titled.address("feed.json"),
            "description": titled.description,
            "language": titled.language,
            "items": [json_item(entry) for entry in feed["entries"]],
            "_tickerdesk": {name: feed[name] for name in ("snapshot", "published_at", "ttl", "removed")},
        }
    )


def json_item(entry: Document) -> Document:
    found = {
        "id": entry["id"],
        "url": entry["url"],
        "title": entry["context"],
        "content_text": entry["context"] or entry["url"],
        "date_published": written_at(entry["id"]),
        "tags": [entry["category"]],
        "_tickerdesk": {name: entry[name] for name in ("pinned", "label", "expires_at")},
    }
    return {name: value for name, value in found.items() if value is not None}


class Rss(Rss201rev2Feed):
    """RSS 2.0 whose time of change is that of the publication."""

    def latest_post_date(self) -> datetime:
        at: datetime = self.feed["published_at"]
        return at


def rss(feed: Document, titled: Titled) -> str:
    """RSS 2.0. A label such as "Anzeige" stands before the editors' line."""
    channel = Rss(
        title=in_xml(titled.title),
        link=titled.home,
        description=titled.description,
        language=titled.language,
        feed_url=titled.address("rss.xml"),
        ttl=str(max(1, feed["ttl"] // 60)),  # type: ignore[arg-type]  # written as it is given
        published_at=parse_datetime(feed["published_at"]),
    )
    for entry in feed["entries"]:
        words = " · ".join(filter(None, (entry["label"], entry["context"])))
        at = written_at(entry["id"])
        channel.add_item(
            title=in_xml(words) or entry["url"],
            link=entry["url"],
            description=None,  # type: ignore[arg-type]  # left out then
            unique_id=entry["url"],
            unique_id_is_permalink=True,
            pubdate=parse_datetime(at) if at else None,
            categories=[entry["category"]],
        )
    return channel.writeString("utf-8")


def written_at(x_id: str) -> str | None:
    """When a post was written, as its id tells (RFC 3339, UTC); None for ids from before they told it."""
    try:
        return moment(instant_of_id(int(x_id)))
    except Unreadable:
        return None


def in_xml(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return NOT_IN_XML.sub("", text)


@dataclass(frozen=True)
class Format:
    """A document beside a feed: the name of its file and address, its media type, and how it is made."""

    name: str
    content_type: str
    made: Callable[[Document, Titled], str]

    def gzipped(self, feed: bytes, titled: Titled) -> bytes:
        """Of the gzipped bytes of the feed without a key."""
        return gzip.compress(self.made(json.loads(gzip.decompress(feed)), titled).encode(), LEVEL, mtime=0)


FORMATS = {
    one.name: one
    for one in (
        Format("feed.json", "application/feed+json; charset=utf-8", json_feed),
        Format("rss.xml", "application/rss+xml; charset=utf-8", rss),
    )
}
