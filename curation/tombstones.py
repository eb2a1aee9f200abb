"""Erased authors are known by a keyed hash of their id, nothing else. Whoever stores posts asks here first."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache

from django.conf import settings
from django.db import connection

from curation.locks import ERASURE_LOCK
from curation.models import ErasedAuthor


def author_digest(x_id: int) -> str:
    """The tombstone of an erased author: HMAC-SHA256 of the id with ERASURE_KEY, hex."""
    return _digest(settings.ERASURE_KEY, x_id)


@lru_cache(maxsize=10_000)  # each pass asks for all authors of its posts, mostly those of the pass before
def _digest(key: str, x_id: int) -> str:
    return hmac.digest(key.encode(), str(x_id).encode(), hashlib.sha256).hex()


def erased(x_ids: Iterable[int]) -> set[int]:
    """Those of the authors that were erased: nothing of theirs is stored again.

    In the transaction that stores, before its other locks: no erasure begins until that has ended."""
    digests = {author_digest(x_id): x_id for x_id in x_ids}
    if not digests:
        return set()
    _lock("SELECT pg_advisory_xact_lock_shared(%s, 0)")
    with connection.cursor() as cursor:  # one array: hundreds of parameters take Django longer than PostgreSQL
        cursor.execute("SELECT digest FROM curation_erasedauthor WHERE digest = ANY(%s::text[])", [list(digests)])
        return {digests[digest] for (digest,) in cursor.fetchall()}


def bury(x_id: int) -> None:
    """Sets the tombstone, once all who store have ended: from the commit on nobody stores the author's posts."""
    _lock("SELECT pg_advisory_xact_lock(%s, 0)")
    ErasedAuthor.objects.get_or_create(digest=author_digest(x_id))


def _lock(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [ERASURE_LOCK])
