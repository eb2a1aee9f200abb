"""Erasures outlive the database: the publisher writes each tombstone to a file; after a backup was restored whoever
was erased since is erased again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.utils.dateparse import parse_datetime

from curation.erasure_file import ErasureFile, Tombstone, fingerprint
from curation.models import Author, ErasedAuthor, Quarantined
from curation.operations.erasing import erase_author
from curation.tombstones import author_digest
from regions.models import Block, Source

log = structlog.get_logger(__name__)
BATCH = 5000
NUMBER = re.compile(r"(?<!\d)\d{1,19}(?!\d)")


@dataclass(frozen=True)
class Replay:
    """`learned`: tombstones that the database lacked. `erased`: authors of whom something was stored, `posts` theirs.
    `strange`: tombstones made with another ERASURE_KEY, whose authors cannot be told."""

    learned: int = 0
    erased: int = 0
    posts: int = 0
    strange: int = 0


def write_out_erasures(file: ErasureFile) -> int:
    """Appends to the file the tombstones it lacks; returns how many. What it cannot write it tries at the next turn."""
    try:
        with file.locked():
            known, key = file.digests(), fingerprint()
            rows = ErasedAuthor.objects.order_by("erased_at").values_list("digest", "erased_at")
            lacking = [Tombstone(digest, at.isoformat(), key) for digest, at in rows if digest not in known]
            return file.append(lacking) if lacking else 0
    except OSError:
        log.exception("erasures_not_written")
        return 0


def replay_erasures(file: ErasureFile, *, now: datetime) -> Replay:
    """Erases again whoever has a tombstone, in the file or in the database, and of whom something is stored. A backup
    may be from before an erasure, or from its midst. Safe to repeat."""
    lines = {line.digest: line for line in file.lines()}
    known = set(ErasedAuthor.objects.values_list("digest", flat=True))
    new = [ErasedAuthor(digest=one.digest, erased_at=_when(one, now)) for one in lines.values()]
    ErasedAuthor.objects.bulk_create([one for one in new if one.digest not in known], ignore_conflicts=True)
    buried = known.union(lines)
    again = sorted({x_id for x_id in _stored() if author_digest(x_id) in buried}) if buried else []
    posts = sum(erase_author(x_id, by=None, now=now).posts for x_id in again)
    strange = sum(line.key != fingerprint() for line in lines.values())
    return Replay(len(lines.keys() - known), len(again), posts, strange)


def _when(line: Tombstone, now: datetime) -> datetime:
    try:
        return parse_datetime(line.at) or now
    except ValueError:
        return now


def _stored() -> Iterator[int]:
    """X's ids of all authors of whom anything is stored. What an erasure leaves (blocks that go by number alone) is
    not told."""
    yield from Author.objects.values_list("pk", flat=True).iterator(BATCH)
    accounts = Source.ever.filter(kind=Source.Kind.ACCOUNT)
    yield from map(int, accounts.exclude(x_id="").values_list("x_id", flat=True))
    yield from map(int, accounts.filter(value__regex=r"^\d{1,19}$").values_list("value", flat=True))
    noted = Block.objects.filter(kind=Block.Kind.AUTHOR, value__regex=r"^\d{1,19}$", note__startswith="@")
    yield from map(int, noted.values_list("value", flat=True))
    for payload, beside in Quarantined.objects.values_list("payload", "beside").iterator(BATCH):
        yield from map(int, NUMBER.findall(f"{payload} {beside}"))
