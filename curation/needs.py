"""What needs somebody now, for the home page: what waits for them alone, and what others took back of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.timezone import localtime

from curation.blocking.lists import SOON
from curation.models import Candidate, Decision, State, Verb
from curation.queue import CountedChannel, CountedMarket, capped
from regions.models import Block, Channel, Market, User
from regions.permissions import may

MOST_TAKEN, LOOKED_AT = 5, 500
GIVEN = (Verb.APPROVE, Verb.PIN, Verb.SCHEDULE, Verb.ANNOTATE)


@dataclass(frozen=True)
class Need:
    """Posts of a channel that wait for this person: offered by another market, or for a second pair of eyes."""

    kind: str
    channel: Channel
    count: int


@dataclass(frozen=True)
class Ending:
    """Blocks of a market that somebody leads, and of its channels, that end by themselves before long."""

    market: Market
    count: int


@dataclass(frozen=True)
class TakenBack:
    """An approval of one's own that somebody else ended."""

    decision: Decision

    @property
    def candidate(self) -> Candidate:
        return self.decision.candidate


def needs_of(user: User, markets: Sequence[CountedMarket]) -> list[Need]:
    """Second pairs of eyes before offers, the most first. Nobody confirms an approval of their own."""
    mine = [one for one in markets if may(user, "candidate.decide", one.noun)]
    channels = {part.noun.pk: part.noun for one in mine for part in one.channels}
    if not channels:
        return []
    waiting = Candidate.objects.pending().leading().filter(channel=OuterRef("pk"))
    kinds = {"second": waiting.marked("second").exclude(confirmed_by=user), "offered": waiting.marked("offered")}
    counts = {f"with_{kind}": capped(rows) for kind, rows in kinds.items()}
    rows = Channel.objects.filter(pk__in=channels).values_list("pk", *counts.values())
    found = [
        Need(kind, channels[pk], count) for pk, *told in rows for kind, count in zip(kinds, told, strict=True) if count
    ]
    return sorted(found, key=lambda need: (need.kind != "second", -need.count))


def ending(user: User, markets: Sequence[Market], now: datetime) -> list[Ending]:
    """Where blocks end within SOON, in the order of the markets; for leads, who may let them stand longer."""
    led = [one for one in markets if may(user, "block.edit_market", one)]
    rows = Block.objects.filter(lifted_at=None, ends_at__gt=now, ends_at__lte=now + SOON)
    rows = rows.filter(Q(market__in=led) | Q(channel__market__in=led))
    counts = dict(rows.values_list(Coalesce("market", "channel__market")).annotate(Count("pk"))) if led else {}
    return [Ending(one, counts[one.pk]) for one in led if one.pk in counts]


def taken_back(user: User, markets: Sequence[Market], now: datetime) -> list[TakenBack]:
    """What others ended today of what this person approved today, the newest first. What the system did is told
    elsewhere; days are those of the active zone."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Decision.objects.filter(by=user, at__gte=midnight, market__in=markets, verb__in=GIVEN)
    given = dict(mine.order_by("at").values_list("candidate", "version")[:LOOKED_AT])
    if not given:
        return []
    ends = Decision.objects.filter(candidate__in=given, at__gte=midnight, before__state=State.APPROVED)
    ends = ends.exclude(after__state=State.APPROVED).exclude(by=user).filter(by__isnull=False)
    rows = ends.select_related("by", "candidate__tweet__author", "channel__market", "channel__category").order_by("-pk")
    still = (row for row in rows if row.version > given[row.candidate_id] and row.candidate.state != State.APPROVED)
    return [TakenBack(row) for row in list(still)[:MOST_TAKEN]]


def busiest(markets: Sequence[CountedMarket]) -> list[CountedChannel]:
    """Channels where something waits, the fullest first."""
    return sorted((part for one in markets for part in one.channels if part.waiting), key=lambda part: -part.waiting)
