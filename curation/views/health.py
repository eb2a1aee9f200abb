"""The Health page: how reading and the feeds fare in one's markets, and what could not be understood."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from curation.ingest.storing.reasons import in_words
from curation.ingest.storing.releasing import Released, release
from curation.models import Quarantined
from curation.places import clock_of
from curation.wellbeing import reads, rooms, telling
from curation.wellbeing.aside import aside_of
from regions.models import Market
from regions.numbers import whole
from regions.operations import log_change
from regions.permissions import SIGNED_IN, market_for, may, require, rule
from regions.problems import Refusal
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
    before = whole(typed)
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
    newest = rows.select_related("run__source", "run__market").order_by("-at", "-pk")[: reads.LISTED]
    return {
        "leads": bool(led),
        "aside": [(row, in_words(row.reason)) for row in newest],
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


def aside_page(
    request: PageRequest, row: Quarantined, *, unsure: bool = False, refusal: Refusal | None = None
) -> HttpResponse:
    """`unsure`: it was to be dropped without the tick that says so; `refusal`: why it was not released."""
    with clock_of(request.user, row.run.market):
        told = {"told": aside_of(row, request.user, timezone.now()), "row": row, "unsure": unsure, "refused": refusal}
        return render(request, "curation/health/aside.html", told, status=422 if unsure or refusal else 200)


@rule(LEADS)
@require_POST
def release_aside(request: PageRequest, pk: int) -> HttpResponse:
    """Tries it again: candidates in the channels of its source, or the same page with why not."""
    row = aside_for(request, pk)
    try:
        released = release(row, by=request.user, now=timezone.now())
    except Refusal as refusal:
        return aside_page(request, row, refusal=refusal)
    messages.success(request, released_told(released))
    return back_to(row)


def released_told(released: Released) -> str:
    if not released.candidates:
        return _("Released: it is in all its channels already.")
    words = ngettext(
        "Released: it is in %(n)d channel now.", "Released: it is in %(n)d channels now.", released.candidates
    )
    told = words % {"n": released.candidates}
    if released.blocked:
        told += " " + _("Blocks took it in %(n)d of them.") % {"n": released.blocked}
    return told


def back_to(row: Quarantined) -> HttpResponse:
    return redirect("market-health", row.run.market.code) if row.run.market else redirect("health")


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
    return back_to(row)
