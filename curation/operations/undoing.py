"""Undo: a whole act is taken back. A candidate decided since is refused alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from curation.models import Act, Candidate, Decision, Enforcement, State, Verb, Wording
from curation.models.candidates import TIMES, WORDS
from curation.operations import blocking, keys, lifting, moving
from curation.operations.blocking import RIGHTS
from curation.operations.deciding import Forbidden, Many, Result, Unknown, repeated, to_keep
from curation.operations.errors import BlockStands, NotUndoable, StaleVersion
from curation.operations.record import (
    Record,
    last_decision,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from curation.precedence import standing_block
from regions.models import User
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
            return known(repeated(earlier, [decision.candidate_id for decision in _of(act)], by))
        check(act, now)
        many = _undone(act, by, now)
        if many.act is None:
            transaction.set_rollback(True)
        else:
            keys.finish(by, key, status=HTTPStatus.CREATED, act=many.act, **to_keep(many))
    if many.act is None:
        alone = many.results[0].refusal if len(many.results) == 1 else None
        raise alone or NotUndoable(results=[{"id": one.id, "problem": one.problem} for one in known(many).results])
    return known(many)


def known(many: Many) -> Many:
    """Of candidates in foreign markets not even a number is told."""
    return replace(many, results=[one for one in many.results if not isinstance(one.refusal, Unknown)])


def untouched(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """Of decisions those that nobody followed: neither on the candidate, nor on what a move of it brought."""
    brought = Candidate.objects.filter(brought_by=OuterRef("act"), tweet=OuterRef("candidate__tweet"), version__gt=1)
    newest = decisions.filter(candidate__version=F("version"))
    return newest.exclude(Q(act__verb=Verb.MOVE) & Exists(brought))


def check(act: Act, now: datetime) -> None:
    """What can be refused of an act as such. Raises NotUndoable."""
    if act.by_id is None or act.at < now - UNDOABLE_FOR:
        raise NotUndoable
    if act.undoes is not None and act.undoes.verb in moving.VERBS:
        raise NotUndoable(_("What was taken back to its own channel is moved or offered anew."))


def _undone(act: Act, by: User, now: datetime) -> Many:
    brought, decisions = moving.brought_by(act), _of(act)
    concerned = {decision.channel_id for decision in decisions} | {row.channel_id for row in brought}
    channels = lock_channels(concerned | lifting.channels_of(act))
    candidates = lock_candidates([*(decision.candidate_id for decision in decisions), *(row.pk for row in brought)])
    there = moving.Brought(act, [candidates[row.pk] for row in brought if row.pk in candidates])
    undoing = Undoing(act, by, now, there, candidates)
    for decision in decisions:
        candidate = candidates[decision.candidate_id]
        candidate.channel = channels[decision.channel_id]
        undoing.ask(decision, candidate)
    undoing.lists()
    undoing.restore()
    pinned = {decision.candidate_id for decision in decisions if decision.before["slot"] is not None}
    results = [_result(candidates[decision.candidate_id], undoing.refused, pinned) for decision in decisions]
    return Many(undoing.act, results)


def _of(act: Act) -> list[Decision]:
    """One decision for each candidate of an act: its last, and what was before the first."""
    of: dict[int, Decision] = {}
    for decision in blocking.undoable_decisions(act).select_related("market").order_by("id"):
        if first := of.get(decision.candidate_id):
            decision.before = first.before
        of[decision.candidate_id] = decision
    return list(of.values())


class Undoing:
    """One act being taken back, its candidates and their channels locked."""

    def __init__(
        self, act: Act, by: User, now: datetime, there: moving.Brought, candidates: dict[int, Candidate]
    ) -> None:
        self.taken, self.by, self.now, self.there, self.candidates = act, by, now, there, candidates
        self.back: list[tuple[Decision, Candidate]] = []
        self.refused: dict[int, Refusal] = {}
        self._record: Record | None = None

    @property
    def act(self) -> Act | None:
        """The act of undoing, once there is something to take back."""
        return self._record.act if self._record else None

    def record(self) -> Record:
        if self._record is None:
            self._record = Record(Verb.UNDO, by=self.by, now=self.now, undoes=self.taken, rows=self.candidates)
        return self._record

    def ask(self, decision: Decision, candidate: Candidate) -> None:
        """Whether this candidate may stand as before, as far as the act's own blocks are not concerned."""
        refusal = _forbids(self.taken, decision, candidate, self.by) or self.there.forbids(candidate, self.by)
        if refusal:
            self.refused[candidate.pk] = refusal
        else:
            self.back.append((decision, candidate))

    def lists(self) -> None:
        """Takes back what the act did to the lists. Raises Forbidden where it did nothing else and one may not."""
        rows = Enforcement.objects.filter(act=self.taken).select_related(
            "market", "block__market", "block__channel__market"
        )
        if not rows:
            return
        if all(self._may_change(row) for row in rows):
            lifting.undo_of(self.taken, self.record, by=self.by, now=self.now)
        elif not (self.back or self.refused):
            raise Forbidden

    def _may_change(self, row: Enforcement) -> bool:
        block = row.block
        market = row.market or (block and (block.market or (block.channel and block.channel.market))) or None
        right = RIGHTS[block.scope] if block and row.market is None else "block.edit_market"
        own = self.taken.by_id == self.by.pk or may(self.by, "act.undo_of_others", market)
        return own and may(self.by, right, market)

    def restore(self) -> None:
        """Puts back what no other block forbids. Slots are given back after all concerned let go of theirs."""
        for decision, candidate in self.back:
            if stands_blocked(decision, candidate, self.now):
                self.refused[candidate.pk] = BlockStands()
        self.back = [pair for pair in self.back if pair[1].pk not in self.refused]
        if self.back:
            self._give_back(self.record())
        if self._record:
            self._record.close()
        self.there.go([candidate for _decision, candidate in self.back])

    def _give_back(self, record: Record) -> None:
        words = Wording.objects.read({decision.before[name] for decision, _row in self.back for name in WORDS})
        ours = [candidate.pk for _decision, candidate in self.back]
        Candidate.objects.filter(pk__in=ours, slot__isnull=False).update(**unpinned())
        for decision, candidate in sorted(self.back, key=lambda pair: pair[0].before["slot"] is not None):
            fields = standing_from(decision.before, words)
            if fields["slot"] is not None and _retaken(candidate, fields["slot"]):
                fields |= unpinned()
            record.change(candidate, Verb.UNDO, **fields)


