"""The editors' verbs on candidates. Each is one act in one transaction; a refusal changes nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.matching import Matcher
from curation.models import Act, Candidate, Decision, State, Verb
from curation.operations import keys
from curation.operations.errors import (
    BadWindow,
    BadWords,
    BlockStands,
    NoSuchSlot,
    NotAllowed,
    SecondPairNeeded,
    SlotsFull,
    SlotTaken,
    StaleVersion,
    TooMany,
    VersionRequired,
)
from curation.operations.record import (
    Record,
    back_to_pending,
    last_decision,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from curation.transitions import EDITORS_VERBS, REASONS, TRANSITIONS
from regions.models import User
from regions.permissions import may
from regions.problems import Refusal

MOST_AT_ONCE = 200
CREATED = HTTPStatus.CREATED


@dataclass(frozen=True)
class Result:
    """What came of one candidate of an act: 201 with the candidate, or another status with the problem.

    `remark` is a sentence on something that came otherwise than asked."""

    id: int
    status: int
    candidate: Candidate | None = None
    problem: dict[str, Any] | None = None
    refusal: Refusal | None = None
    remark: str = ""


@dataclass(frozen=True)
class Many:
    """A bulk act; `act` is None where every candidate was refused."""

    act: Act | None
    results: list[Result]


@dataclass(frozen=True)
class Outcome:
    """One decision, its act and the candidate as it stands now. `repeated`: an earlier request's, by its key."""

    act: Act
    decision: Decision
    candidate: Candidate
    repeated: bool = False


@dataclass(frozen=True)
class Wish:
    """What an editor asks for beside the verb. None leaves a field as it is."""

    reason: str = "not_chosen"
    note: str = ""
    slot: int | None = None
    until: datetime | None = None
    swap: bool = False
    go_live_at: datetime | None = None
    expire_at: datetime | None = None
    context: str | None = None
    label: str | None = None
    with_similar: bool = False
    now: datetime = field(default_factory=timezone.now, compare=False)


def decide(
    verb: str,
    candidate: Candidate,
    *,
    by: User,
    version: int | None,
    key: str = "",
    now: datetime | None = None,
    **wish: Any,
) -> Outcome:
    """One verb of EDITORS_VERBS on one candidate, at the version that was seen.

    Raises the refusals of curation.operations.errors; then nothing was changed."""
    many = decide_many(verb, {candidate.pk: version}, by=by, key=key, now=now, **wish)
    result = many.results[0]
    if result.refusal is not None:
        raise result.refusal
    if many.act is None or result.candidate is None:
        raise NotAllowed
    decision = many.act.decision_set.select_related("by").get(candidate=candidate.pk)
    return Outcome(many.act, decision, result.candidate, repeated=result.status == HTTPStatus.OK)


