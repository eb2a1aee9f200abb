"""The blocks of a market: the list, one of them or a new one in the panel beside it, dry runs, lifting, sheets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from curation import operations
from curation.blocking.changes import told_of
from curation.blocking.entries import checked, ends_of, entry_of, fingerprint
from curation.blocking.lists import BESIDE, TABS, Listing
from curation.blocking.panel import Panel
from curation.blocking.reach import try_out
from curation.blocking.returning import Returning
from curation.blocking.telling import Telling
from curation.models import Act
from curation.operations.blocking import RIGHTS, Entry
from curation.operations.laying import MOST
from curation.operations.naming import Name
from curation.places import clock_of
from regions.models import Block, BlockList, Market
from regions.numbers import whole
from regions.permissions import market_for, may, rule
from regions.problems import Refusal
from regions.requests import PageRequest
from regions.views.bringing import tell

LONGEST_SEARCH, MOST_PICKED = 200, 200
FIELDS = ("kind", "scope", "value", "effect", "reason", "note", "ends")


def listing_of(request: PageRequest, home: Market, block_list: BlockList | None = None) -> Listing:
    show = request.GET.get("show", "")
    q = request.GET.get("q", "").replace("\0", " ")[:LONGEST_SEARCH]
    told = show if show in TABS else ""
    return Listing(home, request.user, timezone.now(), told, q.strip(), request.GET.get("cursor", ""), block_list)


def page(
    request: PageRequest, home: Market, panel: Panel, *, block_list: BlockList | None = None, status: int = 200
) -> HttpResponse:
    """The whole page; for htmx the rows or the panel alone."""
    listing = listing_of(request, home, block_list)
    here = reverse("block-list", args=[home.code, block_list.pk]) if block_list else reverse("blocks", args=[home.code])
    context: dict[str, Any] = {"home": home, "listing": listing, "panel": panel, "address": here}
    context |= {"kept": urlencode({k: v for k, v in (("show", listing.show), ("q", listing.q)) if v})}
    context |= {"may_lay": may(request.user, "block.edit_channel", home), "block_list": block_list}
    context |= {"leads": may(request.user, "block.edit_market", home)}
    part = request.htmx.target if request.htmx and not request.htmx.history_restore_request else ""
    with clock_of(request.user, home):
        if part != "panel":
            try:
                context["lines"], cursor = listing.page
            except Refusal as refusal:
                context |= {"lines": [], "refused": refusal}
                cursor, status = "", int(refusal.status)
            context["may_pick"] = context["may_lay"] and any(
                one.may_edit and not one.is_list for one in context["lines"]
            )
            context["more"] = f"{context['kept']}&cursor={cursor}".lstrip("&") if cursor else ""
        if part != "panel":
            context["tabs"] = tabs_of(listing)
        if not part:
            context["changes"] = told_of(listing.changes())
        name = {"panel": "_panel", "found": "_found"}.get(part or "", "page")
        response = render(request, f"curation/blocks/{name}.html", context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def tabs_of(listing: Listing) -> list[dict[str, Any]]:
    counts = listing.counts
    return [
        {"name": words, "query": urlencode({"show": show} if show else {}), "count": counts[show],
         "here": show == listing.show}
        for show, words in TABS.items() if counts[show] or show in ("", "author", "term", listing.show)
    ]  # fmt: skip


def done(request: PageRequest, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def typed_of(request: PageRequest) -> dict[str, str]:
    return {name: request.POST[name].replace("\0", " ") for name in FIELDS if name in request.POST}


@rule("desk.read")
@require_GET
def blocks(request: PageRequest, market: str) -> HttpResponse:
    """The list, with the form of a new block for who may lay one; it can be filled by the address."""
    home = market_for(request.user, market)
    typed = {name: request.GET[name] for name in ("kind", "value") if name in request.GET}
    return page(request, home, Panel(home, request.user, timezone.now(), typed=typed))


@rule("block.edit_channel")
@require_http_methods(["GET", "POST"])
def new_block(request: PageRequest, market: str) -> HttpResponse:
    """First what it would have hit; then, of that very block, the press that lays it."""
    home, now = market_for(request.user, market, "block.edit_channel"), timezone.now()
    panel = Panel(home, request.user, now, typed=typed_of(request))
    if request.method != "POST":
        return page(request, home, panel)
    try:
        entry = checked(entry_of(panel.typed, home), request.user, now)
        if "lay" in request.POST and request.POST.get("tried") == fingerprint(entry):
            return laid(request, home, entry)
    except Refusal as refusal:
        panel.refusal = refusal
        return page(request, home, panel, status=refusal.status)
    panel.trial, panel.tried = try_out(entry, now), fingerprint(entry)
    panel.beside = Telling(home, now).beside(entry)
    return page(request, home, panel)


def laid(request: PageRequest, home: Market, entry: Entry) -> HttpResponse:
    many = operations.lay_blocks([entry], by=request.user)
    if not many.blocks:
        messages.info(request, _("Blocked already: %(value)s.") % {"value": entry.name.value})
    else:
        words = _("%(value)s is listed.") % {"value": many.blocks[0].named}
        tell(request, f"{words} {withdrawn(many.taken)}".strip(), undo=undo_of(many.act))
    return done(request, reverse("blocks", args=[home.code]))


def withdrawn(n: int) -> str:
    """How many posts went off the phones; empty for none."""
    return ngettext("%(n)d live post was withdrawn.", "%(n)d live posts were withdrawn.", n) % {"n": n} if n else ""


def undo_of(act: Act | None) -> str:
    """Where an act is taken back."""
    return reverse("undo-act", args=[act.pk]) if act else ""


def block_for(home: Market, pk: int) -> Block:
    """A standing block that holds in the market, exempted or not. Raises Http404."""
    return blocks_for(home, [pk])[0]


def blocks_for(home: Market, ids: Sequence[int]) -> list[Block]:
    """The same of several, in their order and each once. Raises Http404 where one is none."""
    wanted = list(dict.fromkeys(ids))
    here = Q(market=None, channel=None) | Q(market=home) | Q(channel__market=home)
    found = Block.objects.filter(here, lifted_at=None).select_related(*BESIDE).in_bulk(wanted)
    if len(found) < len(wanted):
        raise Http404
    return [found[pk] for pk in wanted]


@rule("desk.read")
@require_http_methods(["GET", "POST"])
def block_entry(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """One block: what it is, and changing, lifting or exempting it."""
    home, now = market_for(request.user, market), timezone.now()
    if request.method == "POST":
        market_for(request.user, market, "block.edit_channel")
    panel = Panel(home, request.user, now, "block", block_for(home, pk), typed_of(request))
    if request.method != "POST":
        return page(request, home, panel)
    try:
        told = BLOCK_ACTS[request.POST.get("press", "try")](request, panel)
    except KeyError:
        raise Http404 from None
    except Refusal as refusal:
        panel.refusal = refusal
        return page(request, home, panel, status=refusal.status)
    if told is None:
        return page(request, home, panel)
    words, act = told
    tell(request, words, undo=undo_of(act))
    return done(request, reverse("blocks", args=[home.code]))


def wished(panel: Panel) -> dict[str, Any]:
    """The change that the form asks for. Raises Refusals with the field."""
    block = panel.noun
    ends_at = ends_of(panel.ends, panel.home)
    if block.ends_at and ends_at == block.ends_at.replace(second=0, microsecond=0):
        ends_at = block.ends_at
    told: dict[str, Any] = {"effect": panel.effect, "reason": panel.reason, "note": panel.note, "ends_at": ends_at}
    name = Name(block.kind, block.value)
    checked(Entry(name, block.channel, block.market, block_list=block.block_list, **told), panel.user, panel.now)
    return told


Told = tuple[str, Act | None]
"""What was done, in a sentence, and the act that did it."""


def try_change(request: PageRequest, panel: Panel) -> Told | None:
    block, told = panel.noun, wished(panel)
    entry = Entry(Name(block.kind, block.value), block.channel, block.market, told["effect"])
    panel.trial, panel.tried = try_out(entry, panel.now), fingerprint(entry)
    return None


def change(request: PageRequest, panel: Panel) -> Told | None:
    """A block that becomes stricter is tried first."""
    told = wished(panel)
    stricter = (panel.noun.effect, told["effect"]) == (Block.Effect.HOLD, Block.Effect.BLOCK)
    if stricter:
        block = panel.noun
        entry = Entry(Name(block.kind, block.value), block.channel, block.market, told["effect"])
        if request.POST.get("tried") != fingerprint(entry):
            return try_change(request, panel)
    changed = operations.change_block(panel.noun, by=request.user, **told)
    return _("%(value)s is changed.") % {"value": panel.noun.named}, changed.act


def exempt(request: PageRequest, panel: Panel) -> Told | None:
    act = operations.exempt(panel.noun, panel.home, reason=request.POST.get("why", ""), by=request.user)
    told = {"entry": panel.noun, "market": panel.home.name}
    return _("%(entry)s does not hold in %(market)s any more.") % told, act


def take_over(request: PageRequest, panel: Panel) -> Told | None:
    act = operations.end_exemption(panel.noun, panel.home, by=request.user)
    return _("%(entry)s holds in %(market)s again.") % {"entry": panel.noun, "market": panel.home.name}, act


Press = Callable[[PageRequest, Panel], Told | None]
BLOCK_ACTS: dict[str, Press] = {"try": try_change, "change": change, "exempt": exempt, "take_over": take_over}


@rule("block.edit_channel")
@require_POST
def lift_blocks(request: PageRequest, market: str) -> HttpResponse:
    """First what comes back, then, with `sure`, lifts the blocks that were picked, or `all` that fit what was asked
    for, unless they are more than the `count` that was told."""
    home, now = market_for(request.user, market, "block.edit_channel"), timezone.now()
    fit = {name: request.POST.get(name, "") for name in ("show", "q")} if "all" in request.POST else {}
    picked = fitting(home, request, now, **fit) if fit else picked_of(home, request)
    panel = Panel(home, request.user, now, "lift", picked=picked, fit=fit)
    if not picked:
        panel = Panel(home, request.user, now, refusal=Refusal(_("Nothing was selected.")))
        return page(request, home, panel, status=422)
    if "sure" not in request.POST or (fit and len(picked) > (whole(request.POST.get("count", "")) or 0)):
        return page(request, home, panel)
    back = panel.back
    try:
        act = operations.lift_blocks(picked, by=request.user)
    except Refusal as refusal:
        panel.refusal = refusal
        return page(request, home, panel, status=refusal.status)
    tell(request, f"{lifted(len(picked))} {comes_back(back)}", undo=undo_of(act))
    return done(request, reverse("blocks", args=[home.code]))


def picked_of(home: Market, request: PageRequest) -> list[Block]:
    return blocks_for(home, [pk for told in request.POST.getlist("block")[:MOST_PICKED] if (pk := whole(told))])


def fitting(home: Market, request: PageRequest, now: datetime, show: str, q: str) -> list[Block]:
    """All of the market's own that fit a tab and a search, as far as one may lift them."""
    told = q.replace("\0", " ")[:LONGEST_SEARCH].strip()
    listing = Listing(home, request.user, now, show if show in TABS else "", told)
    own = Q(channel__in=listing.channels)
    if may(request.user, RIGHTS["market"], home):
        own |= Q(market=home)
    return list(listing.standing().filter(own).select_related(*BESIDE).order_by("-pk")[:MOST])


def lifted(n: int) -> str:
    return ngettext("%(n)d block lifted.", "%(n)d blocks lifted.", n) % {"n": n}


def comes_back(back: Returning) -> str:
    words = ngettext(
        "%(n)s post returns to pending, none goes live.", "%(n)s posts return to pending, none goes live.", back.told
    )
    return words % {"n": "1000+" if back.more else back.back}
