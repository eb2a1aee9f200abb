"""The page of a feed: what the phones show, the time machine, and holding and releasing. Times are the market's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from curation.forms import moment
from curation.places import place_for
from curation.queue import Place
from feeds import closure, holding, outlook, past
from feeds.live import board
from feeds.models import Feed, Snapshot
from feeds.notices import headline_of, lead_of_closure
from regions.clocks import BadTime, instant
from regions.models import Market
from regions.numbers import BIGGEST, whole
from regions.permissions import market_for, may, rule
from regions.problems import Refusal
from regions.requests import PageRequest

LONGEST_TIME = 40
BACK = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))


@rule("desk.read")
@require_GET
def feed(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """What the phones show now, and every state before it; `at` goes to a moment, `before` below a number."""
    place, now = place_for(request.user, market, category), timezone.now()
    typed, stands = request.GET.get("at", "")[:LONGEST_TIME], board(place.market, place.channel, now)
    told: dict[str, Any] = {"board": stands, "typed": typed}
    try:
        at = time_of(place.market, typed, "at")
        if at and at > now:
            raise BadTime(_("That is still to come."), field="at")
    except Refusal as refusal:
        return page(request, place, "page", told | {"refused": refusal}, status=int(refusal.status))
    return page(request, place, "page", told | machine(request, stands.feed, at))


def machine(request: PageRequest, feed: Feed | None, at: datetime | None) -> dict[str, Any]:
    """A page of snapshots, and the one that was shown at a moment that is asked for; before all of them the first."""
    before = whole(request.GET.get("before", ""))
    if feed is None:
        return {"steps": past.Steps([], None), "at": at}
    shown = Snapshot.objects.filter(feed=feed).shown_at(at) if at else None
    if at and before is None:
        nearest = shown or feed.snapshot_set.order_by("number").first()
        before = nearest.number + 1 if nearest else 0
    return {"steps": past.steps(feed, before), "at": at, "shown": shown, "begun": before is not None}


@rule("desk.read")
@require_GET
def snapshot(request: PageRequest, market: str, number: int, category: str = "") -> HttpResponse:
    """One state: its posts, what of them could be shown again, and what that would change on the phones."""
    place, now = place_for(request.user, market, category), timezone.now()
    found = snapshot_for(place, number)
    newest = Snapshot.objects.newest_of([found.feed]).get(found.feed_id)
    told = {
        "found": found,
        "until": past.shown_until(found),
        "earlier": past.shown_before(found),
        "posts": past.opened(found, place.market, newest.entries if newest else [], now),
        "outlook": outlook.of_hold(place.market, place.channel, number, request.user, now),
        "why_not": why_not(found),
    }
    return page(request, place, "snapshot", told)


def why_not(found: Snapshot) -> str:
    """Why nobody can restore it; empty where they can."""
    if closure.stands():
        return lead_of_closure()
    return "" if holding.restorable(found) else str(holding.LostSince.detail)


def snapshot_for(place: Place, number: int) -> Snapshot:
    """Raises Http404."""
    rows = Snapshot.objects.filter(feed__market=place.market, feed__channel=place.channel).select_related("feed")
    found = rows.filter(number=number).first() if number <= BIGGEST else None
    if found is None:
        raise Http404
    return found


@rule("feed.hold")
@require_http_methods(["GET", "POST"])
def hold(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """First what it would change on the phones; with a reason it does it: freezes, restores a snapshot, blanks."""
    place = place_for(request.user, market_for(request.user, market, "feed.hold").code, category)
    if request.method != "POST":
        return hold_page(request, place, wish_of(place, request.GET.get("snapshot", "")))
    sent, at = request.POST, wish_of(place, request.POST.get("snapshot", ""))
    try:
        until = time_of(place.market, sent.get("until", "")[:LONGEST_TIME], "until")
        reason, seen = sent.get("reason", "").replace("\0", " "), sent.get("seen", "")
        held = holding.hold(place.market, place.channel, at, reason=reason, by=request.user, until=until, seen=seen)
    except Refusal as refusal:
        return hold_page(request, place, at, refusal)
    messages.success(request, done(held[0], place.market))
    return redirect(address(place))


def done(held: Feed, market: Market) -> str:
    headline = headline_of(held, ZoneInfo(market.time_zone))
    if closure.stands():
        return f"{headline} {lead_of_closure()}"
    return _("Done. %(told)s The feeds follow at once.") % {"told": headline}


def wish_of(place: Place, told: str) -> int | str:
    """What to hold at: CURRENT, where nothing is said, BLANK, or the number of a snapshot of the place's feed. Raises
    Http404."""
    if told in ("", holding.CURRENT, holding.BLANK):
        return told or holding.CURRENT
    number = whole(told)
    if number is None:
        raise Http404
    return snapshot_for(place, number).number


def hold_page(request: PageRequest, place: Place, at: int | str, refusal: Refusal | None = None) -> HttpResponse:
    """What was typed is kept."""
    now = timezone.now()
    told: dict[str, Any] = {"at": at, "refusal": refusal, "held": held_now(place, now)}
    told |= {"kind": at if isinstance(at, str) else "restore"}
    told |= {"found": snapshot_for(place, at) if isinstance(at, int) else None}
    told |= {name: request.POST.get(name, "").replace("\0", " ") for name in ("reason", "until")}
    try:
        if refusal is None and told["found"] and not holding.restorable(told["found"]):
            raise holding.LostSince
        told["outlook"] = outlook.of_hold(place.market, place.channel, at, request.user, now)
    except (holding.NothingPublished, holding.LostSince) as never:
        told["refusal"] = refusal = never
    return page(request, place, "hold", told, status=int(refusal.status) if refusal else 200)


@rule("feed.hold")
@require_http_methods(["GET", "POST"])
def release(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """First what the present brings back, then lets it show the present."""
    place = place_for(request.user, market_for(request.user, market, "feed.hold").code, category)
    if request.method != "POST":
        return release_page(request, place)
    try:
        holding.release(place.market, place.channel, by=request.user, seen=request.POST.get("seen", ""))
    except Refusal as refusal:
        return release_page(request, place, refusal)
    messages.success(request, _("%(name)s is released. It shows the present again.") % {"name": name_of(place)})
    return redirect(address(place))


def release_page(request: PageRequest, place: Place, refusal: Refusal | None = None) -> HttpResponse:
    now = timezone.now()
    held = held_now(place, now)
    told: dict[str, Any] = {"held": held, "refusal": refusal}
    if held:
        told["outlook"] = outlook.of_release(place.market, place.channel, now)
    return page(request, place, "release", told, status=int(refusal.status) if refusal else 200)


def held_now(place: Place, now: datetime) -> Feed | None:
    first = outlook.feeds_of(place.market, place.channel)[0]
    return first if first.held(now) else None


def time_of(market: Market, typed: str, field: str) -> datetime | None:
    """By the market's clock; None for none. Raises BadTime."""
    at = moment(typed.strip(), field)
    return instant(market, at, field=field) if at else None