def stands_blocked(decision: Decision, candidate: Candidate, now: datetime) -> bool:
    """Whether it would go live or wait again although a block forbids it."""
    shown = (State.PENDING, State.APPROVED)
    before, stands = decision.before["state"], candidate.state
    if before not in shown or stands == before or (before == State.PENDING and stands in shown):
        return False
    return standing_block(candidate, now) is not None


def _result(candidate: Candidate, refused: dict[int, Refusal], pinned: set[int]) -> Result:
    refusal = refused.get(candidate.pk)
    if refusal is None:
        lost = candidate.pk in pinned and candidate.slot is None
        remark = _("Its slot was taken meanwhile; it is back unpinned.") if lost else ""
        return Result(candidate.pk, HTTPStatus.CREATED, candidate, remark=remark)
    return Result(candidate.pk, refusal.status, candidate, refusal.problem(), refusal)


def _forbids(act: Act, decision: Decision, candidate: Candidate, by: User) -> Refusal | None:
    if not may(by, "desk.read", decision.market):
        return Unknown()
    if not may(by, "candidate.decide", decision.market):
        return Forbidden()
    if act.by_id != by.pk and not may(by, "act.undo_of_others", decision.market):
        return Forbidden(_("Only its author or a lead can take this back."))
    if candidate.version != decision.version:
        return StaleVersion(candidate, last_decision(candidate), by)
    return None


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
