"""To other channels: move within a market, offer to another. What arrives there does so as any arrival."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from curation import events
from curation.ingest.storing import candidates as arriving
from curation.ingest.storing.groups import hold_arrivals, take_away
from curation.matching import Matcher
from curation.models import Act, Candidate, Offer, State, Tweet, Verb
from curation.operations.errors import (
    AlreadyThere,
    BlockStands,
    Busy,
    NoSuchCategory,
    NoSuchMarket,
    NotAllowed,
    StaleVersion,
)
from curation.operations.following import off_the_feed
from curation.operations.record import Record, last_decision
from curation.operations.wishes import Wish
from curation.transitions import MOVED
from regions.models import Channel, Market, User
from regions.problems import Refusal

VERBS = (Verb.MOVE, Verb.OFFER)


def lock_tweets(candidates: Iterable[int]) -> None:
    """Holds the posts of candidates, before their channels: X takes none of them back while they go elsewhere."""
    theirs = Candidate.objects.filter(pk__in=list(candidates)).values("tweet_id")
    list(Tweet.objects.filter(pk__in=theirs).order_by("first_id").select_for_update(no_key=True).values_list("pk"))


def move(record: Record, candidate: Candidate, wish: Wish) -> None:
    """Blocked here as moved. Raises NoSuchCategory, AlreadyThere, and BlockStands where that channel's lists forbid it:
    nothing is lost between two channels."""
    there = Channel.objects.active().filter(market=candidate.channel.market_id, category__slug=wish.category or "")
    channel = there.select_related("market", "category").first()
    if channel is None:
        raise NoSuchCategory(field="category")
    if _is_there(record, candidate, channel):
        raise AlreadyThere(field="category")
    if not candidate.tweet.showable_in(channel.market.country):
        raise NotAllowed(_("X does not show this post any more."))
    if Matcher.of(channel.market).blocks(candidate.tweet, channel.pk, record.now):
        raise BlockStands(_("A block of that category forbids this post."), field="category")
    to = {"category": channel.category.slug}
    record.change(candidate, Verb.MOVE, reason=MOVED, to=to, **off_the_feed(State.BLOCKED))
    record.sent.append((candidate, channel))


def offer(record: Record, candidate: Candidate, wish: Wish) -> None:
    """Raises NoSuchMarket. What stands there already, and what becomes of it, is that market's own affair."""
    if candidate.tweet.gone_at or candidate.tweet.purged_at:
        raise NotAllowed(_("X does not show this post any more."))
    channel = _counterpart(candidate.channel, wish.market or "")
    record.change(candidate, Verb.OFFER, to={"market": channel.market.code})
    record.sent.append((candidate, channel))


def _counterpart(channel: Channel, code: str) -> Channel:
    """The same category in another market, else its first."""
    others = Market.objects.active().exclude(pk=channel.market_id)
    there = list(Channel.objects.active().filter(market__in=others.filter(code=code)).select_related("market"))
    if not there:
        raise NoSuchMarket(field="market")
    return next((one for one in there if one.category_id == channel.category_id), there[0])


def _is_there(record: Record, candidate: Candidate, channel: Channel) -> bool:
    """In any state, or on its way by this very act."""
    sent = ((one.tweet_id, to.pk) for one, to in record.sent)
    there = Candidate.objects.filter(channel=channel, tweet=candidate.tweet_id)
    return (candidate.tweet_id, channel.pk) in sent or there.exists()


def bring(record: Record) -> None:
    """Makes the candidates that an act's moves and offers bring; the last step before the commit, since no lock comes
    after that of arrivals. Raises Busy where an arrival came before a move."""
    if not record.sent:
        return
    hold_arrivals()
    to: dict[int, list[Candidate]] = defaultdict(list)
    channels = {channel.pk: channel for _candidate, channel in record.sent}
    for candidate, channel in record.sent:
        to[channel.pk].append(candidate)
    for pk in sorted(to):
        _bring(record, to[pk], channels[pk])
    events.arrived(channels)


def _bring(record: Record, coming: list[Candidate], channel: Channel) -> None:
    origins = {candidate.tweet_id: candidate for candidate in reversed(coming)}
    here = Candidate.objects.filter(channel=channel)
    known = set(here.filter(tweet__in=list(origins)).values_list("tweet_id", flat=True))
    fresh = [tweet for tweet in origins if tweet not in known]
    arriving.offer(list(origins), None, [channel], record.now)
    made = list(here.filter(tweet__in=fresh))
    here.filter(pk__in=[row.pk for row in made]).update(brought_by=record.act, offered=record.act.verb == Verb.OFFER)
    if record.act.verb == Verb.OFFER:
        Offer.objects.bulk_create(_offered(record, origins[row.tweet_id], row) for row in made)
    elif [row.state for row in made] != [State.PENDING] * len(coming):
        raise Busy


def _offered(record: Record, origin: Candidate, there: Candidate) -> Offer:
    return Offer(
        candidate=there,
        origin=origin,
        origin_market=origin.channel.market,
        by=record.by,
        note=record.note,
        at=record.now,
    )


def brought_by(act: Act) -> list[Candidate]:
    """What an act brought to other channels, not locked."""
    return list(Candidate.objects.filter(brought_by=act)) if act.verb in VERBS else []


class Brought:
    """What an act that is taken back brought to other channels, and nobody else since. They are locked."""

    def __init__(self, act: Act, rows: Iterable[Candidate]) -> None:
        self.act, self.rows = act, [row for row in rows if row.brought_by_id == act.pk]

    def forbids(self, candidate: Candidate, by: User) -> Refusal | None:
        """StaleVersion where somebody decided on what a move brought. Of an offer the sender is told nothing."""
        if self.act.verb != Verb.MOVE:
            return None
        place = (candidate.channel.market_id, candidate.tweet_id)
        decided = [row for row in self.rows if (row.channel.market_id, row.tweet_id) == place and row.version > 1]
        return StaleVersion(decided[0], last_decision(decided[0]), by) if decided else None

    def go(self, back: Iterable[Candidate]) -> None:
        """Takes away what these candidates brought, as far as nobody decided on it; the last step before the commit."""
        tweets = {candidate.tweet_id for candidate in back}
        gone = [row for row in self.rows if row.tweet_id in tweets and row.version == 1]
        if gone:
            take_away(gone)
            events.arrived(row.channel_id for row in gone)
