"""Lists as sheets: CSV that leads bring in from their spreadsheets or paste, and CSV that no spreadsheet takes for
formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import tablib
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from regions.problems import Refusal

BOM = "\ufeff"
FORMULAS = "=+-@\t\r＝＋－＠"
MOST_ROWS, MOST_BYTES = 10_000, 5_000_000
SEPARATORS = (";", "\t", ",")
# What Windows writes where it does not write Unicode, by the language of its people.
OLD_ENCODINGS = {"el": "cp1253", "hr": "cp1250", "ro": "cp1250"}
OTHER_OLD_ENCODING = "cp1252"


class BadSheet(Refusal):
    """What someone brought cannot be read as a list."""

    code = "bad_sheet"
    detail = _("This is no list that can be read.")


@dataclass(frozen=True)
class Row:
    """One row as it was brought: its line in the file, from 1, and its cells by the name of the column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """What was brought. `encoding` is told where it is not Unicode; `unknown`: columns that nobody asked for."""

    rows: list[Row]
    encoding: str = ""
    unknown: tuple[str, ...] = ()


def decoded(brought: bytes, language: str = "") -> tuple[str, str]:
    """The text of a file, and its encoding where it is not Unicode.

    Raises BadSheet where it is too large, or no text."""
    if len(brought) > MOST_BYTES:
        raise BadSheet(_("At most %(n)d MB at once.") % {"n": MOST_BYTES // 1_000_000}, field="file")
    if brought[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _text(brought, "utf-16"), ""
    try:
        return _text(brought, "utf-8-sig"), ""
    except BadSheet:
        old = OLD_ENCODINGS.get(language, OTHER_OLD_ENCODING)
        return _text(brought, old), old


def _text(brought: bytes, encoding: str) -> str:
    try:
        text = brought.decode(encoding)
    except UnicodeError as error:
        raise BadSheet(_("The file is no text. Save it as CSV (UTF-8)."), field="file") from error
    if "\0" in text:
        raise BadSheet(_("The file is no text. Save it as CSV (UTF-8)."), field="file")
    return text


def read(text: str, columns: Sequence[str], *, encoding: str = "") -> Sheet:
    """The rows of a CSV whose head names some of `columns`, the first of them at least; without such a head every
    line is one entry of the first column, whatever stands in it. Empty lines are left out.

    Separators are commas, semicolons or tabs, as most of the first lines have them. Raises BadSheet."""
    text, first = _without_mark(text)
    cells = _cells(text, first)
    heads = [head.strip().lower() for head in cells[0][1]] if cells else []
    if columns[0] in heads:
        rows = [Row(line, _named(heads, row)) for line, row in cells[1:]]
        return Sheet(_some(rows), encoding, tuple(head for head in heads if head and head not in columns))
    lines = enumerate(text.splitlines(), first)
    return Sheet(
        _some([Row(line, {columns[0]: unescaped(words.strip())}) for line, words in lines if words.strip()]), encoding
    )


def _without_mark(text: str) -> tuple[str, int]:
    """The text without the marks that spreadsheets put first, and the number of its first line."""
    text = text.lstrip(BOM)
    if text[:4].lower() == "sep=":
        return text.partition("\n")[2], 2
    return text, 1


def _some(rows: list[Row]) -> list[Row]:
    if not rows:
        raise BadSheet(_("There is nothing in it."), field="file")
    if len(rows) > MOST_ROWS:
        raise BadSheet(_("At most %(n)d rows at once.") % {"n": MOST_ROWS}, field="file")
    return rows


def _cells(text: str, first: int) -> list[tuple[int, list[str]]]:
    """The lines that hold something, with their number."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator_of(text))
    found: list[tuple[int, list[str]]] = []
    line = first
    try:
        for row in reader:
            found += [(line, row)] if any(cell.strip() for cell in row) else []
            line = first + reader.line_num
    except csv.Error as error:
        raise BadSheet(_("Line %(n)d cannot be read.") % {"n": line}, field="file") from error
    return found


def separator_of(text: str) -> str:
    """The separator that most of the first lines hold; a comma where none does."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    held = {mark: sum(mark in line for line in lines) for mark in SEPARATORS}
    most = max(SEPARATORS, key=lambda mark: held[mark])
    return most if held[most] else ","


def _named(heads: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    named = zip(heads, row, strict=False)
    return {head: unescaped(cell.strip()) for head, cell in named if head}


def unescaped(cell: str) -> str:
    """Without the apostrophe that `plain` puts before a formula: a list comes back as it went."""
    return cell[1:] if cell[:1] == "'" and plain(cell[1:]) == cell else cell


def plain(cell: Any) -> str:
    """A cell that stays text: what a spreadsheet would take for a formula gets an apostrophe before it."""
    text = str(cell)
    first = text.lstrip(" \u00a0\u200b\u200e\u200f\ufeff\u2066\u2067\u2068\n")[:1]
    return f"'{text}" if first and first in FORMULAS else text


def written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV for spreadsheets: Unicode with its mark, commas, a head, no formulas."""
    sheet = tablib.Dataset(headers=list(columns))
    sheet.extend([[plain("" if cell is None else cell) for cell in row] for row in rows])
    return BOM + str(sheet.export("csv"))


def answer(name: str, sheet: str) -> HttpResponse:
    """A sheet to be kept as a file, as in tickerdesk-people-de.csv."""
    response = HttpResponse(sheet, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tickerdesk-{name}.csv"'
    return response