# --- around it ----------------------------------------------------------------------------------------------------
def page(request: PageRequest, place: Place, name: str, told: dict[str, Any], *, status: int = 200) -> HttpResponse:
    with timezone.override(ZoneInfo(place.market.time_zone)):
        return render(request, f"feeds/feed/{name}.html", around(request, place) | told, status=status)


def around(request: PageRequest, place: Place) -> dict[str, Any]:
    now = timezone.now()
    return {
        "place": place,
        "home": place.market,
        "channel": place.channel,
        "name": name_of(place),
        "tabs": tabs_of(place, now),
        "may_hold": may(request.user, "feed.hold", place.market),
        "may_decide": may(request.user, "candidate.decide", place.market),
        "back": address(place),
        "hold_at": address(place, "hold"),
        "release_at": address(place, "release"),
        "closed": lead_of_closure() if closure.stands() else "",
        "now": now,
        "ago": [wall_clock(now, step) for step in BACK],
    }


def wall_clock(now: datetime, before: timedelta) -> str:
    """That long before, by the active clock, as a browser's field writes it."""
    return (timezone.localtime(now).replace(tzinfo=None) - before).isoformat(timespec="minutes")


def name_of(place: Place) -> str:
    return place.channel.category.name if place.channel else place.market.name


def address(place: Place, noun: str = "") -> str:
    """Of the feed's page, or of what is done there."""
    kind, where = ("channel", [place.market.code, place.category]) if place.channel else ("market", [place.market.code])
    return reverse(f"{noun}-{kind}" if noun else f"{kind}-feed", args=where)


def tabs_of(place: Place, now: datetime) -> list[dict[str, Any]]:
    """The market's feed and those of its channels, and which of them are held."""
    held = {feed.channel_id for feed in Feed.objects.filter(market=place.market).exclude(hold="") if feed.held(now)}
    spots = [Place(place.market, place.channels), *(Place(place.market, place.channels, one) for one in place.channels)]
    return [
        {
            "name": name_of(spot) if spot.channel else _("Whole market"),
            "address": address(spot),
            "here": spot.channel == place.channel,
            "held": (spot.channel.pk if spot.channel else None) in held,
        }
        for spot in spots
    ]
