"""Markets and categories, for chiefs: a new one is data, never a developer's work."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import IntegrityError, models
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from regions import founding, telling_of_places
from regions.clocks import zone_of
from regions.forms_of_places import CategoryForm, MarketForm
from regions.forms_of_settings import agreement
from regions.fragments import sentences
from regions.models import Category, Change, Channel, Market
from regions.models.places import ChannelQuerySet
from regions.permissions import CHIEF, rule
from regions.requests import PageRequest
from regions.telling import Told

ASKED = ["GET", "POST"]
SHOWN_CHANGES = 20


@rule(CHIEF)
@require_GET
def places(request: PageRequest) -> HttpResponse:
    """All markets and categories, those that are switched off too."""
    active = Prefetch("channel_set", Channel.objects.filter(active=True).select_related("market", "category"), "open")
    markets, categories = (list(rows.objects.prefetch_related(active)) for rows in (Market, Category))
    for market in markets:
        market.categories = [channel.category.name for channel in market.open]
    for category in categories:
        category.markets = [channel.market.code.upper() for channel in category.open]
    context = {"markets": markets, "categories": categories, "changes": changes_of(Change.objects.all())}
    return page(request, "places", context)


@rule(CHIEF)
@require_http_methods(ASKED)
def add_market(request: PageRequest) -> HttpResponse:
    """A new market: its desk, lists, feeds and ticker are there at once."""
    form = MarketForm(Market(), request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return market_page(request, form)
    try:
        market = founding.add_market(Market(**form.wanted()), form.cleaned_data["categories"], by=request.user)
    except IntegrityError:  # another chief added it a moment ago
        form.add_error("code", _("There is a market with this code already."))
        return market_page(request, form)
    messages.success(request, _("%(name)s is there: desk, lists, feeds and ticker.") % {"name": market.name})
    return redirect("change-market", market.code)


@rule(CHIEF)
@require_http_methods(ASKED)
def change_market(request: PageRequest, code: str) -> HttpResponse:
    """What a market is called, where it is, and which categories it has."""
    market = get_object_or_404(Market, code=code)
    form = MarketForm(market, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return market_page(request, form)
    closed = market.channel_set.active().exclude(category__in=form.cleaned_data["categories"])
    if told := closing(request, closed):
        return market_page(request, form, told)
    founding.change(market, form.wanted(), by=request.user)
    founding.set_categories(market, form.cleaned_data["categories"], by=request.user)
    messages.success(request, _("Saved. The feeds follow at once."))
    return redirect("change-market", market.code)


@rule(CHIEF)
@require_POST
def switch_market(request: PageRequest, code: str) -> HttpResponse:
    """Off or on, as `on` says; off only with the box ticked: its feeds end with it."""
    market = get_object_or_404(Market, code=code)
    on = request.POST.get("on") == "yes"
    if not on and "sure" not in request.POST:
        messages.error(request, _("Nothing was switched off: tick the box first."))
        return redirect("change-market", market.code)
    founding.switch(market, on=on, by=request.user)
    told = _("%(name)s is switched on again.") if on else _("%(name)s is switched off.")
    messages.success(request, told % {"name": market.name})
    return redirect("change-market", market.code)


@rule(CHIEF)
@require_http_methods(ASKED)
def add_category(request: PageRequest) -> HttpResponse:
    """A new category, in the markets that are ticked."""
    form = CategoryForm(Category(), request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return category_page(request, form)
    try:
        category = founding.add_category(Category(**form.wanted()), form.cleaned_data["markets"], by=request.user)
    except IntegrityError:
        form.add_error("slug", _("There is a category with this slug already."))
        return category_page(request, form)
    messages.success(request, _("%(name)s is there.") % {"name": category.name})
    return redirect("change-category", category.slug)


@rule(CHIEF)
@require_http_methods(ASKED)
def change_category(request: PageRequest, slug: str) -> HttpResponse:
    """What a category is called, where it stands, and which markets have it."""
    category = get_object_or_404(Category, slug=slug)
    form = CategoryForm(category, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return category_page(request, form)
    closed = category.channel_set.active().exclude(market__in=form.cleaned_data["markets"])
    if told := closing(request, closed):
        return category_page(request, form, told)
    founding.change(category, form.wanted(), by=request.user)
    founding.set_markets(category, form.cleaned_data["markets"], by=request.user)
    messages.success(request, _("Saved. The feeds follow at once."))
    return redirect("change-category", category.slug)


def closing(request: PageRequest, channels: ChannelQuerySet) -> dict[str, Any]:
    """What a chief reads before categories are switched off, and what the button sends that agrees to it; empty where
    none is, or it was agreed to."""
    rows = list(channels.select_related("market", "category").order_by("pk"))
    agreed = agreement({"off": [row.pk for row in rows]}, {})
    if not rows or request.POST.get("agreed") == agreed:
        return {}
    told = [one for row in rows for one in sentences(request, "closing", row.market.code, row.category.slug)]
    button = _("Save and switch %(n)s off") % {"n": len(rows)}
    return {"told": told, "agreed": agreed, "button": button, "back": request.path}


def changes_of(rows: models.QuerySet[Change]) -> list[Told]:
    """The last changes of markets, categories and channels among these, newest first."""
    found = rows.filter(noun__in=telling_of_places.NOUNS).select_related("by").order_by("-at", "-pk")
    return telling_of_places.told_of(found[:SHOWN_CHANGES])


def market_page(request: PageRequest, form: MarketForm, told: dict[str, Any] | None = None) -> HttpResponse:
    market = form.noun
    context = {"form": form, "market": market, **(told or {})}
    if market.pk:
        context["changes"] = changes_of(Change.objects.filter(market=market))
        context["ends"] = sentences(request, "market-closing", market.code) if market.active else []
    return page(request, "market", context, status=422 if form.errors or told else 200)


def category_page(request: PageRequest, form: CategoryForm, told: dict[str, Any] | None = None) -> HttpResponse:
    category = form.noun
    context = {"form": form, "category": category, **(told or {})}
    if category.pk:
        own = models.Q(noun="category", noun_id=category.pk)
        channels = models.Q(noun="channel", noun_id__in=category.channel_set.values("pk"))
        context["changes"] = changes_of(Change.objects.filter(own | channels))
    return page(request, "category", context, status=422 if form.errors or told else 200)


def page(request: PageRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    with timezone.override(zone_of(request.user, None)):
        return render(request, f"regions/settings/{name}.html", context, status=status)
