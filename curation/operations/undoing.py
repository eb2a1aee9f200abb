"""Undo: a whole act is taken back. A candidate decided since is refused alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from curation.matching import Matcher
from curation.models import Act, Candidate, Decision, Enforcement, State, Verb, Wording
from curation.models.candidates import TIMES, WORDS
from curation.operations import keys, moving
from curation.operations.deciding import Forbidden, Many, Result, Unknown, repeated
from curation.operations.errors import BlockStands, NotUndoable, StaleVersion
from curation.operations.record import (
    Record,
    last_decision,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from regions.models import Block, User
from regions.permissions import may
from regions.problems import Refusal

UNDOABLE_FOR = timedelta(hours=24)


def undo(act: Act, *, by: User, key: str = "", now: datetime | None = None) -> Many:
    """Takes an act back: each of its candidates stands as before it, and what it brought elsewhere goes, unless
    somebody decided on that. Needs no version: the decision's own serves.

    By its author or a lead, for 24 hours, never an act of the system. Raises NotUndoable where nothing came of it."""
    now = now or timezone.now()
    with one_transaction():
        if earlier := keys.begin(by, key, keys.fingerprint(Verb.UNDO, act.pk)):
            ids = list(act.decision_set.order_by("id").values_list("candidate_id", flat=True))
            return repeated(earlier.act, earlier.refusals, ids, by)
        check(act, now)
        many = _undone(act, by, now)
        if many.act is None:
            transaction.set_rollback(True)
        else:
            refusals = {result.id: result.problem for result in many.results if result.problem}
            keys.finish(by, key, status=HTTPStatus.CREATED, act=many.act, refusals=refusals)
    if many.act is None:
        alone = many.results[0].refusal if len(many.results) == 1 else None
        raise alone or NotUndoable(results=[{"id": one.id, "problem": one.problem} for one in many.results])
    return many


def check(act: Act, now: datetime) -> None:
    """What can be refused of an act as such. Raises NotUndoable."""
    if act.by_id is None or act.at < now - UNDOABLE_FOR:
        raise NotUndoable
    if act.undoes is not None and act.undoes.verb in moving.VERBS:
        raise NotUndoable(_("What was taken back to its own channel is moved or offered anew."))


def _undone(act: Act, by: User, now: datetime) -> Many:
    brought = moving.brought_by(act)
    decisions = list(act.decision_set.select_related("market").order_by("id"))
    channels = lock_channels([one.channel_id for one in (*decisions, *brought)])
    candidates = lock_candidates([*(decision.candidate_id for decision in decisions), *(row.pk for row in brought)])
    there = moving.Brought(act, [candidates[row.pk] for row in brought if row.pk in candidates])
    standing = Standing(act, now)
    refused: dict[int, Refusal] = {}
    back: list[tuple[Decision, Candidate]] = []
    for decision in decisions:
        candidate = candidates[decision.candidate_id]
        candidate.channel = channels[decision.channel_id]
        refusal = _forbids(act, decision, candidate, by) or there.forbids(candidate)
        if refusal := refusal or standing.forbids(decision, candidate):
            refused[candidate.pk] = refusal
        else:
            back.append((decision, candidate))
    record = _restored(act, back, by, now) if back else None
    there.go([candidate for _decision, candidate in back])
    pinned = {decision.candidate_id for decision in decisions if decision.before["slot"] is not None}
    results = [_result(candidates[decision.candidate_id], refused, pinned) for decision in decisions]
    return Many(record.act if record else None, results)


class Standing:
    """The blocks that stand whatever becomes of an act: those that it laid itself go with it."""

    def __init__(self, act: Act, now: datetime) -> None:
        self.now = now
        self.own = set(Enforcement.objects.laid_by(act).values_list("block_id", flat=True))

    def forbids(self, decision: Decision, candidate: Candidate) -> Refusal | None:
        """BlockStands where it would go live or wait again although a block forbids it."""
        shown = (State.PENDING, State.APPROVED)
        before, stands = decision.before["state"], candidate.state
        if before not in shown or stands == before or (before == State.PENDING and stands in shown):
            return None
        matches = Matcher.of(candidate.channel.market).matches(candidate.tweet, candidate.channel_id, self.now)
        blocks = [match for match in matches if match.effect == Block.Effect.BLOCK and match.block_id not in self.own]
        return BlockStands() if blocks else None


def _result(candidate: Candidate, refused: dict[int, Refusal], pinned: set[int]) -> Result:
    refusal = refused.get(candidate.pk)
    if refusal is None:
        lost = candidate.pk in pinned and candidate.slot is None
        remark = _("Its slot was taken meanwhile; it is back unpinned.") if lost else ""
        return Result(candidate.pk, HTTPStatus.CREATED, candidate, remark=remark)
    shown = None if isinstance(refusal, Unknown) else candidate
    return Result(candidate.pk, refusal.status, shown, refusal.problem(), refusal)


def _forbids(act: Act, decision: Decision, candidate: Candidate, by: User) -> Refusal | None:
    if not may(by, "desk.read", decision.market):
        return Unknown()
    if not may(by, "candidate.decide", decision.market):
        return Forbidden()
    if act.by_id != by.pk and not may(by, "act.undo_of_others", decision.market):
        return Forbidden(_("Only its author or a lead can take this back."))
    if candidate.version != decision.version:
        return StaleVersion(candidate, last_decision(candidate))
    return None


def _restored(act: Act, back: list[tuple[Decision, Candidate]], by: User, now: datetime) -> Record:
    """Writes the act of undoing. Slots are given back after all concerned let go of theirs."""
    record = Record(Verb.UNDO, by=by, now=now, undoes=act)
    words = Wording.objects.read({decision.before[name] for decision, _row in back for name in WORDS})
    ours = [candidate.pk for _decision, candidate in back]
    Candidate.objects.filter(pk__in=ours, slot__isnull=False).update(**unpinned())
    for decision, candidate in sorted(back, key=lambda pair: pair[0].before["slot"] is not None):
        fields = standing_from(decision.before, words)
        if fields["slot"] is not None and _retaken(candidate, fields["slot"]):
            fields |= unpinned()
        record.change(candidate, Verb.UNDO, **fields)
    record.close()
    return record


def _retaken(candidate: Candidate, slot: int) -> bool:
    """Whether another holds the slot meanwhile, or the channel has it no more."""
    others = Candidate.objects.filter(channel=candidate.channel_id, slot=slot).exclude(pk=candidate.pk)
    return slot > candidate.channel.slots or others.exists()


def standing_from(logged: dict[str, Any], words: dict[str, str]) -> dict[str, Any]:
    """A candidate's fields from the log: words by their digest (erased ones are gone), times parsed."""
    told = dict(logged)
    told |= {name: words.get(logged[name], "") for name in WORDS}
    told |= {name: parse_datetime(logged[name]) if logged[name] else None for name in TIMES}
    return told
