"""What the system decides by itself: old candidates lapse, edits and withdrawals at X take posts off the feeds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from curation.models import Candidate, State, Verb
from curation.operations.record import (
    Record,
    back_to_pending,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from curation.transitions import TRANSITIONS

BATCH = 500


def lapse_old(*, now: datetime) -> int:
    """Lapses pending candidates older than their channel allows, in batches; returns how many."""
    lapsed = 0
    while rows := list(Candidate.objects.older_than_their_channel_allows(now).values_list("pk", "channel_id")[:BATCH]):
        with one_transaction():
            channels = lock_channels(channel for _pk, channel in rows)
            waiting = lock_candidates(pk for pk, _channel in rows)
            old = [row for row in waiting.values() if _is_old(row, channels[row.channel_id].pending_hours, now)]
            _apply(Verb.LAPSE, old, now=now)
        lapsed += len(old)
        if not old:
            break
    return lapsed


def _is_old(candidate: Candidate, hours: int, now: datetime) -> bool:
    return candidate.state == State.PENDING and (now - candidate.pending_since).total_seconds() > hours * 3600


def edit(tweet_ids: Iterable[int], *, now: datetime) -> None:
    """X shows a newer version of these tweets (their rows hold it already): off the feed, back to pending."""
    with one_transaction():
        _apply(Verb.EDIT, _locked(tweet_ids), now=now)


def withdraw(tweet_ids: Iterable[int], *, cause: str, now: datetime) -> None:
    """These tweets are gone, protected, suspended or erased: off the feed, withdrawn."""
    with one_transaction():
        _apply(Verb.WITHDRAW, _locked(tweet_ids), now=now, reason=cause)


def _locked(tweet_ids: Iterable[int]) -> list[Candidate]:
    """The candidates of tweets in every channel, locked in the house's order."""
    rows = Candidate.objects.filter(tweet__in=list(tweet_ids)).values_list("pk", "channel_id")
    lock_channels(channel for _pk, channel in rows)
    return list(lock_candidates(pk for pk, _channel in rows).values())


def _apply(verb: str, candidates: list[Candidate], *, now: datetime, reason: str = "") -> None:
    concerned = [row for row in candidates if row.state in TRANSITIONS[verb]]
    if not concerned:
        return
    record = Record(verb, by=None, now=now)
    for candidate in concerned:
        record.change(candidate, verb, reason=reason, **_fields(verb, candidate, now))
    record.close()


def _fields(verb: str, candidate: Candidate, now: datetime) -> dict[str, Any]:
    if verb == Verb.EDIT and candidate.state in (State.PENDING, State.APPROVED):
        return back_to_pending(now)
    if verb == Verb.EDIT:
        return unpinned() | {"confirmed_by_id": None}
    if verb == Verb.LAPSE:
        return {"state": State.LAPSED, "confirmed_by_id": None}
    return unpinned() | {"state": State.WITHDRAWN, "confirmed_by_id": None, "approved_at": None}
