"""Who looks at what: said to open desks and kept nowhere. Advice, never a lock."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from curation import events
from curation.forms import SentForm
from regions.numbers import BIGGEST
from regions.permissions import market_for, rule
from regions.requests import PageRequest


class HereForm(SentForm):
    """The candidate one looks at; 0 on leaving."""

    candidate = forms.IntegerField(min_value=0, max_value=BIGGEST)


@rule("desk.read")
@require_POST
def here(request: PageRequest, market: str) -> HttpResponse:
    """Tells the market's open desks what this person looks at."""
    home, user = market_for(request.user, market), request.user
    told = HereForm(request.POST)
    if not told.is_valid():
        return HttpResponse(status=422)
    who = {"id": user.pk, "name": user.shown_name, "initials": user.initials}
    events.tell("presence", home.code, {"who": who, "candidate": told.cleaned_data["candidate"]})
    return HttpResponse(status=204)
