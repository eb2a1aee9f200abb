"""Offers tweets to channels: each becomes a candidate there once, whichever source brings it first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from curation.grouping import settle_arrivals
from curation.ingest.storing.bulk import Table, as_array
from curation.ingest.storing.groups import IN_ORDER, Grouping, Newcomer
from curation.ingest.storing.offered import Offered
from curation.language import told_language
from curation.likeness import Likeness, likeness
from curation.models import Candidate, Hit, State, Tweet
from curation.ranking import parts, rank, weights_of
from curation.verdicts import Judge, Verdict, names_of
from curation.x.wire import as_json
from regions.models import Channel, Source

MEMORY = timedelta(days=30)
REMEMBERED = 50  # posts of an author
MOST_KEPT = 10_000  # authors of a channel
BY_HAND = 50  # trust of what no source brought
History = dict[tuple[int, int], tuple[int, int]]
CANDIDATES = Table(
    Candidate, "id", "channel", "tweet", "state", "version", "source", "group", "hidden", "alike", "rank", "rank_parts",
    "folded", "posted_at", "arrived_at", "pending_since", "held", "context", "label", "with_similar",
    "blocked_by_lists", "sensitive", "edited", "author_id", "lang",
)  # fmt: skip
HITS = Table(Hit, "candidate", "block", "start", "end", "at")
DECIDED = """
SELECT channel.id, author.id, count(*) FILTER (WHERE state = 'approved'),
    count(*) FILTER (WHERE state = 'blocked' AND NOT blocked_by_lists)
FROM unnest(%s::bigint[]) AS channel(id) CROSS JOIN unnest(%s::bigint[]) AS author(id)
CROSS JOIN LATERAL (
    SELECT tweet.id FROM curation_tweet AS tweet WHERE author_id = author.id AND created_at >= %s
    ORDER BY created_at DESC LIMIT %s
) AS told
CROSS JOIN LATERAL (
    SELECT state, blocked_by_lists FROM curation_candidate WHERE channel_id = channel.id AND tweet_id = told.id LIMIT 1
) AS met
GROUP BY channel.id, author.id
"""


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


@dataclass(frozen=True)
class Here:
    """What the rank needs to know of a channel: its weights, and whether its market chose who speaks."""

    weights: Mapping[str, float]
    ours: bool


UNASKED = Verdict()


@dataclass(slots=True)
class Arrival:
    """A candidate to be: a tweet in a channel that has not met it, and what the lists say of it there, once asked."""

    channel: Channel
    tweet: Offered
    likeness: Likeness
    verdict: Verdict = UNASKED

    @property
    def state(self) -> str:
        return State.BLOCKED.value if self.verdict.blocked else State.PENDING.value

    def row(
        self, newcomer: Newcomer, source: Source | None, here: Here, decided: tuple[int, int], now: datetime
    ) -> list[Any]:
        """As CANDIDATES takes it. `decided`: of the author in this channel, how many approved and blocked."""
        tweet, channel, verdict = self.tweet, self.channel, self.verdict
        trust = source.trust if source else BY_HAND
        points = parts(
            tweet, channel, trust=trust, approved=decided[0], blocked=decided[1], now=now,
            similar=newcomer.similar, ours=here.ours, weights=here.weights,
        )  # fmt: skip
        return [
            newcomer.pk, newcomer.channel_id, tweet.pk, self.state, 1, source and source.pk, newcomer.group, False,
            as_array(newcomer.keys), rank(points, tweet.created_at, channel), as_json(points),
            f"{tweet.words} {names_of(tweet.author.name, tweet.author.username)}",
            tweet.created_at, now, now, verdict.held, "", "", False, verdict.blocked,
            tweet.sensitive, tweet.current_id != tweet.first_id,
            tweet.author.x_id, told_language(tweet.lang, tweet.lang_guess),
        ]  # fmt: skip


def offer(
    tweet_ids: Iterable[int],
    source: Source | None,
    channels: list[Channel],
    now: datetime,
    new: Mapping[int, Offered] | None = None,
) -> Arrivals:
    """Makes the missing candidates. In the caller's transaction, which soon ends. `new`: tweets that this
    transaction stored, by id; the others are read."""
    wanted = set(tweet_ids)
    if not wanted or not channels:
        return Arrivals()
    given = {pk: tweet for pk, tweet in (new or {}).items() if pk in wanted}
    known = wanted - given.keys()
    if known:
        claim(known, source, channels)
    missing = _missing(known, channels)
    tweets = sorted([*given.values(), *_read({pk for _channel, pk in missing})], key=lambda tweet: tweet.pk)
    alike = {tweet.pk: likeness(tweet.words, tweet.entities) for tweet in tweets}
    arriving = [
        Arrival(channel, tweet, alike[tweet.pk])
        for channel in sorted(channels, key=lambda one: one.pk)
        for tweet in tweets
        if (tweet.pk in given or (channel.pk, tweet.pk) in missing) and tweet.showable_in(channel.market.country)
    ]
    return _stored(arriving, source, Judge(channels), now) if arriving else Arrivals()


def is_ours(source: Source | None, channel: Channel) -> bool:
    """Whether the channel's own market chose who speaks: an account or a list of its own, or a link by hand."""
    if source is None:
        return True
    chosen = source.kind in (Source.Kind.ACCOUNT, Source.Kind.LIST)
    return chosen and (source.channel_id == channel.pk or source.market_id == channel.market_id)


