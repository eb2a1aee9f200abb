"""Blocks end: lifted by someone, by their own time, by an exemption, or because the act that laid them is undone.

Nothing goes live by it. What the lists alone had blocked, and nothing blocks now, waits again; the job does it
(curation.operations.carrying), with system decisions in the act of lifting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.models import Act, Enforcement, Verb
from curation.operations.blocking import ScopeForbidden, enforce_live, may_lay, reach, reach_of
from curation.operations.errors import BadWords, NotAllowed
from curation.operations.record import Record, lock_channels, one_transaction
from regions.models import Block, BlockExemption, BlockList, BlockListExemption, Change, Market, User
from regions.operations import log_change, touch
from regions.permissions import may
from regions.problems import Refusal
from regions.words import unusable

LONGEST_REASON = 200
MOST_AT_ONCE = 500


class AlreadyLifted(Refusal):
    status = HTTPStatus.CONFLICT
    code = "already_lifted"
    detail = gettext_lazy("This block holds no more.")


class AlreadyExempt(Refusal):
    status = HTTPStatus.CONFLICT
    code = "already_exempt"
    detail = gettext_lazy("This market is exempted already.")


class NotExempt(Refusal):
    status = HTTPStatus.CONFLICT
    code = "not_exempt"
    detail = gettext_lazy("This market is not exempted.")


def lift_block(block: Block, *, by: User, now: datetime | None = None) -> Act:
    """Ends a block. Raises ScopeForbidden, and AlreadyLifted where someone was faster."""
    now = now or timezone.now()
    may_lay(by, block.channel, block.market)
    with one_transaction():
        lock_channels(reach(block.channel_id, block.market_id))
        record = Record(Verb.LIFT, by=by, now=now)
        if not _lifted(block, record):
            raise AlreadyLifted
        touch(reach_of(block))
        record.close()
    return record.act


def end_blocks(*, now: datetime) -> int:
    """Lifts the blocks whose own time has come, as one act of the system; returns how many. Feeds have followed
    already: whoever asks the lists looks at the end itself."""
    with transaction.atomic():
        over = Block.objects.filter(lifted_at=None, ends_at__lte=now).order_by("pk")
        ended = list(over.select_for_update(of=("self",), skip_locked=True, no_key=True)[:MOST_AT_ONCE])
        if ended:
            record = Record(Verb.LIFT, by=None, now=now)
            for block in ended:
                _lifted(block, record)
            record.close()
    return len(ended)


def _lifted(block: Block, record: Record) -> bool:
    """Whether it stood until now; then it is lifted, logged and given back by the job."""
    standing = Block.objects.filter(pk=block.pk, lifted_at=None)
    if not standing.update(lifted_at=record.now, lifted_by=record.by, updated_at=record.now):
        return False
    block.refresh_from_db()
    Enforcement.objects.create(act=record.act, verb=Verb.LIFT, block=block, at=record.now)
    told = {"kind": block.kind, "value": block.value, "scope": block.scope, "effect": block.effect}
    log_change(block, "lift", by=record.by, market=block.channel.market if block.channel else block.market, before=told)
    return True


# --- exemptions --------------------------------------------------------------------------------------------------


def exempt(entry: Block | BlockList, market: Market, *, reason: str, by: User, now: datetime | None = None) -> Act:
    """A market does not take over a global block, or list of blocks, for a reason.

    Raises ScopeForbidden, NotAllowed for what is not global, BadWords without a reason, AlreadyExempt."""
    now = now or timezone.now()
    _check_exemption(entry, market, by)
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or unusable(reason):
        raise BadWords(_("Say why, in at most %(n)d characters in one line.") % {"n": LONGEST_REASON}, field="reason")
    with one_transaction():
        lock_channels(reach(None, market.pk))
        if _exemptions(entry, market).exists():
            raise AlreadyExempt
        record = Record(Verb.LIFT, by=by, now=now)
        _exempted(entry, market, reason, record)
        record.close()
    return record.act


def _exempted(entry: Block | BlockList, market: Market, reason: str, record: Record) -> None:
    _exemptions(entry, market).create(
        **_named(entry), market=market, reason=reason, created_by=record.by, created_at=record.now
    )
    Enforcement.objects.create(act=record.act, verb=Verb.LIFT, market=market, at=record.now, **_named(entry))
    log_change(entry, "exempt", by=record.by, market=market, after={"reason": reason})
    touch(reach(None, market.pk))


def end_exemption(entry: Block | BlockList, market: Market, *, by: User, now: datetime | None = None) -> Act:
    """A market takes a global block, or list, over again: live hits are blocked at once.

    Raises ScopeForbidden, NotAllowed for what is not global, NotExempt."""
    now = now or timezone.now()
    _check_exemption(entry, market, by)
    with one_transaction():
        lock_channels(reach(None, market.pk))
        record = Record(Verb.BLOCK, by=by, now=now)
        if not _taken_over(entry, market, record):
            raise NotExempt
        record.close()
    return record.act


def _taken_over(entry: Block | BlockList, market: Market, record: Record) -> bool:
    """Whether the market was exempted until now; then it is no more, and live hits are blocked."""
    exemption = _exemptions(entry, market).first()
    if exemption is None:
        return False
    exemption.delete()
    Enforcement.objects.create(act=record.act, verb=Verb.BLOCK, market=market, at=record.now, **_named(entry))
    log_change(entry, "end_exemption", by=record.by, market=market, before={"reason": exemption.reason})
    every = (
        Block.objects.filter(block_list=entry) if isinstance(entry, BlockList) else Block.objects.filter(pk=entry.pk)
    )
    holding = every.over_market(market).filter(lifted_at=None).exclude(ends_at__lte=record.now)
    enforce_live(list(holding), reach(None, market.pk), record)
    return True


def _check_exemption(entry: Block | BlockList, market: Market, by: User) -> None:
    if not may(by, "block.edit_market", market):
        raise ScopeForbidden(field="market")
    if entry.scope != "global":
        raise NotAllowed(_("A market can only be exempted from what holds everywhere."))


def _named(entry: Block | BlockList) -> dict[str, Any]:
    return {"block_list" if isinstance(entry, BlockList) else "block": entry}


def _exemptions(entry: Block | BlockList, market: Market) -> QuerySet[Any]:
    model: Any = BlockListExemption if isinstance(entry, BlockList) else BlockExemption
    return model.objects.filter(**_named(entry), market=market)


# --- undo --------------------------------------------------------------------------------------------------------


def channels_of(act: Act) -> set[int]:
    """The channels that undoing an act's blocks locks, beside those of its decisions."""
    reached: set[int] = set()
    for row in Enforcement.objects.filter(act=act).select_related("block", "block_list"):
        entry = row.block or row.block_list
        reached |= reach(entry.channel_id, row.market_id or entry.market_id) if entry else set()
    return reached


