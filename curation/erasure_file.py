"""The file ERASURE_LOG: a line of JSON for each tombstone, so that erasures outlive the database they were made in.

It holds keyed hashes alone, and which key made them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

from curation.appended_file import AppendedFile, Stamp


class Tombstone(NamedTuple):
    """`digest` as curation.tombstones makes it, `at` in ISO 8601, `key`: the fingerprint of ERASURE_KEY."""

    digest: str
    at: str
    key: str


def fingerprint() -> str:
    """Tells keys apart and nothing about them."""
    return hmac.digest(settings.ERASURE_KEY.encode(), b"ERASURE_KEY", sha256).hex()[:16]


class ErasureFile(AppendedFile):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._known: set[str] = set()
        self._stamp: Stamp | None = None

    def lines(self) -> Iterator[Tombstone]:
        """Torn lines and others are left out."""
        if self.exists():
            with self.path.open("rb") as opened:
                yield from filter(None, map(tombstone_in, opened))

    def digests(self) -> set[str]:
        """Read again only when somebody else touched the file."""
        if self._stamp is None or self._stamp != self.standing():
            self._known = {line.digest for line in self.lines()}
            self._stamp = self.standing()
        return self._known

    def append(self, tombstones: Iterable[Tombstone]) -> int:
        """Writes lines after the others and waits for the disk; returns how many. Raises OSError."""
        told, self._stamp = list(tombstones), None
        self.write(json.dumps(one._asdict()).encode() for one in told)
        return len(told)


def tombstone_in(raw: bytes) -> Tombstone | None:
    try:
        told = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(told, dict) or any(not isinstance(told.get(name), str) for name in Tombstone._fields):
        return None
    return Tombstone(**{name: told[name] for name in Tombstone._fields})
