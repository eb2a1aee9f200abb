"""What waits: the queue of a channel or a market, searched and counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, Q

from curation.keyset import Queue
from curation.models import Candidate
from curation.models.candidates import MARKED, CandidateQuerySet
from regions.models import Channel, Market, User

MOST_COUNTED = 1000


@dataclass(frozen=True)
class Place:
    """Where one works: a market, and one of its channels or all of them."""

    market: Market
    channels: Sequence[Channel]
    channel: Channel | None = None

    @property
    def category(self) -> str:
        return self.channel.category.slug if self.channel else ""

    @property
    def shown(self) -> list[Channel]:
        return [self.channel] if self.channel else list(self.channels)

    def candidates(self) -> CandidateQuerySet:
        return Candidate.objects.filter(channel__in=[channel.pk for channel in self.shown])

    def waiting(self, q: str = "", **asked: Any) -> CandidateQuerySet:
        """Pending ones that lead their group, with all that a card shows, kept to what `narrowed` is asked for, and to
        those that hold the words."""
        found = narrowed(self.candidates().with_tweets(), **asked)
        return found.holding_words(q, self.channel.pk if self.channel else None) if q.strip() else found

    def queues(self, q: str = "", **asked: Any) -> list[Queue]:
        """The same in parts, one for each channel: what `keyset.page` makes a page of."""
        return [Queue(narrowed(Candidate.objects.in_channel(one), **asked), one, q) for one in self.shown]


def narrowed(rows: CandidateQuerySet, *, show: str = "", author: int = 0, lang: str = "") -> CandidateQuerySet:
    """Of the rows those that wait, lead their group, bear a mark of MARKED, are by an author, in a language."""
    found = rows.pending().leading()
    found = found.marked(show) if show else found
    found = found.written_by(author) if author else found
    return found.in_language(lang) if lang else found


def behind(candidate: Candidate) -> CandidateQuerySet:
    """Pending ones that wait behind a similar one of their channel, best first; `candidate` leads or is one of them."""
    founder = candidate.group_id or candidate.pk
    group = Candidate.objects.filter(Q(group=founder) | Q(pk=founder), hidden=True).exclude(pk=candidate.pk)
    return group.pending().with_tweets().best_first()


def next_of_groups(decided: Iterable[Candidate]) -> CandidateQuerySet:
    """Those that lead a group now in place of one that was decided."""
    rows = list(decided)
    founders = {row.group_id or row.pk for row in rows}
    groups = Candidate.objects.filter(Q(group__in=founders) | Q(pk__in=founders)).exclude(pk__in=[r.pk for r in rows])
    return groups.pending().leading().with_tweets().best_first()


def capped(rows: CandidateQuerySet) -> Func:
    """How many there are, counted no further than one past MOST_COUNTED."""
    some = ArraySubquery(rows.values("pk")[: MOST_COUNTED + 1])
    return Func(some, function="cardinality", output_field=IntegerField())


@cache
def waiting_there(mark: str = "") -> Func:
    """How many wait in the channel of a query of channels, with a mark of MARKED; capped. Put together once: each
    page of the desk asks for six of them."""
    waiting = Candidate.objects.pending().leading().filter(channel=OuterRef("pk"))
    return capped(waiting.marked(mark) if mark else waiting)


def counted(channels: Iterable[Channel]) -> dict[int, int]:
    """How many wait in each channel, by its id; capped."""
    rows = Channel.objects.filter(pk__in=[channel.pk for channel in channels]).annotate(waiting=waiting_there())
    return dict(rows.values_list("pk", "waiting"))


def counted_marks(channels: Iterable[Channel]) -> dict[str, int]:
    """How many wait in all of the channels with each mark of MARKED; capped for each channel."""
    told = [waiting_there(mark) for mark in MARKED]
    rows = list(Channel.objects.filter(pk__in=[channel.pk for channel in channels]).values_list(*told))
    return {mark: sum(counts) for mark, counts in zip(MARKED, zip(*rows, strict=True), strict=False)}


@dataclass(frozen=True)
class CountedChannel:
    """A channel with how many wait there."""

    noun: Channel
    waiting: int


@dataclass(frozen=True)
class CountedMarket:
    """A market with its channels, and how many wait in all of them."""

    noun: Market
    channels: Sequence[CountedChannel]

    @property
    def waiting(self) -> int:
        return sum(channel.waiting for channel in self.channels)


def markets_of(user: User) -> list[CountedMarket]:
    """One's markets with their channels, each with its count."""
    channels = Channel.objects.visible_to(user).select_related("category").annotate(waiting=waiting_there())
    markets = {market.pk: market for market in Market.objects.visible_to(user)}
    found: dict[Market, list[CountedChannel]] = {market: [] for market in markets.values()}
    for channel in channels:
        channel.market = markets[channel.market_id]
        found[channel.market].append(CountedChannel(channel, channel.waiting))
    return [CountedMarket(market, parts) for market, parts in found.items()]
