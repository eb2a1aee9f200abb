"""Idempotency: a repeated request with the same key and body gives the same act, and does nothing twice."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import connection
from django.utils import timezone

from curation.models import Act, IdempotencyKey
from curation.operations.errors import KeyReused
from regions.models import User

FIRST_USE = """
INSERT INTO curation_idempotencykey (user_id, key, body_hash, status, refusals, created_at)
VALUES (%s, %s, %s, 0, '{}', %s) ON CONFLICT DO NOTHING RETURNING id
"""
DONE = """
UPDATE curation_idempotencykey SET status = %s, act_id = %s, refusals = %s, remarks = %s WHERE user_id = %s AND key = %s
"""


def fingerprint(*parts: Any) -> str:
    """Hash of what a request asks for, whatever order its fields came in."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def begin(user: User, key: str, body_hash: str) -> IdempotencyKey | None:
    """The earlier use of a key, or None where this request is its first. To be called first in the transaction.

    A concurrent twin waits here for the other's commit. Raises KeyReused for another body."""
    if not key:
        return None
    with connection.cursor() as cursor:
        cursor.execute(FIRST_USE, [user.pk, key, body_hash, timezone.now()])
        if cursor.fetchone():
            return None
    use = IdempotencyKey.objects.select_related("act").get(user=user, key=key)
    if use.body_hash != body_hash:
        raise KeyReused
    return use if use.status else None


def finish(user: User, key: str, *, status: int, act: Act, refusals: dict[int, Any], remarks: dict[int, Any]) -> None:
    """Keeps what came of it, in the same transaction: by candidate, its problem or what was remarked."""
    if key:
        kept = [json.dumps({str(pk): told for pk, told in by.items()}, default=str) for by in (refusals, remarks)]
        with connection.cursor() as cursor:
            cursor.execute(DONE, [int(status), act.pk, *kept, user.pk, key])
