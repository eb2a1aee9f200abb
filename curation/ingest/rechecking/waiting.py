"""Which posts X is asked about again though they are not live: those that wait, by age and budget, and those that
were gone lately and may be back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, OuterRef, Q, Sum

from curation.ledger import budget
from curation.models import Candidate, IngestRun, Purpose, Tweet
from regions.models import Market

DEPTH = 1_000  # of each channel's newest
MOST = 500  # a market and a turn
LEAST_AGE = timedelta(minutes=30)  # no post that waits is asked about more often
SHARE = 10  # per cent of a day's posts that may be spent on them
MISSED = timedelta(days=7)
ASKED_AGAIN = timedelta(hours=6)
UNVERIFIED_AGAIN = timedelta(minutes=10)

# The newest of each channel by its partial index, so that it costs the same at any number of candidates.
DUE = """
WITH near AS (
    SELECT newest.tweet_id, newest.posted_at, c.market_id, m.position
    FROM regions_channel c JOIN regions_market m ON m.id = c.market_id
    CROSS JOIN LATERAL (
        SELECT tweet_id, posted_at FROM curation_candidate
        WHERE channel_id = c.id AND state = 'pending' ORDER BY posted_at DESC, id DESC LIMIT %(depth)s
    ) AS newest
    WHERE c.active AND m.active
)
SELECT market_id, id, current_id FROM (
    SELECT DISTINCT ON (t.id) near.market_id, t.id, t.current_id, t.checked_at
    FROM near JOIN curation_tweet t ON t.id = near.tweet_id
    WHERE t.gone_at IS NULL AND t.purged_at IS NULL AND t.checked_at <= %(now)s::timestamptz - CASE
        WHEN near.posted_at > %(now)s::timestamptz - interval '2 hours' THEN interval '30 minutes'
        WHEN near.posted_at > %(now)s::timestamptz - interval '12 hours' THEN interval '2 hours'
        ELSE interval '6 hours' END
    ORDER BY t.id, near.position, near.market_id
) AS due ORDER BY checked_at, id
"""


@dataclass(frozen=True)
class Round:
    """What to ask about next, on a market's account, unless it was checked after `since`."""

    market_id: int
    purpose: str
    tweet_ids: list[int]
    since: datetime


def rounds(now: datetime) -> list[Round]:
    """One round a market of what waits, from its ingest budget; one of what was gone, from its reserve."""
    wait, gone = now - LEAST_AGE, now - UNVERIFIED_AGAIN
    waiting = [Round(market, Purpose.INGEST, ids, wait) for market, ids in _affordable(_due(now), now).items()]
    return waiting + [Round(market, Purpose.RECHECK, ids, gone) for market, ids in gone_lately(now).items()]


def _due(now: datetime) -> dict[int, dict[int, int]]:
    """By market, the tweets that are due by their current ids, longest unchecked first; the first market pays."""
    due: dict[int, dict[int, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"now": now, "depth": DEPTH})
        for market_id, tweet_id, current_id in cursor.fetchall():
            due[market_id][current_id] = tweet_id
    return due


def _affordable(due: dict[int, dict[int, int]], now: datetime) -> dict[int, list[int]]:
    """What X charged today already is free; of the rest as much as the market's share allows."""
    markets = Market.objects.in_bulk(due)
    found = {}
    for market_id, tweets in due.items():
        dear = budget.uncharged(tweets, now)
        free = [pk for current_id, pk in tweets.items() if current_id not in dear]
        paid = [pk for current_id, pk in tweets.items() if current_id in dear]
        chosen = (free + paid[: allowance(markets[market_id], now)])[:MOST]
        if chosen:
            found[market_id] = chosen
    return found


def allowance(market: Market, now: datetime) -> int:
    """Posts that may still be spent today on what waits: a tenth of the day's, and never what ingest lacks."""
    told = budget.balance(market, now)
    runs = IngestRun.objects.filter(market=market, kind=IngestRun.Kind.RECHECK)
    today = runs.filter(started_at__gte=budget.midnight(told.day)).aggregate(posts=Sum("charged"))["posts"] or 0
    spent = max(0, today - told.day_rechecks)
    return max(0, min(told.day_limit * SHARE // 100 - spent, told.left_for_ingest))


def gone_lately(now: datetime) -> dict[int, list[int]]:
    """What was withdrawn in the last week: deleted, protected and suspended ones every six hours, since accounts
    come back; what could not be verified every ten minutes. X charges nothing for what it does not show."""
    unverified = Q(gone_cause=Tweet.Gone.UNVERIFIED, checked_at__lte=now - UNVERIFIED_AGAIN)
    others = Q(checked_at__lte=now - ASKED_AGAIN) & ~Q(gone_cause=Tweet.Gone.ERASED)
    offered = Exists(Candidate.objects.filter(tweet=OuterRef("pk")))  # of others nobody waits for an answer, or pays
    lately = Tweet.objects.filter(unverified | others, offered, gone_at__gt=now - MISSED)
    return by_market(lately.order_by("checked_at").values_list("pk", flat=True)[:MOST])


def by_market(tweet_ids: Iterable[int]) -> dict[int, list[int]]:
    """Tweets by the first market that has a candidate of them, in their order."""
    ids = list(tweet_ids)
    rows = Candidate.objects.filter(tweet__in=ids).order_by("-channel__market__position", "-channel__market")
    first = dict(rows.values_list("tweet_id", "channel__market"))
    found: dict[int, list[int]] = defaultdict(list)
    for pk in ids:
        if pk in first:
            found[first[pk]].append(pk)
    return dict(found)
