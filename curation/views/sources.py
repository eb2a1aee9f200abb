"""The sources of a market: the list, one of them in the panel beside it, what it would bring, what is done to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from curation import shared_clock
from curation.ingest.health import DAY, WEEK, Health
from curation.places import clock_of
from curation.sourcing import keeping, ruled, sheet, trying
from curation.sourcing.asking import Typed
from curation.sourcing.listing import PAGE, Listing, Row, ToldChange, changes_since
from curation.sourcing.values import folded
from curation.sourcing.wishes import Ground
from regions import clocks, sheets
from regions.models import Market, Source
from regions.permissions import market_for, rule
from regions.problems import Refusal
from regions.requests import PageRequest
from regions.views.bringing import Bringing, Taken, bring, tell

LONGEST_SEARCH = 200


@dataclass
class Panel:
    """One source beside the list: a new one, or `row`'s. `act`: the one that was refused; `tried`: what would have
    come; `beside`: who reads the same, `asked`: that this is to be looked at before it is saved; `meanwhile`: what
    others changed."""

    typed: Typed
    row: Row | None = None
    refusal: Refusal | None = None
    act: str = ""
    price: trying.Price | None = None
    tried: trying.Tried | None = None
    beside: str = ""
    asked: bool = False
    let_through: ruled.LetThrough | None = None
    meanwhile: Sequence[ToldChange] = ()

    @property
    def changeable(self) -> bool:
        return self.row is None or (self.row.changeable and not self.row.source.erased)

    @property
    def name(self) -> str:
        """What was typed, else what the account calls itself."""
        return self.typed.name or (self.tried.name if self.tried else "")

    @property
    def wrong(self) -> dict[str, str]:
        """The fields that were refused, and why; a refusal of none stands above them all."""
        if self.refusal is None or not self.refusal.field:
            return {}
        several = {name: told[0] for name, told in self.refusal.more.get("errors", {}).items()}
        return several or {self.refusal.field: str(self.refusal.detail)}

    @property
    def before(self) -> Health | None:
        """How a source fared so far that is tried with another value; None where nothing can be compared: it stays as
        it is, or it was read for less than a day."""
        if self.row is None:
            return None
        known = self.row.source
        same = folded(known.kind, self.typed.value) == folded(known.kind, known.value)
        return None if same or not self._was_read(DAY) else self.row.health

    @property
    def before_a_week(self) -> Health | None:
        """The same where it was read for a week: less cannot be held against a week's cost."""
        return self.before if self._was_read(WEEK) else None

    def _was_read(self, span: timedelta) -> bool:
        since = self.row.health.since if self.row else None
        return since is not None and timezone.now() - since >= span


@rule("source.edit")
@require_GET
def sources(request: PageRequest, market: str) -> HttpResponse:
    """The list, by origin and words."""
    home = market_for(request.user, market, "source.edit")
    with clock_of(request.user, home):
        return page(request, Listing(home, request.user, shared_clock.now()))


@rule("source.edit")
@require_http_methods(["GET", "POST"])
def new_source(request: PageRequest, market: str) -> HttpResponse:
    """The panel of a source that is not listed yet: tried, then saved."""
    home = market_for(request.user, market, "source.edit")
    with clock_of(request.user, home):
        listing = Listing(home, request.user, shared_clock.now())
        if request.method == "GET":
            return page(request, listing, Panel(Typed.sent(request.GET)))
        return answered(request, listing, Panel(Typed.sent(request.POST)))


