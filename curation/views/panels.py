"""The panels of the verbs: opened in the row or in the bar for the selected ones; what they send, `decide` hears."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation.access import candidate_for
from curation.cards import Card, card
from curation.forms import DecideManyForm
from curation.operations.errors import NotAllowed, StaleVersion
from curation.operations.record import last_decision
from curation.panels import FOR_MANY, Panel
from curation.places import clock_of, place_for
from curation.queue import Place
from curation.views.desk import answered, own_only
from curation.views.kept import in_live, panel_of_many, panel_page
from regions.permissions import rule
from regions.problems import Refusal
from regions.requests import PageRequest


@rule("candidate.decide")
@require_http_methods(["GET", "POST"])
def panel(request: PageRequest, market: str, category: str, pk: int, verb: str) -> HttpResponse:
    """The form of one verb: for htmx in its row, else a page with the card. A row that changed since it was read
    comes back instead, with the sentence who was faster. By POST it keeps what was typed, and tells the reach."""
    place, row = row_at(request, market, category, pk)
    refusal = changed_since(request, row) or (None if verb in row.panels else NotAllowed())
    if refusal is None:
        return shown(request, place, row, Panel(verb, place, request.user, [row], typed=request.POST))
    if in_live(request):
        return render(request, "curation/panel/_cannot.html", {"refusal": refusal}, status=refusal.status)
    row.refusal = refusal
    response = shown(request, place, row, None, refusal.status)
    response["HX-Retarget"], response["HX-Reswap"] = f"#row-{pk}", "outerHTML"
    return response


def row_at(request: PageRequest, market: str, category: str, pk: int) -> tuple[Place, Card]:
    """Where one stands, and the card. Raises Http404 for a candidate of another channel."""
    place = place_for(request.user, market, category)
    candidate = candidate_for(request.user, pk, "candidate.decide")
    if candidate.channel_id != place.shown[0].pk:
        raise Http404
    return place, card(candidate, request.user)


def changed_since(request: PageRequest, row: Card) -> Refusal | None:
    """Who opens a panel decides on what the row showed: a form made now would hide what changed meanwhile."""
    seen = request.POST.get("version") or request.GET.get("version", "")
    if not seen or seen == str(row.candidate.version):
        return None
    return StaleVersion(row.candidate, last_decision(row.candidate), request.user)


def shown(request: PageRequest, place: Place, row: Card, found: Panel | None, status: int = 200) -> HttpResponse:
    """The panel alone for htmx, or the row where there is none; else the page."""
    if not request.htmx:
        return panel_page(request, place, row, found, status=status)
    context: dict[str, Any] = {"place": place, "card": row, "candidate": row.candidate, "panel": found}
    with clock_of(request.user, place.market):
        name = "curation/panel/_panel.html" if found else "curation/_card.html"
        response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@rule("candidate.decide")
@require_GET
def panel_reach(request: PageRequest, market: str, category: str, pk: int) -> HttpResponse:
    """What the boxes that are ticked would have hit."""
    place, row = row_at(request, market, category, pk)
    return reckoned(request, Panel("block", place, request.user, [row], typed=request.GET))


def reckoned(request: PageRequest, found: Panel) -> HttpResponse:
    """The sentence of the reach; a scope beyond one's rights reaches nothing."""
    if found.scope not in {choice.value for choice in found.scopes}:
        found.typed = QueryDict("scope=channel")
    return render(request, "curation/panel/_reach.html", {"panel": found})


@rule("candidate.decide")
@require_POST
def reach_of_many(request: PageRequest, market: str) -> HttpResponse:
    """What the boxes that are ticked would have hit, for the selected ones."""
    place = place_for(request.user, market)
    try:
        seen = own_only(place, DecideManyForm(request.POST).seen())
    except Refusal as refusal:
        return HttpResponse(refusal.detail, status=refusal.status)
    return reckoned(request, panel_of_many(request, place, "block", seen, typed=request.POST))


@rule("candidate.decide")
@require_POST
def panel_many(request: PageRequest, market: str, verb: str) -> HttpResponse:
    """The form of one verb for all that are selected, with what would happen. It is asked for by POST, since a
    selection does not fit into an address; nothing is changed."""
    place = place_for(request.user, market)
    if verb not in FOR_MANY:
        raise Http404
    try:
        seen = own_only(place, DecideManyForm(request.POST).seen())
    except Refusal as refusal:
        return answered(request, place, [], told=refusal.detail, status=refusal.status)
    typed = request.POST if request.POST.get("panel") == verb else None
    found = panel_of_many(request, place, verb, seen, typed=typed)
    if not request.htmx:
        return panel_page(request, place, found.card, found)
    with clock_of(request.user, place.market):
        return render(request, "curation/panel/_many.html", {"panel": found, "place": place})
