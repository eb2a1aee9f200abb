"""Offers tweets to channels: each becomes a candidate there once, whichever source brings it first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Q

from curation.folding import fold
from curation.ingest.bulk import insert
from curation.matching import Match, Matcher
from curation.models import Candidate, Hit, State, Tweet
from curation.ranking import parts, rank
from curation.x.entities import plain_text
from regions.models import Block, Channel, Source

MEMORY = timedelta(days=30)
History = dict[tuple[int, int], tuple[int, int]]


@dataclass
class Arrivals:
    """Counts of new candidates, and the channels they came to."""

    candidates: int = 0
    blocked: int = 0
    held: int = 0
    channels: set[int] = field(default_factory=set)


def offer(tweet_ids: Iterable[int], source: Source, channels: list[Channel], now: datetime) -> Arrivals:
    """Makes the missing candidates. In the caller's transaction."""
    missing = _missing(set(tweet_ids), channels)
    wanted = Tweet.objects.select_related("author").filter(pk__in={tweet for _channel, tweet in missing})
    tweets = {tweet.pk: tweet for tweet in wanted.filter(gone_at=None, purged_at=None, author__isnull=False)}
    matchers = {channel.market_id: Matcher.of(channel.market) for channel in channels} if tweets else {}
    history = history_of(tweets.values(), channels, now)
    rows: list[Candidate] = []
    matches: dict[tuple[int, int], list[Match]] = {}
    for channel in channels:
        for tweet in (tweet for tweet in tweets.values() if (channel.pk, tweet.pk) in missing):
            found = matchers[channel.market_id].matches(tweet, channel.pk, now)
            matches[channel.pk, tweet.pk] = found
            decided = history.get((channel.pk, tweet.author_id or 0), (0, 0))
            rows.append(candidate_of(tweet, channel, source, found, decided, now))
    return _store(rows, matches, now)


def candidate_of(
    tweet: Tweet,
    channel: Channel,
    source: Source,
    matches: list[Match],
    decided: tuple[int, int],
    now: datetime,
) -> Candidate:
    """A new candidate: pending, or blocked by the lists. `decided`: the author's, approved and blocked."""
    blocked = any(match.effect == Block.Effect.BLOCK for match in matches)
    points = parts(tweet, channel, trust=source.trust, approved=decided[0], blocked=decided[1], now=now)
    return Candidate(
        channel_id=channel.pk,
        tweet_id=tweet.pk,
        source_id=source.pk,
        state=State.BLOCKED if blocked else State.PENDING,
        blocked_by_lists=blocked,
        held=any(match.effect == Block.Effect.HOLD for match in matches),
        rank=rank(points, tweet.created_at, channel),
        rank_parts=points,
        folded=folded(tweet),
        posted_at=tweet.created_at,
        arrived_at=now,
        pending_since=now,
    )


def folded(tweet: Tweet) -> str:
    """What search looks in: the text and its author's names."""
    names = f" {tweet.author.name} {tweet.author.username}" if tweet.author else ""
    return fold(plain_text(tweet.text) + names)


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


def _store(rows: list[Candidate], matches: dict[tuple[int, int], list[Match]], now: datetime) -> Arrivals:
    made = insert(
        rows,
        order="channel_id, tweet_id",
        conflict="(channel_id, tweet_id) DO NOTHING",
        returning="id, channel_id, tweet_id, state, held",
    )
    hits = [
        Hit(candidate_id=pk, block_id=match.block_id, start=match.start, end=match.end, at=now)
        for pk, channel, tweet, _state, _held in made
        for match in matches[channel, tweet]
    ]
    insert(hits, order="candidate_id, block_id", conflict="DO NOTHING")
    return Arrivals(
        candidates=len(made),
        blocked=sum(state == State.BLOCKED for *_, state, _held in made),
        held=sum(held for *_, held in made),
        channels={row[1] for row in made},
    )
