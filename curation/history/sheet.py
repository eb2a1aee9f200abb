"""The log as a sheet: CSV, row by row, that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from curation.history.asked import Asked
from curation.history.lines import Line, Tied, details, known_to, logged, take_back
from curation.history.reading import Place, after, newest_first
from curation.history.said import because, stood, turns
from curation.models import Decision
from regions.models import Market, User
from regions.sheets import BOM, plain

HEADS = (
    _("Time"), _("Market"), _("Category"), _("Person"), _("What"), _("Reason"), _("State before"), _("State after"),
    _("Changes"), _("Details"), _("Note"), _("Link"), _("Number at X"), _("Number here"), _("Version"), _("Act"),
    _("Decision"), _("Takes back act"), _("Taken back by act"),
)  # fmt: skip
AT_ONCE = 1000


def rows(asked: Asked, market: Market, user: User, language: str) -> Iterator[str]:
    """The sheet in parts, newest first: its head, then a thousand decisions at a time, all in one language. Times in
    the market's zone."""
    with translation.override(language):
        head = written([HEADS])
    yield BOM + head
    place: Place | None = None
    zone = ZoneInfo(market.time_zone)
    while True:
        ids = list(after(newest_first(asked.rows()), place).values_list("pk", "at")[:AT_ONCE])
        if not ids:
            return
        with translation.override(language), timezone.override(zone):
            part = written(cells([pk for pk, _time in ids], user, zone))
        yield part
        place = Place(ids[-1][1], ids[-1][0])


def cells(ids: list[int], user: User, zone: ZoneInfo) -> Iterator[list[Any]]:
    found = logged().in_bulk(ids)
    lines = [Line(found[pk]) for pk in ids]
    known, tied = known_to(lines), Tied(lines, user)
    take_back(lines, Decision.objects.all())
    for line in lines:
        its = line.decision
        reason = because(its.verb, its.reason)
        yield [
            local(its.at, zone),
            its.market.name,
            its.channel.category.name,
            line.by.shown_name if line.by else "",
            line.said,
            reason,
            stood(its.before),
            stood(its.after),
            "; ".join(str(turn) for turn in turns(its.before, its.after, known) if turn.name),
            "; ".join(told for told in (*details(line), *tied.of(line)) if told != reason),
            line.act.note.words if hasattr(line.act, "note") else "",
            f"https://x.com/i/status/{its.current_id}",
            its.current_id,
            its.candidate_id,
            its.version,
            its.act_id,
            its.pk,
            line.act.undoes_id or "",
            line.undone.pk if line.undone else "",
        ]


def local(at: datetime, zone: ZoneInfo) -> str:
    """ISO 8601 with the zone's offset, to the millisecond."""
    return at.astimezone(zone).isoformat(timespec="milliseconds")


def written(rows: Any) -> str:
    sheet = io.StringIO()
    csv.writer(sheet).writerows([plain(cell) for cell in row] for row in rows)
    return sheet.getvalue()


def name_of(market: Market, first: date | None, last: date | None, today: date) -> str:
    """The file's name: market and range."""
    if first and last:
        told = f"{first}_{last}"
    elif first:
        told = f"{first}_{today}"
    else:
        told = f"until_{last or today}"
    return f"tickerdesk-log-{market.code}-{told}.csv"
