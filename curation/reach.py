"""What blocks would have hit, before anybody lays them: live posts exactly, the last days as far as work is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from curation.matching import Matcher, normalised
from curation.models import Candidate, State, Tweet
from curation.operations import suspects
from curation.operations.blocking import Entry, reach
from regions.models import Block, Channel

DAYS = 7
MOST_READ = 3000  # posts that are looked through for what no index finds
NEWEST = """
SELECT near.tweet_id, min(near.channel_id) FROM unnest(%s::bigint[]) AS wanted(channel)
CROSS JOIN unnest(%s::text[]) AS states(state)
CROSS JOIN LATERAL (
    SELECT tweet_id, channel_id, posted_at FROM curation_candidate
    WHERE channel_id = wanted.channel AND curation_candidate.state = states.state AND posted_at >= %s
    ORDER BY posted_at DESC, id DESC LIMIT %s
) AS near GROUP BY near.tweet_id ORDER BY max(near.posted_at) DESC LIMIT %s
"""


@dataclass(frozen=True)
class Reach:
    """`hit`: posts of the last DAYS that the blocks would have hit; `live`: those of them, and older ones, on phones
    now. `read`: how many posts were looked through where there are more; None where all were."""

    hit: int
    live: int
    read: int | None = None


def would_hit(entries: Sequence[Entry], now: datetime) -> Reach:
    """What blocks would have hit. All entries are of one scope."""
    if not entries:
        return Reach(0, 0)
    blocks = [
        Block(kind=one.name.kind, value=one.name.value, market=one.market, channel=one.channel) for one in entries
    ]
    first = entries[0]
    ids = reach(first.channel.pk if first.channel else None, first.market.pk if first.market else None)
    matcher = Matcher(blocks)
    live = _live(blocks, matcher, ids, now)
    authors = {int(value) for value in _values(blocks, Block.Kind.AUTHOR) if value.isdigit()}
    hit = _of_authors(authors, ids, now)
    read = None
    if any(block.kind != Block.Kind.AUTHOR for block in blocks):
        found, read = _newest(matcher, ids, now)
        hit |= found
    return Reach(len(hit), live, read)


def sum_of(parts: Iterable[Reach]) -> Reach:
    """What blocks of several channels would have hit: a post that stands in two of them counts in each."""
    found = list(parts)
    read = [part.read for part in found if part.read is not None]
    return Reach(sum(part.hit for part in found), sum(part.live for part in found), sum(read) if read else None)


def _values(blocks: Iterable[Block], kind: str) -> list[str]:
    return [normalised(kind, block.value) for block in blocks if block.kind == kind]


def _live(blocks: Sequence[Block], matcher: Matcher, channel_ids: Iterable[int], now: datetime) -> int:
    """How many of what is on phones now, each post once."""
    channels = Channel.objects.filter(pk__in=channel_ids)
    found = Candidate.objects.approved().with_tweets().filter(pk__in=suspects.live(blocks, channels, now))
    shown = (row for row in found if row.may_show(now) and matcher.matches(row.tweet, row.channel_id, now))
    return len({row.tweet_id for row in shown})


def _of_authors(authors: set[int], channel_ids: Iterable[int], now: datetime) -> set[int]:
    """The posts of authors, exactly: an index leads to them."""
    if not authors:
        return set()
    theirs = Tweet.objects.filter(author__in=authors, created_at__gte=now - timedelta(days=DAYS))
    rows = Candidate.objects.filter(tweet__in=theirs, channel__in=list(channel_ids))
    return set(rows.values_list("tweet_id", flat=True)[:MOST_READ])


def _newest(matcher: Matcher, channel_ids: Iterable[int], now: datetime) -> tuple[set[int], int | None]:
    """The newest posts that match, and how many were looked through where there are more."""
    since = now - timedelta(days=DAYS)
    asked: list[Any] = [
        sorted(channel_ids),
        [str(state) for state in State.values],
        since,
        MOST_READ + 1,
        MOST_READ + 1,
    ]
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, asked)
        rows = dict(cursor.fetchall())
    more = len(rows) > MOST_READ
    wanted = list(rows)[:MOST_READ]
    tweets = Tweet.objects.select_related("author").defer("raw", "previous_text").filter(pk__in=wanted)
    found = {tweet.pk for tweet in tweets.iterator() if matcher.matches(tweet, rows[tweet.pk], now)}
    return found, MOST_READ if more else None
