"""A market's sources as a sheet, in and out: what goes out can come in again."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.sourcing import keeping
from curation.sourcing.listing import Row
from curation.sourcing.values import folded, kind_of
from curation.sourcing.wishes import KINDS, AlreadyListed, Ground, Wish, place_of
from regions import sheets
from regions.models import Source
from regions.numbers import whole
from regions.problems import Refusal
from regions.views.bringing import Brought

COLUMNS = ("value", "kind", "scope", "category", "name", "trust")
HELP: Sequence[tuple[str, str | Promise]] = (
    ("value", gettext_lazy("@name, the address of an account or a list, a list's number, or a search")),
    ("kind", gettext_lazy("account, list, search or stream; without it what the value looks like")),
    ("scope", gettext_lazy("channel, market or global; without it channel where a category stands, else market")),
    ("category", gettext_lazy("the category's slug, such as politics")),
    ("name", gettext_lazy("what people call it")),
    ("trust", gettext_lazy("0 to 100, by default 50")),
)


class Checking:
    """Rows of one sheet, against the list and against each other."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.met: dict[tuple[object, ...], int] = {}

    def all(self, rows: Sequence[sheets.Row]) -> list[Brought]:
        return [self._one(row) for row in rows]

    def _one(self, row: sheets.Row) -> Brought:
        cells = row.cells
        words = cells.get("name") or cells.get("value", "")
        try:
            source = self.ground.understood(wish_of(row))
        except AlreadyListed as known:
            return Brought(row, f"{words} · {known.detail}", known=True)
        except Refusal as refusal:
            return Brought(row, words, refusal=refusal.detail)
        except PermissionDenied:
            return Brought(row, words, refusal=_("Only the chief lists what holds for all markets."))
        twin = self.met.setdefault(key_of(source), row.line)
        if twin != row.line:
            return Brought(row, words, refusal=_("The same stands in line %(n)d.") % {"n": twin})
        return Brought(row, told(source), entry=source)


def key_of(source: Source) -> tuple[object, ...]:
    return source.kind, folded(source.kind, source.value), source.market_id, source.channel_id


def told(source: Source) -> str:
    """As the preview names it: kind, value, name, place."""
    parts = (str(KINDS[source.kind]), source.value, source.name, place_of(source))
    return " · ".join(part for part in parts if part)


def wish_of(row: sheets.Row) -> Wish:
    """Raises Refusal for a trust that is no number."""
    cells = {name: cell for name, cell in row.cells.items() if cell}
    value, category = cells.get("value", ""), cells.get("category", "").lower()
    trust = whole(cells.get("trust", "50"), 999)
    if trust is None:
        raise Refusal(_("From %(least)d to %(most)d.") % {"least": 0, "most": 100}, field="trust")
    return Wish(
        kind=cells.get("kind", "").lower() or kind_of(value),
        value=value,
        scope=cells.get("scope", "").lower() or ("channel" if category else "market"),
        category=category,
        name=cells.get("name", ""),
        trust=trust,
    )


def taken(ground: Ground, entries: list[Source]) -> int:
    """Lists what was checked, all or none."""
    return keeping.add_many(entries, by=ground.by)


def written(rows: Sequence[Row]) -> str:
    """The list as CSV, with the columns that are read."""
    return sheets.written(COLUMNS, (cells_of(row.source) for row in rows))


def cells_of(source: Source) -> tuple[object, ...]:
    category = source.channel.category if source.channel else source.category
    return source.value, source.kind, source.scope, category.slug if category else "", source.name, source.trust