def approve(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Puts a candidate on its channel's feed, from `go_live_at` to `expire_at` where given."""
    return decide(Verb.APPROVE, candidate, by=by, version=version, **wish)


def pin(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Holds it at a slot, the first free one if none is given, `until` a time if given. Approves too."""
    return decide(Verb.PIN, candidate, by=by, version=version, **wish)


def unpin(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Gives its slot back; it stays approved."""
    return decide(Verb.UNPIN, candidate, by=by, version=version, **wish)


def block(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Turns it down, for a reason of REASONS; off the feed if it was live."""
    return decide(Verb.BLOCK, candidate, by=by, version=version, **wish)


def reopen(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Back to the queue, undecided."""
    return decide(Verb.REOPEN, candidate, by=by, version=version, **wish)


def decide_many(
    verb: str,
    seen: Mapping[int, int | None],
    *,
    by: User,
    key: str = "",
    now: datetime | None = None,
    **wish: Any,
) -> Many:
    """One verb on up to 200 candidates ({id: version seen}) as one act; refused ones do not stop the others."""
    asked = Wish(**wish, now=now or timezone.now())
    asks = keys.fingerprint(verb, dict(seen), {name: value for name, value in wish.items() if value is not None})
    with one_transaction():
        if earlier := keys.begin(by, key, asks):
            return repeated(earlier.act, earlier.refusals, list(seen), by)
        check(verb, seen, asked)
        many = _decided(verb, seen, by, asked)
        if many.act is None:
            transaction.set_rollback(True)
        else:
            refusals = {result.id: result.problem for result in many.results if result.problem}
            keys.finish(by, key, status=CREATED, act=many.act, refusals=refusals)
    return many


def check(verb: str, seen: Mapping[int, int | None], wish: Wish) -> None:
    """What can be refused without looking at any candidate."""
    if verb not in EDITORS_VERBS:
        raise NotAllowed(_("There is no such verb."), field="verb")
    if len(seen) > MOST_AT_ONCE:
        raise TooMany(field="candidates")
    if wish.reason not in REASONS:
        raise NotAllowed(_("There is no such reason."), field="reason")
    if wish.expire_at and wish.expire_at <= max(wish.now, wish.go_live_at or wish.now):
        raise BadWindow(_("It would end before it begins."), field="expire_at")
    if wish.until and wish.until <= wish.now:
        raise BadWindow(_("That time is past."), field="until")
    check_words(wish)


def check_words(wish: Wish) -> None:
    for name, longest in (("context", 200), ("label", 40), ("note", 500)):
        words = getattr(wish, name) or ""
        if len(words) > longest or any(unicodedata.category(character) == "Cc" for character in words):
            raise BadWords(_("At most %(n)d characters in one line.") % {"n": longest}, field=name)


def _decided(verb: str, seen: Mapping[int, int | None], by: User, wish: Wish) -> Many:
    channels = lock_channels(Candidate.objects.filter(pk__in=seen).values_list("channel_id", flat=True))
    candidates = lock_candidates(seen)
    record: Record | None = None
    results = []
    for pk, version in seen.items():
        candidate = candidates.get(pk)
        if candidate is not None:
            candidate.channel = channels[candidate.channel_id]
        try:
            row = allowed(verb, candidate, version, by, wish)
            record = record or Record(verb, by=by, now=wish.now, note=wish.note, rows=candidates)
            APPLY[verb](record, row, wish)
            results.append(Result(pk, CREATED, row))
        except Refusal as refusal:
            results.append(Result(pk, refusal.status, candidate, refusal.problem(), refusal))
    if record is None or not record.decisions:
        return Many(None, results)
    record.close()
    return Many(record.act, results)


class Unknown(Refusal):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    detail = gettext_lazy("There is no such post.")


class Forbidden(Refusal):
    status = HTTPStatus.FORBIDDEN
    code = "permission_denied"
    detail = gettext_lazy("You may look here, not decide.")


def allowed(verb: str, candidate: Candidate | None, version: int | None, by: User, wish: Wish) -> Candidate:
    """The locked candidate, where nothing forbids the verb; else raises the refusal."""
    if candidate is None or not may(by, "desk.read", candidate.channel.market):
        raise Unknown
    if not may(by, "candidate.decide", candidate.channel.market):
        raise Forbidden
    if version is None:
        raise VersionRequired(field="version")
    if candidate.version != version:
        raise StaleVersion(candidate, last_decision(candidate))
    if candidate.state not in TRANSITIONS[verb] or (verb == Verb.UNPIN and not candidate.pinned):
        raise NotAllowed
    if verb in (Verb.APPROVE, Verb.PIN, Verb.REOPEN) and candidate.tweet.purged_at:
        raise NotAllowed(_("The text of this post is no longer kept: nobody could see what was decided."))
    if verb in (Verb.APPROVE, Verb.PIN, Verb.REOPEN) and stands_blocked(candidate, wish.now):
        raise BlockStands
    starts, ends = wish.go_live_at or candidate.go_live_at, wish.expire_at or candidate.expire_at
    if verb in (Verb.APPROVE, Verb.PIN) and ends and ends <= max(wish.now, starts or wish.now):
        raise BadWindow(_("It would end before it begins."), field="expire_at")
    return candidate


def stands_blocked(candidate: Candidate, now: datetime) -> bool:
    return Matcher.of(candidate.channel.market).blocks(candidate.tweet, candidate.channel_id, now)


def _approve(record: Record, candidate: Candidate, wish: Wish) -> None:
    _approve_at(record, candidate, wish, Verb.APPROVE, pins=wish.slot is not None)


def _pin(record: Record, candidate: Candidate, wish: Wish) -> None:
    _approve_at(record, candidate, wish, Verb.PIN, pins=True)


def _approve_at(record: Record, candidate: Candidate, wish: Wish, verb: str, *, pins: bool) -> None:
    """Everything that can be refused is asked before anything is changed: a refusal displaces nobody."""
    waits = needs_second_pair(record, candidate)
    place = placed(record, candidate, wish) if pins and not waits else {}
    record.change(candidate, verb, **approved(record, candidate, wish, place, waits=waits))


def _unpin(record: Record, candidate: Candidate, wish: Wish) -> None:
    record.change(candidate, Verb.UNPIN, **unpinned())


def _block(record: Record, candidate: Candidate, wish: Wish) -> None:
    gone = unpinned() | {"state": State.BLOCKED, "confirmed_by_id": None, "approved_at": None}
    record.change(candidate, Verb.BLOCK, reason=wish.reason, **gone)


def _reopen(record: Record, candidate: Candidate, wish: Wish) -> None:
    record.change(candidate, Verb.REOPEN, **back_to_pending(record.now))


APPLY: dict[str, Callable[[Record, Candidate, Wish], None]] = {
    Verb.APPROVE: _approve,
    Verb.PIN: _pin,
    Verb.UNPIN: _unpin,
    Verb.BLOCK: _block,
    Verb.REOPEN: _reopen,
}


def needs_second_pair(record: Record, candidate: Candidate) -> bool:
    """Whether someone else has to approve too. Raises where the same person tries twice."""
    if not candidate.channel.second_pair or candidate.state == State.APPROVED:
        return False
    if candidate.confirmed_by_id and record.by and candidate.confirmed_by_id == record.by.pk:
        raise SecondPairNeeded
    return candidate.confirmed_by_id is None


def approved(record: Record, candidate: Candidate, wish: Wish, place: dict[str, Any], *, waits: bool) -> dict[str, Any]:
    """The fields of a candidate that is approved now, or waits for the second pair of eyes."""
    given = {name: getattr(wish, name) for name in ("go_live_at", "expire_at", "context", "label")}
    fields = {name: value for name, value in given.items() if value is not None} | {"held": False}
    if wish.with_similar:
        fields["with_similar"] = True
    if waits:
        first = {"state": State.PENDING, "confirmed_by_id": record.by.pk if record.by else None}
        return fields | first | ({"pending_since": record.now} if candidate.state != State.PENDING else {})
    since = candidate.approved_at if candidate.state == State.APPROVED else record.now
    return fields | place | {"state": State.APPROVED, "approved_at": since}


def placed(record: Record, candidate: Candidate, wish: Wish) -> dict[str, Any]:
    """The slot to take, freed of whoever holds it: by swap, or because that pin has ended."""
    channel = candidate.channel
    pinned = Candidate.objects.with_tweets().filter(channel=channel, slot__isnull=False)
    holders = {row.slot: record.rows.get(row.pk, row) for row in pinned}
    taken = {slot for slot, row in holders.items() if row.pk != candidate.pk and not ended(row, wish.now)}
    free = next((slot for slot in range(1, channel.slots + 1) if slot not in taken), None)
    slot = wish.slot if wish.slot is not None else candidate.slot or free
    if slot is None:
        raise SlotsFull(slots=channel.slots)
    if not 1 <= slot <= channel.slots:
        raise NoSuchSlot(_("This channel has slots 1 to %(n)d.") % {"n": channel.slots}, field="slot")
    if slot in taken and not wish.swap:
        raise SlotTaken(field="slot", slot=slot, held_by=holders[slot].pk)
    holder = holders.get(slot)
    if holder is not None and holder.pk != candidate.pk:
        displace(record, holder, candidate)
    return {"slot": slot, "pinned_until": wish.until or lasting_until(candidate, wish.now)}


def lasting_until(row: Candidate, now: datetime) -> datetime | None:
    """Until when its own pin lasts; None for no end, and for an end that is past."""
    return None if ended(row, now) else row.pinned_until


def ended(row: Candidate, now: datetime) -> bool:
    return row.pinned_until is not None and row.pinned_until <= now


def displace(record: Record, holder: Candidate, newcomer: Candidate) -> None:
    """The holder takes the newcomer's slot if it has one, else none. Each keeps its own until."""
    if newcomer.slot is None or ended(holder, record.now) or ended(newcomer, record.now):
        record.change(holder, Verb.UNPIN, **unpinned())
        return
    Candidate.objects.filter(pk__in=(newcomer.pk, holder.pk)).update(**unpinned())
    record.change(holder, Verb.PIN, slot=newcomer.slot, pinned_until=holder.pinned_until)


def repeated(act: Act | None, refusals: dict[str, Any], ids: list[int], by: User) -> Many:
    """The answer to a request that was done before: the same act and refusals, candidates as they stand now.

    Rights are asked anew: who lost a market since does not see it."""
    found = Candidate.objects.with_tweets().filter(pk__in=ids)
    rows = {row.pk: row for row in found if may(by, "desk.read", row.channel.market)}
    return Many(act, [_repeated(pk, rows.get(pk), refusals.get(str(pk))) for pk in ids])


def _repeated(pk: int, row: Candidate | None, problem: dict[str, Any] | None) -> Result:
    if row is None:
        unknown = Unknown()
        return Result(pk, unknown.status, None, unknown.problem(), unknown)
    return Result(pk, problem["status"], row, problem) if problem else Result(pk, HTTPStatus.OK, row)
