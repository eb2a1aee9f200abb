"""What a market's settings cost: parts of the settings page that regions asks for by their addresses."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from curation.ledger import forecast as ahead
from curation.places import clock_of
from regions.numbers import whole
from regions.permissions import market_for, rule
from regions.requests import PageRequest

MOST = 10**9 - 1  # posts


@rule("settings.edit")
@require_GET
def budget_forecast(request: PageRequest, market: str) -> HttpResponse:
    """What is used and what is expected: a part of the page for htmx, else a page."""
    home = market_for(request.user, market, "settings.edit")
    told = ahead.forecast(home, timezone.now())
    with clock_of(request.user, home):
        name = "curation/settings/_forecast.html" if request.htmx else "curation/settings/forecast.html"
        return render(request, name, {"home": home, "told": told})


@rule("settings.edit")
@require_GET
def budget_lowered(request: PageRequest, market: str) -> HttpResponse:
    """What a budget below what is used would mean, before it is saved; empty where there is nothing to say."""
    home = market_for(request.user, market, "settings.edit")
    with clock_of(request.user, home):
        day, month = (whole(request.GET.get(name, ""), MOST) for name in ("posts_a_day", "posts_a_month"))
        told = list(ahead.lowered(home, timezone.now(), day=day, month=month))
        return TemplateResponse(request, "curation/settings/_lowered.html", {"told": told})
