"""The same files in a bucket of S3, for a CDN before it: what stands at the edge, a second later.

    ids/{market}/{category}/index.json     feed.json and rss.xml beside it
    consumers/{key}/{market}/...           a copy for each consumer, since a bucket has no links; none of full/
    problems/403.json, 404.json, 405.json

Only bytes of FEED_ROOT go there, so that it is as whole as those and needs no database. Each object keeps its
snapshot's number and is replaced on the condition that it is still the one that was looked at: of two machines the one
that is behind replaces nothing."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.utils.functional import cached_property
from storages.backends.s3 import S3Storage

from feeds import files
from feeds.api import CACHING
from feeds.models import Mode
from feeds.syndication import FORMATS
from regions.problems import CONTENT_TYPE as PROBLEM

log = structlog.get_logger(__name__)
ALIAS = "feeds"
TURN = 1.0  # seconds
LONGEST_PAUSE = 30.0
LOOKED_AT = 60.0  # seconds after which the bucket itself is asked again what it holds
AT_ONCE = 8
PATIENCE = Config(connect_timeout=3, read_timeout=5, retries={"max_attempts": 2}, max_pool_connections=AT_ONCE)
TRIES = 3
NUMBER = "snapshot"  # metadata of an object
CACHED = {"CacheControl": CACHING["Cache-Control"]}
TYPES = {"problems": PROBLEM} | {name: one.content_type for name, one in FORMATS.items()}


class FeedBucket(S3Storage):
    """The bucket of STORAGES["feeds"]. Who may write there is told by AWS's own variables or the machine's role."""

    def get_default_settings(self) -> dict[str, Any]:
        return super().get_default_settings() | {"client_config": PATIENCE}

    @cached_property
    def client(self) -> Any:
        """One for all threads, which it is made for."""
        return self.connection.meta.client

    def at(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}

    def standing(self) -> dict[str, str]:
        """ETag of each object by its name below the storage's location."""
        below = f"{self.location}/" if self.location else ""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name, Prefix=below)
        return {one["Key"][len(below) :]: one["ETag"] for page in pages for one in page.get("Contents", [])}

    def number_of(self, name: str) -> tuple[int, str]:
        """Number and ETag of an object; (-1, "") where there is none."""
        try:
            there = self.client.head_object(**self.at(name))
        except ClientError as error:
            if status_of(error) == 404:
                return -1, ""
            raise
        return int(there["Metadata"].get(NUMBER, -1)), there["ETag"]

    def replace(self, name: str, number: int, body: bytes, *, etag: str) -> bool:
        """Puts an object in place of the one with this ETag, or of none; False where another stands there by now."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        about = {"ContentType": type_of(name), "ContentEncoding": "gzip", "Metadata": {NUMBER: str(number)}}
        try:
            self.client.put_object(**self.at(name), Body=body, **about, **CACHED, **condition)
        except ClientError as error:
            if status_of(error) in (404, 409, 412):
                return False
            raise
        return True

    def take_away(self, name: str) -> None:
        self.client.delete_object(**self.at(name))


def type_of(name: str) -> str:
    """The media type of an object, as the edge and Django have it."""
    return TYPES.get(name.partition("/")[0]) or TYPES.get(name.rpartition("/")[2], "application/json")


def status_of(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


@dataclass(frozen=True)
class Sent:
    """An object as it is known: its ETag, and the standing of the file that it was made of, if it was by us."""

    etag: str
    standing: tuple[int, int] | None = None


NONE = Sent("")


class Mirror:
    """Makes a bucket agree with the edge. Remembers what it sent, so that a turn in which nothing happened asks
    nothing of the bucket."""

    def __init__(self, bucket: FeedBucket) -> None:
        self.bucket = bucket
        self.known: dict[str, Sent] = {}
        self.looked = float("-inf")

    def turn(self) -> int:
        """Sends what differs, takes away what is no more; returns how many objects. What must go, goes first."""
        if time.monotonic() >= self.looked + LOOKED_AT:
            self._look()
        wanted = {name: (file, stands) for name, file in shown() if (stands := files.standing_of(file))}
        changed = 0
        for name in self.known.keys() - wanted.keys():
            self.bucket.take_away(name)
            del self.known[name]
            changed += 1
        astray = [name for name, (_file, stands) in wanted.items() if self._differs(name, stands)]
        if not astray:
            return changed
        with ThreadPoolExecutor(AT_ONCE) as hands:
            return changed + sum(hands.map(lambda name: self._send(name, wanted[name][0]), astray))

    def _look(self) -> None:
        """What was put or taken away there by others is noticed."""
        there = self.bucket.standing()
        self.known = {
            name: one if (one := self.known.get(name)) and one.etag == etag else Sent(etag)
            for name, etag in there.items()
        }
        self.looked = time.monotonic()

    def _differs(self, name: str, standing: tuple[int, int]) -> bool:
        return name not in self.known or self.known[name].standing != standing

    def _send(self, name: str, file: Path) -> bool:
        """Whether it put one; where another stands there that is newer, none."""
        found, there = files.read(file), self.known.get(name, NONE)
        if found is None:
            return False
        number, body = found
        etag = f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'  # as S3 makes it of what is put at once
        changed = etag != there.etag and self._replaced(name, number, body, there)
        if changed or etag == there.etag:
            self.known[name] = Sent(etag, (number, len(body)))
        return changed

    def _replaced(self, name: str, number: int, body: bytes, there: Sent) -> bool:
        ours = there.standing and self.bucket.replace(name, number, body, etag=there.etag)
        return ours or any(self._replaced_theirs(name, number, body) for _try in range(TRIES))

    def _replaced_theirs(self, name: str, number: int, body: bytes) -> bool:
        """After a look at what somebody else put there."""
        ahead, etag = self.bucket.number_of(name)
        if ahead > number and of_a_feed(name):
            log.warning("bucket_ahead", name=without_key(name), there=ahead, here=number)
            return False
        return self.bucket.replace(name, number, body, etag=etag)


def shown() -> Iterator[tuple[str, Path]]:
    """Names of what the bucket holds, and their files at the edge."""
    root = files.root()
    for folder in (root / Mode.IDS, root / "problems"):
        yield from below(folder, folder.name)
    for link in sorted((root / files.CONSUMERS).glob("*/*")):
        if link.is_symlink():
            yield from below(link.resolve(), f"{files.CONSUMERS}/{link.parent.name}/{link.name}")


def of_a_feed(name: str) -> bool:
    """Whether its number rises: that of the list and of the problems is made of their bytes."""
    return name.count("/") > 1


def below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in sorted(folder.rglob("*.gz")):
        yield f"{name}/{file.relative_to(folder).as_posix().removesuffix('.gz')}", file


def without_key(name: str) -> str:
    """A name as a log may have it."""
    first, _slash, rest = name.partition("/")
    return f"{first}/.../{rest.partition('/')[2]}" if first == files.CONSUMERS else name


class Mirroring(threading.Thread):
    """Turn after turn beside the publisher, which it never keeps waiting."""

    def __init__(self) -> None:
        super().__init__(name="bucket", daemon=True)
        self.over = threading.Event()

    def run(self) -> None:
        mirror, pause = Mirror(bucket()), TURN
        while not self.over.wait(pause):
            try:
                mirror.turn()
                pause = TURN
            except (BotoCoreError, ClientError, OSError) as error:
                pause = min(2 * pause, LONGEST_PAUSE)
                log.warning("bucket_not_reached", error=str(error), again_in_seconds=pause)

    def stop(self) -> None:
        self.over.set()
        self.join(LONGEST_PAUSE)


def is_set() -> bool:
    return ALIAS in settings.STORAGES


def bucket() -> FeedBucket:
    found: Any = storages[ALIAS]
    return found
