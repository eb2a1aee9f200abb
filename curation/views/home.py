"""The home page: what needs somebody now, in all of their markets."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from curation.console import sections_of
from curation.intake import budgets_of, reading_of, troubles_of
from curation.needs import busiest, ending, needs_of, taken_back
from curation.places import clock_of
from curation.queue import markets_of
from regions.permissions import SIGNED_IN, rule
from regions.requests import PageRequest


@rule(SIGNED_IN)
@require_GET
def home(request: PageRequest) -> HttpResponse:
    """What waits for one, and one's markets, for leads with their budgets; else straight to the only one's desk."""
    markets = markets_of(request.user)
    own = [counted.noun for counted in markets]
    now = timezone.now()
    budgets = budgets_of(request.user, own, now)
    if len(markets) == 1 and not budgets:
        return redirect("market-desk", own[0].code)
    with clock_of(request.user, own[0] if own else None):
        context = {
            "markets": markets,
            "doors": {one.pk: [way for _name, ways in sections_of(request.user, one) for way in ways] for one in own},
            "busiest": busiest(markets),
            "needs": needs_of(request.user, markets),
            "ending": ending(request.user, own, now),
            "taken": taken_back(request.user, own, now),
            "budgets": budgets,
            "troubles": troubles_of(request.user, own, now),
        }
        return render(request, "curation/home.html", context | reading_of(request.user, own, now))
