"""A market's sources as a sheet, in and out: what goes out can come in again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.sourcing import keeping
from curation.sourcing.listing import Row
from curation.sourcing.values import folded, kind_of
from curation.sourcing.wishes import KINDS, LONGEST, SHORTEST, AlreadyListed, Ground, Wish, bounded, place_of
from regions import sheets
from regions.models import Source
from regions.numbers import whole
from regions.problems import Refusal
from regions.views.bringing import Brought

COLUMNS = (
    "value", "kind", "scope", "category", "name", "trust", "least_seconds", "most_seconds", "auto_approve", "paused",
)  # fmt: skip
YES, NO = ("yes", "true", "1"), ("", "no", "false", "0")
HELP: Sequence[tuple[str, str | Promise]] = (
    ("value", gettext_lazy("@name, the address of an account or a list, a list's number, or a search")),
    ("kind", gettext_lazy("account, list, search or stream; without it what the value looks like")),
    ("scope", gettext_lazy("channel, market or global; without it channel where a category stands, else market")),
    ("category", gettext_lazy("the category's slug, such as politics")),
    ("name", gettext_lazy("what people call it")),
    ("trust", gettext_lazy("0 to 100, by default 50")),
    ("least_seconds", gettext_lazy("read at most every so many seconds, by default 60")),
    ("most_seconds", gettext_lazy("read at least every so many seconds, by default 1800")),
    (
        "auto_approve",
        gettext_lazy("yes where its posts go live with nobody looking: a single account with a name alone"),
    ),
    ("paused", gettext_lazy("why it is not read; empty where it is")),
)


class Checking:
    """Rows of one sheet, against the list and against each other."""

    def __init__(self, ground: Ground, now: datetime) -> None:
        self.ground, self.now = ground, now
        self.met: dict[tuple[object, ...], int] = {}

    def all(self, rows: Sequence[sheets.Row]) -> list[Brought]:
        return [self._one(row) for row in rows]

    def _one(self, row: sheets.Row) -> Brought:
        cells = row.cells
        words = cells.get("name") or cells.get("value", "")
        try:
            source = self.ground.understood(wish_of(row))
            if reason := cells.get("paused", ""):
                source.paused_at, source.paused_reason = self.now, keeping.reason_in(reason)
        except AlreadyListed as known:
            return Brought(row, f"{words} · {known.detail}", known=True)
        except Refusal as refusal:
            return Brought(row, words, refusal=refusal.detail)
        except PermissionDenied:
            return Brought(row, words, refusal=_("Only the chief lists what holds for all markets."))
        twin = self.met.setdefault(key_of(source), row.line)
        if twin != row.line:
            return Brought(row, words, refusal=_("The same stands in line %(n)d.") % {"n": twin})
        return Brought(row, " · ".join(filter(None, (told(source), self.ground.beside(source)))), entry=source)


def key_of(source: Source) -> tuple[object, ...]:
    return source.kind, folded(source.kind, source.value), source.market_id, source.channel_id


def told(source: Source) -> str:
    """As the preview names it: kind, value, name, place, and what is not as with others."""
    ruled = _("approved by itself: goes live with nobody looking") if source.auto_approve else ""
    paused = _("paused: %(why)s") % {"why": source.paused_reason} if source.paused_at else ""
    parts = (str(KINDS[source.kind]), source.value, source.name, place_of(source), ruled, paused)
    return " · ".join(part for part in parts if part)


def wish_of(row: sheets.Row) -> Wish:
    """Raises Refusal for what is no number, no yes and no no."""
    cells = {name: cell for name, cell in row.cells.items() if cell}
    value, category = cells.get("value", ""), cells.get("category", "").lower()
    return Wish(
        kind=cells.get("kind", "").lower() or kind_of(value),
        value=value,
        scope=cells.get("scope", "").lower() or ("channel" if category else "market"),
        category=category,
        name=cells.get("name", ""),
        trust=number(cells.get("trust", str(Wish.trust)), "trust", 0, 100),
        least_seconds=number(cells.get("least_seconds", str(Wish.least_seconds)), "least_seconds", SHORTEST, LONGEST),
        most_seconds=number(cells.get("most_seconds", str(Wish.most_seconds)), "most_seconds", SHORTEST, LONGEST),
        auto_approve=yes_in(cells.get("auto_approve", "")),
    )


def number(cell: str, field: str, least: int, most: int) -> int:
    read = whole(cell, 10**9 - 1)
    return bounded(-1 if read is None else read, least, most, field)


def yes_in(cell: str) -> bool:
    if cell.lower() not in YES + NO:
        raise Refusal(_("Yes or no."), field="auto_approve")
    return cell.lower() in YES


def taken(ground: Ground, entries: list[Source]) -> int:
    """Lists what was checked, all or none."""
    return keeping.add_many(entries, by=ground.by)


def written(rows: Sequence[Row]) -> str:
    """The list as CSV, with the columns that are read. Erased accounts have nothing that could come in again."""
    return sheets.written(COLUMNS, (cells_of(row.source) for row in rows if not row.source.erased))


def cells_of(source: Source) -> tuple[object, ...]:
    category = source.channel.category if source.channel else source.category
    return (
        source.value, source.kind, source.scope, category.slug if category else "", source.name, source.trust,
        source.least_seconds, source.most_seconds, "yes" if source.auto_approve else "", paused_cell(source),
    )  # fmt: skip


def paused_cell(source: Source) -> str:
    """Why it is not read, as it can be read again. A pause that ends by itself stays where it is."""
    if source.paused_at is None or source.paused_until:
        return ""
    return " ".join(source.paused_reason.split())[: keeping.LONGEST_REASON].strip() or "paused"
