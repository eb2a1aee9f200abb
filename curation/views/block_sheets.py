"""Blocks as sheets: brought in and tried together before they are laid, and taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from curation import operations
from curation.blocking.entries import COLUMNS, HELP, brought, rows_of
from curation.blocking.together import Wide, still_as, try_together
from curation.operations.blocking import Entry
from curation.places import clock_of
from curation.views.block_lists import list_for
from curation.views.blocks import listing_of, undo_of, withdrawn
from regions import sheets
from regions.models import Block, BlockList, Market
from regions.numbers import whole
from regions.permissions import market_for, rule
from regions.requests import PageRequest
from regions.views.bringing import Bringing, Brought, Foreseen, Taken, bring


def asked_list(request: PageRequest, home: Market) -> BlockList | None:
    pk = whole(request.GET.get("list", ""))
    return list_for(home, pk) if pk else None


@rule("block.edit_market")
@require_GET
def blocks_sheet(request: PageRequest, market: str) -> HttpResponse:
    """The market's own blocks as CSV, or those of one list, in columns that can be brought in again."""
    home = market_for(request.user, market, "block.edit_market")
    listed = asked_list(request, home)
    rows = Block.objects.filter(lifted_at=None).select_related("channel__category")
    own = listing_of(request, home).channels
    if listed:
        rows = rows.filter(block_list=listed)
    else:
        rows = rows.filter(market=home, block_list=None) | rows.filter(channel__in=own, block_list=None)
    name = f"blocks-{home.code}{f'-{listed.pk}' if listed else ''}"
    return sheets.answer(name, sheets.written(COLUMNS, rows_of(rows.order_by("pk"), home)))


def taken(request: PageRequest, entries: Sequence[Entry]) -> Taken:
    many = operations.lay_blocks(entries, by=request.user)
    return Taken(len(many.blocks), undo_of(many.act), withdrawn(many.taken))


@dataclass(frozen=True)
class Trying:
    """A sheet's blocks are laid only as they were tried, all of them together."""

    now: datetime

    def foreseen(self, rows: list[Brought]) -> Foreseen:
        trial = try_together([row.entry for row in rows], self.now)
        wide = {id(one.entry): one for one in trial.wide}
        told = [told_further(row, trial.sweep.by[n], wide.get(id(row.entry))) for n, row in enumerate(rows)]
        return Foreseen(
            told, "curation/blocks/_together.html", trial, take_words(len(rows), len(trial.taken)), trial.tried
        )

    def still(self, entries: list[Any], mark: str) -> bool:
        return still_as(mark, entries, self.now)


def told_further(row: Brought, hit: int, wide: Wide | None) -> Brought:
    """A row with what it would have hit by itself."""
    words = ngettext("%(n)d hit in 7 days", "%(n)d hits in 7 days", hit) % {"n": hit} if hit else ""
    warning = _("Too wide? %(n)d of every 100 posts.") % {"n": wide.hundredths} if wide else ""
    return replace(row, about=" · ".join(filter(None, (str(row.about), words))), warning=warning)


def take_words(count: int, taken: int) -> str:
    """What the button says; empty where nothing is withdrawn."""
    return _("Take %(n)d and withdraw %(taken)d") % {"n": count, "taken": taken} if taken else ""


@rule("block.edit_market")
@require_http_methods(["GET", "POST"])
def bring_blocks(request: PageRequest, market: str) -> HttpResponse:
    """Blocks from a sheet, or pasted: each row checked, all of them laid as one act, or none."""
    home, now = market_for(request.user, market, "block.edit_market"), timezone.now()
    listed = asked_list(request, home)
    heading = _("Bring blocks into %(name)s") % {"name": listed.name if listed else home.name}
    back = reverse("block-list", args=[home.code, listed.pk]) if listed else reverse("blocks", args=[home.code])
    told = Bringing(
        heading, COLUMNS, HELP, back,
        check=lambda rows: brought(rows, home, request.user, now, listed),
        take=lambda entries: taken(request, entries),
        foresight=Trying(now),
    )  # fmt: skip
    with clock_of(request.user, home):
        return bring(request, told)
