"""Blocks end: lifted by someone, by their own time, by an exemption, or because the act that laid them is undone.

Nothing goes live by it. What the lists alone had blocked, and nothing blocks now, waits again; the job does it
(curation.operations.carrying), with system decisions in the act of lifting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.models import Act, Enforcement, Verb
from curation.operations.blocking import ScopeForbidden, enforce_live, may_lay, reach, reach_of
from curation.operations.errors import BadWords, NotAllowed
from curation.operations.record import Record, lock_channels, one_transaction
from regions.models import Block, BlockExemption, BlockList, BlockListExemption, Change, Channel, Market, User
from regions.operations import log_change, touch
from regions.permissions import may
from regions.problems import Refusal
from regions.words import unusable

LONGEST_REASON = 200
MOST_AT_ONCE, BATCH = 500, 2000


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
    return lift_blocks([block], by=by, now=now)


def lift_blocks(blocks: Sequence[Block], *, by: User, now: datetime | None = None) -> Act:
    """Ends blocks as one act; those that somebody lifted meanwhile are left out.

    Raises ScopeForbidden where one may not lift all of them, and AlreadyLifted where none stands any more."""
    now = now or timezone.now()
    scopes = scopes_of(blocks)
    for channel, market in scopes.values():
        may_lay(by, channel, market)
    with one_transaction():
        reached = set().union(*(reach(channel, market) for channel, market in scopes))
        lock_channels(reached)
        record = Record(Verb.LIFT, by=by, now=now)
        if not lifted_of(blocks, record):
            raise AlreadyLifted
        touch(reached)
        record.close()
    return record.act


Scope = tuple[int | None, int | None]


def scopes_of(blocks: Iterable[Block]) -> dict[Scope, tuple[Channel | None, Market | None]]:
    """The scopes of blocks, each once: by the ids of channel and market those themselves."""
    first = {(block.channel_id, block.market_id): block for block in blocks}
    return {scope: (block.channel, block.market) for scope, block in first.items()}


def end_blocks(*, now: datetime) -> int:
    """Lifts the blocks whose own time has come, as one act of the system; returns how many. Feeds have followed
    already: whoever asks the lists looks at the end itself."""
    with transaction.atomic():
        over = Block.objects.filter(lifted_at=None, ends_at__lte=now).order_by("pk")
        over = over.select_related("channel__market", "market")
        ended = list(over.select_for_update(of=("self",), skip_locked=True, no_key=True)[:MOST_AT_ONCE])
        if ended:
            record = Record(Verb.LIFT, by=None, now=now)
            lifted_of(ended, record)
            record.close()
    return len(ended)


def lifted_of(blocks: Sequence[Block], record: Record, *, logged: bool = True) -> list[Block]:
    """Those that stood until now; they are lifted, logged unless that is told otherwise, and given back by the job."""
    standing = Block.objects.select_for_update(of=("self",), no_key=True).filter(lifted_at=None)
    stood = set(standing.filter(pk__in=[block.pk for block in blocks]).order_by("pk").values_list("pk", flat=True))
    lifted = [block for block in blocks if block.pk in stood]
    told = {"lifted_at": record.now, "lifted_by": record.by, "updated_at": record.now}
    Block.objects.filter(pk__in=stood).update(**told)
    for block in lifted:
        block.lifted_at, block.lifted_by, block.updated_at = record.now, record.by, record.now
    enforce(lifted, Verb.LIFT, record)
    if logged:
        log_blocks(lifted, "lift", record)
    return lifted


def enforce(blocks: Iterable[Block], verb: str, record: Record) -> None:
    """Ties blocks to the act, for the job to carry."""
    rows = [Enforcement(act=record.act, verb=verb, block=block, at=record.now) for block in blocks]
    Enforcement.objects.bulk_create(rows, batch_size=BATCH)


def log_blocks(blocks: Iterable[Block], verb: str, record: Record) -> None:
    """One line in the log of lists for each."""
    rows = []
    for block in blocks:
        told = {"kind": block.kind, "value": block.value, "scope": block.scope, "effect": block.effect}
        fields = {"before": told} if verb == "lift" else {"after": told | {"reason": block.reason}}
        market = block.channel.market if block.channel else block.market
        rows.append(
            Change(by=record.by, at=record.now, market=market, noun="block", noun_id=block.pk, verb=verb, **fields)
        )
    Change.objects.bulk_create(rows, batch_size=BATCH)


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
    rows = Enforcement.objects.filter(act=act).select_related("block", "block_list")
    entries = ((row, row.block or row.block_list) for row in rows)
    scopes = {(entry.channel_id, row.market_id or entry.market_id) for row, entry in entries if entry}
    return set().union(*(reach(channel, market) for channel, market in scopes))


def undo_of(act: Act, record: Callable[[], Record], *, by: User, now: datetime) -> bool:
    """Takes back what an act did to the lists, before its decisions are taken back, within the act of undoing:
    blocks that it laid are lifted, those that it lifted are laid again, exemptions likewise. Whether there was
    anything: what somebody else changed since stays as they left it, and `record` is asked for only when needed.

    The channels of `channels_of` must be locked. Raises ScopeForbidden without the rights of the act."""
    found = Enforcement.objects.filter(act=act).order_by("pk")
    rows = _newest(list(found.select_related("block__channel__market", "block__market", "block_list", "market")))
    ours = [row for row in rows if row.market is None and row.block is not None]
    laid = [row.block for row in ours if row.verb == Verb.BLOCK and row.block]
    lifted = [row.block for row in ours if row.verb == Verb.LIFT and row.block]
    for channel, market in scopes_of([*laid, *lifted]).values():
        may_lay(by, channel, market)
    done = [_undone_in(row.market, row, record, by) for row in rows if row.market is not None]
    done += [_taken_back(laid, act, record), _laid_again(lifted, record, now)]  # one may stand in the other's place
    return any(done)


def _newest(rows: Sequence[Enforcement]) -> list[Enforcement]:
    """What it laid and nobody lifted since; what it lifted or exempted, where nobody laid, lifted or exempted the
    same after it."""
    blocks = [row.block_id for row in rows if row.block_id]
    last, lifts = _last_of(blocks), _last_of(blocks, verb=Verb.LIFT)

    def stands(row: Enforcement) -> bool:
        if row.market_id:
            return _is_newest(row)
        if row.verb == Verb.BLOCK:
            return lifts.get(row.block_id, 0) < row.pk
        return last.get(row.block_id, row.pk) == row.pk

    return [row for row in rows if stands(row)]


def _last_of(blocks: Iterable[Any], **told: Any) -> dict[int | None, int]:
    """The newest enforcement of each block in its whole scope."""
    same = Enforcement.objects.filter(block__in=blocks, market=None, **told)
    return dict(same.order_by().values_list("block").annotate(newest=Max("pk")))


def _is_newest(row: Enforcement) -> bool:
    same = Enforcement.objects.filter(block=row.block, block_list=row.block_list, market=row.market)
    return not same.filter(pk__gt=row.pk).exists()


def _taken_back(blocks: Sequence[Block], act: Act, record: Callable[[], Record]) -> bool:
    """Lifts them, but for those that somebody else asked for too: they stand on until that is taken back."""
    standing = [block for block in blocks if block.lifted_at is None]
    if not standing:
        return False
    others = _asked_by_others(standing, act)
    free = [block for block in standing if block.pk not in others]
    undoing = record()  # it says that this wish is withdrawn, even where the block stays
    if free and lifted_of(free, undoing):
        touch(set().union(*(reach(channel, market) for channel, market in scopes_of(free))))
    return True


def _asked_by_others(blocks: Sequence[Block], act: Act) -> set[int]:
    """Of standing blocks those that another act asks for too, and nobody took that back; and those that stood before
    this act by nobody's."""
    lifts = _last_of(blocks, verb=Verb.LIFT)
    rows = Enforcement.objects.filter(block__in=blocks, market=None, verb=Verb.BLOCK).exclude(act=act)
    taken_back = Exists(Act.objects.filter(undoes=OuterRef("act"), undone_by=None))
    of: dict[int, list[bool]] = {block.pk: [] for block in blocks}
    for block, pk, over in rows.annotate(over=taken_back).values_list("block", "pk", "over"):
        if pk > lifts.get(block, 0):
            of[block].append(over)
    nobodys = {one.pk for one in blocks if one.created_at != act.at and one.pk not in lifts and not of[one.pk]}
    return nobodys | {block for block, over in of.items() if not all(over)}


