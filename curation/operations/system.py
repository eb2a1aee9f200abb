"""What the system decides by itself of what waits too long."""

from __future__ import annotations

from datetime import datetime

from curation.models import Candidate, State, Verb
from curation.operations.record import Record, lock_candidates, lock_channels, one_transaction

BATCH = 500


def lapse_old(*, now: datetime) -> int:
    """Lapses pending candidates older than their channel allows, in batches; returns how many."""
    lapsed = 0
    while rows := list(Candidate.objects.older_than_their_channel_allows(now).values_list("pk", "channel_id")[:BATCH]):
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
