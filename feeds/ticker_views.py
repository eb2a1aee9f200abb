"""The ticker alone on a public page in its market's language, and what makes an app of it on a phone."""

from __future__ import annotations

from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from feeds import installing
from feeds.module import module
from feeds.views import ticker_of
from regions.models import Channel, Market
from regions.permissions import PUBLIC, rule

POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "connect-src": [SELF],
    "img-src": [SELF, *([settings.PICTURE_BASE] if "//" in settings.PICTURE_BASE else []), *settings.PICTURE_HOSTS],
    "manifest-src": [SELF],
    "worker-src": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
"""The lines of docs/ticker.md, and what an app needs beside: its own style sheet, manifest and worker."""

confined: Any = csp(POLICY)  # its types know no view with a route's words
always_asked = cache_control(no_cache=True)


@rule(PUBLIC)
@require_safe
@always_asked
@confined
def ticker(request: HttpRequest, market: str, category: str = "") -> HttpResponse:
    """The ticker alone on a page as wide as a phone, with a tab for each of the market's channels."""
    home, channel = place_of(market, category)
    told = ticker_of(home, channel)
    language = told["languages"][0]
    with translation.override(language):
        told |= {"name": (channel.category if channel else home).name_in(language), "tabs": tabs(home, channel)}
        told |= {"manifest": reverse_app(home, channel), "module": module(), "grounds": installing.GROUNDS}
        told |= {"media_base": settings.PICTURE_BASE}
        return in_language(render(request, "feeds/ticker.html", told), language)


def tabs(market: Market, channel: Channel | None) -> list[tuple[str, str, bool]]:
    """(address, name, whether it is the one that is shown): the market's own, then its channels'."""
    channels = market.channel_set.active().select_related("category")
    own = [(installing.address_of(market, None), _("All"), channel is None)]
    return own + [(installing.address_of(market, one), one.category.name, one == channel) for one in channels]


@rule(PUBLIC)
@require_safe
@always_asked
def manifest(request: HttpRequest, market: str, category: str = "") -> HttpResponse:
    """The web app manifest of one page."""
    home, channel = place_of(market, category)
    language = ticker_of(home, channel)["languages"][0]
    with translation.override(language):
        told = installing.manifest(home, channel, language)
    return in_language(JsonResponse(told, content_type="application/manifest+json"), language)


@rule(PUBLIC)
@require_safe
@always_asked
@csp({"default-src": [NONE], "connect-src": [SELF]})
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Its address confines it to the ticker's pages: a browser gives it no wider scope."""
    return HttpResponse(installing.worker(), content_type="text/javascript; charset=utf-8")


def place_of(market: str, category: str) -> tuple[Market, Channel | None]:
    """Of active markets and channels alone."""
    home: Market = get_object_or_404(Market.objects.active(), code=market)
    channels = home.channel_set.active().select_related("category")
    return home, get_object_or_404(channels, category__slug=category) if category else None


def reverse_app(market: Market, channel: Channel | None) -> str:
    if channel is None:
        return reverse("ticker-app", args=[market.code])
    return reverse("channel-ticker-app", args=[market.code, channel.category.slug])


def in_language(response: HttpResponse, language: str) -> Any:
    """Whatever language the reader's browser asks for: the page is the market's."""
    response["Content-Language"] = language
    return response