SAME = ("kind", "value", "market_id", "channel_id", "block_list_id", "effect", "ends_at")


def _laid_again(blocks: Sequence[Block], record: Callable[[], Record], now: datetime) -> bool:
    """Lays lifted blocks again, unless one like it was laid since, or its time is past; live hits are blocked."""
    twins = Block.objects.filter(lifted_at=None, value__in={block.value for block in blocks})
    there = set(twins.values_list(*SAME))
    again = [
        block for block in blocks
        if block.lifted_at and not (block.ends_at and block.ends_at <= now)
        and tuple(getattr(block, name) for name in SAME) not in there
    ]  # fmt: skip
    if not again:
        return False
    act = record()
    Block.objects.filter(pk__in=[block.pk for block in again]).update(
        lifted_at=None, lifted_by=None, updated_at=act.now
    )
    for block in again:
        block.lifted_at = block.lifted_by = None
    enforce(again, Verb.BLOCK, act)
    log_blocks(again, "lay_again", act)
    enforce_where_they_hold(again, act)
    return True


def enforce_where_they_hold(blocks: Iterable[Block], record: Record) -> None:
    """Blocks what is live, of each block in the channels that it holds in."""
    exempt: dict[int, list[int]] = defaultdict(list)
    for block, market in BlockExemption.objects.filter(block__in=list(blocks)).values_list("block", "market"):
        exempt[block].append(market)
    alike: dict[tuple[Any, ...], list[Block]] = defaultdict(list)
    for one in blocks:
        free = tuple(sorted(exempt[one.pk]))
        alike[one.channel_id, one.market_id, one.block_list_id, free].append(one)
    for some in alike.values():
        enforce_live(some, reach_of(some[0]), record)


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
