"""What the desk shows of feeds, as fragments."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from curation.places import clock_of, place_for
from feeds import closure
from feeds import leaving as ahead
from feeds.calls import calls_of, lasting
from feeds.live import board
from feeds.models import Consumer, Mode
from regions.adjusting import changing, tried
from regions.forms_of_settings import SettingsForm, agreement
from regions.models import Channel, Market
from regions.permissions import CHIEF, SIGNED_IN, market_for, may, rule
from regions.requests import PageRequest
from regions.views.settings import channel_in

FEEDS = "/api/v1/feeds"
COLOURS = ("light", "dark")


@rule("desk.read")
@require_GET
def live(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """The feed as it should be now, with receipts of what is live."""
    place = place_for(request.user, market, category)
    home, channel = place.market, place.channel
    context = {
        "board": board(home, channel, timezone.now()),
        "market": home,
        "channel": channel,
        "may_decide": may(request.user, "candidate.decide", home),
        "address": address("live", home, channel),
    }
    with clock_of(request.user, home):
        return render(request, "feeds/_live.html" if request.htmx else "feeds/live.html", context)


def address(name: str, market: Market, channel: Channel | None) -> str:
    if channel is None:
        return reverse(f"market-{name}", args=[market.code])
    return reverse(name, args=[market.code, channel.category.slug])


@rule("desk.read")
@require_GET
def phone(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """A phone with the real ticker, which reads the real feed; `theme` gives it colours of its own."""
    place = place_for(request.user, market, category)
    theme = request.GET.get("theme")
    looks = {"theme": theme if theme in COLOURS else "", "address": address("phone", place.market, place.channel)}
    return render(request, "feeds/_phone.html", ticker_of(place.market, place.channel) | looks)


@rule("desk.read")
@require_GET
def resting(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """A sentence for a queue that is read: how many are live, and until when none of them ends."""
    place = place_for(request.user, market, category)
    with clock_of(request.user, place.market):
        told = {"lasting": lasting(place.market, place.channel, timezone.now())}
        return render(request, "feeds/_resting.html", told)


@rule(SIGNED_IN)
@require_GET
def calls(request: PageRequest) -> HttpResponse:
    """For the home page: which of one's feeds call for somebody."""
    own = list(Market.objects.visible_to(request.user))
    with clock_of(request.user, own[0] if own else None):
        told = {"markets": calls_of(own, timezone.now()), "address": reverse("feed-calls"), "closed": closure.stands()}
        return render(request, "feeds/_calls.html" if request.htmx else "feeds/calls.html", told)


@rule("settings.edit")
@require_GET
def leaving(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """What settings would do at once, with the button that says so: the end of the settings' form, as it is typed.

    What cannot be set is told when it is sent."""
    home = market_for(request.user, market, "settings.edit")
    place = channel_in(home, category) if category else home
    form = SettingsForm(place, request.GET)
    changed = changing(place, form.wanted(), form.was_seen()) if form.is_valid() else {}
    try:
        gone = ahead.leaving(place, tried(place, changed), timezone.now())
    except ValidationError:
        gone = ahead.Leaving()
    told = list(gone.sentences())
    context = {"told": told, "button": gone.button(), "leaves": gone.counts(), "back": back_of(place)}
    context["agreed"] = agreement(changed, gone.counts()) if told else ""
    return TemplateResponse(request, "regions/settings/_saving.html", context)


def back_of(place: Market | Channel) -> str:
    if isinstance(place, Channel):
        return reverse("channel-settings", args=[place.market.code, place.category.slug])
    return reverse("market-settings", args=[place.code])


@rule(CHIEF)
@require_GET
def closing(request: PageRequest, code: str, category: str = "") -> HttpResponse:
    """What ends with a market, or with a category of one: for the pages that switch them off."""
    home = get_object_or_404(Market, code=code)
    place = channel_in(home, category) if category else home
    context = {"told": [ahead.closing(place, timezone.now())]}
    return TemplateResponse(request, "regions/settings/_closing.html", context)


def ticker_of(market: Market, channel: Channel | None) -> dict[str, Any]:
    """What the ticker is told: whose feed, in which language, and the key of the first product that may show posts."""
    consumer = Consumer.objects.filter(mode=Mode.FULL, revoked_at=None).order_by("pk").first()
    known = dict(settings.LANGUAGES)
    first = market.language if market.language in known else "en"
    return {
        "market": market.code,
        "category": channel.category.slug if channel else "",
        "heading": channel.category.name_in(first) if channel else "",
        "languages": [first, *(code for code in known if code != first)],
        "feed_url": FEEDS,
        "key": consumer.key if consumer else "",
    }
