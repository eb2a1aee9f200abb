"""What shorter terms end: of what waits, and of the texts that are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DateTimeField, DurationField, Exists, ExpressionWrapper, F, OuterRef, Q, Value

from curation.models import Candidate, Tweet
from regions.models import Channel, Market, Source

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def lapsing(channel: Channel, now: datetime) -> int:
    """How many waiting ones are older than the channel's hours, as they are set on this instance."""
    old = now - timedelta(hours=channel.pending_hours)
    return Candidate.objects.pending().in_channel(channel).filter(pending_since__lt=old).count()


def emptied(market: Market, days: int, now: datetime) -> int:
    """How many posts lose their texts once the market keeps them so many days, and would have kept them else.

    As `curation.operations.purge_old` rules: what waits, may be live, or is kept by another market stays."""
    rows = Candidate.objects.filter(tweet=OuterRef("pk"))
    ends = ExpressionWrapper(
        OuterRef("fetched_at") + F("channel__market__retention_days") * Value(DAY, DurationField()), DateTimeField()
    )
    elsewhere = rows.exclude(channel__market=market).alias(ends=ends).filter(ends__gt=now)
    due = Tweet.objects.filter(purged_at=None, fetched_at__lte=now - timedelta(days=days))
    due = due.filter(fetched_at__gt=now - timedelta(days=market.retention_days))
    return (
        due.filter(Exists(rows.filter(channel__market=market)))
        .exclude(Exists(rows.filter(_needed(now))))
        .exclude(Exists(elsewhere))
        .count()
    )


def _needed(now: datetime) -> Q:
    """Waits for a decision, or is approved and may be live, now or later."""
    lasts = ExpressionWrapper(
        Value(now, DateTimeField()) - F("channel__live_hours") * Value(HOUR, DurationField()), DateTimeField()
    )
    ended = Q(expire_at__isnull=False, expire_at__lte=now)
    live = Q(slot__isnull=False) | Q(approved_at__gt=lasts) | Q(go_live_at__gt=lasts)
    return Q(state="pending") | (Q(state="approved") & live & ~ended)


def by_themselves(channel: Channel) -> int:
    """How many sources of a channel go live with nobody looking."""
    rows = Source.objects.running().over_market(channel.market).filter(auto_approve=True, kind=Source.Kind.ACCOUNT)
    return sum(source.channels().filter(pk=channel.pk).exists() for source in rows)
