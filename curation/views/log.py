"""The decision log: a market's for its leads, everyone's own, and one post's across one's markets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from curation import operations
from curation.access import act_for
from curation.forms import BackForm, UndoForm
from curation.history import figures, onlists, reading, sheet
from curation.history.asked import Asked, LogForm
from curation.history.lines import Line, dated, lines_of
from curation.history.matrix import dossier
from curation.models import Act
from curation.places import clock_of
from curation.queue import markets_of
from curation.views.desk import is_fragment, reason, summary
from regions.clocks import zone_of
from regions.models import Market, User
from regions.numbers import whole
from regions.permissions import SIGNED_IN, market_for, may, rule
from regions.problems import Refusal
from regions.requests import PageRequest

LINES, FLAT = 50, 200


@rule("log.read")
@require_GET
def market_log(request: PageRequest, market: str) -> HttpResponse:
    """Who did what in a market, newest first."""
    home = market_for(request.user, market, "log.read")
    if request.GET.get("show") == "lists":
        return lists_log(request, home)
    form = LogForm(request.GET, [home], zone=home.time_zone)
    context = {"home": home, "leads": led(request.user), "address": address_of(home)}
    context["sheet"] = reverse("log-sheet", args=[home.code])
    return page(request, form, home, "curation/log/market.html", context)


def led(user: User) -> list[Market]:
    """The markets whose logs someone may read."""
    return [one for one in Market.objects.visible_to(user) if may(user, "log.read", one)]


def lists_log(request: PageRequest, home: Market) -> HttpResponse:
    """Who changed which list, role or setting of a market, newest first; `of` asks for one kind alone."""
    of = request.GET.get("of", "")
    kinds = [{"name": "", "words": _("All"), "here": of not in onlists.KINDS}]
    kinds += [{"name": name, "words": words, "here": of == name} for name, (words, _n) in onlists.KINDS.items()]
    with clock_of(request.user, home):
        context = {
            "home": home,
            "leads": led(request.user),
            "markets": markets_of(request.user),
            "address": address_of(home),
            "zone": timezone.get_current_timezone_name(),
            "on_lists": True,
            "kinds": kinds,
            "of": of if of in onlists.KINDS else "",
            "read": onlists.read(home, of, whole(request.GET.get("before", ""))),
        }
        return render(request, "curation/log/lists.html", context)


@rule(SIGNED_IN)
@require_GET
def my_log(request: PageRequest) -> HttpResponse:
    """What one decided oneself, in all of one's markets."""
    own = list(Market.objects.visible_to(request.user))
    form = LogForm(request.GET, own, zone=zone_of(request.user, own[0] if own else None).key, own=request.user)
    return page(request, form, own[0] if own else None, "curation/log/my.html", {"address": reverse("my-log")})


def page(request: PageRequest, form: LogForm, home: Market | None, name: str, context: dict[str, Any]) -> HttpResponse:
    """The whole page; for htmx what was found, or the next lines alone. What cannot be asked is told, with 422."""
    with clock_of(request.user, home):
        context |= {"home": None, "typed": form.typed, "refusals": dict(form.refused)} | context
        context |= {"zone": timezone.get_current_timezone_name()}
        try:
            context |= found(request, form, home)
        except Refusal as refusal:
            context["refused"] = [("cursor", str(refusal.detail))]
        if not request.htmx or not is_fragment(request):
            context |= {"choices": form.choices(), "markets": markets_of(request.user)}
        else:
            name = "curation/log/_found.html" if request.htmx.target == "found" else "curation/log/_lines.html"
        response = render(request, name, context, status=422 if context["refused"] else 200)
    if request.htmx and request.htmx.target == "found":
        response["HX-Push-Url"] = f"{context['address']}?{urlencode(form.typed)}"
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def found(request: PageRequest, form: LogForm, home: Market | None) -> dict[str, Any]:
    """The lines that the filters leave, with where the next ones are. Raises BadCursor."""
    if refused := form.refused:
        return {"refused": refused}
    asked, cursor = form.asked(), request.GET.get("cursor", "")
    flat = asked.act is not None
    read = reading.read(asked, cursor, size=FLAT if flat else LINES, together=not flat)
    lines = lines_of(read.runs, request.user, timezone.now(), asked.rows())
    begun = reading.place_of(cursor)
    dated(lines, timezone.localtime(begun.at).date() if begun else None)
    told = {
        "refused": [],
        "lines": lines,
        "read": read,
        "flat": flat,
        "next": urlencode(form.typed | {"cursor": read.next}) if read.next else "",
        "query": urlencode(form.typed),
        "kept": urlencode({name: value for name, value in form.typed.items() if name != "system"}),
    }
    if not cursor and not flat:
        told["figures"] = figures.figures_of(home, asked) if home and not form.own else None
        if form.own or asked.by is None or told["figures"]:  # else it would be a figure of one editor
            told["found"], told["counted"] = reading.counted(asked, read)
    return told


