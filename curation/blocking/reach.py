"""What blocks would have hit, before anybody lays them: live posts exactly, the last days as far as work is bounded.

The panels of verbs ask quickly, of several blocks at once; the page of blocks tries one, candidate by candidate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.safestring import SafeString

from curation.matching import Match, Matcher, normalised
from curation.models import Candidate, State, Tweet
from curation.operations import suspects
from curation.operations.blocking import Entry, reach
from curation.wording import shown_text
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
    return len({one.candidate.tweet_id for one in taken_by(blocks, matcher, channel_ids, now) if one.live(now)})


@dataclass(frozen=True)
class Found:
    """A candidate that a block would hit, and where in its text."""

    candidate: Candidate
    matches: Sequence[Match]

    def live(self, now: datetime) -> bool:
        """Whether it is on phones, as far as its own window says."""
        return self.candidate.state == State.APPROVED and self.candidate.may_show(now)

    @property
    def words(self) -> SafeString:
        """The post's text with what was found in it marked."""
        tweet = self.candidate.tweet
        marks = [(one.start, one.end) for one in self.matches if one.start is not None and one.end is not None]
        return shown_text(tweet.text, tweet.part("entities"), marks)


def taken_by(blocks: Sequence[Block], matcher: Matcher, channel_ids: Iterable[int], now: datetime) -> list[Found]:
    """What blocks would take out at once: approved ones that are in a feed or may come into it."""
    channels = Channel.objects.filter(pk__in=channel_ids)
    rows = Candidate.objects.approved().with_tweets().filter(pk__in=suspects.live(blocks, channels, now))
    return _matched(rows.defer("tweet__raw"), matcher, now)


def _matched(rows: Iterable[Candidate], matcher: Matcher, now: datetime) -> list[Found]:
    found = [Found(row, matcher.matches(row.tweet, row.channel_id, now)) for row in rows]
    return [one for one in found if one.matches]


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


# --- a dry run ---------------------------------------------------------------------------------------------------

MOST_WALKED = 60_000  # candidates of each state, shared by the channels of the scope
MOST_TOLD, MOST_SECONDS = 1000, 5
WIDE, FEWEST = 0.25, 20  # a share of all that is warned of, from so many candidates on
CANCELLED = "57014"
# Tweets are looked up one by one: joined at once, PostgreSQL would read older ones as well.
WEEK = """
WITH week AS MATERIALIZED (
    SELECT near.* FROM unnest(%s::bigint[]) AS wanted(channel) CROSS JOIN unnest(%s::text[]) AS states(state)
    CROSS JOIN LATERAL (
        SELECT id, tweet_id, channel_id, curation_candidate.state, posted_at, folded FROM curation_candidate
        WHERE channel_id = wanted.channel AND curation_candidate.state = states.state AND posted_at >= %s
        ORDER BY posted_at DESC, id DESC LIMIT %s
    ) AS near
), suspect AS MATERIALIZED (
    SELECT candidate.id, candidate.posted_at FROM week AS candidate {looked_up} WHERE {condition}
)
SELECT ARRAY(SELECT id FROM suspect ORDER BY posted_at DESC, id DESC LIMIT %s), (SELECT count(*) FROM suspect),
    (SELECT count(*) FROM week), (SELECT max(n) FROM (SELECT count(*) AS n FROM week GROUP BY channel_id, state) each)
"""
LOOKED_UP = """
CROSS JOIN LATERAL (
    SELECT wire #>> '{entities,urls}' AS urls FROM curation_tweet WHERE id = candidate.tweet_id LIMIT 1
) AS links"""


@dataclass(frozen=True)
class Trial:
    """What one block would have hit. `hits`: candidates of the last DAYS, the newest MOST_TOLD; `taken`: what it would
    take out at once, `live` those of them that are on phones now. `read`: candidates that were looked at, `cut` where
    there are more of a channel; `late` where it could not be found out in time. `share`: of those read, as far as told
    by what was looked at closely."""

    hits: Sequence[Found] = ()
    taken: Sequence[Found] = ()
    live: Sequence[Found] = ()
    more: bool = False
    read: int = 0
    cut: bool = False
    late: bool = False
    share: float = 0.0

    @property
    def hit(self) -> int:
        """How many, one past MOST_TOLD for more."""
        return MOST_TOLD + 1 if self.more else len(self.hits)

    @property
    def states(self) -> Counter[str]:
        """How many of the hits stand in each state."""
        return Counter(str(one.candidate.state) for one in self.hits)

    @property
    def wide(self) -> bool:
        return self.read >= FEWEST and self.share >= WIDE


def try_out(entry: Entry, now: datetime) -> Trial:
    """What one block would have hit in the last DAYS, and what it takes out at once. Reads no older candidates."""
    block = Block(
        kind=entry.name.kind, value=entry.name.value, market=entry.market, channel=entry.channel, effect=entry.effect
    )
    ids = reach(entry.channel.pk if entry.channel else None, entry.market.pk if entry.market else None)
    matcher = Matcher([block])
    taken = taken_by([block], matcher, ids, now)
    live = [one for one in taken if one.live(now)]
    try:
        suspected, among, read, cut = _week(block, ids, now)
    except OperationalError as error:
        given_up(error)
        return Trial(taken=taken, live=live, late=True)
    rows = Candidate.objects.with_tweets().defer("tweet__raw").filter(pk__in=suspected[: MOST_TOLD + 1])
    hits = _matched(rows.newest_first(), matcher, now)
    looked = min(among, MOST_TOLD + 1)
    share = (len(hits) / looked) * among / read if read and looked else 0.0
    return Trial(hits[:MOST_TOLD], taken, live, len(hits) > MOST_TOLD, read, cut, share=share)


@contextmanager
def in_time(seconds: float) -> Iterator[Any]:
    """A cursor whose statements, and all others meanwhile, PostgreSQL ends after so many seconds each."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(round(seconds * 1000))])
        yield cursor
        cursor.execute("RESET statement_timeout")


def given_up(error: OperationalError) -> None:
    """Raises what is wrong in another way than that it took too long."""
    if getattr(error.__cause__, "pgcode", "") != CANCELLED:
        raise error


def _week(block: Block, channel_ids: Iterable[int], now: datetime) -> tuple[list[int], int, int, bool]:
    """Suspects of the last DAYS, newest first; how many there are, among how many, and whether there are more."""
    since = now - timedelta(days=DAYS)
    if block.kind in (Block.Kind.AUTHOR, Block.Kind.TWEET):
        ids = list(suspects.named_since(block, channel_ids, since)[: MOST_TOLD + 1])
        return ids, len(ids), 0, False
    channels = sorted(channel_ids)
    most = MOST_WALKED // max(1, len(channels))
    condition, given = suspects.condition_of(block)
    looked_up = LOOKED_UP if block.kind == Block.Kind.DOMAIN else ""
    sql = WEEK.format(condition=condition, looked_up=looked_up)
    states = [str(state) for state in State.values]
    with in_time(MOST_SECONDS) as cursor:
        cursor.execute(sql, [channels, states, since, most, *given, MOST_TOLD + 1])
        ids, among, read, longest = cursor.fetchone()
    return ids, among, read, longest == most
