"""What the feeds show at this moment, and what of it X must be asked about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from curation.ledger import budget
from curation.models import Candidate, Tweet
from feeds.models import Feed, Snapshot
from regions.models import Market

CHECKED_EVERY = timedelta(minutes=10)  # by a task of every minute, so at least
EVERY_LIVE_ONE = timedelta(minutes=15)
VERIFIED_WITHIN = timedelta(hours=24)
SOON = timedelta(hours=1)
MOST = 500  # a market and a turn


def shown() -> dict[int, list[int]]:
    """The tweets of the newest snapshots of all feeds, held ones too, by id, each with the markets showing it in their
    order."""
    feeds = Feed.objects.filter(number__gt=0).order_by("market__position", "market")
    markets = dict(feeds.values_list("pk", "market"))
    newest = Snapshot.objects.newest_of(Feed.objects.filter(pk__in=markets))
    found: dict[int, list[int]] = defaultdict(list)
    for feed_id, market_id in markets.items():
        for entry in newest[feed_id].entries if feed_id in newest else ():
            if market_id not in found[entry["tweet"]]:
                found[entry["tweet"]].append(market_id)
    return dict(found)


def shown_at(moment: datetime) -> set[int]:
    """The tweets that any feed showed at a moment."""
    then = Snapshot.objects.filter(feed=OuterRef("pk"), at__lte=moment).order_by("-at", "-number").values("pk")[:1]
    standing = Feed.objects.annotate(then=Subquery(then)).values("then")
    return {entry["tweet"] for snapshot in Snapshot.objects.filter(pk__in=standing) for entry in snapshot.entries}


def scheduled(now: datetime) -> dict[int, list[int]]:
    """Those that go live within the hour, in the same form."""
    rows = Candidate.objects.approved().filter(go_live_at__gt=now, go_live_at__lte=now + SOON, channel__active=True)
    found: dict[int, list[int]] = defaultdict(list)
    for tweet, market in rows.order_by("channel__market__position").values_list("tweet", "channel__market"):
        if market not in found[tweet]:
            found[tweet].append(market)
    return dict(found)


def needed(now: datetime) -> set[int]:
    """Tweets whose text a feed may still need: what is shown, what a held feed stands at, what goes live soon."""
    held = Snapshot.objects.filter(pk__in=Feed.objects.exclude(held_at=None).values("held_at"))
    return {entry["tweet"] for snapshot in held for entry in snapshot.entries} | set(shown()) | set(scheduled(now))


def due(now: datetime) -> dict[int, list[int]]:
    """By the market that pays: what was not checked for ten minutes, longest ago first. The first market that shows
    it and can pay it does; where none can, the first of all, whose run then says so."""
    soon, live = scheduled(now), shown()
    payers = {pk: list(dict.fromkeys(live.get(pk, []) + soon.get(pk, []))) for pk in soon.keys() | live.keys()}
    unchecked = Tweet.objects.filter(pk__in=payers, checked_at__lte=now - CHECKED_EVERY, gone_at=None)
    rows = list(unchecked.order_by("checked_at", "pk").values_list("pk", "current_id"))
    purse = Purse(now, (current_id for _pk, current_id in rows))
    found: dict[int, list[int]] = defaultdict(list)
    for pk, current_id in rows:
        payer = purse.payer(payers[pk], current_id)
        if len(found[payer]) < MOST:
            found[payer].append(pk)
    return dict(found)


class Purse:
    """What each market may still spend today on rechecks, as one turn hands it out."""

    def __init__(self, now: datetime, current_ids: Iterable[int]) -> None:
        self.now, self.dear = now, budget.uncharged(current_ids, now)
        self.left: dict[int, int] = {}

    def payer(self, markets: list[int], current_id: int) -> int:
        """The first of the markets that can pay for the post. What X charged today already costs nobody anything."""
        if current_id not in self.dear:
            return markets[0]
        for market_id in markets:
            if self._left(market_id) > 0:
                self.left[market_id] -= 1
                return market_id
        return markets[0]

    def _left(self, market_id: int) -> int:
        if market_id not in self.left:
            self.left[market_id] = budget.balance(Market(pk=market_id), self.now).left_for_rechecks
        return self.left[market_id]


def unverified(now: datetime) -> list[int]:
    """What is shown, and was a quarter of an hour ago, and nobody could verify for 24 h. What just came live after
    a long wait has its first check still to come."""
    standing = shown_at(now - EVERY_LIVE_ONE).intersection(shown())
    late = Tweet.objects.filter(pk__in=standing, checked_at__lte=now - VERIFIED_WITHIN, gone_at=None)
    return list(late.order_by("pk").values_list("pk", flat=True))