def _read(tweet_ids: Collection[int]) -> list[Offered]:
    if not tweet_ids:
        return []
    rows = Tweet.objects.select_related("author").defer("raw").filter(pk__in=tweet_ids, gone_at=None, purged_at=None)
    return [Offered.of_tweet(row, row.author) for row in rows if row.author is not None]


def claim(tweet_ids: Collection[int], source: Source | None, channels: list[Channel]) -> None:
    """What a move or an offer brought, and comes another way too, stays when that is taken back."""
    brought = Candidate.objects.filter(brought_by__isnull=False, version=1, channel__in=channels, tweet__in=tweet_ids)
    ids = list(brought.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    if ids:
        Candidate.objects.filter(pk__in=ids).update(brought_by=None, **({"source": source} if source else {}))


def _missing(tweet_ids: Collection[int], channels: list[Channel]) -> set[tuple[int, int]]:
    if not tweet_ids:
        return set()
    there = Candidate.objects.filter(channel__in=channels, tweet__in=tweet_ids).values_list("channel_id", "tweet_id")
    return {(channel.pk, tweet) for channel in channels for tweet in tweet_ids} - set(there)


def history_of(authors: Iterable[int], channels: Iterable[Channel], now: datetime) -> History:
    """By channel and author: of the author's last 50 posts of 30 days, how many were approved, how many blocked by
    editors. What was counted is kept until something is decided in the channel, which raises its revision."""
    found: History = {}
    for channel in channels:
        kept = DECIDED_THERE.of(channel)
        if unknown := set(authors) - kept.keys():
            kept |= dict.fromkeys(unknown, (0, 0)) | _counted(unknown, channel, now)
        found |= {(channel.pk, author): kept[author] for author in authors}
    return found


def _counted(authors: set[int], channel: Channel, now: datetime) -> dict[int, tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, (as_array([channel.pk]), as_array(authors), now - MEMORY, REMEMBERED))
        return {author: (approved, blocked) for _channel, author, approved, blocked in cursor.fetchall()}


class DecidedThere:
    """What this process counted of authors, by channel; of a revision that is past, nothing is kept."""

    def __init__(self) -> None:
        self.kept: dict[int, tuple[int, dict[int, tuple[int, int]]]] = {}

    def of(self, channel: Channel) -> dict[int, tuple[int, int]]:
        revision, known = self.kept.get(channel.pk, (-1, {}))
        if revision != channel.revision or len(known) > MOST_KEPT:
            known = {}
            self.kept[channel.pk] = (channel.revision, known)
        return known


DECIDED_THERE = DecidedThere()


def _stored(arriving: list[Arrival], source: Source | None, judge: Judge, now: datetime) -> Arrivals:
    """What takes long is done before the arrivals are locked, or while PostgreSQL stores: lists, groups, rank."""
    channels = {arrival.channel.pk: arrival.channel for arrival in arriving}
    history = history_of({arrival.tweet.author.x_id for arrival in arriving}, channels.values(), now)
    here = {pk: Here(weights_of(channel), is_ours(source, channel)) for pk, channel in channels.items()}
    newcomers = [Newcomer(arrival.channel.pk, arrival.tweet.created_at, arrival.likeness) for arrival in arriving]
    for one, pk in zip(newcomers, CANDIDATES.ids(len(arriving), IN_ORDER), strict=True):
        one.pk = pk
    grouping = Grouping(newcomers)

    def rows() -> Iterator[list[Any]]:
        for one, arrival in zip(newcomers, arriving, strict=True):
            if arrival.verdict is UNASKED:  # asked once, though rows may be made again
                arrival.verdict = judge.on(arrival.tweet, arrival.channel, now, arrival.tweet.words)
                one.counts = not arrival.verdict.blocked
                grouping.place(one)
            decided = history[one.channel_id, arrival.tweet.author.x_id]
            yield arrival.row(one, source, here[one.channel_id], decided, now)

    made = _added(rows, {one.pk for one in newcomers})
    told = {one.pk: arrival for one, arrival in zip(newcomers, arriving, strict=True) if one.pk in made}
    if hits := [row for pk, arrival in told.items() for row in arrival.verdict.rows(pk, now)]:
        HITS.copy(hits)
    settle_arrivals(grouping.joined, {arrival.channel.pk for arrival in told.values()})
    return Arrivals(
        candidates=len(told),
        blocked=sum(arrival.verdict.blocked for arrival in told.values()),
        held=sum(arrival.verdict.held for arrival in told.values()),
        channels={arrival.channel.pk for arrival in told.values()},
    )


def _added(rows: Callable[[], Iterator[list[Any]]], ours: set[int]) -> set[int]:
    """The ids of the candidates that were not there. Beside others' nobody founds a group."""
    try:
        with transaction.atomic():
            CANDIDATES.copy(rows())
        return ours
    except IntegrityError:
        alone = [[*row[:6], None if row[6] in ours else row[6], *row[7:]] for row in rows()]
        made = CANDIDATES.insert(alone, conflict="(channel_id, tweet_id) DO NOTHING", returning="id")
        return {row[0] for row in made}
