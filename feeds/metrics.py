"""What Prometheus is told of the feeds (docs/metrics.md). Asked for at each scrape."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Max
from prometheus_client.core import GaugeMetricFamily

from curation import nightly
from curation.metrics import age, gauge
from curation.models import Candidate, Decision, State
from feeds import closure, files, vitals
from feeds.models import Feed
from regions.models import Market


def feeds(now: datetime) -> Iterable[GaugeMetricFamily]:
    markets = list(Market.objects.active())
    codes = {one.pk: one.code for one in markets}
    late = {pk: age(min(times), now) for pk, times in vitals.waiting(markets, now).items()}
    yield gauge(
        "unpublished_seconds", "For how long the oldest approval that is due has not been live.",
        {code: late.get(pk, 0.0) for pk, code in codes.items()}, "market",
    )  # fmt: skip
    stands = standing(markets, now)
    yield gauge(
        "standing_seconds", "For how long a feed has shown what was blocked or withdrawn.",
        {code: stands.get(pk, 0.0) for pk, code in codes.items()}, "market",
    )  # fmt: skip
    ages = vitals.oldest_unchecked(markets, now)
    yield gauge(
        "unchecked_seconds", "For how long X was not asked about a live post, the longest.",
        {code: ages[pk] for pk, code in codes.items()}, "market",
    )  # fmt: skip
    ways = vitals.way_lately(markets, now)
    yield gauge(
        "approval_to_feed_seconds", "Within which 95 of 100 approvals of the last hour were live.",
        {code: ways[pk].most for pk, code in codes.items() if pk in ways}, "market",
    )  # fmt: skip
    yield gauge("publisher_silent_seconds", "Since the publisher last noted how feeds fare; it does so every minute.",
                {(): age(vitals.noted_at(), now)})  # fmt: skip
    yield gauge("publishing_closed", "Whether nothing is published until reopen_feeds.", {(): float(closure.stands())})
    held = [one for one in Feed.objects.exclude(hold="") if one.held(now)]
    yield gauge("held_feeds", "Feeds that people hold.", {(): len(held)})
    yield gauge(
        "edge_behind_feeds",
        "Feeds with a file older than their newest snapshot.",
        {(): len(files.behind(Feed.objects.public()))},
    )


def machine(now: datetime) -> Iterable[GaugeMetricFamily]:
    """Told while PostgreSQL is away too: a full disk may be why."""
    taken = nightly.age_of(nightly.BACKUP, now)
    yield gauge("backup_age_seconds", "Since a backup was taken and read whole.", {(): taken})
    if settings.FEED_ROOT.exists():
        free = shutil.disk_usage(settings.FEED_ROOT).free
        yield gauge("feed_disk_free_bytes", "Free bytes where the feed files are.", {(): free})


def standing(markets: list[Market], now: datetime) -> dict[int, float]:
    """By market, since when the phones are shown what is approved no more."""
    shown: dict[int, set[int]] = {one.pk: set() for one in markets}
    feeds = Feed.objects.filter(market__in=markets, number__gt=0).select_related("market", "channel__category")
    owners = {feed.pk: feed.market_id for feed in feeds}
    for feed, snapshot in files.shown(feeds).items():
        shown[owners[feed]].update(entry["candidate"] for entry in snapshot.entries)
    gone = Candidate.objects.filter(pk__in=set().union(*shown.values())).exclude(state=State.APPROVED)
    taken = Decision.objects.filter(candidate__in=gone).values_list("candidate").annotate(last=Max("at"))
    ages = {pk: age(at, now) for pk, at in taken}
    return {market: max((ages[pk] for pk in ids & ages.keys()), default=0.0) for market, ids in shown.items()}
