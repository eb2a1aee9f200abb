"""What the system decides by itself: old candidates lapse, edits and withdrawals at X take posts off the feeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from curation.models import Candidate, Hit, State, Verb
from curation.operations.record import (
    Record,
    back_to_pending,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from curation.transitions import TRANSITIONS
from curation.verdicts import Judge, Verdict, folded

BATCH = 500


def lapse_old(*, now: datetime) -> int:
    """Lapses pending candidates older than their channel allows, in batches; returns how many."""
    lapsed = 0
    while rows := list(Candidate.objects.older_than_their_channel_allows(now).values_list("pk", "channel_id")[:BATCH]):
        with one_transaction():
            channels = lock_channels(channel for _pk, channel in rows)
            waiting = lock_candidates(pk for pk, _channel in rows)
            old = [row for row in waiting.values() if _is_old(row, channels[row.channel_id].pending_hours, now)]
            _apply(Verb.LAPSE, old, _lapsed, now=now)
        lapsed += len(old)
        if not old:
            break
    return lapsed


def _is_old(candidate: Candidate, hours: int, now: datetime) -> bool:
    return candidate.state == State.PENDING and (now - candidate.pending_since).total_seconds() > hours * 3600


def edit(tweet_ids: Iterable[int], *, now: datetime) -> None:
    """X shows a newer version of these tweets (their rows hold it already): off the feed, back to pending.

    The lists are asked again, as for an arrival: what they block now is blocked, what they hold is held."""
    with one_transaction():
        candidates = _locked(tweet_ids)
        judge = Judge(candidate.channel for candidate in candidates)
        verdicts = {row.pk: judge.on(row.tweet, row.channel, now) for row in candidates}
        _replace_hits(verdicts, now)
        _apply(Verb.EDIT, candidates, lambda row: _edited(row, verdicts[row.pk], now), now=now)


def withdraw(tweet_ids: Iterable[int], *, cause: str, now: datetime) -> None:
    """These tweets are gone, protected, suspended or erased: off the feed, withdrawn."""
    with one_transaction():
        _apply(Verb.WITHDRAW, _locked(tweet_ids), _withdrawn, now=now, reason=cause)


def _locked(tweet_ids: Iterable[int]) -> list[Candidate]:
    """The candidates of tweets in every channel, locked in the house's order."""
    rows = Candidate.objects.filter(tweet__in=list(tweet_ids)).values_list("pk", "channel_id")
    lock_channels(channel for _pk, channel in rows)
    return list(lock_candidates(pk for pk, _channel in rows).values())


def _replace_hits(verdicts: dict[int, Verdict], now: datetime) -> None:
    Hit.objects.filter(candidate__in=verdicts).delete()
    Hit.objects.bulk_create([hit for pk, verdict in verdicts.items() for hit in verdict.hits(pk, now)])


def _apply(
    verb: str,
    candidates: list[Candidate],
    fields: Callable[[Candidate], dict[str, Any]],
    *,
    now: datetime,
    reason: str = "",
) -> None:
    concerned = [row for row in candidates if row.state in TRANSITIONS[verb]]
    if not concerned:
        return
    record = Record(verb, by=None, now=now)
    for candidate in concerned:
        record.change(candidate, verb, reason=reason, **fields(candidate))
    record.close()


def _edited(candidate: Candidate, verdict: Verdict, now: datetime) -> dict[str, Any]:
    read_anew = {"folded": folded(candidate.tweet), "held": verdict.held}
    if candidate.state not in (State.PENDING, State.APPROVED):
        return read_anew | unpinned() | {"confirmed_by_id": None}
    if not verdict.blocked:
        return read_anew | back_to_pending(now)
    return read_anew | _off_the_feed(State.BLOCKED) | {"blocked_by_lists": True}


def _lapsed(_candidate: Candidate) -> dict[str, Any]:
    return {"state": State.LAPSED, "confirmed_by_id": None}


def _withdrawn(_candidate: Candidate) -> dict[str, Any]:
    return _off_the_feed(State.WITHDRAWN)


def _off_the_feed(state: str) -> dict[str, Any]:
    return unpinned() | {"state": state, "confirmed_by_id": None, "approved_at": None}
