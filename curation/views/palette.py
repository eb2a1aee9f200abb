"""The palette: one field that leads anywhere. As a fragment for its dialog, and as a page without scripts."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from curation.forms import FilterForm
from curation.palette import Asking, groups
from curation.places import place_for
from curation.queue import Place, markets_of
from curation.views.desk import is_fragment
from regions.permissions import SIGNED_IN, rule
from regions.requests import PageRequest


@rule(SIGNED_IN)
@require_GET
def palette(request: PageRequest) -> HttpResponse:
    """What is found for the words, grouped. `market` and `category` say where one asks; foreign ones say nothing."""
    words = FilterForm(request.GET).asked()["q"]
    markets = markets_of(request.user)
    asking = Asking(request.user, words, markets, asked_at(request), timezone.now())
    found = groups(asking)
    if not is_fragment(request):
        found = [group for group in found if group.name != "acts"]
    name = "curation/palette/_found.html" if is_fragment(request) else "curation/palette/page.html"
    response = render(request, name, {"groups": found, "words": words.strip(), "markets": markets})
    patch_vary_headers(response, ["HX-Request"])
    return response


def asked_at(request: PageRequest) -> Place | None:
    """Where someone asks, if it is a place of theirs."""
    try:
        return place_for(request.user, request.GET.get("market", ""), request.GET.get("category", ""))
    except Http404:
        return None
