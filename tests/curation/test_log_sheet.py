"""The log as a sheet: what it holds, no formulas, its name, and rows that are never all held at once."""

import csv
import gc
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from curation import operations
from curation.history import sheet
from curation.history.asked import Asked
from curation.models import Act, Decision, State
from regions.models import Channel, Market, User
from tests.cast import make_candidate

SHEET = "/log/de/sheet.csv"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROWS = 6000


def read(response: Any) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_it_holds_what_the_page_shows(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Der Rat tagt")
    act = operations.approve(candidate, by=anna, version=1, context="Satz", note="Notiz, „lang“", now=NOW).act
    back = operations.undo(act, by=lena, now=NOW + timedelta(minutes=1)).act
    response = browse(lena).get(SHEET, {"from": "2026-11-20", "to": "2026-11-21"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="tickerdesk-log-de-2026-11-20_2026-11-21.csv"'
    undone, row = read(response)
    assert back is not None
    assert (undone["What"], undone["Takes back act"]) == ("taken back", str(act.pk))
    assert undone["Details"] == "was: approved by Anna Amsel, November 20, 13:00"
    assert row == {
        "Time": "2026-11-20T13:00:00.000+01:00", "Market": "Germany", "Category": "Politics", "Person": "Anna Amsel",
        "What": "approved", "Reason": "", "State before": "pending", "State after": "approved",
        "Changes": "context: none → “Satz”", "Details": "", "Note": "Notiz, „lang“",
        "Link": f"https://x.com/i/status/{candidate.tweet.current_id}",
        "Number at X": str(candidate.tweet.current_id), "Number here": str(candidate.pk), "Version": "2",
        "Act": str(act.pk), "Decision": str(Decision.objects.earliest("pk").pk), "Takes back act": "",
        "Taken back by act": str(back.pk),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "head", "words"),
    [
        ("de", {"Markt", "Ressort", "Person", "Was", "Grund"}, ["Deutschland", "Politik", "gesperrt", "Spam"]),
        ("hr", {"Tržište", "Rubrika", "Osoba", "Radnja", "Razlog"}, ["Njemačka", "Politika", "blokirano", "spam"]),
    ],
)
def test_all_of_it_is_in_the_reader_s_language(
    language: str, head: set[str], words: list[str], browse: Any, lena: User, anna: User, de_politics: Channel
) -> None:
    User.objects.filter(pk=lena.pk).update(language=language)
    operations.block(make_candidate(de_politics), by=anna, version=1, reason="spam", now=NOW)
    (row,) = read(browse(User.objects.get(pk=lena.pk)).get(SHEET))
    with translation.override(language):
        heads = [str(told) for told in sheet.HEADS]
        states = [State.PENDING.label, State.BLOCKED.label]
    told = list(row.values())
    assert (list(row), head - set(row)) == (heads, set())
    assert (told[1:3] + told[4:6], told[6:8]) == (words, states)
    assert told[9] == "", "a reason stands once"


def test_it_holds_no_text_of_posts(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    operations.approve(make_candidate(de_politics, "Der Rat tagt"), by=anna, version=1)
    assert "Der Rat" not in b"".join(browse(lena).get(SHEET).streaming_content).decode()


def test_filters_apply_and_bad_ones_are_told_on_the_page(
    browse: Any, lena: User, anna: User, ben: User, de_politics: Channel
) -> None:
    for who in (anna, ben):
        operations.approve(make_candidate(de_politics), by=who, version=1)
    assert [row["Person"] for row in read(browse(lena).get(SHEET, {"who": "ben"}))] == ["Ben Buche"]
    assert browse(lena).get(SHEET, {"from": "x"}).url == "/log/de/?from=x"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("led", ["", " ", "\u200b", "\n"])
def test_no_cell_begins_a_formula(sign: str, led: str) -> None:
    assert sheet.plain(f"{led}{sign}cmd") == f"'{led}{sign}cmd"


@pytest.mark.parametrize("cell", ["", "Satz", "a=b", "'=x", 17, "→ x", "2026-11-20T13:00:00+01:00"])
def test_other_cells_stay_as_they_are(cell: Any) -> None:
    assert sheet.plain(cell) == str(cell)


def test_names_and_notes_cannot_become_formulas(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    anna.first_name, anna.last_name = "=HYPERLINK(1)", ""
    anna.save()
    operations.approve(make_candidate(de_politics), by=anna, version=1, note="@SUM(A1)", context="+1")
    (row,) = read(browse(lena).get(SHEET))
    assert (row["Person"], row["Note"]) == ("'=HYPERLINK(1)", "'@SUM(A1)")


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        (None, None, "until_2026-11-22"),
        (date(2026, 11, 1), None, "2026-11-01_2026-11-22"),
        (None, date(2026, 11, 5), "until_2026-11-05"),
        (date(2026, 11, 1), date(2026, 11, 5), "2026-11-01_2026-11-05"),
    ],
)
def test_its_name_tells_market_and_range(first: date | None, last: date | None, name: str) -> None:
    assert sheet.name_of(Market(code="nl"), first, last, date(2026, 11, 22)) == f"tickerdesk-log-nl-{name}.csv"


@pytest.fixture
def many(anna: User, de_politics: Channel) -> int:
    """Decisions of one act, a second apart."""
    act = Act.objects.create(verb="block", by=anna, at=NOW)
    candidate = make_candidate(de_politics)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO curation_decision (act_id, candidate_id, channel_id, market_id, verb, by_id, at, reason,"
            " version, current_id, text_hash, before, after) SELECT %s, %s, %s, %s, 'block', %s,"
            " %s::timestamptz + n * interval '1 second', 'spam', n + 1, n, '', '{\"state\": \"pending\"}',"
            ' \'{"state": "blocked"}\' FROM generate_series(1, %s) n',
            [act.pk, candidate.pk, de_politics.pk, de_politics.market_id, anna.pk, NOW, ROWS],
        )
    return ROWS


def test_rows_are_read_as_they_are_sent_and_let_go(lena: User, de_politics: Channel, many: int) -> None:
    parts = sheet.rows(Asked([de_politics.market]), de_politics.market, lena, "en")
    next(parts)
    rows: list[list[str]] = []
    with CaptureQueriesContext(connection) as queries:
        rows += csv.reader([*next(parts).splitlines()])
        of_one_part = len(queries)
        held = []
        for part in parts:
            rows += csv.reader(part.splitlines())
            held.append(sum(type(one) is Decision for one in gc.get_objects()))
    assert [int(row[14]) for row in rows] == list(range(many + 1, 1, -1))
    assert max(held) <= sheet.AT_ONCE
    assert len(queries) <= of_one_part * (many // sheet.AT_ONCE) + 1
