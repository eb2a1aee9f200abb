"""Offers tweets to channels: each becomes a candidate there once, whichever source brings it first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q

from curation.ingest.bulk import insert
from curation.models import Candidate, State, Tweet
from curation.ranking import parts, rank
from curation.verdicts import Judge, Verdict, folded
from regions.models import Channel, Source

MEMORY = timedelta(days=30)
BY_HAND = 50  # trust of what no source brought
ARRIVALS_LOCK = 7302  # class of the advisory lock behind which candidates get their ids
History = dict[tuple[int, int], tuple[int, int]]


@dataclass
class Arrivals:
    """Counts of new candidates, and the channels they came to."""

    candidates: int = 0
    blocked: int = 0
    held: int = 0
    channels: set[int] = field(default_factory=set)

    def add(self, others: Arrivals) -> None:
        self.candidates += others.candidates
        self.blocked += others.blocked
        self.held += others.held
        self.channels |= others.channels


def offer(tweet_ids: Iterable[int], source: Source | None, channels: list[Channel], now: datetime) -> Arrivals:
    """Makes the missing candidates. In the caller's transaction, which holds the channels and soon ends."""
    missing = _missing(set(tweet_ids), channels)
    wanted = Tweet.objects.select_related("author").filter(pk__in={tweet for _channel, tweet in missing})
    tweets = {tweet.pk: tweet for tweet in wanted.filter(gone_at=None, purged_at=None, author__isnull=False)}
    judge = Judge(channels if tweets else [])
    history = history_of(tweets.values(), channels, now)
    rows: list[Candidate] = []
    verdicts: dict[tuple[int, int], Verdict] = {}
    for channel in channels:
        for tweet in _offered(tweets.values(), channel, missing):
            verdict = verdicts[channel.pk, tweet.pk] = judge.on(tweet, channel, now)
            decided = history.get((channel.pk, tweet.author_id or 0), (0, 0))
            rows.append(candidate_of(tweet, channel, source, verdict, decided, now))
    return _store(rows, verdicts, now) if rows else Arrivals()


def _offered(tweets: Iterable[Tweet], channel: Channel, missing: set[tuple[int, int]]) -> list[Tweet]:
    """Those that the channel has not met yet and that X shows in its market."""
    country = channel.market.country
    return [tweet for tweet in tweets if (channel.pk, tweet.pk) in missing and tweet.showable_in(country)]


def candidate_of(
    tweet: Tweet,
    channel: Channel,
    source: Source | None,
    verdict: Verdict,
    decided: tuple[int, int],
    now: datetime,
) -> Candidate:
    """A new candidate: pending, or blocked by the lists. `decided`: the author's, approved and blocked."""
    points = parts(
        tweet, channel, trust=source.trust if source else BY_HAND, approved=decided[0], blocked=decided[1], now=now
    )
    return Candidate(
        channel_id=channel.pk,
        tweet_id=tweet.pk,
        source_id=source.pk if source else None,
        state=State.BLOCKED if verdict.blocked else State.PENDING,
        blocked_by_lists=verdict.blocked,
        held=verdict.held,
        rank=rank(points, tweet.created_at, channel),
        rank_parts=points,
        folded=folded(tweet),
        posted_at=tweet.created_at,
        arrived_at=now,
        pending_since=now,
    )


def _missing(tweet_ids: set[int], channels: list[Channel]) -> set[tuple[int, int]]:
    there = Candidate.objects.filter(channel__in=channels, tweet__in=tweet_ids).values_list("channel_id", "tweet_id")
    return {(channel.pk, tweet) for channel in channels for tweet in tweet_ids} - set(there)


def history_of(tweets: Iterable[Tweet], channels: list[Channel], now: datetime) -> History:
    """By channel and author: how many were approved, how many blocked by editors, in the last 30 days."""
    authors = {tweet.author_id for tweet in tweets}
    if not authors:
        return {}
    decided = (
        Candidate.objects.filter(channel__in=channels, tweet__author__in=authors, posted_at__gte=now - MEMORY)
        .values_list("channel_id", "tweet__author_id")
        .annotate(
            approved=Count("pk", filter=Q(state="approved")),
            blocked=Count("pk", filter=Q(state="blocked", blocked_by_lists=False)),
        )
    )
    return {(channel, author): (approved, blocked) for channel, author, approved, blocked in decided}


def _in_order() -> None:
    """Until the commit no other pass gives ids to candidates: so they become visible in the order of their ids,
    and who has seen one has seen all before it. The desk counts what is new by that."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [ARRIVALS_LOCK])


def _store(rows: list[Candidate], verdicts: dict[tuple[int, int], Verdict], now: datetime) -> Arrivals:
    _in_order()
    made = insert(
        rows,
        order="channel_id, tweet_id",
        conflict="(channel_id, tweet_id) DO NOTHING",
        returning="id, channel_id, tweet_id, state, held",
    )
    hits = [hit for pk, channel, tweet, _state, _held in made for hit in verdicts[channel, tweet].hits(pk, now)]
    insert(hits, order="candidate_id, block_id", conflict="DO NOTHING")
    return Arrivals(
        candidates=len(made),
        blocked=sum(state == State.BLOCKED for *_, state, _held in made),
        held=sum(held for *_, held in made),
        channels={row[1] for row in made},
    )
