"""What the system decides by itself of what waits too long, and of approvals that a lost database cannot vouch for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from curation.models import Candidate, State, Verb
from curation.operations.record import (
    Record,
    back_to_pending,
    lock_candidates,
    lock_channels,
    one_transaction,
    places_of,
)

BATCH = 500
LOST = "Decided after the backup that was restored, or not shown when it was lost"


def lapse_old(*, now: datetime) -> int:
    """Lapses pending candidates older than their channel allows, in batches; returns how many."""
    lapsed = 0
    old_ones = Candidate.objects.older_than_their_channel_allows(now, BATCH).values_list("pk", "channel_id")
    while rows := list(old_ones.all()):
        with one_transaction():
            channels = lock_channels(channel for _pk, channel in rows)
            waiting = lock_candidates(pk for pk, _channel in rows)
            old = [row for row in waiting.values() if _is_old(row, channels[row.channel_id].pending_hours, now)]
            _lapse(old, now)
        lapsed += len(old)
        if not old:
            break
    return lapsed


def _is_old(candidate: Candidate, hours: int, now: datetime) -> bool:
    return candidate.state == State.PENDING and (now - candidate.pending_since).total_seconds() > hours * 3600


def _lapse(candidates: list[Candidate], now: datetime) -> None:
    if not candidates:
        return
    record = Record(Verb.LAPSE, by=None, now=now)
    for candidate in candidates:
        record.change(candidate, Verb.LAPSE, state=State.LAPSED, confirmed_by_id=None)
    record.close()


def reopen_lost(ids: Sequence[int], *, before: datetime, now: datetime) -> int:
    """Lets approved posts wait again whose later decisions were lost with the database; returns how many.

    Those approved since `before` were looked at anew. What was approved long ago waits no longer than it would have:
    it lapses."""
    with one_transaction():
        lock_channels(places_of(ids))
        rows = lock_candidates(ids).values()
        lost = [one for one in rows if one.state == State.APPROVED and one.approved_at and one.approved_at < before]
        if lost:
            record = Record(Verb.REOPEN, by=None, now=now, note=LOST)
            for one in lost:
                record.change(one, Verb.REOPEN, **back_to_pending(now) | {"pending_since": one.live_from() or now})
            record.close()
    return len(lost)
