"""Named lists of blocks: made, opened, lifted and exempted as one."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from curation import operations
from curation.blocking.entries import ends_of, entry_of
from curation.blocking.lists import BESIDE
from curation.blocking.panel import Panel
from curation.places import clock_of
from curation.views.blocks import Press, Told, comes_back, done, exempt, lifted, page, take_over, undo_of
from regions.clocks import moment
from regions.models import Block, BlockList, Market
from regions.permissions import market_for, rule
from regions.problems import Refusal
from regions.requests import PageRequest
from regions.views.bringing import tell

LIST_FIELDS = ("name", "purpose", "ends")


def list_for(home: Market, pk: int) -> BlockList:
    """A list of the market, of its channels, or of all. Raises Http404."""
    found = BlockList.objects.filter(pk=pk).select_related("market", "channel__market", "channel__category").first()
    market = (found.channel.market_id if found.channel else found.market_id) if found else 0
    if found is None or market not in (None, home.pk):
        raise Http404
    return found


def lift_all(request: PageRequest, panel: Panel) -> Told | None:
    """First what comes back, then, with `sure`, lifts all that stands in a list."""
    panel.picked = list(Block.objects.filter(block_list=panel.noun, lifted_at=None).select_related(*BESIDE))
    if not panel.picked:
        raise Refusal(_("Nothing stands in this list."))
    if "sure" not in request.POST:
        panel.sort = "lift_list"
        return None
    back = panel.back
    act = operations.lift_blocks(panel.picked, by=request.user)
    return f"{lifted(len(panel.picked))} {comes_back(back)}", act


def rename(request: PageRequest, panel: Panel) -> Told | None:
    operations.rename_block_list(
        panel.noun, panel.said("name", ""), by=request.user, purpose=panel.said("purpose", panel.noun.purpose)
    )
    return _("The list is called %(name)s.") % {"name": panel.noun.name}, None


def end(request: PageRequest, panel: Panel) -> Told | None:
    """Gives all that stands in a list the same end."""
    try:
        many = operations.end_block_list(panel.noun, ends_of(panel.ends, panel.home), by=request.user)
    except operations.BadWindow as refusal:
        refusal.field = "ends"
        raise
    n = len(many.blocks)
    if (ends_at := many.blocks[0].ends_at if many.blocks else None) is None:
        return ngettext("%(n)d block ends never.", "%(n)d blocks end never.", n) % {"n": n}, many.act
    with clock_of(request.user, panel.home):
        told = {"n": n, "time": moment(ends_at, year=True)}
    return ngettext("%(n)d block ends on %(time)s.", "%(n)d blocks end on %(time)s.", n) % told, many.act


LIST_ACTS: dict[str, Press] = {
    "exempt": exempt, "take_over": take_over, "lift": lift_all, "rename": rename, "end": end,
}  # fmt: skip


@rule("desk.read")
@require_http_methods(["GET", "POST"])
def block_list(request: PageRequest, market: str, pk: int) -> HttpResponse:
    """What stands in a list; POST renames it, ends or lifts all of it, exempts the market from it, or ends that."""
    home, now = market_for(request.user, market), timezone.now()
    listed = list_for(home, pk)
    typed = {name: request.POST[name].replace("\0", " ") for name in LIST_FIELDS if name in request.POST}
    panel = Panel(home, request.user, now, "list", listed, typed)
    if request.method != "POST":
        return page(request, home, panel, block_list=listed)
    market_for(request.user, market, "block.edit_channel")
    press = LIST_ACTS.get(request.POST.get("press", ""))
    if press is None:
        panel.refusal = Refusal(_("Say what is to be done."))
        return page(request, home, panel, block_list=listed, status=422)
    try:
        told = press(request, panel)
    except Refusal as refusal:
        panel.refusal = refusal
        return page(request, home, panel, block_list=listed, status=refusal.status)
    if told is None:
        return page(request, home, panel, block_list=listed)
    words, act = told
    tell(request, words, undo=undo_of(act))
    return done(request, reverse("block-list", args=[home.code, pk]))


@rule("block.edit_channel")
@require_http_methods(["GET", "POST"])
def new_block_list(request: PageRequest, market: str) -> HttpResponse:
    """An empty list; it is filled by bringing blocks into it."""
    home = market_for(request.user, market, "block.edit_channel")
    typed = {name: request.POST[name] for name in ("name", "purpose", "scope") if name in request.POST}
    panel = Panel(home, request.user, timezone.now(), "new_list", typed=typed)
    if request.method != "POST":
        return page(request, home, panel)
    try:
        where = entry_of({"value": "list", "kind": "term", "scope": panel.scope}, home)
        made = operations.add_block_list(
            panel.said("name", ""), by=request.user, purpose=panel.said("purpose", ""), channel=where.channel,
            market=where.market,
        )  # fmt: skip
    except Refusal as refusal:
        panel.refusal = refusal
        return page(request, home, panel, status=refusal.status)
    return done(request, reverse("bring-blocks", args=[home.code]) + f"?list={made.pk}")
