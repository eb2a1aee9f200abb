"""The editors' verbs on candidates. Each is one act in one transaction; a refusal changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.models import Act, Candidate, Decision, IdempotencyKey, State, Verb
from curation.operations import blocking, keys, moving, placing
from curation.operations.errors import NotAllowed, StaleVersion, VersionRequired
from curation.operations.following import off_the_feed
from curation.operations.record import (
    Record,
    back_to_pending,
    last_decision,
    lock_candidates,
    lock_channels,
    one_transaction,
    places_of,
)
from curation.operations.wishes import Wish, check, check_window
from curation.transitions import APPROVING, TRANSITIONS
from regions.models import User
from regions.permissions import may
from regions.problems import Refusal

NOT_CHOSEN = "not_chosen"
CREATED = HTTPStatus.CREATED


@dataclass(frozen=True)
class Result:
    """What came of one candidate of an act: 201 with the candidate, or another status with the problem.

    `remark` is a sentence on something that came otherwise than asked, or on what its blocks took out."""

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
    decisions: list[Decision] = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Outcome:
    """One decision, its act and the candidate as it stands now. `repeated`: an earlier request's, by its key.

    `remark` is a sentence on something that came otherwise than asked, or on what its blocks took out."""

    act: Act
    decision: Decision
    candidate: Candidate
    repeated: bool = False
    remark: str = ""


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
    known = result.status == HTTPStatus.OK
    decision = next((one for one in many.decisions if one.candidate_id == candidate.pk), None)
    decision = decision or many.act.decision_set.select_related("by").get(candidate=candidate.pk)
    return Outcome(many.act, decision, result.candidate, repeated=known, remark=result.remark)


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


def schedule(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Sets its window, from `go_live_at` to `expire_at`; what is not given is no bound. Approves too."""
    return decide(Verb.SCHEDULE, candidate, by=by, version=version, **wish)


