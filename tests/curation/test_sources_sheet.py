"""Sources as a sheet: pasted or brought as CSV with an error for each row, and taken out again."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from curation.sourcing.sheet import COLUMNS
from regions import sheets
from regions.models import Category, Change, Channel, Source, User
from tests.cast import channel_of
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db
BRING, OUT = "/lists/de/sources/bring/", "/lists/de/sources/sheet.csv"
SHEET = (
    "value;kind;scope;category;name;trust\n"
    "@rathaus;account;channel;politics;Rathaus;70\n"
    "landtag lang:de;search;market;;Landtag;\n"
    "@neu;;;sport;;\n"
)


def test_pasted_lines_say_what_they_are(browse: Any, lena: User) -> None:
    lines = "@rathaus\nhttps://x.com/i/lists/1500000000000000000\nlandtag (rat OR kreis)\n"
    page = browse(lena).post(BRING, {"text": lines})
    said = text_of(page)
    for words in ("Account · rathaus · DE", "List · 1500000000000000000 · DE", "Search · landtag (rat OR kreis) · DE"):
        assert words in said
    assert not Source.objects.exists()
    browse(lena).post(BRING, {"text": lines, "take": "yes"})
    assert sorted(Source.objects.values_list("kind", "value", "market__code")) == [
        ("account", "rathaus", "de"),
        ("list", "1500000000000000000", "de"),
        ("search", "landtag (rat OR kreis)", "de"),
    ]
    assert Change.objects.filter(verb="add", by=lena).count() == 3


def test_a_sheet_from_excel_is_taken_whole(browse: Any, lena: User, de_politics: Channel) -> None:
    file = SimpleUploadedFile("quellen.csv", SHEET.encode("cp1252"))
    page = browse(lena).post(BRING, {"file": file})
    assert "3 new entries" in text_of(page)
    browse(lena).post(BRING, {"text": SHEET, "take": "yes"})
    source = Source.objects.get(value="rathaus")
    assert (source.channel, source.name, source.trust, source.created_by) == (de_politics, "Rathaus", 70, lena)
    assert Source.objects.get(value="neu").channel == channel_of("de", "sport")


def test_each_wrong_row_says_why_and_nothing_is_half_taken(browse: Any, lena: User, de_politics: Channel) -> None:
    Source.objects.create(kind="account", value="Rathaus", channel=de_politics)
    wrong = ["(rat;search", "@a b;account", "@x;account;global", "@y;account;channel;weather"]
    rows = SHEET + "\n".join([*wrong, "@z;account;market;;;viel", "@NEU;account;channel;sport"])
    page = browse(lena).post(BRING, {"text": rows, "take": "yes"})
    said = text_of(page)
    assert (page.status_code, Source.objects.count()) == (422, 1)
    for words in (
        "A bracket is opened and not closed.",
        "This is no account at X.",
        "Only the chief lists what holds for all markets.",
        "There is no such category.",
        "From 0 to 100.",
        "The same stands in line 4.",
        "“@Rathaus” stands in the list already: DE Politics.",
        "2 new entries · 1 there already · 6 wrong rows",
    ):
        assert words in said
    browse(lena).post(BRING, {"text": rows, "take": "yes", "leave_out": "on"})
    assert Source.objects.count() == 3


def test_what_goes_out_can_come_in_again(browse: Any, lena: User, chief: User, de_politics: Channel) -> None:
    sport = Category.objects.get(slug="sport")
    for fields in (
        {"kind": "account", "value": "rathaus", "name": "=Rat;haus", "channel": de_politics, "trust": 70},
        {"kind": "search", "value": '-"Quiz" landtag, rat', "market": de_politics.market, "category": sport},
        {"kind": "list", "value": "12", "name": "Faktenprüfer"},
    ):
        Source.objects.create(**fields)
    answer = browse(lena).get(OUT)
    assert answer["Content-Disposition"] == 'attachment; filename="tickerdesk-sources-de.csv"'
    text = answer.content.decode()
    assert [tuple(row.cells[name] for name in COLUMNS) for row in sheets.read(text, COLUMNS).rows] == [
        ("rathaus", "account", "channel", "politics", "=Rat;haus", "70"),
        ('-"Quiz" landtag, rat', "search", "market", "sport", "", "50"),
        ("12", "list", "global", "", "Faktenprüfer", "50"),
    ]
    assert "0 new entries · 3 there already" in text_of(browse(lena).post(BRING, {"text": text}))
    Source.ever.all().delete()
    browse(chief).post(BRING, {"text": text, "take": "yes"})
    assert browse(lena).get(OUT).content.decode() == text


def test_ten_thousand_rows_take_no_more_statements(browse: Any, lena: User, django_assert_max_num_queries: Any) -> None:
    text = "value,kind,scope,category\n" + "".join(f"blatt_{n},account,channel,politics\n" for n in range(10_000))
    client = browse(lena)
    with django_assert_max_num_queries(60):
        assert client.post(BRING, {"text": text, "take": "yes"}).status_code == 302
    assert (Source.objects.count(), Change.objects.count()) == (10_000, 10_000)
