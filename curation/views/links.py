"""Adding a post by its link: the price first, then one POST. A panel on the desk, or a page without scripts."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from curation import shared_clock
from curation.access import candidate_for
from curation.cards import GONE, card
from curation.forms import LinkForm
from curation.ingest import links
from curation.models import Candidate, Tweet, Verb
from curation.places import clock_of, frame, place_for
from curation.queue import Place
from curation.transitions import TRANSITIONS
from regions.models import Channel
from regions.permissions import rule
from regions.problems import Refusal
from regions.requests import PageRequest


@rule("candidate.add")
@require_GET
def link(request: PageRequest, market: str) -> HttpResponse:
    """The form; with a link what it would bring and cost. X is not asked."""
    form = LinkForm(request.GET)
    place = place_for(request.user, market, form.category())
    with clock_of(request.user, place.market):
        if form.shown():
            return shown(request, place, candidate_for(request.user, form.shown()), made=True)
        if not form.url():
            return panel(request, place)
        try:
            seen = links.look(form.url(), channel_of(place), shared_clock.now())
        except Refusal as refusal:
            return panel(request, place, refusal=refusal)
        if seen.candidate:
            return shown(request, place, seen.candidate, made=False)
        gone = GONE.get(Tweet.Gone(seen.tweet.gone_cause)) if seen.tweet and seen.tweet.gone_cause else ""
        return panel(request, place, seen=seen, gone=gone)


@rule("candidate.add")
@require_POST
def add_link(request: PageRequest, market: str) -> HttpResponse:
    """Asks X for the post, if it must, and shows the candidate; one that is there already instead."""
    form = LinkForm(request.POST)
    place = place_for(request.user, market, form.category())
    with clock_of(request.user, place.market):
        try:
            added = links.add(form.url(), channel_of(place), by=request.user, now=shared_clock.now())
        except Refusal as refusal:
            return panel(request, place, refusal=refusal)
        if request.htmx:
            return shown(request, place, added.candidate, made=added.made)
    told: dict[str, Any] = {"category": place.category} if place.category else {}
    told |= {"shown": added.candidate.pk} if added.made else {"url": form.url()}
    return redirect(f"{reverse('link', args=[market])}?{urlencode(told)}")


def channel_of(place: Place) -> Channel:
    """Where a link goes: the channel, of a whole market's the first."""
    return place.channel or place.channels[0]


def shown(request: PageRequest, place: Place, candidate: Candidate, *, made: bool) -> HttpResponse:
    """The candidate's card, on the desk as the first row, where one then stands."""
    stopped = candidate.state in TRANSITIONS[Verb.REOPEN] and candidate.state in ("blocked", "lapsed")
    again = stopped and not candidate.tweet.purged_at
    response = panel(request, place, card=card(candidate, request.user), made=made, candidate=candidate, again=again)
    response["HX-Trigger-After-Settle"] = json.dumps({"returned": {"row": candidate.pk}})
    return response


def panel(request: PageRequest, place: Place, refusal: Refusal | None = None, **told: Any) -> HttpResponse:
    """The panel by itself for htmx, else on a page."""
    form = LinkForm(request.POST or request.GET)
    context = told | {
        "place": place,
        "channel": channel_of(place),
        "everywhere": form.everywhere(),
        "url": "" if told.get("made") else form.url(),
        "refusal": refusal,
    }
    name = "curation/_link.html"
    if not request.htmx:
        context |= frame(request, place)
        name = "curation/link.html"
    response = render(request, name, context, status=refusal.status if refusal else 200)
    patch_vary_headers(response, ["HX-Request"])
    return response