def annotate(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """Sets `context` and `label` where given, empty ones too, whatever its state becomes."""
    return decide(Verb.ANNOTATE, candidate, by=by, version=version, **wish)


def move(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """To the channel of another `category` of its market: blocked here as moved, pending there."""
    return decide(Verb.MOVE, candidate, by=by, version=version, **wish)


def offer(candidate: Candidate, *, by: User, version: int | None, **wish: Any) -> Outcome:
    """To another `market`, where it waits with its origin and the note; nothing changes here."""
    return decide(Verb.OFFER, candidate, by=by, version=version, **wish)


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
            return repeated(earlier, list(seen), by)
        check(verb, seen, asked)
        many = _decided(verb, seen, by, asked)
        if many.act is None:
            transaction.set_rollback(True)
        else:
            keys.finish(by, key, status=CREATED, act=many.act, **to_keep(many))
    return many


def _decided(verb: str, seen: Mapping[int, int | None], by: User, wish: Wish) -> Many:
    candidates = _locked(verb, seen, by, wish)
    record: Record | None = None
    results = []
    for pk, version in seen.items():
        candidate = candidates.get(pk)
        try:
            row, meant = allowed(verb, candidate, version, by, wish)
            record = record or Record(verb, by=by, now=wish.now, note=wish.note, rows=candidates)
            APPLY[verb](record, row, meant)
            results.append(Result(pk, CREATED, row))
        except Refusal as refusal:
            results.append(Result(pk, refusal.status, candidate, refusal.problem(), refusal))
    if record is None or not record.decisions:
        return Many(None, results)
    remarks = blocking.lay(record, wish.also, reason=wish.reason or NOT_CHOSEN) if wish.also else {}
    record.close()
    moving.bring(record)
    remarks |= record.remarks
    told = [replace(result, remark=remarks.get(result.id, "")) for result in results]
    return Many(record.act, told, record.decisions)


def _locked(verb: str, seen: Mapping[int, int | None], by: User, wish: Wish) -> dict[int, Candidate]:
    """Everything that the act may change is locked, in the house's order; the candidates, with their channels."""
    if verb in moving.VERBS:
        moving.lock_tweets(seen)
    concerned = places_of(seen)
    reached = blocking.channels_reached(wish.also, concerned, by) if wish.also else concerned
    return lock_candidates(seen, lock_channels(reached))


class Unknown(Refusal):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    detail = gettext_lazy("There is no such post.")


class Forbidden(Refusal):
    status = HTTPStatus.FORBIDDEN
    code = "permission_denied"
    detail = gettext_lazy("You may look here, not decide.")


def allowed(
    verb: str, candidate: Candidate | None, version: int | None, by: User, wish: Wish
) -> tuple[Candidate, Wish]:
    """The locked candidate, where nothing forbids the verb, and the wish by the clocks of its market; else raises
    the refusal."""
    if candidate is None or not may(by, "desk.read", candidate.channel.market):
        raise Unknown
    if not may(by, "candidate.decide", candidate.channel.market):
        raise Forbidden
    if version is None:
        raise VersionRequired(field="version")
    if candidate.version != version:
        raise StaleVersion(candidate, last_decision(candidate), by)
    if candidate.state not in TRANSITIONS[verb] or (verb == Verb.UNPIN and not candidate.pinned):
        raise NotAllowed
    if verb in (*APPROVING, Verb.REOPEN):
        if candidate.tweet.purged_at:
            raise NotAllowed(_("The text of this post is no longer kept: nobody could see what was decided."))
        blocking.refuse_blocked(candidate, wish.now)
    meant = wish.at(candidate.channel.market)
    if verb in APPROVING:
        check_window(verb, meant, candidate)
    return candidate, meant


def _block(record: Record, candidate: Candidate, wish: Wish) -> None:
    """What is to be blocked beside it is laid once for all candidates of the act, when they are through."""
    if wish.also and record.by:
        blocking.check(wish.also, candidate, by=record.by)
    record.change(candidate, Verb.BLOCK, reason=wish.reason or NOT_CHOSEN, **off_the_feed(State.BLOCKED))


def _reopen(record: Record, candidate: Candidate, wish: Wish) -> None:
    record.change(candidate, Verb.REOPEN, **back_to_pending(record.now))


APPLY: dict[str, Callable[[Record, Candidate, Wish], None]] = {
    Verb.APPROVE: placing.approve,
    Verb.PIN: placing.pin,
    Verb.UNPIN: placing.unpin,
    Verb.BLOCK: _block,
    Verb.REOPEN: _reopen,
    Verb.SCHEDULE: placing.schedule,
    Verb.ANNOTATE: placing.annotate,
    Verb.MOVE: moving.move,
    Verb.OFFER: moving.offer,
}


def to_keep(many: Many) -> dict[str, dict[int, Any]]:
    """What a key keeps of an act, beside it."""
    refusals = {result.id: result.problem for result in many.results if result.problem}
    return {"refusals": refusals, "remarks": {result.id: result.remark for result in many.results if result.remark}}


def repeated(use: IdempotencyKey, ids: list[int], by: User) -> Many:
    """The answer to a request that was done before: the same act, refusals and remarks, candidates as they stand now.

    Rights are asked anew: who lost a market since does not see it."""
    found = Candidate.objects.with_tweets().filter(pk__in=ids)
    rows = {row.pk: row for row in found if may(by, "desk.read", row.channel.market)}
    return Many(use.act, [_repeated(pk, rows.get(pk), use) for pk in ids])


def _repeated(pk: int, row: Candidate | None, use: IdempotencyKey) -> Result:
    if row is None:
        unknown = Unknown()
        return Result(pk, unknown.status, None, unknown.problem(), unknown)
    if problem := use.refusals.get(str(pk)):
        return Result(pk, problem["status"], row, problem)
    return Result(pk, HTTPStatus.OK, row, remark=use.remarks.get(str(pk), ""))
