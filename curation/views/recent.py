"""What a person did last in a market, each act with the press that takes it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from curation.deeds import words_of
from curation.models import Act, Candidate, Decision, State, Verb
from curation.operations.undoing import UNDOABLE_FOR, untouched
from curation.places import addresses, clock_of, new_key, place_for
from curation.transitions import APPROVING
from regions.models import Market, User
from regions.permissions import rule
from regions.requests import PageRequest

MOST = 12


@dataclass(frozen=True)
class Done:
    """An act: what was done, with how many posts, one of them; whether it was taken back, or can still be. `waits`: it
    approved what needs a second approval."""

    act: Act
    count: int
    one: Candidate
    undone: bool
    undoable: bool
    key: str = field(default_factory=new_key)

    waits: bool = False

    @property
    def words(self) -> Any:
        return words_of(self.act, waits=self.waits)


def done_by(user: User, market: Market) -> Sequence[Done]:
    """Their newest acts in a market, newest first; those that only took back others are left out."""
    its = Decision.objects.filter(act=OuterRef("pk"), market=market, by=F("act__by"))
    mine = Act.objects.filter(by=user, at__gt=timezone.now() - UNDOABLE_FOR).exclude(verb=Verb.UNDO)
    meant = its.exclude(act__verb=Verb.PIN, verb=Verb.UNPIN)  # who gave way to a pin is not what was pinned
    counted = meant.order_by().values("act").annotate(n=Count("candidate", distinct=True)).values("n")
    first = its.filter(verb__in=APPROVING, after__state=State.PENDING)
    found = mine.filter(Exists(its)).annotate(
        first=meant.order_by("pk").values("candidate")[:1],
        count=counted,
        waits=Exists(first),
        left=Exists(untouched(its)),
        undone=Exists(Act.objects.filter(undoes=OuterRef("pk"))),
    )
    acts = list(found.order_by("-at", "-pk")[:MOST])
    told = Candidate.objects.with_tweets().in_bulk([act.first for act in acts])
    return [
        Done(act, act.count, told[act.first], act.undone, act.left and not act.undone, waits=act.waits) for act in acts
    ]


@rule("candidate.decide")
@require_GET
def recent(request: PageRequest, market: str) -> HttpResponse:
    """For htmx the list alone, else a page."""
    place = place_for(request.user, market)
    context = {"place": place, "addresses": addresses(place), "recent": done_by(request.user, place.market)}
    with clock_of(request.user, place.market):
        response = render(request, f"curation/{'_recent' if request.htmx else 'recent'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response
