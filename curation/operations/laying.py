"""Blocks laid by the thousand, and blocks changed: each one act, live hits blocked in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
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
from curation.operations.errors import BadWindow
from curation.operations.lifting import (
    BATCH,
    AlreadyLifted,
    enforce,
    enforce_where_they_hold,
    lifted_of,
    log_blocks,
)
from curation.operations.naming import Name
from curation.operations.record import Record, lock_channels, one_transaction
from regions.models import Block, BlockExemption, BlockList, User
from regions.operations import log_change, touch
from regions.problems import Refusal

MOST, LOGGED_ALONE, HITS_KEPT, HITS_OF_ALL = 10_000, 5, 5000, 200_000
KEPT_HITS = """
INSERT INTO curation_hit (candidate_id, block_id, start, "end", at)
SELECT near.candidate_id, pair.after, near.start, near."end", near.at
FROM unnest(%s::bigint[], %s::bigint[]) AS pair(after, before) CROSS JOIN LATERAL (
    SELECT candidate_id, start, "end", at FROM curation_hit WHERE block_id = pair.before ORDER BY at DESC LIMIT %s
) AS near ON CONFLICT DO NOTHING
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
        told |= {"act": record.act.pk}
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
        (after,) = _in_place_of([(block, entry)], record)
        told = {name: str(getattr(after, name) or "") for name in before}
        log_change(after, "change", by=by, market=entry.payer, before=before, after=told)
        touch(reach_of(after))
        enforce_live([after], reach_of(after), record)
        record.close()
    return Laid(after, made=True, act=record.act, taken=len(record.decisions))


class Twice(Refusal):
    code = "block_stands_already"
    detail = gettext_lazy("Another block does that already. Lift this one instead.")


def end_block_list(listed: BlockList, ends_at: datetime | None, *, by: User, now: datetime | None = None) -> LaidMany:
    """Gives all that stands in a list one end, None for never, as one act: as change_block does of one.

    Raises ScopeForbidden, BadWindow with the field, NothingChanges where all of it ends then already."""
    now = now or timezone.now()
    may_lay(by, listed.channel, listed.market)
    if ends_at and ends_at <= now:
        raise BadWindow(_("That time is past."), field="ends_at")
    with one_transaction():
        lock_channels(reach(listed.channel_id, listed.market_id))
        standing = Block.objects.filter(block_list=listed, lifted_at=None)
        others = list(standing.exclude(ends_at=ends_at).select_related("channel__market", "market").order_by("pk"))
        if not others:
            raise NothingChanges
        record = Record(Verb.BLOCK, by=by, now=now)
        there = set(standing.filter(ends_at=ends_at).values_list("kind", "value", "effect"))
        lifted = lifted_of(others, record, logged=False)
        pairs = {}
        for one in reversed(lifted):  # of several with the same value the first stays
            if (key := (one.kind, one.value, one.effect)) not in there:
                pairs[key] = (one, _ending(one, listed, ends_at))
        after = _in_place_of(list(pairs.values())[::-1], record)
        told = {"name": listed.name, "count": len(lifted), "ends_at": str(ends_at or ""), "act": record.act.pk}
        log_change(listed, "end", by=by, market=listed.channel.market if listed.channel else listed.market, after=told)
        enforce_where_they_hold(after, record)
        record.close()
    return LaidMany(after, len(lifted) - len(after), len(record.decisions), record.act)


def _ending(block: Block, listed: BlockList, ends_at: datetime | None) -> Entry:
    name = Name(block.kind, block.value)
    return Entry(name, listed.channel, listed.market, block.effect, block.reason, block.note, ends_at, listed)


class NothingChanges(Refusal):
    code = "nothing_changes"
    detail = gettext_lazy("Nothing would be changed by it.")


def _in_place_of(pairs: Sequence[tuple[Block, Entry]], record: Record) -> list[Block]:
    """New blocks with the exemptions and hits of ones that were lifted."""
    after = Block.objects.bulk_create([block_of(entry, record) for _old, entry in pairs], batch_size=BATCH)
    enforce(after, Verb.BLOCK, record)
    new_of = {old.pk: new for (old, _entry), new in zip(pairs, after, strict=True)}
    exemptions = list(BlockExemption.objects.filter(block__in=new_of))
    for exemption in exemptions:
        exemption.pk, exemption.block = None, new_of[exemption.block_id]
        exemption._state.adding = True
    BlockExemption.objects.bulk_create(exemptions, batch_size=BATCH)
    most = min(HITS_KEPT, max(20, HITS_OF_ALL // max(1, len(pairs))))
    with connection.cursor() as cursor:
        cursor.execute(KEPT_HITS, [[new.pk for new in new_of.values()], list(new_of), most])
    return after
