"""The desk itself, and the fragments that htmx asks them for. Every act works as a plain form too."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from curation import operations
from curation.access import act_for, candidate_for
from curation.cards import DID, Card, card, cards
from curation.deeds import deed_of
from curation.forms import DecideForm, DecideManyForm, FilterForm, SinceForm, Unclear, UndoForm
from curation.keyset import page
from curation.models import Act, Candidate, Verb
from curation.models.candidates import CandidateQuerySet
from curation.narrowing import asked_of, narrowed
from curation.operations.errors import SlotsFull, SlotTaken
from curation.panels import Panel
from curation.places import (
    addresses,
    clock_of,
    frame,
    horizon,
    last_act,
    new_key,
    news,
    place_for,
    standing,
    way_back,
)
from curation.queue import Place, behind, next_of_groups
from curation.resting import rest_of
from curation.transitions import EDITORS_VERBS
from curation.views.kept import kept_open, many_kept_open, panel_page, refused_as_one, swapped
from regions.numbers import whole
from regions.permissions import may, rule
from regions.problems import Refusal
from regions.requests import PageRequest

ROWS = 25  # of a page that is opened, and of each part that follows as one comes near its end
MOST_ARRIVALS = 50
MOST_SIMILAR = 30
MOST_OPEN = 400


@rule("desk.read")
@require_GET
def desk(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """The queue with what stands around it; for htmx the next rows alone."""
    place = place_for(request.user, market, category)
    context = {} if is_fragment(request) else around(request, place)
    form = FilterForm(request.GET)
    asked = form.asked()
    try:
        found = page(place.queues(**form.kept()), order=asked["order"], cursor=form.after(), size=ROWS)
    except Refusal as refusal:
        messages.error(request, str(refusal.detail))
        return redirect(addresses(place)["desk"])
    rows = cards(found.rows, request.user, place.market)
    if rows and not form.after():
        rows[0].current = True
    name = "curation/_rows.html" if is_fragment(request) else "curation/desk.html"
    with clock_of(request.user, place.market):
        context |= frame(request, place) | {"rows": rows, "next": found.next, "cut": form.cut}
        if not is_fragment(request):
            whole = not form.after() and not found.next
            context |= narrowed(place, asked, context["own"].waiting, found.rows, whole=whole)
            if not rows and not context["narrow"]:
                context |= rest_of(place, timezone.now())
        response = render(request, name, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def is_fragment(request: PageRequest) -> bool:
    """Whether a part is asked for; a boosted link asks for the page, of which it takes what it needs."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def around(request: PageRequest, place: Place) -> dict[str, Any]:
    """What the full page holds beside the rows. To be asked before them: `horizon` must not be newer."""
    return {
        "may_decide": may(request.user, "candidate.decide", place.market),
        "may_add": may(request.user, "candidate.add", place.market),
        "may_erase": may(request.user, "author.erase", place.market),
        "may_read_log": may(request.user, "log.read", place.market),
        "horizon": horizon(place),
        "bulk_key": new_key(),
        "verdicts": [(verb, DID[verb]) for verb in EDITORS_VERBS],
        **strip(request, place),
    }


def strip(request: PageRequest, place: Place, told: str = "", act: Act | None = None) -> dict[str, Any]:
    """The line at the foot: what was just done or refused, and the act that Z takes back."""
    act = act or last_act(request.user, place.market)
    deed = deed_of(act) if act else None
    return {"told": told, "last": act, "deed": deed, "undo_key": new_key(), "place": place}


@rule("candidate.decide")
@require_POST
def decide(request: PageRequest, market: str, category: str, pk: int) -> HttpResponse:
    """One verb on one candidate: its card as it stands now, and the undo line."""
    place = place_for(request.user, market, category)
    candidate = candidate_for(request.user, pk, "candidate.decide")
    if candidate.channel_id != place.shown[0].pk:
        raise Http404
    try:
        with clock_of(request.user, place.market):
            told = swapped(request.POST, DecideForm(request.POST).told(), candidate)
            outcome = operations.decide(candidate=candidate, by=request.user, **told)
    except Refusal as refusal:
        return refused(request, place, fresh_card(request, pk, refusal), refusal)
    row = fresh_card(request, pk)
    row.remark = outcome.remark
    return answered(request, place, [row], act=outcome.act)


