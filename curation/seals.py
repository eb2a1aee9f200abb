"""What a seal says, byte by byte: the canonical form of a decision, its digest, the chain's heads.

docs/decisions.md describes form 1. A change of any byte needs a new form beside it: old seals keep theirs."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

FORM = 1
PAIR = struct.Struct(">q32s")  # a decision's id and its digest
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = {
    "id": "d.id",
    "act": "d.act_id",
    "candidate": "d.candidate_id",
    "channel": "d.channel_id",
    "market": "d.market_id",
    "verb": "d.verb",
    "by": "d.by_id",
    "at": "extract(epoch FROM d.at)",
    "reason": "d.reason",
    "version": "d.version",
    "current_id": "d.current_id",
    "text_hash": "d.text_hash",
    "before": "d.before::text",
    "after": "d.after::text",
    "act_by": "a.by_id",
    "act_verb": "a.verb",
    "act_at": "extract(epoch FROM a.at)",
    "act_undoes": "a.undoes_id",
}
DECISIONS = f"""
SELECT {", ".join(COLUMNS.values())}
FROM curation_decision d LEFT JOIN curation_act a ON a.id = d.act_id
WHERE d.market_id BETWEEN %s AND %s AND d.id > %s ORDER BY d.market_id DESC, d.id
"""  # noqa: S608  the names are ours
"""A market's decisions after an id, oldest first; told the market twice, see curation.operations.sealing."""
NAMES = tuple(COLUMNS)
TIMES = ("at", "act_at")
STANDINGS = ("before", "after")


class Sealed(NamedTuple):
    """A seal as its head is made of it. `at` in microseconds since 1970."""

    market: int
    number: int
    first_id: int
    last_id: int
    form: int
    at: int | str
    digests: bytes


def canonical(row: Sequence[Any]) -> bytes:
    """A row of DECISIONS in form 1: one JSON object, names sorted, no spaces, ASCII, times in microseconds."""
    told = dict(zip(NAMES, row, strict=True))
    told |= {name: microseconds(told[name]) for name in TIMES}
    told |= {name: _parsed(told[name]) for name in STANDINGS}
    return as_json(told)


def as_json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def microseconds(moment: datetime | Decimal | None) -> int | str | None:
    """Since 1970, UTC. What is no moment at all (infinity, which only an intruder writes) stays a word."""
    if moment is None:
        return None
    if isinstance(moment, Decimal):
        return int(moment.scaleb(6)) if moment.is_finite() else str(moment)
    return (moment - EPOCH) // timedelta(microseconds=1)


def _parsed(text: str | None) -> Any:
    """The value of a jsonb; its text where Python cannot read it, which no standing of ours is."""
    try:
        return json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return text


FORMS: dict[int, Callable[[Sequence[Any]], bytes]] = {1: canonical}


def digest_of(row: Sequence[Any], form: int = FORM) -> bytes:
    """SHA-256 of the canonical form, 32 bytes."""
    return hashlib.sha256(FORMS[form](row)).digest()


def packed(pairs: Iterable[tuple[int, bytes]]) -> bytes:
    """Ids and digests as a seal holds them."""
    return b"".join(PAIR.pack(pk, digest) for pk, digest in pairs)


def unpacked(digests: bytes) -> Iterator[tuple[int, bytes]]:
    """Ids and digests of a seal; a torn end is left out."""
    whole = len(digests) - len(digests) % PAIR.size
    yield from PAIR.iter_unpack(digests[:whole])


def head_of(previous: str, seal: Sealed) -> str:
    """SHA-256, hex, over the head before (empty for the first seal), the seal's own fields, and its digests."""
    told = seal._asdict()
    digests = told.pop("digests")
    return hashlib.sha256(as_json(told | {"previous": previous}) + b"\n" + digests).hexdigest()
