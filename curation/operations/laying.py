"""Blocks laid by the thousand, and blocks changed: each one act, live hits blocked in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy

from curation.matching import normalised
from curation.models import Act, Verb
from curation.operations.blocking import (
    Entry,
    Laid,
    block_of,
    check_entry,
    enforce_live,
    may_lay,
    reach,
    reach_of,
    standing,
)
from curation.operations.lifting import BATCH, AlreadyLifted, enforce, lifted_of, log_blocks
from curation.operations.naming import Name
from curation.operations.record import Record, lock_channels, one_transaction
from regions.models import Block, User
from regions.operations import log_change, touch
from regions.problems import Refusal

MOST, LOGGED_ALONE, HITS_KEPT = 10_000, 5, 5000
KEPT_HITS = """
INSERT INTO curation_hit (candidate_id, block_id, start, "end", at)
SELECT candidate_id, %s, start, "end", at FROM curation_hit WHERE block_id = %s ORDER BY at DESC LIMIT %s
ON CONFLICT DO NOTHING
"""


class TooManyBlocks(Refusal):
    code = "too_many"
    detail = gettext_lazy("At most 10,000 blocks at once.")


@dataclass(frozen=True)
class LaidMany:
    """The blocks that were made, how many stood already, and how many posts were taken off the phones."""

    blocks: Sequence[Block]
    known: int
    taken: int
    act: Act | None = None


def lay_blocks(entries: Sequence[Entry], *, by: User, now: datetime | None = None) -> LaidMany:
    """Lists many blocks as one act, all or none; those that stand already are left out.

    Raises ScopeForbidden, TooManyBlocks, and BadWindow, BadWords or NotAllowed with the field."""
    now = now or timezone.now()
    if len(entries) > MOST:
        raise TooManyBlocks
    scopes = {(one.channel, one.market) for one in entries}
    for channel, market in scopes:
        may_lay(by, channel, market)
    for entry in entries:
        check_entry(entry, now)
    with one_transaction():
        lock_channels(set().union(*(reach(one.pk if one else None, two.pk if two else None) for one, two in scopes)))
        fresh = unlisted(entries)
        if not fresh:
            return LaidMany((), len(entries), 0)
        record = Record(Verb.BLOCK, by=by, now=now)
        blocks = Block.objects.bulk_create([block_of(entry, record) for entry in fresh], batch_size=BATCH)
        enforce(blocks, Verb.BLOCK, record)
        _log(blocks, record)
        for some in _alike(blocks).values():
            enforce_live(some, reach_of(some[0]), record)
        record.close()
    return LaidMany(blocks, len(entries) - len(fresh), len(record.decisions), record.act)


def unlisted(entries: Sequence[Entry]) -> list[Entry]:
    """Those that no standing block of the same scope does already, as strictly and as long; of the same the first."""
    listed: dict[tuple[Any, ...], list[tuple[str, datetime | None]]] = defaultdict(list)
    for scope, kind in {((one.channel, one.market), one.name.kind) for one in entries}:
        there = Block.objects.filter(kind=kind, channel=scope[0], market=scope[1], lifted_at=None)
        for value, effect, ends_at in there.values_list("value", "effect", "ends_at"):
            listed[scope, kind, normalised(kind, value)].append((effect, ends_at))
    fresh = []
    for one in entries:
        key = ((one.channel, one.market), one.name.kind, normalised(one.name.kind, one.name.value))
        if not any(_does(one, effect, ends_at) for effect, ends_at in listed[key]):
            fresh.append(one)
            listed[key].append((one.effect, one.ends_at))
    return fresh


def _does(entry: Entry, effect: str, ends_at: datetime | None) -> bool:
    lasts = ends_at is None or (entry.ends_at is not None and ends_at >= entry.ends_at)
    return lasts and effect in (Block.Effect.BLOCK, entry.effect)


def _alike(blocks: Sequence[Block]) -> dict[tuple[Any, ...], list[Block]]:
    """Blocks by scope and list: they hold in the same channels, since no market is exempted from new ones alone."""
    found: dict[tuple[Any, ...], list[Block]] = defaultdict(list)
    for block in blocks:
        found[block.channel_id, block.market_id, block.block_list_id].append(block)
    return found


def _log(blocks: Sequence[Block], record: Record) -> None:
    """A few each for itself; many as one line for each scope, since they say themselves who laid them, and when."""
    if len(blocks) <= LOGGED_ALONE:
        return log_blocks(blocks, "add", record)
    for some in _alike(blocks).values():
        first = some[0]
        told = {"count": len(some), "scope": first.scope, "list": first.block_list.name if first.block_list else ""}
        market = first.channel.market if first.channel else first.market
        log_change(first.block_list or first, "bring", by=record.by, market=market, after=told)


def change_block(
    block: Block,
    *,
    by: User,
    effect: str,
    reason: str,
    ends_at: datetime | None,
    note: str | None = None,
    now: datetime | None = None,
) -> Laid:
    """Another effect, reason or end: the block is lifted and laid anew as one act, and holds all the while.

    `note` None keeps it. Raises what laying and lifting raise; `made` is False where nothing would change."""
    now = now or timezone.now()
    may_lay(by, block.channel, block.market)
    words = block.note if note is None else note
    entry = Entry(
        Name(block.kind, block.value), block.channel, block.market, effect, reason, words, ends_at, block.block_list
    )
    check_entry(entry, now)
    with one_transaction():
        lock_channels(reach(block.channel_id, block.market_id))
        if (block.effect, block.reason, block.ends_at, block.note) == (effect, reason, ends_at, words):
            return Laid(block, made=False)
        record = Record(Verb.BLOCK, by=by, now=now)
        before = {name: str(getattr(block, name) or "") for name in ("effect", "reason", "ends_at")}
        if not lifted_of([block], record):
            raise AlreadyLifted
        if other := standing(entry):
            raise Twice(block={"id": other.pk})
        after = _in_place_of(block, entry, record)
        told = {name: str(getattr(after, name) or "") for name in before}
        log_change(after, "change", by=by, market=entry.payer, before=before, after=told)
        touch(reach_of(after))
        enforce_live([after], reach_of(after), record)
        record.close()
    return Laid(after, made=True, act=record.act)


class Twice(Refusal):
    code = "block_stands_already"
    detail = gettext_lazy("Another block does that already. Lift this one instead.")


def _in_place_of(block: Block, entry: Entry, record: Record) -> Block:
    """A new block with the exemptions and hits of one that was lifted."""
    after = block_of(entry, record)
    after.save(force_insert=True)
    enforce([after], Verb.BLOCK, record)
    for exemption in list(block.blockexemption_set.all()):
        exemption.pk, exemption.block = None, after
        exemption._state.adding = True
        exemption.save()
    with connection.cursor() as cursor:
        cursor.execute(KEPT_HITS, [after.pk, block.pk, HITS_KEPT])
    return after
