"""What the feeds show at this moment, and what of it X must be asked about."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from curation.models import Candidate, Tweet
from feeds.models import Feed, Snapshot

CHECKED_EVERY = timedelta(minutes=10)  # by a task of every minute, so at least
EVERY_LIVE_ONE = timedelta(minutes=15)
VERIFIED_WITHIN = timedelta(hours=24)
SOON = timedelta(hours=1)
MOST = 500  # a market and a turn


def shown() -> dict[int, int]:
    """The tweets of the newest snapshots of all feeds, held ones too, by id, each with the first market showing it."""
    feeds = Feed.objects.filter(number__gt=0).order_by("market__position", "market")
    markets = dict(feeds.values_list("pk", "market"))
    newest = Snapshot.objects.newest_of(Feed.objects.filter(pk__in=markets))
    found: dict[int, int] = {}
    for feed_id, market_id in markets.items():
        for entry in newest[feed_id].entries if feed_id in newest else ():
            found.setdefault(entry["tweet"], market_id)
    return found


def shown_at(moment: datetime) -> set[int]:
    """The tweets that any feed showed at a moment."""
    then = Snapshot.objects.filter(feed=OuterRef("pk"), at__lte=moment).order_by("-at", "-number").values("pk")[:1]
    standing = Feed.objects.annotate(then=Subquery(then)).values("then")
    return {entry["tweet"] for snapshot in Snapshot.objects.filter(pk__in=standing) for entry in snapshot.entries}


def scheduled(now: datetime) -> dict[int, int]:
    """Those that go live within the hour, in the same form."""
    rows = Candidate.objects.approved().filter(go_live_at__gt=now, go_live_at__lte=now + SOON, channel__active=True)
    return dict(rows.order_by("-channel__market__position").values_list("tweet", "channel__market"))


def needed(now: datetime) -> set[int]:
    """Tweets whose text a feed may still need: what is shown, what a held feed stands at, what goes live soon."""
    held = Snapshot.objects.filter(pk__in=Feed.objects.exclude(held_at=None).values("held_at"))
    return {entry["tweet"] for snapshot in held for entry in snapshot.entries} | set(shown()) | set(scheduled(now))


def due(now: datetime) -> dict[int, list[int]]:
    """By the market that pays: what was not checked for ten minutes, longest ago first."""
    payers = scheduled(now) | shown()
    unchecked = Tweet.objects.filter(pk__in=payers, checked_at__lte=now - CHECKED_EVERY, gone_at=None)
    found: dict[int, list[int]] = defaultdict(list)
    for pk in unchecked.order_by("checked_at", "pk").values_list("pk", flat=True):
        if len(found[payers[pk]]) < MOST:
            found[payers[pk]].append(pk)
    return dict(found)


def unverified(now: datetime) -> list[int]:
    """What is shown, and was a quarter of an hour ago, and nobody could verify for 24 h. What just came live after
    a long wait has its first check still to come."""
    standing = shown_at(now - EVERY_LIVE_ONE).intersection(shown())
    late = Tweet.objects.filter(pk__in=standing, checked_at__lte=now - VERIFIED_WITHIN, gone_at=None)
    return list(late.order_by("pk").values_list("pk", flat=True))
