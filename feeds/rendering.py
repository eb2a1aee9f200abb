"""Entries to bytes: the contract of docs/feed.md, version 1. The same entries always give the same bytes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from curation.models import Tweet
from curation.models.candidates import digest
from feeds.models import Mode

VERSION, TTL = 1, 60
ENTITIES = ("urls", "hashtags", "mentions", "cashtags")
MEDIA = ("type", "url", "preview_url", "width", "height", "alt")
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Entry:
    """One shown tweet. Words are empty, the rest None, where there is nothing."""

    candidate: int
    channel: int
    category: str
    tweet: Tweet
    slot: int | None = None
    context: str = ""
    label: str = ""
    expires_at: datetime | None = None

    def stored(self) -> dict[str, Any]:
        """As snapshots keep it: ids, order and digests, no words."""
        return {
            "id": str(self.tweet.current_id),
            "tweet": self.tweet.pk,
            "candidate": self.candidate,
            "channel": self.channel,
            "slot": self.slot,
            "context": digest(self.context),
            "label": digest(self.label),
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "text_hash": self.tweet.text_hash,
        }

    def short(self) -> dict[str, Any]:
        """What X lets third parties have of a post, and the editors' own words."""
        return {
            "id": str(self.tweet.current_id),
            "url": self.tweet.url,
            "category": self.category,
            "pinned": self.slot is not None,
            "context": self.context or None,
            "label": self.label or None,
            "expires_at": moment(self.expires_at) if self.expires_at else None,
        }

    def full(self) -> dict[str, Any]:
        """The post as X gave it beside the editors' words. Offsets of entities count code points of `text`."""
        tweet = self.tweet
        entities = tweet.part("entities", {})
        return self.short() | {
            "text": tweet.text,
            "entities": {kind: entities.get(kind, []) for kind in ENTITIES},
            "lang": tweet.lang,
            "created_at": moment(tweet.created_at),
            "edited": tweet.edited,
            "author": author(tweet),
            "media": [{key: medium.get(key) for key in MEDIA} for medium in tweet.part("media", [])],
        }


def author(tweet: Tweet) -> dict[str, Any] | None:
    if tweet.author is None:
        return None
    return {
        "id": str(tweet.author.x_id),
        "name": tweet.author.name,
        "username": tweet.author.username,
        "url": tweet.author.url,
        "avatar_url": tweet.author.avatar_url or None,
        "verified_type": tweet.author.verified_type or None,
    }


@dataclass(frozen=True)
class Document:
    """A feed in one mode, all but its number and time, which `bytes_of` adds."""

    before: str
    after: str

    @property
    def hash(self) -> str:
        return digest(self.before + self.after)

    def gzipped(self, number: int, at: datetime) -> bytes:
        told = f'"snapshot":{number},"published_at":"{moment(at)}"'
        body = f"{self.before},{told},{self.after}".encode()
        return gzip.compress(body, LEVEL, mtime=0)


def documents(
    market: str, category: str | None, language: str, entries: Iterable[Entry], removed: list[dict[str, str]]
) -> dict[str, Document]:
    """A feed in every mode."""
    head = {"version": VERSION, "market": market, "category": category, "language": language}
    before = as_json(head)[:-1]
    rows = list(entries)
    shown = {Mode.IDS: [entry.short() for entry in rows], Mode.FULL: [entry.full() for entry in rows]}
    return {
        mode: Document(before, as_json({"ttl": TTL, "entries": listed, "removed": removed})[1:])
        for mode, listed in shown.items()
    }


def as_json(what: Any) -> str:
    """Compact JSON that is always valid Unicode: a lone surrogate becomes U+FFFD."""
    text = json.dumps(what, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
