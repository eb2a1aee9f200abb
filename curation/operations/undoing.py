"""Undo: a whole act is taken back. A candidate decided since is refused alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from curation.models import Act, Candidate, Decision, Verb, Wording
from curation.models.candidates import TIMES, WORDS
from curation.operations import keys
from curation.operations.deciding import Forbidden, Many, Result, Unknown, repeated
from curation.operations.errors import NotUndoable, StaleVersion
from curation.operations.record import (
    Record,
    last_decision,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from regions.models import User
from regions.permissions import may
from regions.problems import Refusal

UNDOABLE_FOR = timedelta(hours=24)


def undo(act: Act, *, by: User, key: str = "", now: datetime | None = None) -> Many:
    """Takes an act back: each of its candidates stands as before it. Needs no version: the decision's own serves.

    By its author or a lead, for 24 hours, never an act of the system. Raises NotUndoable where nothing came of it."""
    now = now or timezone.now()
    decisions = list(act.decision_set.select_related("market").order_by("id"))
    with one_transaction():
        if earlier := keys.begin(by, key, keys.fingerprint(Verb.UNDO, act.pk)):
            return repeated(earlier.act, earlier.refusals, [decision.candidate_id for decision in decisions], by)
        if act.by_id is None or act.at < now - UNDOABLE_FOR:
            raise NotUndoable
        many = _undone(act, decisions, by, now)
        if many.act is None:
            transaction.set_rollback(True)
        else:
            refusals = {result.id: result.problem for result in many.results if result.problem}
            keys.finish(by, key, status=HTTPStatus.CREATED, act=many.act, refusals=refusals)
    if many.act is None:
        alone = many.results[0].refusal if len(many.results) == 1 else None
        raise alone or NotUndoable(results=[{"id": one.id, "problem": one.problem} for one in many.results])
    return many


def _undone(act: Act, decisions: list[Decision], by: User, now: datetime) -> Many:
    channels = lock_channels(decision.channel_id for decision in decisions)
    candidates = lock_candidates(decision.candidate_id for decision in decisions)
    refused: dict[int, Refusal] = {}
    back: list[tuple[Decision, Candidate]] = []
    for decision in decisions:
        candidate = candidates[decision.candidate_id]
        candidate.channel = channels[decision.channel_id]
        if refusal := _forbids(act, decision, candidate, by):
            refused[candidate.pk] = refusal
        else:
            back.append((decision, candidate))
    record = _restored(act, back, by, now) if back else None
    pinned = {decision.candidate_id for decision in decisions if decision.before["slot"] is not None}
    results = [_result(candidates[decision.candidate_id], refused, pinned) for decision in decisions]
    return Many(record.act if record else None, results)


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