def undo_of(act: Act, record: Callable[[], Record], *, by: User, now: datetime) -> bool:
    """Takes back what an act did to the lists, before its decisions are taken back, within the act of undoing:
    blocks that it laid are lifted, those that it lifted are laid again, exemptions likewise. Whether there was
    anything: what somebody else changed since stays as they left it, and `record` is asked for only when needed.

    The channels of `channels_of` must be locked. Raises ScopeForbidden without the rights of the act."""
    found = Enforcement.objects.filter(act=act).order_by("pk")
    rows = found.select_related("block__channel__market", "block__market", "block_list", "market")
    done = [_undone(row, record, by, now) for row in rows if _is_newest(row)]
    return any(done)


def _is_newest(row: Enforcement) -> bool:
    """Whether nobody laid, lifted or exempted the same since."""
    same = Enforcement.objects.filter(block=row.block, block_list=row.block_list, market=row.market)
    return not same.filter(pk__gt=row.pk).exists()


def _undone(row: Enforcement, record: Callable[[], Record], by: User, now: datetime) -> bool:
    if row.market is not None:
        return _undone_in(row.market, row, record, by)
    if row.block is None:
        return False
    may_lay(by, row.block.channel, row.block.market)
    if row.verb == Verb.LIFT:
        return _may_stand_again(row.block, now) and _laid_again(row.block, record())
    if not _lifted(row.block, record()):
        return False
    touch(reach_of(row.block))
    return True


def _may_stand_again(block: Block, now: datetime) -> bool:
    """Unless one like it was laid since, or its time is past."""
    twins = Block.objects.filter(
        kind=block.kind, value=block.value, market=block.market, channel=block.channel, block_list=block.block_list,
        effect=block.effect, ends_at=block.ends_at, lifted_at=None,
    )  # fmt: skip
    return not (block.lifted_at is None or twins.exists() or (block.ends_at and block.ends_at <= now))


def _laid_again(block: Block, record: Record) -> bool:
    Block.objects.filter(pk=block.pk).update(lifted_at=None, lifted_by=None, updated_at=record.now)
    block.refresh_from_db()
    Enforcement.objects.create(act=record.act, verb=Verb.BLOCK, block=block, at=record.now)
    log_change(block, "lay_again", by=record.by, market=block.channel.market if block.channel else block.market)
    enforce_live([block], reach_of(block), record)
    return True


def _undone_in(market: Market, row: Enforcement, record: Callable[[], Record], by: User) -> bool:
    entry = row.block or row.block_list
    if entry is None:
        return False
    _check_exemption(entry, market, by)
    exempted = _exemptions(entry, market).exists()
    if row.verb == Verb.LIFT:
        return exempted and _taken_over(entry, market, record())
    if exempted:
        return False
    changes = Change.objects.filter(noun=entry._meta.model_name, noun_id=entry.pk, market=market)
    before = changes.filter(verb="end_exemption").order_by("pk").last()
    _exempted(entry, market, str(before.before.get("reason", "")) if before else "", record())
    return True
