"""Sources as a sheet: pasted or brought as CSV with an error for each row, and taken out again."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

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
    slow, now = {"least_seconds": 600, "most_seconds": 7200}, timezone.now()
    for fields in (
        {"kind": "account", "value": "rathaus", "name": "=Rat;haus", "channel": de_politics, "trust": 70}
        | {"auto_approve": True},
        {"kind": "search", "value": '-"Quiz" landtag, rat', "market": de_politics.market, "category": sport, **slow},
        {"kind": "list", "value": "12", "name": "Faktenprüfer", "paused_at": now, "paused_reason": "Ruht, bis  Mai"},
    ):
        Source.objects.create(**fields)
    answer = browse(lena).get(OUT)
    assert answer["Content-Disposition"] == 'attachment; filename="tickerdesk-sources-de.csv"'
    text = answer.content.decode()
    assert [tuple(row.cells[name] for name in COLUMNS) for row in sheets.read(text, COLUMNS).rows] == [
        ("rathaus", "account", "channel", "politics", "=Rat;haus", "70", "60", "1800", "yes", ""),
        ('-"Quiz" landtag, rat', "search", "market", "sport", "", "50", "600", "7200", "", ""),
        ("12", "list", "global", "", "Faktenprüfer", "50", "60", "1800", "", "Ruht, bis Mai"),
    ]
    assert "0 new entries · 3 there already" in text_of(browse(lena).post(BRING, {"text": text}))
    Source.ever.all().delete()
    said = text_of(browse(chief).post(BRING, {"text": text}))
    assert "=Rat;haus · DE Politics · approved by itself: goes live with nobody looking" in said
    assert "Faktenprüfer · Global · paused: Ruht, bis Mai" in said
    browse(chief).post(BRING, {"text": text, "take": "yes"})
    assert browse(lena).get(OUT).content.decode() == text
    paused = Source.objects.get(value="12")
    assert Source.objects.running().filter(pk=paused.pk).exists() is False
    told = Change.objects.order_by("pk").values_list("verb", "after__auto_approve", "after__reason")
    assert list(told) == [
        ("add", True, None),
        ("add", None, None),
        ("add", None, None),
        ("pause", None, "Ruht, bis Mai"),
    ]


def test_a_sheet_may_no_more_than_the_form(browse: Any, lena: User) -> None:
    rows = [
        "value;kind;name;least_seconds;most_seconds;auto_approve;paused",
        "rat lang:de;search;Rat;;;yes;",
        "@eins;account;;;;yes;",
        "@zwei;account;Zwei;9;;;",
        "@drei;account;Drei;60;30;;",
        "@vier;account;Vier;bald;;;",
        "@fuenf;account;Fünf;;;vielleicht;",
        f"@sechs;account;Sechs;;;;{'x' * 201}",
        "@sieben;account;Sieben;;;no;",
    ]
    page = browse(lena).post(BRING, {"text": "\n".join(rows), "take": "yes", "leave_out": "on"})
    assert (page.status_code, list(Source.objects.values_list("value", "auto_approve"))) == (302, [("sieben", False)])
    found = re.findall(
        r'<span class="danger">(.*?)</span>', browse(lena).post(BRING, {"text": "\n".join(rows)}).content.decode()
    )
    assert found == [
        "Only a single account can be approved by itself.",
        "Say whose account it is before it is approved by itself.",
        "From 10 to 86400.",
        "The longest time is shorter than the shortest.",
        "From 10 to 86400.",
        "Yes or no.",
        "Say why, in one line of at most 200 characters.",
    ]


def test_who_reads_the_same_is_told_in_the_preview(browse: Any, lena: User, de_politics: Channel) -> None:
    Source.objects.create(kind="account", value="DeltaDienst", channel=de_politics)
    said = text_of(browse(lena).post(BRING, {"text": "value;category\n@DELTADIENST;sport\n@anders;sport"}))
    assert "Account · DELTADIENST · DE Sport · DE Politics reads it already." in said
    assert said.count("reads it already") == 1


def test_ten_thousand_rows_take_no_more_statements(browse: Any, lena: User, django_assert_max_num_queries: Any) -> None:
    text = "value,kind,scope,category\n" + "".join(f"blatt_{n},account,channel,politics\n" for n in range(10_000))
    client = browse(lena)
    with django_assert_max_num_queries(60):
        assert client.post(BRING, {"text": text, "take": "yes"}).status_code == 302
    assert (Source.objects.count(), Change.objects.count()) == (10_000, 10_000)