@rule("log.export")
@require_GET
def log_sheet(request: PageRequest, market: str) -> HttpResponse | StreamingHttpResponse:
    """The same as a sheet for spreadsheets; what cannot be asked is told on the page."""
    home = market_for(request.user, market, "log.export")
    form = LogForm(request.GET, [home], zone=home.time_zone)
    if form.refused:
        return redirect(f"{reverse('market-log', args=[home.code])}?{urlencode(form.typed)}")
    told = form.cleaned_data
    today = timezone.localdate(timezone=form.zone)
    rows = sheet.rows(form.asked(), home, request.user, translation.get_language() or "en")
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="{sheet.name_of(home, told["first"], told["last"], today)}"'
    )
    return response


@rule("desk.read")
@require_GET
def post_log(request: PageRequest, post: int) -> HttpResponse:
    """One post in all of one's markets: how it stands, and everything that was decided of it."""
    own = list(Market.objects.visible_to(request.user))
    with clock_of(request.user, own[0] if own else None):
        context = {
            "dossier": dossier(post, request.user, timezone.now()),
            "markets": markets_of(request.user),
            "zone": timezone.get_current_timezone_name(),
            "back": log_before(request),
        }
        return render(request, "curation/log/post.html", context)


def log_before(request: PageRequest) -> str:
    """The log that someone came from, with its filters; empty for no log."""
    came = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(came, {request.get_host()}, request.is_secure()):
        return ""
    parts = urlsplit(came)
    known = parts.path.startswith((reverse("my-log"), "/log/"))
    return f"{parts.path}?{parts.query}" if known else ""


@rule("candidate.decide")
@require_POST
def undo_act(request: PageRequest, pk: int) -> HttpResponse:
    """Takes an act back: for htmx its line as it stands then, else the way back with a sentence."""
    act = act_for(request.user, pk, "candidate.decide")
    home = named_market(request)
    refusal: Refusal | None = None
    with clock_of(request.user, home or Market.objects.visible_to(request.user).first()):
        try:
            many = operations.undo(act, by=request.user, **UndoForm(request.POST).told())
            told = " · ".join(filter(None, (summary(many, undone=True) or _("Taken back"), *remarks(many))))
        except Refusal as error:
            refusal, told = error, reason(error)
        if not request.htmx:
            (messages.error if refusal else messages.success)(request, told)
            return redirect(back_from(request))
        line = line_of(act, request.user, home)
        line.refusal, line.remark, line.begins = refusal, told, None
        context = {"line": line, "home": home, "address": address_of(home)}
        return render(request, "curation/log/_line.html", context, status=refusal.status if refusal else 200)


def remarks(many: operations.Many) -> list[str]:
    return [result.remark for result in many.results if result.remark][:1]


def named_market(request: PageRequest) -> Market | None:
    """The market whose log the form stands in; None in one's own log."""
    code = request.POST.get("market", "")
    return market_for(request.user, code, "log.read") if code else None


def address_of(home: Market | None) -> str:
    return reverse("market-log", args=[home.code]) if home else reverse("my-log")


def line_of(act: Act, user: User, home: Market | None) -> Line:
    """The line of an act, as the log of a market shows it, or one's own. Raises Http404 where there is none."""
    markets: Sequence[Market] = [home] if home else list(Market.objects.visible_to(user))
    for system in (False, True):  # what the person decided, else what the system did because of it
        asked = Asked(markets, act=act.pk, system=system)
        if runs := reading.read(asked, size=1).runs:
            return lines_of(runs, user, timezone.now(), asked.rows())[0]
    raise Http404


def back_from(request: PageRequest) -> str:
    """Where a plain form returns to: what it names, if it is one of ours, else one's own log."""
    asked = BackForm(request.POST).asked()
    known = url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure())
    return asked if known else reverse("my-log")
