"""Keep the reason, purge the text: ids, decisions and hits stay; text, author, media and X's payload go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q

from curation.models import Candidate, Decision, Quarantined, State, Tweet
from curation.operations.record import lock_candidates, lock_channels, one_transaction
from regions.models import Market

BATCH = 200
MOST = 50_000  # tweets a turn
IN_USE = timedelta(days=1)  # after which a tweet in use is looked at again
LONGEST = timedelta(days=7)  # after which any is, since leads may shorten the term
UNDOABLE = timedelta(hours=24)
AUTHORS_KEPT = timedelta(days=2)  # by then a pass that met an author has stored what it read
EMPTIED: dict[str, Any] = {
    "author": None,
    "text": "",
    "previous_text": "",
    "lang_guess": "",
    "wire": {},
    "raw": None,
    "metrics": {},
}
FORGOTTEN: dict[str, Any] = {"folded": "", "alike": [], "author_id": None, "lang": ""}  # by its candidates

# Row by row along the key, so that a turn reads the table once, whatever its size, and locks little at a time.
AUTHORS_WITHOUT_TWEETS = """
WITH walked AS (
    SELECT x_id, fetched_at FROM curation_author WHERE x_id > %s ORDER BY x_id LIMIT 5000
), deleted AS (
    DELETE FROM curation_author WHERE x_id IN (
        SELECT a.x_id FROM curation_author a JOIN walked USING (x_id)
        WHERE a.fetched_at < %s AND NOT EXISTS (SELECT 1 FROM curation_tweet t WHERE t.author_id = a.x_id)
        ORDER BY a.x_id FOR UPDATE OF a SKIP LOCKED
    ) AND fetched_at < %s
)
SELECT max(x_id) FROM walked
"""


def empty(tweet_ids: Iterable[int], *, now: datetime) -> None:
    """Empties tweets and what is kept of their words beside their candidates.

    In the caller's transaction, which holds the tweets, and the channels of all their candidates."""
    ids = list(tweet_ids)
    if not ids:
        return
    Tweet.objects.filter(pk__in=ids, purged_at=None).update(purged_at=now, **EMPTIED)
    Candidate.objects.filter(~Q(folded="") | ~Q(alike=[]) | ~Q(author_id=None), tweet__in=ids).update(**FORGOTTEN)


def purge_old(*, now: datetime, spare: Callable[[], Collection[int]] = tuple) -> int:
    """Empties the tweets that no market needs any more: all their candidates decided, the terms of all their markets
    over (days since X last gave the text). `spare` tells which tweets feeds still show, and is
    asked anew for each batch. Returns how many.

    Payloads set aside and authors without tweets go too. In batches; Busy when others hold rows for long."""
    terms = dict(Market.objects.values_list("pk", "retention_days"))
    shortest = timedelta(days=min(terms.values(), default=0))
    emptied = looked = 0
    while looked < MOST and (ids := _to_look_at(now, now - shortest)):
        emptied += _purge(ids, terms, spare, now)
        looked += len(ids)
    _purge_quarantine(now - shortest)
    _forget_authors(now - AUTHORS_KEPT)
    return emptied


def _to_look_at(now: datetime, before: datetime) -> list[int]:
    """First those that are looked at again, then those whose shortest term is over: each by its own partial index."""
    again = Tweet.objects.filter(purged_at=None, kept_until__isnull=False, kept_until__lte=now).order_by("kept_until")
    ids = list(again.values_list("pk", flat=True)[:BATCH])
    if ids:
        return ids
    first = Tweet.objects.filter(purged_at=None, kept_until=None, fetched_at__lt=before).order_by("fetched_at")
    return list(first.values_list("pk", flat=True)[:BATCH])


@one_transaction()
def _purge(ids: list[int], terms: dict[int, int], spare: Callable[[], Collection[int]], now: datetime) -> int:
    """Looks at some tweets under their locks: they are emptied, or get the time of the next look."""
    tweets = Tweet.objects.filter(pk__in=ids, purged_at=None).order_by("first_id").select_for_update(of=("self",))
    there = {tweet.pk: tweet for tweet in tweets.only("pk", "fetched_at")}
    rows = Candidate.objects.filter(tweet__in=there).values_list("pk", "channel_id")
    lock_channels(channel for _pk, channel in rows)
    candidates: dict[int, list[Candidate]] = defaultdict(list)
    for row in lock_candidates(pk for pk, _channel in rows).values():
        candidates[row.tweet_id].append(row)
    spared = _decided_lately(there, now).union(spare())
    over = []
    for pk, tweet in there.items():
        if pk in spared or any(_needs(row, now) for row in candidates[pk]):
            until = now + IN_USE
        else:
            days = max((terms[row.channel.market_id] for row in candidates[pk]), default=0)
            until = min(tweet.fetched_at + timedelta(days=days), now + LONGEST)
        if until <= now:
            over.append(pk)
        else:
            Tweet.objects.filter(pk=pk).update(kept_until=until)
    empty(over, now=now)
    return len(over)


def _decided_lately(tweet_ids: Collection[int], now: datetime) -> set[int]:
    """What can still be undone."""
    lately = Decision.objects.filter(candidate__tweet__in=tweet_ids, at__gt=now - UNDOABLE)
    return set(lately.values_list("candidate__tweet", flat=True))


def _needs(candidate: Candidate, now: datetime) -> bool:
    """Whether it waits for a decision, or is approved and may be live, now or later."""
    if candidate.state == State.PENDING:
        return True
    since = candidate.live_from()
    if candidate.state != State.APPROVED or since is None or (candidate.expire_at and candidate.expire_at <= now):
        return False
    return candidate.pinned_at(now) or since + timedelta(hours=candidate.channel.live_hours) > now


def _purge_quarantine(before: datetime) -> None:
    """Payloads that could not be read hold words too."""
    old = Quarantined.objects.filter(at__lt=before).order_by("at")
    while ids := list(old.values_list("pk", flat=True)[:1000]):
        Quarantined.objects.filter(pk__in=ids).delete()


def _forget_authors(before: datetime) -> None:
    """Authors of whom no text is left."""
    last = -1
    with connection.cursor() as cursor:
        while last is not None:
            cursor.execute(AUTHORS_WITHOUT_TWEETS, [last, before, before])
            (last,) = cursor.fetchone()