def refused(request: PageRequest, place: Place, row: Card, refusal: Refusal) -> HttpResponse:
    """The row with why nothing was done; what came from a panel stands in it again, as it was typed. Where all slots
    are taken, a page without script asks which of them."""
    row.panel = kept_open(request, place, row, refusal)
    if not request.htmx and refusal.code in (SlotsFull.code, SlotTaken.code) and Verb.PIN in row.panels:
        row.panel = row.panel or Panel(Verb.PIN, place, request.user, [row], refusal=refusal)
    if row.panel is not None:
        row.refusal = None
        if not request.htmx:
            return panel_page(request, place, row, row.panel, status=refusal.status)
    return answered(request, place, [row], told=refusal.detail, status=refusal.status)


@rule("desk.read")
@require_GET
def similar(request: PageRequest, market: str, category: str, pk: int) -> HttpResponse:
    """The posts that wait behind a similar one: for htmx its list in the row, else a page with the one that leads."""
    place = place_for(request.user, market, category)
    leading = candidate_for(request.user, pk)
    if leading.channel_id != place.shown[0].pk:
        raise Http404
    rows = list(behind(leading)[: MOST_SIMILAR + 1])
    context: dict[str, Any] = {
        "place": place,
        "similar": cards(rows[:MOST_SIMILAR], request.user, place.market),
        "most": MOST_SIMILAR,
        "more": len(rows) > MOST_SIMILAR,
    }
    with clock_of(request.user, place.market):
        if not is_fragment(request):
            context |= frame(request, place) | {"card": card(leading, request.user), "back": request.get_full_path()}
        response = render(request, f"curation/{'_alikes' if is_fragment(request) else 'similar'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@rule("candidate.decide")
@require_POST
def decide_many(request: PageRequest, market: str) -> HttpResponse:
    """One verb on all selected candidates: their cards, each with its own result."""
    place = place_for(request.user, market)
    form = DecideManyForm(request.POST)
    try:
        told = form.told()
        seen = own_only(place, form.seen())
        with clock_of(request.user, place.market):
            many = operations.decide_many(seen=seen, by=request.user, **told)
        if alike := refused_as_one(many):
            raise alike
    except Refusal as refusal:
        kept = many_kept_open(request, place, refusal)
        if kept and not request.htmx:
            return panel_page(request, place, kept.card, kept, status=refusal.status)
        return answered(request, place, [], told=refusal.detail, status=refusal.status, panel=kept)
    status = 200 if many.act else 409
    return answered(request, place, result_cards(request, place, many), act=many.act, told=summary(many), status=status)


def own_only(place: Place, seen: dict[int, int]) -> dict[int, int]:
    """Those of this market alone: another's does not exist here. Raises Unclear where none is left."""
    own = set(place.candidates().filter(pk__in=seen).values_list("pk", flat=True))
    if not own:
        raise Unclear(_("Nothing was selected."), field="candidate")
    return {pk: version for pk, version in seen.items() if pk in own}


@rule("candidate.decide")
@require_POST
def undo(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """Takes an act back: its cards as they stand again."""
    place = place_for(request.user, market)
    act = act_for(request.user, pk, "candidate.decide")
    try:
        with clock_of(request.user, place.market):
            many = operations.undo(act, by=request.user, **UndoForm(request.POST).told())
    except Refusal as refusal:
        return answered(request, place, [], told=reason(refusal), status=refusal.status)
    rows = result_cards(request, place, many)
    back = [row for row in rows if not row.refusal][:1]
    response = answered(request, place, rows, told=taken_back(many, back))
    response["HX-Trigger-After-Settle"] = json.dumps({"returned": {"row": returned(act, rows)}})
    return response


def returned(act: Act, rows: list[Card]) -> int:
    """Where one stands after an undo: at the post that waits again, else at the first that the act was about; not at
    one that gave way to it. 0 for none."""
    gave_way = set(act.decision_set.filter(act__verb=Verb.PIN, verb=Verb.UNPIN).values_list("candidate", flat=True))
    back = [row for row in rows if not row.refusal]
    back.sort(key=lambda row: (row.decided, row.candidate.pk in gave_way))
    return back[0].candidate.pk if back else 0


def taken_back(many: operations.Many, first: list[Card]) -> str:
    """What an undo did: whose post it brought back, or how many; and what came otherwise than asked."""
    parts = [summary(many, undone=True)] if summary(many) else [_("Taken back"), *posts_of(many, first)]
    remark = next((result.remark for result in many.results if result.remark), "")
    return " · ".join(part for part in (*parts, remark) if part)


def posts_of(many: operations.Many, first: list[Card]) -> list[str]:
    """Of how many posts, of a single one whose."""
    n = len(many.results)
    if n > 1:
        return [ngettext("%(n)d post", "%(n)d posts", n) % {"n": n}]
    return [str(row.tweet.author) for row in first if row.tweet.author]


def reason(refusal: Refusal) -> str:
    """A refusal's sentence; of a bulk that came to nothing that of its first row."""
    problems = [one["problem"] for one in refusal.more.get("results", []) if one["problem"]]
    return str(problems[0]["detail"] if problems else refusal.detail)


def result_cards(request: PageRequest, place: Place, many: operations.Many) -> list[Card]:
    """The cards of a bulk act in its order, refused ones with the reason, others with what there is to say."""
    results = {result.id: result for result in many.results}
    rows = Candidate.objects.with_tweets().in_bulk(results)
    own = [rows[pk] for pk in results if pk in rows and rows[pk].channel.market == place.market]
    made = cards(own, request.user, place.market)
    for row in made:
        result = results[row.candidate.pk]
        row.refusal, row.remark = refusal_of(result), result.remark
    return made


def refusal_of(result: operations.Result) -> Refusal | None:
    """Why nothing came of a candidate; for a repeated request as it was said the first time."""
    if result.refusal or not result.problem:
        return result.refusal
    kept = Refusal(result.problem["detail"])
    kept.status, kept.code = HTTPStatus(result.problem["status"]), result.problem["code"]
    return kept


def summary(many: operations.Many, *, undone: bool = False) -> str:
    """ "12 done, 2 refused"; the first refusal's sentence where nothing was done, empty where nothing was refused."""
    refused = [refusal for refusal in map(refusal_of, many.results) if refusal]
    if not refused or len(refused) == len(many.results):
        return str(refused[0].detail) if refused else ""
    counts = {"done": len(many.results) - len(refused), "refused": len(refused)}
    told = _("%(done)d taken back, %(refused)d refused") if undone else _("%(done)d done, %(refused)d refused")
    return told % counts


def fresh_card(request: PageRequest, pk: int, refusal: Refusal | None = None) -> Card:
    return card(candidate_for(request.user, pk), request.user, refusal)


def answered(
    request: PageRequest,
    place: Place,
    rows: list[Card],
    *,
    told: Any = "",
    status: int = 200,
    act: Act | None = None,
    panel: Panel | None = None,
) -> HttpResponse:
    """The cards and the undo line for htmx; for a plain form the way back with a sentence."""
    if not request.htmx:
        remark = next((row.remark for row in rows if row.remark), "")
        (messages.error if status >= 400 else messages.success)(request, str(told) or remark or _("Done."))
        return redirect(way_back(request, place))
    context = strip(request, place, str(told), act) | {
        "place": standing(request, place),
        "rows": rows,
        "next_ones": [] if (request.htmx.target or "").startswith("alike-") else next_ones(request, place, rows),
        "refused": status >= 400,
        "bulk_key": new_key(),
        "bulk_panel": panel,
    }
    with clock_of(request.user, place.market):
        response = render(request, "curation/_answer.html", context | {"may_decide": True}, status=status)
    response["HX-Trigger"] = "acted"
    if any(row.refusal for row in rows):
        response["X-Refused"] = "some"
    return response


@rule("desk.read")
@require_GET
def changes(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """What others did since a page last asked: decided cards, counts, how many arrived."""
    place = place_for(request.user, market, category)
    try:
        since = SinceForm(request.GET).told()
    except Refusal as refusal:
        return HttpResponse(refusal.detail, status=refusal.status)
    told = news(place, since["decision"])
    rows = place.candidates().with_tweets().filter(pk__in=told.decided).best_first()
    with clock_of(request.user, place.market):
        context = frame(request, place)
    context |= {
        "rows": cards(list(rows), request.user, place.market),
        "others": context["told_of"] != since["told_of"],
        "arrived": arrived(request, place, since["candidate"])[: MOST_ARRIVALS + 1].count(),
        "horizon": {"decision": told.last, "candidate": since["candidate"]},
        "more": told.more,
    }
    back = waiting(request, place).filter(pk__in=told.back, pk__lte=since["candidate"])
    mark_returned(context["rows"], set(back.values_list("pk", flat=True)))
    context["next_ones"] = next_ones(request, place, context["rows"])
    context |= narrowed(place, context["asked"], context["own"].waiting) | {"gone": gone(request)}
    with clock_of(request.user, place.market):
        return render(request, "curation/_changes.html", context)


def gone(request: PageRequest) -> list[int]:
    """Of the rows that a page calls open those that are no more: what a move brought goes when it is undone."""
    told = request.GET.get("open", "").split(",")[:MOST_OPEN]
    asked = [pk for one in told if (pk := whole(one))]
    there = set(Candidate.objects.filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
    return [pk for pk in asked if pk not in there]


def next_ones(request: PageRequest, place: Place, rows: list[Card]) -> list[Card]:
    """Whoever leads a group in place of a decided one: the page sets it below the others where it has no row for it."""
    found = next_of_groups(row.candidate for row in rows if row.decided) if rows else Candidate.objects.none()
    kept = asked_of(request).kept()
    here = place.waiting(**kept).filter(pk__in=[row.pk for row in found]).best_first() if any(kept.values()) else found
    made = cards(list(here), request.user, place.market)
    for row in made:
        row.following = True
    return made


def mark_returned(rows: list[Card], back: set[int]) -> None:
    """Those that wait here again: the page sets them below the others where it has no row for them."""
    for row in rows:
        row.returned = row.candidate.pk in back


@rule("desk.read")
@require_GET
def arrivals(request: PageRequest, market: str, category: str = "") -> HttpResponse:
    """The rows that arrived since, best first, to stand above the others; of too many the oldest, to ask on."""
    place = place_for(request.user, market, category)
    try:
        since = SinceForm(request.GET).told()
    except Refusal:
        return redirect(addresses(place)["desk"])
    newest = horizon(place)["candidate"]
    found = list(arrived(request, place, since["candidate"]).order_by("pk")[: MOST_ARRIVALS + 1])
    rows = sorted(found[:MOST_ARRIVALS], key=lambda row: (-row.rank, -row.pk))
    seen = found[MOST_ARRIVALS - 1].pk if len(found) > MOST_ARRIVALS else newest
    context = frame(request, place) | {
        "told_of": since["told_of"],
        "rows": cards(rows, request.user, place.market),
        "arrived": arrived(request, place, seen)[: MOST_ARRIVALS + 1].count(),
        "horizon": {"decision": since["decision"], "candidate": seen},
    }
    with clock_of(request.user, place.market):
        return render(request, "curation/_arrivals.html", context)


def arrived(request: PageRequest, place: Place, newest: int) -> CandidateQuerySet:
    """Those that wait here and came after a candidate."""
    return waiting(request, place).filter(pk__gt=newest)


def waiting(request: PageRequest, place: Place) -> CandidateQuerySet:
    """What waits here, kept to the filters."""
    return place.waiting(**asked_of(request).kept())
