"""The feeds there are, with names and addresses."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from feeds.models import Feed
from feeds.rendering import VERSION, as_json


def catalogue() -> str:
    """JSON of GET /api/v1/feeds/: one entry a feed, a market's own (category null) before its channels'."""
    return as_json({"version": VERSION, "feeds": [_entry(feed) for feed in Feed.objects.public()]})


def _entry(feed: Feed) -> dict[str, Any]:
    category = feed.channel.category if feed.channel else None
    return {
        "market": feed.market.code,
        "category": category.slug if category else None,
        "language": feed.market.language,
        "names": {"market": feed.market.names, "category": category.names if category else None},
        "url": f"{settings.PUBLIC_FEED_URL.rstrip('/')}/{feed.path}",
    }
