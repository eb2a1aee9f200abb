"""Blocks that act on posts: laid by a verb's `also` or by themselves, and at once on what is live.

What the block matches among approved ones that are or may come into a feed is blocked in the block's own transaction;
the rest is carried to by a job (curation.operations.carrying). Whoever lays a block holds every channel that it
reaches, and whoever approves asks the lists while holding the channel: so neither can pass the other unseen."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from curation.matching import Match, Matcher, normalised
from curation.models import Act, Candidate, Decision, Enforcement, Hit, State, Verb
from curation.operations import suspects
from curation.operations.errors import BadWindow, BadWords, BlockStands, NotAllowed
from curation.operations.following import off_the_feed
from curation.operations.naming import BadBlock, Name, name_of
from curation.operations.record import Record, lock_candidates, lock_channels, one_transaction
from curation.precedence import standing_block, strongest
from curation.transitions import REASONS
from regions.models import Block, BlockList, Channel, Market, User
from regions.operations import log_change, touch
from regions.permissions import may
from regions.problems import Refusal
from regions.words import unusable

RIGHTS = {"channel": "block.edit_channel", "market": "block.edit_market", "global": "block.edit_global"}
NOT_OF_A_BLOCK = ("not_chosen", "moved")
LONGEST_NOTE = 500
Also = Sequence[Mapping[str, Any]]


class ScopeForbidden(Refusal):
    status = HTTPStatus.FORBIDDEN
    code = "permission_denied"
    detail = gettext_lazy("You may not block so widely.")


@dataclass(frozen=True)
class Entry:
    """A block to be: what it names, where it holds, what it does, why and until when."""

    name: Name
    channel: Channel | None = None
    market: Market | None = None
    effect: str = Block.Effect.BLOCK
    reason: str = "other"
    note: str = field(default="", compare=False)
    ends_at: datetime | None = None
    block_list: BlockList | None = None

    @property
    def payer(self) -> Market | None:
        """The market in whose log of lists it stands; None for all."""
        return self.channel.market if self.channel else self.market


@dataclass(frozen=True)
class Laid:
    """`made` is False where a block that stands already does what was asked; then there is no act. `taken`: how many
    posts were taken off the phones."""

    block: Block
    made: bool
    act: Act | None = None
    taken: int = 0


# --- with a verb -------------------------------------------------------------------------------------------------


def channels_reached(also: Also, channels: Iterable[int], by: User) -> set[int]:
    """The channels to lock before anything of `also` is laid: those given, and all that its scopes reach from them."""
    near = set(channels)
    scopes = {one.get("scope") for one in also}
    if not scopes & {"market", "global"}:
        return near
    markets = Market.objects.filter(channel__in=near).distinct()
    wide = {
        scope: [market.pk for market in markets if may(by, RIGHTS[scope], market)] for scope in ("market", "global")
    }
    if "global" in scopes and wide["global"]:
        return near | set(Channel.objects.values_list("pk", flat=True))
    reached = wide["market"] if "market" in scopes else []
    return near | set(Channel.objects.filter(market__in=reached).values_list("pk", flat=True))


def check(also: Also, candidate: Candidate, *, by: User) -> None:
    """Refuses what of `also` may not be laid from this candidate: a scope beyond one's rights, a value that names
    nothing or nearly everything."""
    for one in also:
        _entry(one, candidate, by, "other")


def lay(record: Record, also: Also, *, reason: str) -> dict[int, str]:
    """Lays the blocks of a verb's `also`, after the verb's own changes and before the record is closed: one block for
    all candidates of the act that ask for the same. Takes out what is live, as system decisions of this act.

    The channels of `channels_reached` must be locked. Gives remarks by candidate: that its block stood already, and
    what its blocks took out; of a block that several ask for the first of them tells it."""
    asked: dict[Entry, list[int]] = {}
    for decision in [one for one in record.decisions if one.by is not None and one.verb == Verb.BLOCK]:
        for one in also:
            entry = _entry(one, decision.candidate, record.by, reason)
            asked.setdefault(entry, []).append(decision.candidate.pk)
    stood = {entry: block for entry in asked if (block := standing(entry))}
    laid = {entry: _made(entry, record) for entry in asked if entry not in stood}
    said: dict[int, list[str]] = defaultdict(list)
    for entry, block in stood.items():
        asked_for_too(block, record)
        for pk in asked[entry]:
            said[pk].append(_("Blocked already: %(value)s.") % {"value": block.named})
    for first, blocks in groupby(laid.items(), key=lambda pair: asked[pair[0]][0]):
        before = len(record.decisions)
        for _of, block in blocks:
            enforce_live([block], reach_of(block), record)
        if taken := [one.candidate for one in record.decisions[before:]]:
            said[first].append(taken_out(taken, record.rows[first].channel.market))
    return {pk: " ".join(sentences) for pk, sentences in said.items()}


def taken_out(rows: Sequence[Candidate], home: Market) -> str:
    """How many live posts blocks took out, and in which channels: "Politics 2, Sport 1"; those of
    other markets than `home` stand with their code."""
    counts = Counter((row.channel.market, row.channel.category) for row in rows)
    places = sorted(counts, key=lambda place: (place[0] != home, place[0].position, place[0].code, place[1].position))
    told = [
        f"{'' if market == home else market.code.upper() + ' '}{category.name} {counts[market, category]}"
        for market, category in places
    ]
    sentence = ngettext(
        "It took %(n)d live post out: %(places)s.", "It took %(n)d live posts out: %(places)s.", len(rows)
    )
    return sentence % {"n": len(rows), "places": ", ".join(told)}


def _entry(one: Mapping[str, Any], candidate: Candidate, by: User | None, reason: str) -> Entry:
    channel, scope = candidate.channel, one.get("scope")
    if scope not in RIGHTS:
        raise BadBlock(_("A block holds in the channel, in the market, or everywhere."), field="also")
    if by is None or not may(by, RIGHTS[scope], channel.market):
        raise ScopeForbidden(field="also")
    kind, value = str(one.get("kind") or ""), str(one.get("value") or "")
    if kind == Block.Kind.TWEET:
        raise BadBlock(_("There is no such kind of block."), field="also")
    name = name_of(kind, value, author=candidate.tweet.author, field="also")
    return Entry(
        name,
        channel=channel if scope == "channel" else None,
        market=channel.market if scope == "market" else None,
        reason="other" if reason in NOT_OF_A_BLOCK else reason,
    )


# --- by itself ---------------------------------------------------------------------------------------------------


def lay_block(
    kind: str,
    value: str,
    *,
    by: User,
    channel: Channel | None = None,
    market: Market | None = None,
    effect: str = Block.Effect.BLOCK,
    reason: str = "other",
    note: str = "",
    ends_at: datetime | None = None,
    block_list: BlockList | None = None,
    now: datetime | None = None,
) -> Laid:
    """Lists a block of a channel, of a market, or of all, as an act of its own. Live hits are blocked at once; one
    that only holds removes nothing live.

    Raises ScopeForbidden, and BadBlock, BadWindow, BadWords or NotAllowed with the field."""
    now = now or timezone.now()
    may_lay(by, channel, market)
    name = name_of(kind, value)
    entry = Entry(name, channel, market, effect, reason, note, ends_at, block_list)
    check_entry(entry, now)
    with one_transaction():
        lock_channels(reach(channel.pk if channel else None, market.pk if market else None))
        if block := standing(entry):
            return Laid(block, made=False)
        record = Record(Verb.BLOCK, by=by, now=now)
        block = _made(entry, record)
        enforce_live([block], reach_of(block), record)
        record.close()
    return Laid(block, made=True, act=record.act, taken=len(record.decisions))


def may_lay(by: User, channel: Channel | None, market: Market | None) -> None:
    """Raises ScopeForbidden where someone may not edit the blocks of a channel, of a market, or of all."""
    scope = "channel" if channel else "market" if market else "global"
    if not may(by, RIGHTS[scope], channel.market if channel else market):
        raise ScopeForbidden(field="scope")


def check_entry(entry: Entry, now: datetime) -> None:
    """Raises NotAllowed, BadWords or BadWindow with the field, where something of it cannot be."""
    if entry.effect not in Block.Effect.values:
        raise NotAllowed(_("A block blocks or holds."), field="effect")
    if entry.reason not in REASONS:
        raise NotAllowed(_("There is no such reason."), field="reason")
    if len(entry.note) > LONGEST_NOTE or unusable(entry.note):
        raise BadWords(_("At most %(n)d characters in one line.") % {"n": LONGEST_NOTE}, field="note")
    if entry.ends_at and entry.ends_at <= now:
        raise BadWindow(_("That time is past."), field="ends_at")
    listed = entry.block_list
    here = (entry.market.pk if entry.market else None, entry.channel.pk if entry.channel else None)
    if listed is not None and (listed.market_id, listed.channel_id) != here:
        raise NotAllowed(_("That list is for another scope."), field="block_list")


# --- what both do ------------------------------------------------------------------------------------------------


def standing(entry: Entry) -> Block | None:
    """A block of the same scope that does already what is asked: as strict, and for as long."""
    wanted = normalised(entry.name.kind, entry.name.value)
    there = Block.objects.filter(kind=entry.name.kind, market=entry.market, channel=entry.channel, lifted_at=None)
    lasting = Q(ends_at=None) | Q(ends_at__gte=entry.ends_at) if entry.ends_at else Q(ends_at=None)
    strict = there.filter(lasting, effect__in={Block.Effect.BLOCK, entry.effect}).order_by("pk")
    same = (pk for pk, value in strict.values_list("pk", "value") if normalised(entry.name.kind, value) == wanted)
    return Block.objects.filter(pk=next(same, 0)).first()


def block_of(entry: Entry, record: Record) -> Block:
    """The block as it would be listed, not stored yet."""
    note = " ".join(filter(None, (entry.name.note, entry.note)))[:LONGEST_NOTE]
    return Block(
        kind=entry.name.kind, value=entry.name.value, channel=entry.channel, market=entry.market, effect=entry.effect,
        reason=entry.reason, note=note, ends_at=entry.ends_at, block_list=entry.block_list, created_by=record.by,
        created_at=record.now,
    )  # fmt: skip


def _made(entry: Entry, record: Record) -> Block:
    """The block, its line in the log of lists, and what ties it to the act."""
    block = block_of(entry, record)
    block.save(force_insert=True)
    told = {"kind": block.kind, "value": block.value, "scope": block.scope, "effect": block.effect}
    log_change(block, "add", by=record.by, market=entry.payer, after=told | {"reason": block.reason})
    Enforcement.objects.create(act=record.act, verb=Verb.BLOCK, block=block, at=record.now)
    return block


def asked_for_too(block: Block, record: Record) -> None:
    """Ties a block that stands already to the act: it holds until that is taken back too. There is nothing to carry."""
    told = {"act": record.act, "verb": Verb.BLOCK, "block": block, "at": record.now}
    Enforcement.objects.create(**told, carried_at=record.now)


def reach(channel: int | None, market: int | None) -> set[int]:
    """The channels of a scope, active or not."""
    if channel:
        return {channel}
    channels = Channel.objects.filter(market=market) if market else Channel.objects.all()
    return set(channels.values_list("pk", flat=True))


def reach_of(block: Block, market: Market | None = None) -> set[int]:
    """The channels in which a block holds while it stands; of one market, where it is given."""
    channels = Channel.objects.filter(pk__in=reach(block.channel_id, block.market_id))
    free = Q(market__blockexemption__block=block)
    if block.block_list_id:
        free |= Q(market__blocklistexemption__block_list=block.block_list_id)
    channels = channels.exclude(free)
    return set((channels.filter(market=market) if market else channels).values_list("pk", flat=True))


def enforce_live(blocks: Sequence[Block], channel_ids: Iterable[int], record: Record) -> None:
    """Blocks what outright blocks match of what is live or may be, by nobody, within the record's act. The channels
    are locked, and every block holds in all of them.

    All of them are published anew: a held feed may show what is approved no more."""
    channels = Channel.objects.in_bulk(channel_ids)
    touch(channels)
    outright = [block for block in blocks if block.effect == Block.Effect.BLOCK]
    if not outright:
        return
    matcher = Matcher(outright)
    hits = []
    for pk, fresh in lock_candidates(suspects.live(outright, channels.values(), record.now)).items():
        row = record.rows.get(pk, fresh)  # which this act may change further on
        found = matcher.matches(row.tweet, row.channel_id, record.now)
        hits += [hit_of(row, match, record.now) for match in found]
        if row.state == State.APPROVED and (match := strongest(found)):
            take_out(record, row, match.reason)
    Hit.objects.bulk_create(hits, ignore_conflicts=True)


def take_out(record: Record, row: Candidate, reason: str) -> Decision:
    """One system decision: blocked by the lists alone."""
    fields = off_the_feed(State.BLOCKED) | {"blocked_by_lists": True}
    decision = record.change(row, Verb.BLOCK, reason=reason, **fields)
    decision.by = None
    return decision


def hit_of(row: Candidate, match: Match, now: datetime) -> Hit:
    return Hit(candidate=row, block_id=match.block_id, start=match.start, end=match.end, at=now)


# --- against approving -------------------------------------------------------------------------------------------


def refuse_blocked(candidate: Candidate, now: datetime) -> None:
    """Raises BlockStands where an outright block forbids a candidate whose channel is locked: it names the block's
    scope and who laid it. Of several the strongest is told (curation.precedence)."""
    if block := standing_block(candidate, now):
        raise stands(block)


def stands(block: Block) -> BlockStands:
    """The refusal that tells of a block."""
    who = block.created_by.shown_name if block.created_by else _("the system")
    where = {
        "channel": _("this channel"),
        "market": _("this market"),
        "global": _("all markets"),
    }[block.scope]
    told = {
        "channel": _("%(block)s is blocked in %(where)s by %(who)s. Lift the block first."),
        "market": _("%(block)s is blocked in %(where)s by %(who)s. A lead can lift the block."),
        "global": _("%(block)s is blocked in %(where)s by %(who)s. A chief can lift the block."),
    }[block.scope]
    return BlockStands(
        told % {"block": f"{block.get_kind_display()} {block.named}", "where": where, "who": who},
        block={"id": block.pk, "kind": block.kind, "value": block.value, "scope": block.scope, "reason": block.reason},
        by=block.created_by.shown_name if block.created_by else None,
    )


CARRIED = Q(by=None) & ~Q(verb=Verb.BLOCK, before__state=State.APPROVED)
"""Decisions of the job, in a person's act."""


def undoable_decisions(act: Act) -> QuerySet[Decision]:
    """The decisions that undoing an act takes back by itself: people's, and the system's on what was live. What the
    job decided of others returns to pending by the job, since its blocks are lifted."""
    return act.decision_set.exclude(CARRIED) if act.by_id else act.decision_set.all()
