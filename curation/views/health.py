"""The Health page: how reading fares in one's markets, and what could not be understood."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from curation.models import Quarantined
from curation.places import clock_of
from curation.wellbeing import reads, rooms, telling
from regions.models import Market
from regions.operations import log_change
from regions.permissions import SIGNED_IN, market_for, may, require, rule
from regions.requests import PageRequest

LEADS = "source.edit"


@rule(SIGNED_IN)
@require_GET
def health(request: PageRequest) -> HttpResponse:
    """All of one's markets. Times are one's own, else the first market's."""
    return page(request, list(Market.objects.visible_to(request.user)), None)


@rule("desk.read")
@require_GET
def market_health(request: PageRequest, market: str) -> HttpResponse:
    home = market_for(request.user, market)
    return page(request, [home], home)


def page(request: PageRequest, markets: list[Market], home: Market | None) -> HttpResponse:
    with clock_of(request.user, home or next(iter(markets), None)):
        context = told_of(markets) | runs_told(request, markets) | aside_told(request, markets)
        return render(request, "curation/health/page.html", context | {"home": home})


def told_of(markets: list[Market]) -> dict[str, Any]:
    """The sentence, the figures, the table and the charts."""
    now = timezone.now()
    hours, purses = reads.hours_of(markets, now), reads.purses_of(markets, now)
    pauses, sources = reads.pauses_of(markets, now), reads.sources_of(markets, now)
    rows = [
        telling.row_of(
            one,
            hours[one.pk],
            purses[one.pk],
            pauses.get(None) or pauses.get(one.pk),
            sources.get(one.pk, reads.Fed()),
            now,
        )
        for one in markets
    ]
    parts, reading = rooms.parts_of(markets, now), telling.summed_up(markets, purses, pauses, sources, now)
    charts = [telling.read_an_hour(list(hours.values()), now)] if markets else []
    charts += [chart for part in parts for chart in part.charts]
    charts += [telling.month_of(one, purses[one.pk]) for one in markets]
    return {
        "now": now,
        "summed_up": " ".join(filter(None, [part.sentence for part in parts] + [reading])),
        "figures": [figure for part in parts for figure in part.figures],
        "rows": rows,
        "charts": charts,
        "charged": sum(row.charged for row in rows),
        "limit": sum(row.limit for row in rows),
        "yielded": reads.yielded(markets, now),
    }


def runs_told(request: PageRequest, markets: list[Market]) -> dict[str, Any]:
    """A page of the last runs; those older than the one that `before` names."""
    troubled, typed = request.GET.get("runs") == "troubled", request.GET.get("before", "")
    before = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 18 else None
    found = reads.runs_of(markets, timezone.now(), troubled=troubled, before=before)
    led = {one.pk for one in markets if may(request.user, LEADS, one)}
    shown = found[: reads.RUNS]
    return {
        "runs": [telling.told_of(run, lead=run.market_id in led) for run in shown],
        "troubled": troubled,
        "older": shown[-1].pk if len(found) > reads.RUNS else None,
        "begun": before is not None,
    }


def aside_told(request: PageRequest, markets: list[Market]) -> dict[str, Any]:
    """What lies in quarantine of the markets that one leads."""
    led = [one for one in markets if may(request.user, LEADS, one)]
    chief = bool(request.user.is_superuser)
    rows = reads.aside_of(led, chief=chief)
    return {
        "leads": bool(led),
        "aside": rows.select_related("run__source", "run__market").order_by("-at", "-pk")[: reads.LISTED],
        "aside_count": rows.count(),
    }


def aside_for(request: PageRequest, pk: int) -> Quarantined:
    """Raises Http404 outside one's markets, PermissionDenied in one's own without the right."""
    row = Quarantined.objects.select_related("run__source", "run__market").filter(pk=pk).first()
    if row is None or (row.run.market is None and not request.user.is_superuser):
        raise Http404
    if row.run.market is not None:
        require(request.user, LEADS, row.run.market)
    return row


@rule(LEADS)
@require_GET
def set_aside(request: PageRequest, pk: int) -> HttpResponse:
    """One payload with its reason, as text."""
    return aside_page(request, aside_for(request, pk))


def aside_page(request: PageRequest, row: Quarantined, *, unsure: bool = False) -> HttpResponse:
    """`unsure`: it was to be dropped without the tick that says so."""
    text = json.dumps(row.payload, indent=2, ensure_ascii=False) if not isinstance(row.payload, str) else row.payload
    with clock_of(request.user, row.run.market):
        return render(
            request,
            "curation/health/aside.html",
            {"row": row, "text": text, "unsure": unsure},
            status=422 if unsure else 200,
        )


@rule(LEADS)
@require_POST
def drop_aside(request: PageRequest, pk: int) -> HttpResponse:
    """Removes it for good; the lists' log says who did, and for what it had been set aside."""
    row = aside_for(request, pk)
    if not request.POST.get("sure"):
        return aside_page(request, row, unsure=True)
    with transaction.atomic():
        log_change(row, "drop", by=request.user, market=row.run.market, before={"reason": row.reason})
        row.delete()
    messages.success(request, _("Dropped: it is not in quarantine any more."))
    return redirect("market-health", row.run.market.code) if row.run.market else redirect("health")
