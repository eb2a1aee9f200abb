"""A panel whose form was refused stays open, with all that was typed and the sentence at its field."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from curation.cards import Card, cards
from curation.forms import DecideManyForm
from curation.models import Candidate
from curation.operations import Many
from curation.operations.errors import StaleVersion
from curation.panels import FIELDS, FOR_MANY, Panel
from curation.places import addresses, clock_of, frame, new_key, way_back
from curation.queue import Place
from regions.numbers import whole
from regions.problems import Refusal
from regions.requests import PageRequest


def panel_page(
    request: PageRequest, place: Place, row: Card, panel: Panel | None, *, status: int = 200
) -> HttpResponse:
    """A panel as a page of its own, with the card or the selected posts; without one the row and why there is none."""
    row.panel = None
    context: dict[str, Any] = {"card": row, "candidate": row.candidate, "may_decide": True, "bulk_key": new_key()}
    with clock_of(request.user, place.market):
        context |= frame(request, place) | {"panel": panel, "back": back_from(request, place)}
        response = render(request, "curation/panel/page.html", context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def back_from(request: PageRequest, place: Place) -> str:
    """Where a page of a panel leads back to: the page of the house that one came from, never a form's own address."""
    found = urlsplit(way_back(request, place))
    path = f"{found.path}?{found.query}" if found.query else found.path
    return addresses(place)["desk"] if "/candidates/" in path or "/decisions/" in path else path


def kept_open(request: PageRequest, place: Place, row: Card, refusal: Refusal) -> Panel | None:
    """The panel that a refused form came from, with all that was typed; None where the row itself must be shown:
    somebody was faster, or the verb is gone. The live column has no row, so there the panel says it."""
    verb = request.POST.get("panel", "")
    if in_live(request) and verb in FIELDS:
        return Panel(verb, place, request.user, [row], typed=request.POST, refusal=refusal)
    stale = isinstance(refusal, StaleVersion) or request.POST.get("version") != str(row.candidate.version)
    if stale or verb not in row.panels:
        return None
    return Panel(verb, place, request.user, [row], typed=request.POST, refusal=refusal)


def in_live(request: PageRequest) -> bool:
    """Whether a panel of the live column asks, which may show what has no row on the page."""
    return bool(request.htmx) and (request.htmx.target or "").startswith("live-panel-")


def swapped(posted: QueryDict, told: dict[str, Any], candidate: Candidate) -> dict[str, Any]:
    """What a panel for pinning asks for: whoever chose a taken slot saw who gives way. That one alone does."""
    for holder in posted.getlist("holder"):
        slot, _colon, pk = holder.partition(":")
        if slot == str(told.get("slot")) and (holds := whole(pk)):
            there = Candidate.objects.filter(channel=candidate.channel_id, slot=int(slot), pk=holds)
            return told | ({"swap": True} if there.exists() else {})
    return told


def panel_of_many(
    request: PageRequest,
    place: Place,
    verb: str,
    seen: dict[int, int],
    refusal: Refusal | None = None,
    typed: QueryDict | None = None,
) -> Panel:
    """The panel for the selected ones, with what was typed."""
    rows = Candidate.objects.with_tweets().filter(pk__in=seen).best_first()
    made = cards(list(rows), request.user, place.market)
    return Panel(verb, place, request.user, made, many=True, typed=typed or {}, refusal=refusal, seen=seen)


def many_kept_open(request: PageRequest, place: Place, refusal: Refusal) -> Panel | None:
    """The panel for the selected ones, where what it sent was refused for all of them."""
    verb = request.POST.get("panel", "")
    try:
        seen = {pk: n for pk, n in DecideManyForm(request.POST).seen().items() if pk in own_ids(place, request.POST)}
    except Refusal:
        return None
    return panel_of_many(request, place, verb, seen, refusal, request.POST) if verb in FOR_MANY and seen else None


def own_ids(place: Place, posted: QueryDict) -> set[int]:
    """Those of the selected that are of this market."""
    picked = [int(pair.partition(":")[0]) for pair in posted.getlist("candidate")]
    return set(place.candidates().filter(pk__in=picked).values_list("pk", flat=True))


def refused_as_one(many: Many) -> Refusal | None:
    """The refusal of a field that every one of the selected met; None where they differ."""
    refusals = [result.refusal for result in many.results]
    told = {(refusal.code, refusal.field) for refusal in refusals if refusal is not None}
    first = refusals[0] if refusals else None
    return first if many.act is None and first is not None and first.field and len(told) == 1 else None
