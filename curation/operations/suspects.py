"""Which candidates a block may match: found by PostgreSQL, never one too few. Whether it does, `matching` says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from curation.matching import normalised
from curation.models import Author, Candidate, State, Tweet
from regions.models import Block, Channel
from regions.numbers import whole

NEWEST = 200  # of each channel: what may be shown when there is nothing newer
SLICE, AT_ONCE = 20_000, 300
STATES = (State.PENDING, State.APPROVED, State.LAPSED)
# A search in the folded column knows no words, so it finds at least what the matcher does; rows without it are all
# suspect. An address in another alphabet may stand there otherwise than it is compared.
IN_WORDS = "(candidate.folded = '' OR strpos(candidate.folded, %s) > 0)"
IN_LINKS = "(links.urls ILIKE %s OR links.urls ~ '[^\\x01-\\x7f]')"
LIVE = """
WITH near AS MATERIALIZED (
    SELECT near.id FROM unnest(%s::bigint[]) AS wanted(channel) CROSS JOIN LATERAL (
        (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved' AND approved_at >= %s)
        UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
            ORDER BY approved_at DESC LIMIT %s)
        UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND slot IS NOT NULL)
        UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
            AND go_live_at >= %s)
    ) AS near
)
SELECT candidate.id FROM near JOIN curation_candidate AS candidate ON candidate.id = near.id
JOIN curation_tweet AS tweet ON tweet.id = candidate.tweet_id
CROSS JOIN LATERAL (SELECT tweet.wire #>> '{{entities,urls}}' AS urls) AS links
WHERE {condition} ORDER BY candidate.id
"""
NEXT = """
WITH slice AS MATERIALIZED (
    SELECT id, tweet_id, posted_at, folded FROM curation_candidate
    WHERE channel_id = %s AND state = '{state}' AND (posted_at, id) < (%s, %s)
    ORDER BY posted_at DESC, id DESC LIMIT %s
), suspect AS MATERIALIZED (
    SELECT candidate.id, candidate.posted_at FROM slice AS candidate
    JOIN curation_tweet AS tweet ON tweet.id = candidate.tweet_id
    CROSS JOIN LATERAL (SELECT tweet.wire #>> '{{entities,urls}}' AS urls) AS links
    WHERE {condition} ORDER BY candidate.posted_at DESC, candidate.id DESC LIMIT %s
)
SELECT ARRAY(SELECT id FROM suspect), (SELECT count(*) FROM slice), (SELECT count(*) FROM suspect),
    (SELECT ARRAY[posted_at::text, id::text] FROM suspect ORDER BY posted_at, id LIMIT 1),
    (SELECT ARRAY[posted_at::text, id::text] FROM slice ORDER BY posted_at, id LIMIT 1)
"""
BEGINNING = ("infinity", "9223372036854775807")


def live(blocks: Sequence[Block], channels: Iterable[Channel], now: datetime) -> list[int]:
    """Approved candidates of these channels that are in a feed or may come into it: newly approved, pinned, scheduled.

    Of one block those that it may match; of several all, since one reading is then cheaper than many."""
    told = list(channels)
    if not told:
        return []
    longest = now - max(timedelta(hours=channel.live_hours) for channel in told)
    condition, given = condition_of(blocks[0]) if len(blocks) == 1 else ("true", [])
    with connection.cursor() as cursor:
        cursor.execute(
            LIVE.format(condition=condition), [[channel.pk for channel in told], longest, NEWEST, longest, *given]
        )
        return [row[0] for row in cursor.fetchall()]


def condition_of(block: Block) -> tuple[str, list[Any]]:
    """What PostgreSQL can say of `candidate`, `tweet` and its `links`; values beside it."""
    value = normalised(block.kind, block.value)
    if not value:
        return "false", []
    if block.kind == Block.Kind.AUTHOR:
        return "tweet.author_id = ANY(%s)", [_authors(value)]
    if block.kind == Block.Kind.TWEET:
        return "%s IN (tweet.first_id::text, tweet.current_id::text)", [value]
    if block.kind == Block.Kind.DOMAIN:
        return IN_LINKS, [f"%{value}%"]
    return IN_WORDS, [value]


def _authors(value: str) -> list[int]:
    by_id = Q(pk=whole(value) or 0) | Q(username__iexact=value)
    return list(Author.objects.filter(by_id).values_list("pk", flat=True)) if value else []


@dataclass(frozen=True)
class Place:
    """How far a walk came: in which channel and state, after which candidate by time and id."""

    channel: int
    state: str
    posted_at: str = BEGINNING[0]
    id: str = BEGINNING[1]


def next_ones(block: Block, channels: list[int], place: Place | None) -> tuple[list[int], Place | None]:
    """Some more suspects of these channels, and where to go on; None at the end.

    Authors and posts are found by their index; other kinds by walking through the undecided of channel after channel,
    a slice at a time, by the index that the desk's lists use."""
    if block.kind in (Block.Kind.AUTHOR, Block.Kind.TWEET):
        return _by_tweet(block, channels, place)
    return _walked(*condition_of(block), channels, place)


def next_of_all(channels: list[int], place: Place | None) -> tuple[list[int], Place | None]:
    """Some more of all undecided ones, for many blocks at once."""
    return _walked("true", [], channels, place)


def _walked(
    condition: str, given: list[Any], channels: list[int], place: Place | None
) -> tuple[list[int], Place | None]:
    where = [(channel, state.value) for channel in sorted(channels) for state in STATES]
    if place is None:
        place = Place(*where[0]) if where else None
    walked = 0
    while place is not None and (place.channel, place.state) in where and walked < SLICE:
        found, rows, place = _slice(condition, given, place, where)
        walked += rows
        if found:
            return found, place
    return [], place if place and (place.channel, place.state) in where else None


def _slice(
    condition: str, given: list[Any], place: Place, where: list[tuple[int, str]]
) -> tuple[list[int], int, Place | None]:
    """The suspects of the next slice, how many rows it had, and where to go on."""
    sql = NEXT.format(condition=condition, state=State(place.state).value)
    with connection.cursor() as cursor:
        cursor.execute(sql, [place.channel, place.posted_at, place.id, SLICE, *given, AT_ONCE])
        found, read, suspected, last_suspect, last = cursor.fetchone()
    if suspected == AT_ONCE:
        return found, read, Place(place.channel, place.state, *last_suspect)
    if read == SLICE:
        return found, read, Place(place.channel, place.state, *last)
    following = where[where.index((place.channel, place.state)) + 1 :]
    return found, read, Place(*following[0]) if following else None


def _by_tweet(block: Block, channels: list[int], place: Place | None) -> tuple[list[int], Place | None]:
    rows = Candidate.objects.filter(tweet__in=_named(block), channel__in=channels, state__in=STATES).order_by("pk")
    after = int(place.id) if place else 0
    found = list(rows.filter(pk__gt=after).values_list("pk", flat=True)[:AT_ONCE])
    return found, Place(0, "", id=str(found[-1])) if len(found) == AT_ONCE else None


def _named(block: Block) -> QuerySet[Tweet]:
    """The posts that a block of an author or of a post names."""
    value = normalised(block.kind, block.value)
    if block.kind == Block.Kind.AUTHOR:
        return Tweet.objects.filter(author__in=_authors(value))
    x_id = whole(value) or 0  # nobody's
    return Tweet.objects.filter(Q(first_id=x_id) | Q(current_id=x_id))


def named_since(block: Block, channels: Iterable[int], since: datetime) -> QuerySet[Candidate, int]:
    """Candidates of an author or a post that the block names, in any state, the newest first."""
    tweets = _named(block).filter(created_at__gte=since)
    rows = Candidate.objects.filter(tweet__in=tweets, channel__in=list(channels))
    return rows.newest_first().values_list("pk", flat=True)
