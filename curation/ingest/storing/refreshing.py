"""The stored rank of what waits, made anew when X's figures changed it noticeably."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from curation.models import Candidate
from curation.ranking import parts, rank

NOTICEABLE = 1.0  # points
OF_THE_POST = ("engagement", "sensitive")  # the other parts stay as they were when it came


@transaction.atomic
def refresh_ranks(tweet_ids: Iterable[int], now: datetime) -> int:
    """Of pending candidates of these tweets, the rank of those that moved by a point or more, and whether X marks them
    as sensitive; returns how many changed.

    It is no decision: no version, no log. Rows that somebody holds are left for the next time."""
    waiting = Candidate.objects.pending().filter(tweet__in=list(tweet_ids)).with_tweets().order_by("pk")
    moved = []
    for row in waiting.select_for_update(of=("self",), skip_locked=True).defer("tweet__raw", "tweet__wire"):
        points = refreshed(row, now)
        worth = rank(points, row.tweet.created_at, row.channel)
        if abs(worth - row.rank) >= NOTICEABLE or row.sensitive != row.tweet.sensitive:
            row.rank, row.rank_parts, row.sensitive = worth, points, row.tweet.sensitive
            moved.append(row)
    Candidate.objects.bulk_update(moved, ["rank", "rank_parts", "sensitive"])
    return len(moved)


def refreshed(candidate: Candidate, now: datetime) -> dict[str, float]:
    """The parts of its rank with those that come from X's figures as they are now."""
    of_now = parts(candidate.tweet, candidate.channel, trust=0, now=now)
    kept = {name: points for name, points in candidate.rank_parts.items() if name not in OF_THE_POST}
    return kept | {name: of_now[name] for name in OF_THE_POST if name in of_now}
