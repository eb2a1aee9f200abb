"""Which feeds are held, for the top of every page of their market."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from curation.notices import Notice
from feeds.models import Closure, Feed
from regions.clocks import clock_time, zone_of
from regions.models import Market
from regions.permissions import may


def told_of(user: Any, markets: Sequence[Market], now: datetime) -> list[Notice]:
    """One for each feed that is held for itself, a market's own before its channels'; before them, where publishing is
    closed, one for each market."""
    order = {market.pk: place for place, market in enumerate(markets)}
    feeds = Feed.objects.filter(market__in=order, with_market=False).exclude(hold="")
    rows = feeds.select_related("market", "channel__category", "held_by", "held_at")
    rows = rows.order_by("channel__position", "channel")
    held = [feed for feed in rows if feed.held(now) and (feed.channel is None or feed.channel.active)]
    held.sort(key=lambda feed: (order[feed.market_id], feed.channel_id is not None))
    closed = Closure.objects.standing().order_by("at").first()
    above = closed_of(user, markets, closed) if closed else []
    return [*above, *(notice_of(user, feed, closed=closed is not None) for feed in held)]


def closed_of(user: Any, markets: Sequence[Market], closed: Closure) -> list[Notice]:
    headline, lead = _("Nothing is published."), lead_of_closure()
    why, door = closed.get_why_display(), _("Look at it")
    return [
        Notice(
            one,
            headline,
            lead,
            closed.at,
            "",
            why,
            None,
            zone_of(user, one),
            door,
            reverse("market-feed", args=[one.code]),
        )
        for one in markets
    ]


def lead_of_closure() -> str:
    return _("The phones keep what they have; decisions go out once it is reopened.")


def notice_of(user: Any, feed: Feed, *, closed: bool) -> Notice:
    release = may(user, "feed.hold", feed.market)
    return Notice(
        feed.market,
        headline_of(feed, zone_of(user, feed.market)),
        lead_of(feed, closed=closed),
        feed.held_since,
        feed.held_by.shown_name if feed.held_by else "",
        feed.held_reason,
        feed.held_until,
        zone_of(user, feed.market),
        _("Look and release") if release else _("Look at it"),
        address_of(feed),
    )


def address_of(feed: Feed) -> str:
    if feed.channel is None:
        return reverse("market-feed", args=[feed.market.code])
    return reverse("channel-feed", args=[feed.market.code, feed.channel.category.slug])


def headline_of(feed: Feed, zone: tzinfo) -> str:
    """As in: Sport is frozen. Its time is told by the clock of a zone."""
    name = feed.channel.category.name if feed.channel else feed.market.name
    if feed.set_back and feed.held_at:
        with timezone.override(zone):
            return _("%(name)s is set back to %(time)s.") % {"name": name, "time": clock_time(feed.held_at.at)}
    told = _("%(name)s is blank.") if feed.hold == Feed.Hold.BLANK else _("%(name)s is frozen.")
    return told % {"name": name}


def lead_of(feed: Feed, *, closed: bool) -> str:
    if closed:
        return lead_of_closure()
    if feed.hold == Feed.Hold.BLANK:
        return _("Nothing of it stands on any phone.")
    if feed.set_back:
        return _("The phones show what stood then; nothing new goes out.")
    return _("Nothing new goes out; what is blocked or withdrawn still leaves.")
