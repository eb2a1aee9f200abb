"""Addresses of the public feed and keys in them, as deploy/edge reads them too: tests/edge compares the two."""

from __future__ import annotations

import re

from feeds.models import KEY_PATTERN
from feeds.problems import UnknownKey

PREFIX = "/api/v1/feeds/"
PLACE = r"(?P<market>[a-z]{2})/(?:(?P<category>[a-z][a-z0-9-]{1,30})/)?"
FEED = re.compile(PLACE)
DOCUMENT = re.compile(PLACE + r"(?P<name>feed\.json|rss\.xml)")
EDITORIAL = re.compile(r"[-\w]+/(?:(?:hold|release)/|(?:[-\w]+/)?snapshots/(?:[0-9]+/)?)", re.ASCII)
KEYS = re.compile(r"(?:^|&)key(?:=([^&]*))?(?=&|$)")
KEY = re.compile(KEY_PATTERN)


def key_in(query: str) -> str | None:
    """The key in a query string as it was sent; None without one. Refuses two keys, and one that is escaped."""
    if "key" not in query:
        return None
    found = KEYS.findall(query)
    if found and (len(found) > 1 or not KEY.fullmatch(found[0])):
        raise UnknownKey
    return found[0] if found else None
