"""What the system decides by itself of what X says: edits, withdrawals and posts that X shows again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curation.models import Candidate, Decision, Hit, State, Tweet, Verb
from curation.operations.purging import empty
from curation.operations.record import (
    Record,
    back_to_pending,
    close_all,
    lock_candidates,
    lock_channels,
    one_transaction,
    unpinned,
)
from curation.transitions import TRANSITIONS
from curation.verdicts import Judge, Verdict, folded

WEIGHT = {"": 0, Tweet.Gone.UNVERIFIED: 1, Tweet.Gone.ERASED: 3}  # other causes: 2


@dataclass(frozen=True)
class Followed:
    """How many candidates were edited, withdrawn and restored."""

    edited: int = 0
    withdrawn: int = 0
    restored: int = 0


def edit(tweet_ids: Iterable[int], *, now: datetime) -> None:
    """X shows a newer version of these tweets (their rows hold it already): off the feed, back to pending.

    The lists are asked again, as for an arrival: what they block now is blocked, what they hold is held."""
    obey((), edited=tweet_ids, now=now)


def withdraw(tweet_ids: Iterable[int], *, cause: str, now: datetime) -> Followed:
    """X shows these tweets no more (deleted, protected, suspended), or their author is erased, or nobody could
    verify them: off the feed, withdrawn everywhere, and, but for the last cause, emptied at once."""
    return obey((), gone=dict.fromkeys(tweet_ids, cause), now=now)


def obey(
    tweet_ids: Iterable[int],
    *,
    edited: Iterable[int] = (),
    back: Iterable[int] = (),
    gone: Mapping[int, str] | None = None,
    now: datetime,
) -> Followed:
    """Makes the candidates of tweets follow what the rows of tweet and author say: withdrawn in the markets where X
    does not show them, restored where it does again.

    `edited`: tweets with a newer version, decided as such before. `back`: tweets that have their text again; the
    caller regroups their candidates, so that all their channels are locked. `gone`: tweets that X shows no more, by
    cause, which their rows do not say yet. Idempotent. The tweets that are gone are locked first, by `first_id`; then
    all channels at once. What retention emptied stays as it is."""
    following = Following(tweet_ids, edited, back, gone or {}, now)
    if not following.tweets:
        return Followed()
    with one_transaction():
        return following.whole()


class Following:
    """One time of obeying, in the caller's transaction."""

    def __init__(
        self,
        tweet_ids: Iterable[int],
        edited: Iterable[int],
        back: Iterable[int],
        gone: Mapping[int, str],
        now: datetime,
    ) -> None:
        self.now = now
        self.edited, self.back, self.gone = set(edited), set(back), gone
        self.tweets = self.edited.union(tweet_ids, self.back, gone)
        self.judge = Judge([])
        self.verdicts: dict[int, Verdict] = {}

    def whole(self) -> Followed:
        """Each candidate in its turn may be edited and then withdrawn; the acts are closed together."""
        emptied = self._marked()
        candidates = self._locked()
        self.judge = Judge(row.channel for row in candidates)
        newer = [row for row in candidates if row.tweet_id in self.edited]
        edits = self._decided(Verb.EDIT, newer, self._edited)
        gone = [row for row in candidates if must_go(row)]
        withdrawals = self._decided(Verb.WITHDRAW, gone, _withdrawn)
        back = [row for row in candidates if may_return(row)]
        restorals = self._decided(Verb.RESTORE, back, self._restored)
        self._replace_hits()
        empty(emptied, now=self.now)
        close_all([record for record in (edits, withdrawals, restorals) if record])
        return Followed(len(newer), len(gone), len(back))

    def _marked(self) -> list[int]:
        """Notes in the tweets' rows what is gone; gives those whose words go too. What was erased stays so."""
        if not self.gone:
            return []
        rows = Tweet.objects.filter(pk__in=self.gone).order_by("first_id").select_for_update(of=("self",))
        before = dict(rows.values_list("pk", "gone_cause"))
        lost = {pk: cause for pk, cause in self.gone.items() if pk in before and _outweighs(cause, before[pk])}
        for cause in set(lost.values()):
            ids = [pk for pk, its in lost.items() if its == cause]
            Tweet.objects.filter(pk__in=ids).update(gone_at=self.now, gone_cause=cause)
        return [pk for pk, cause in lost.items() if cause != Tweet.Gone.UNVERIFIED]

    def _locked(self) -> list[Candidate]:
        """The candidates that change, in every channel, locked in the house's order."""
        seen = Candidate.objects.filter(tweet__in=self.tweets).with_tweets().defer("tweet__raw", "tweet__wire")
        named = self.edited.union(self.back, self.gone)
        rows = [row for row in seen if row.tweet_id in named or must_go(row) or may_return(row)]
        lock_channels(row.channel_id for row in rows)
        return list(lock_candidates(row.pk for row in rows).values())

    def _decided(
        self, verb: str, candidates: list[Candidate], fields: Callable[[Candidate], dict[str, Any]]
    ) -> Record | None:
        concerned = [row for row in candidates if row.state in TRANSITIONS[verb]]
        if not concerned:
            return None
        record = Record(verb, by=None, now=self.now)
        for candidate in concerned:
            cause = candidate.tweet.barred_in(candidate.channel.market.country) if verb == Verb.WITHDRAW else ""
            record.change(candidate, verb, reason=cause, **fields(candidate))
        return record

    def _judged(self, candidate: Candidate) -> Verdict:
        verdict = self.judge.on(candidate.tweet, candidate.channel, self.now)
        self.verdicts[candidate.pk] = verdict
        return verdict

    def _edited(self, candidate: Candidate) -> dict[str, Any]:
        read_anew = self._read_anew(candidate)
        if candidate.state not in (State.PENDING, State.APPROVED):
            return read_anew | unpinned() | {"confirmed_by_id": None}
        return read_anew | self._waiting(candidate)

    def _restored(self, candidate: Candidate) -> dict[str, Any]:
        """Blocked if an editor had blocked it, or if the lists block it now; else pending."""
        read_anew = self._read_anew(candidate)
        if self._was_blocked_by_an_editor(candidate):
            return read_anew | {"state": State.BLOCKED}
        return read_anew | self._waiting(candidate)

    def _read_anew(self, candidate: Candidate) -> dict[str, Any]:
        told = {"folded": folded(candidate.tweet), "held": self._judged(candidate).held}
        return told | candidate.tweet.repeated()

    def _waiting(self, candidate: Candidate) -> dict[str, Any]:
        """Pending again, unless the lists block it."""
        if self.verdicts[candidate.pk].blocked:
            return off_the_feed(State.BLOCKED) | {"blocked_by_lists": True}
        return back_to_pending(self.now)

    def _was_blocked_by_an_editor(self, candidate: Candidate) -> bool:
        withdrawals = Decision.objects.filter(candidate=candidate, verb=Verb.WITHDRAW).order_by("-version")
        before: dict[str, Any] = withdrawals.values_list("before", flat=True).first() or {}
        return before.get("state") == State.BLOCKED and not before.get("blocked_by_lists")

    def _replace_hits(self) -> None:
        Hit.objects.filter(candidate__in=self.verdicts).delete()
        hits = [hit for pk, verdict in self.verdicts.items() for hit in verdict.hits(pk, self.now)]
        Hit.objects.bulk_create(hits)


def _outweighs(cause: str, known: str) -> bool:
    return WEIGHT.get(cause, 2) > WEIGHT.get(known, 2)


def must_go(candidate: Candidate) -> bool:
    """Whether X does not show it in its market, and it stands there still."""
    barred = candidate.tweet.barred_in(candidate.channel.market.country)
    return candidate.state != State.WITHDRAWN and bool(barred)


def may_return(candidate: Candidate) -> bool:
    return candidate.state == State.WITHDRAWN and candidate.tweet.showable_in(candidate.channel.market.country)


def _withdrawn(_candidate: Candidate) -> dict[str, Any]:
    return off_the_feed(State.WITHDRAWN)


def off_the_feed(state: str) -> dict[str, Any]:
    return unpinned() | {"state": state, "confirmed_by_id": None, "approved_at": None}
