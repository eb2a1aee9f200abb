"""Lists as sheets: read as spreadsheets write them, written so that none takes a cell for a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from regions import sheets

COLUMNS = ("value", "kind", "note")


def cells(text: str) -> list[dict[str, str]]:
    return [row.cells for row in sheets.read(text, COLUMNS).rows]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_head_names_the_columns_in_any_order(mark: str) -> None:
    text = mark.join(["Kind", " VALUE "]) + "\n" + mark.join(["term", "Böller"]) + "\n\n" + mark.join(["author", "@x"])
    assert cells(text) == [{"kind": "term", "value": "Böller"}, {"kind": "author", "value": "@x"}]
    assert [row.line for row in sheets.read(text, COLUMNS).rows] == [2, 4]


def test_without_a_head_every_line_is_one_entry() -> None:
    assert cells("Böller, laut\r\n\r\n  @name \nhttps://a.example/?b;c") == [
        {"value": "Böller, laut"},
        {"value": "@name"},
        {"value": "https://a.example/?b;c"},
    ]


def test_excels_first_line_is_none_of_ours() -> None:
    read = sheets.read("\ufeffsep=;\nvalue;kind\nBöller;term", COLUMNS)
    assert [(row.line, row.cells) for row in read.rows] == [(3, {"value": "Böller", "kind": "term"})]


def test_cells_may_hold_lines_and_separators() -> None:
    read = sheets.read('value,note\n"a\nb","x, y"\nc,', COLUMNS)
    assert [(row.line, row.cells) for row in read.rows] == [
        (2, {"value": "a\nb", "note": "x, y"}),
        (4, {"value": "c", "note": ""}),
    ]


def test_columns_that_nobody_asked_for_are_told() -> None:
    assert sheets.read("value,colour\na,red", COLUMNS).unknown == ("colour",)


@pytest.mark.parametrize(
    ("brought", "language", "text", "encoding"),
    [
        ("Böller".encode(), "de", "Böller", ""),
        ("\ufeffBöller".encode(), "de", "Böller", ""),
        ("Böller".encode("utf-16"), "de", "Böller", ""),
        ("Böller".encode("cp1252"), "de", "Böller", "cp1252"),
        ("Čačak šđž".encode("cp1250"), "hr", "Čačak šđž", "cp1250"),
        ("Ελλάδα".encode("cp1253"), "el", "Ελλάδα", "cp1253"),
    ],
)
def test_files_are_read_as_windows_writes_them(brought: bytes, language: str, text: str, encoding: str) -> None:
    assert sheets.decoded(brought, language) == (text, encoding)


@pytest.mark.parametrize("brought", [b"a\0b", b"\x89PNG\r\n\x1a\n\0\0", b"\xff\xfea"])
def test_what_is_no_text_is_refused(brought: bytes) -> None:
    with pytest.raises(sheets.BadSheet) as refused:
        sheets.decoded(brought)
    assert refused.value.field == "file"


@pytest.mark.parametrize("text", ["", " \n\n", "value,kind\n", "sep=;"])
def test_an_empty_list_is_refused(text: str) -> None:
    with pytest.raises(sheets.BadSheet):
        sheets.read(text, COLUMNS)


def test_ten_thousand_rows_and_no_more() -> None:
    assert len(cells("value\n" + "a\n" * 10_000)) == 10_000
    for too_many in ("value\n" + "a\n" * 10_001, "a\n" * 10_001):
        with pytest.raises(sheets.BadSheet, match="bad_sheet"):
            sheets.read(too_many, COLUMNS)
    with pytest.raises(sheets.BadSheet):
        sheets.decoded(b"a" * (sheets.MOST_BYTES + 1))


def test_a_cell_without_end_is_refused_with_its_line() -> None:
    with pytest.raises(sheets.BadSheet) as refused:
        sheets.read('value\n"' + "a" * 200_000 + '"', COLUMNS)
    assert "2" in str(refused.value.detail)


FORMULAS = ["=1+1", "+49", "-x", "@name", "\t=1", "  =1", "＝1", "\u200b=cmd"]


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(cell: str) -> None:
    assert sheets.plain(cell) == f"'{cell}"


words = some.text(some.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(
    lambda text: text == text.strip() and not text.startswith(("'", "\ufeff"))
)


@given(some.lists(some.tuples(words, words, words), min_size=1, max_size=8))
def test_what_was_written_is_read_as_it_was(rows: list[tuple[str, str, str]]) -> None:
    found = cells(sheets.written(COLUMNS, rows))
    assert [tuple(row[name] for name in COLUMNS) for row in found] == rows