@rule("source.edit")
@require_http_methods(["GET", "POST"])
def source(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """The panel of a source that stands in the list: looked at, tried, changed."""
    home = market_for(request.user, market, "source.edit")
    known = keeping.source_for(request.user, home, pk, change=request.method == "POST")
    with clock_of(request.user, home):
        listing = Listing(home, request.user, shared_clock.now())
        row = listing.row_of(known)
        if request.method == "GET":
            return page(request, listing, Panel(Typed.of(row.source, keeping.newest_change(row.source)), row))
        return answered(request, listing, Panel(Typed.sent(request.POST), row))


def answered(request: PageRequest, listing: Listing, panel: Panel) -> HttpResponse:
    """What was sent is tried, or saved; what is refused stays typed."""
    try:
        if "try" in request.POST:
            panel.tried = tried(request, listing, panel)
        elif not asks_first(listing, panel):
            messages.success(request, _("Saved: %(name)s.") % {"name": save(request, listing, panel)})
            return redirect("sources", listing.home.code)
    except Refusal as refusal:
        panel.refusal = refusal
        if panel.row and refusal.code == keeping.ChangedMeanwhile.code:
            told_of_others(panel, panel.row.source)
    return page(request, listing, panel, status=int(panel.refusal.status) if panel.refusal else 200)


def told_of_others(panel: Panel, known: Source) -> None:
    """Who changed what since the form was opened; who saves once more has seen it."""
    panel.meanwhile = changes_since(known, panel.typed.known or 0)
    panel.typed = replace(panel.typed, seen=str(keeping.newest_change(known)))


def asks_first(listing: Listing, panel: Panel) -> bool:
    """Whether a new one is shown again before it is listed: others read the same, and nobody said so yet."""
    if panel.row is None:
        panel.beside = listing.ground.beside(listing.ground.understood(panel.typed.wish()))
    panel.asked = panel.typed.told_beside != panel.beside != ""
    return panel.asked


def save(request: PageRequest, listing: Listing, panel: Panel) -> Source:
    wish, home, by = panel.typed.wish(), listing.home, request.user
    if panel.row is None:
        return keeping.add(wish, home, by=by)
    return keeping.change(panel.row.source, wish, home, by=by, now=listing.now, seen=panel.typed.known)


def tried(request: PageRequest, listing: Listing, panel: Panel) -> trying.Tried:
    wanted = listing.ground.understood(panel.typed.wish(), panel.row.source if panel.row else None)
    panel.beside = listing.ground.beside(wanted)
    own = listing.own_first(wanted)
    rate = listing.per_hundred(own)
    return trying.try_source(wanted, listing.home, own, by=request.user, now=listing.now, per_hundred=rate)


def page(request: PageRequest, listing: Listing, panel: Panel | None = None, status: int = 200) -> HttpResponse:
    """The list with the panel beside it; for htmx what was found alone."""
    show, q = request.GET.get("show", "")[:60], request.GET.get("q", "")[:LONGEST_SEARCH]
    found = listing.shown(show, q)
    begin = after(found, request.GET.get("after", ""))
    shown = found[begin : begin + PAGE]
    kept = {name: value for name, value in (("show", show), ("q", q)) if value}
    context: dict[str, Any] = {
        "home": listing.home,
        "listing": listing,
        "rows": shown,
        "show": show,
        "q": q,
        "kept": urlencode(kept),
        "more": urlencode(kept | {"after": shown[-1].source.pk}) if begin + PAGE < len(found) else "",
        "address": reverse("sources", args=[listing.home.code]),
        "changed": changed(listing),
    }
    name = "curation/sources/_found.html"
    if not (request.htmx and request.htmx.target == "found"):
        name = "curation/sources/page.html"
        context["panel"] = filled(panel, listing) if panel else None
    response = render(request, name, context, status=status)
    if request.htmx and request.htmx.target == "found":
        response["HX-Push-Url"] = f"{context['address']}?{urlencode(kept)}" if kept else context["address"]
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def filled(panel: Panel, listing: Listing) -> Panel:
    """With the price of a try, and what its rule let through today."""
    known = panel.row.source if panel.row else None
    if known and not panel.beside:
        panel.beside = listing.ground.beside(known)
    panel.price = trying.price_of(known, listing.home, shared_clock.now())
    if known and known.auto_approve:
        panel.let_through = ruled.let_through(known, listing.home, listing.now)
    return panel


def after(found: list[Row], last: str) -> int:
    """Where the next rows begin: after the one that was last; at the first where nobody knows it."""
    places = [place for place, row in enumerate(found, 1) if str(row.source.pk) == last]
    return places[0] if places else 0


def changed(listing: Listing) -> str:
    """Who changed the list last, and when: "Changed by Lena W., 22 November, 17:20."."""
    newest = next((told.change for told in listing.changes if told.change.by), None)
    if newest is None or newest.by is None:
        return ""
    told = {"who": newest.by.shown_name, "time": clocks.moment(newest.at)}
    return _("Changed by %(who)s, %(time)s.") % told


@rule("source.edit")
@require_POST
def source_act(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """Pauses, resumes or removes a source, or leaves a global one out of this market, and back to the list."""
    home = market_for(request.user, market, "source.edit")
    act, now = request.POST.get("act", ""), shared_clock.now()
    known = keeping.source_for(request.user, home, pk, change=act not in ("exempt", "take_over"))
    try:
        if act in ACTS:
            undo = reverse("restore-source", args=[home.code, pk]) if act == "remove" and not known.erased else ""
            tell(request, acts(known, home, request, now)[act](), undo=undo)
    except Refusal as refusal:
        with clock_of(request.user, home):
            listing = Listing(home, request.user, now)
            row = listing.row_of(known)
            panel = Panel(Typed.of(row.source, keeping.newest_change(row.source)), row, refusal, act)
            return page(request, listing, panel, status=int(refusal.status))
    return redirect("sources", home.code)


ACTS = ("pause", "resume", "remove", "exempt", "take_over")


def acts(known: Source, home: Market, request: PageRequest, now: datetime) -> dict[str, Callable[[], str]]:
    """What each act does, and then says."""
    by, reason = request.user, request.POST.get("reason", "")
    done: dict[str, tuple[Callable[[], Any], str]] = {
        "pause": (partial(keeping.pause, known, reason, by=by, now=now), _("Paused: %(name)s.")),
        "resume": (partial(keeping.resume, known, by=by, now=now), _("Read again: %(name)s.")),
        "remove": (
            partial(keeping.remove, known, by=by, now=now),
            _("Removed: %(name)s. What it brought and its runs stay."),
        ),
        "exempt": (partial(keeping.exempt, known, home, reason, by=by), _("Left out here: %(name)s.")),
        "take_over": (partial(keeping.end_exemption, known, home, by=by), _("Taken over again: %(name)s.")),
    }

    def run(act: str) -> str:
        do, words = done[act]
        do()
        return words % {"name": known}

    return {act: partial(run, act) for act in done}


@rule("source.edit")
@require_POST
def restore_source(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """Puts back what was removed: from the message that told of it, or from what was changed."""
    home = market_for(request.user, market, "source.edit")
    known = keeping.source_for(request.user, home, pk, change=True, removed=True)
    try:
        keeping.restore(known, home, by=request.user)
        tell(request, _("Put back: %(name)s. It is read again.") % {"name": known})
    except Refusal as refusal:
        messages.error(request, str(refusal.detail))
    return redirect("sources", home.code)


@rule("source.edit")
@require_http_methods(["GET", "POST"])
def bring_sources(request: PageRequest, market: str) -> HttpResponse:
    """Many at once, pasted or as CSV."""
    home = market_for(request.user, market, "source.edit")
    ground = Ground(home, request.user)
    return bring(
        request,
        Bringing(
            heading=_("Bring sources to %(name)s") % {"name": home.name},
            columns=sheet.COLUMNS,
            help=sheet.HELP,
            back=reverse("sources", args=[home.code]),
            check=sheet.Checking(ground, shared_clock.now()).all,
            take=lambda entries: Taken(sheet.taken(ground, entries)),
        ),
    )


@rule("source.edit")
@require_GET
def sources_sheet(request: PageRequest, market: str) -> HttpResponse:
    """The whole list as CSV."""
    home = market_for(request.user, market, "source.edit")
    rows = Listing(home, request.user, shared_clock.now()).rows
    return sheets.answer(f"sources-{home.code}", sheet.written(rows))
