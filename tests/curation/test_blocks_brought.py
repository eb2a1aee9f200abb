"""Blocks brought as a sheet: checked row by row, laid as one act, carried in one walk, undone as one."""

from __future__ import annotations

import time
from time import monotonic
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.blocking.entries import brought, ends_of, kind_of
from curation.models import Act, Candidate, Enforcement
from curation.operations import carrying
from curation.operations.blocking import Entry
from curation.operations.naming import BadBlock, Name, name_of
from regions import sheets
from regions.clocks import BadTime
from regions.models import Block, Change, Channel, User
from tests.cast import channel_of, make_author, make_block, make_candidate

pytestmark = pytest.mark.django_db
BRING = "/lists/de/blocks/bring/"
SHEET = """value;kind;effect;scope;reason;note;ends
Böller;term;hold;market;hate;"Silvester; laut";
@Blitz_Gewinn;;;;spam;;2030-12-31 18:00
#Wochenquiz;;;politics;off_topic;;
https://www.schnellreich.example/x;;;;;;
"""


def entries(words: list[str], **of: Any) -> list[Entry]:
    return [Entry(Name("term", word), **of) for word in words]


def taken(client: Any, text: str, address: str = BRING, **also: str) -> Any:
    """A sheet is looked at, then taken."""
    seen = client.post(address, {"text": text})
    mark = seen.context["foreseen"].mark if seen.context["foreseen"] else ""
    return client.post(address, {"text": text, "take": "yes", "mark": mark, **also})


@pytest.mark.parametrize(
    ("value", "kind"),
    [("@rat", "author"), ("https://x.com/rat", "author"), ("#rat", "hashtag"), ("rat.example", "domain"),
     ("https://rat.example/x", "domain"), ("Rat", "term"), ("3.5 Prozent", "term"),
     ("https://x.com/rat/status/19?s=20", "tweet"), ("x.com/i/status/19", "tweet")],
)  # fmt: skip
def test_a_value_says_what_kind_it_is(value: str, kind: str) -> None:
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    ("kind", "value", "named"),
    [("author", "https://x.com/Rat/status/1945", "rat"), ("tweet", "https://x.com/Rat/status/1945?s=20", "1945"),
     ("tweet", "x.com/rat/status/1945/photo/1", "1945"), ("tweet", "https://x.com/i/web/status/1945", "1945")],
)  # fmt: skip
def test_the_link_of_a_post_names_it_or_its_author(kind: str, value: str, named: str) -> None:
    assert name_of(kind, value).value == named


def test_the_link_of_a_post_without_its_author_names_none() -> None:
    with pytest.raises(BadBlock):
        name_of("author", "https://x.com/i/status/1945")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("31.12.2026 10:00", "2026-12-31T09:00"), ("31/12/2026 9:05:30", "2026-12-31T08:05"),
     ("1-7-2026", "2026-07-01T21:59"), ("31. 12. 2026.", "2026-12-31T22:59"), ("2026-12-31", "2026-12-31T22:59"),
     ("2026-12-31 18:00", "2026-12-31T17:00")],
)  # fmt: skip
def test_ends_are_read_as_spreadsheets_write_them(de_politics: Channel, written: str, meant: str) -> None:
    ends_at = ends_of(written, de_politics.market)
    assert ends_at is not None and ends_at.strftime("%Y-%m-%dT%H:%M") == meant


@pytest.mark.parametrize("written", ["31.13.2026", "12/31/2026", "31.12.26", "soon", "31.12.2026 25:00"])
def test_no_time_is_guessed(de_politics: Channel, written: str) -> None:
    with pytest.raises(BadTime):
        ends_of(written, de_politics.market)


def test_what_stands_already_in_another_way_is_told_of_a_row(lena: User, de_politics: Channel) -> None:
    market = de_politics.market
    make_block("Carlsbrücke", market=market, effect="hold")
    make_block("Wochenquiz", "hashtag")
    make_block("Wort", market=channel_of("nl", "politics").market)
    rows = [
        sheets.Row(n, {"value": word}) for n, word in enumerate(["CARLSBRUCKE", "#wochenquiz", "@nobody_here", "Wort"])
    ]
    told = [one.about.partition("without an end")[2] for one in brought(rows, market, lena, timezone.now())]
    assert told == [
        " · “Carlsbrücke” stands already: DE, all categories, holds for a second look",
        " · “#Wochenquiz” stands already: all markets, blocks",
        " · no post of this account was read so far",
        "",
    ]


def test_a_sheet_from_a_spreadsheet_is_shown_and_taken_and_goes_out_again(
    browse: Any, lena: User, de_politics: Channel
) -> None:
    client, author = browse(lena), make_author("blitz_gewinn")
    upload = {"file": SimpleUploadedFile("b.csv", SHEET.encode("cp1252"))}
    shown = client.post(BRING, upload)
    assert [row.refusal for row in shown.context["rows"]] == [""] * 4
    assert not Block.objects.exists()
    done = taken(client, SHEET)
    assert (done.status_code, done.headers["Location"]) == (302, "/lists/de/blocks/")
    told = ("kind", "value", "effect", "reason", "market__code", "channel")
    assert list(Block.objects.order_by("pk").values_list(*told)) == [
        ("term", "Böller", "hold", "hate", "de", None),
        ("author", str(author.pk), "block", "spam", "de", None),
        ("hashtag", "Wochenquiz", "block", "off_topic", None, de_politics.pk),
        ("domain", "schnellreich.example", "block", "other", "de", None),
    ]
    assert Block.objects.get(kind="author").ends_at.isoformat() == "2030-12-31T17:00:00+00:00"
    assert Act.objects.count() == 1
    out = client.get("/lists/de/blocks/sheet.csv").content.decode()
    assert '"Silvester; laut"' in out or "Silvester; laut" in out
    assert "'@blitz_gewinn" in out, "no spreadsheet takes it for a formula"
    again = client.post(BRING, {"text": out})
    assert len(again.context["known"]) == 4 and again.context["new"] == again.context["wrong"] == []


def test_wrong_rows_are_told_and_nothing_is_half_taken(browse: Any, lena: User, de_politics: Channel) -> None:
    make_block("Turm", market=de_politics.market)
    text = "value,kind,scope,reason\nTURM,,,\nNeu,,,\nneu,,,\nx,term,,\n"
    text += "y z,author,,\nWort,,global,\nWort,,mars,\nWort,,,mood\n"
    client = browse(lena)
    shown = client.post(BRING, {"text": text, "take": "yes"})
    assert (shown.status_code, Block.objects.count()) == (422, 1)
    assert [row.row.line for row in shown.context["wrong"]] == [5, 6, 7, 8, 9]
    assert [row.row.line for row in shown.context["known"]] == [2, 4], "there already, and twice in the sheet"
    taken(client, text, leave_out="on")
    assert set(Block.objects.values_list("value", flat=True)) == {"Turm", "Neu"}


def test_editors_bring_no_sheets(browse: Any, anna: User, bram: User) -> None:
    assert [browse(one).post(BRING, {"text": "Wort"}).status_code for one in (anna, bram)] == [403, 404]


def test_ten_thousand_are_one_act_and_few_queries(lena: User, de_politics: Channel) -> None:
    market = de_politics.market
    live = make_candidate(de_politics, "Das Wort w77 steht hier", state="approved")
    other = make_candidate(channel_of("nl", "politics"), "Het woord w77", state="approved")
    rows = [sheets.Row(n, {"value": f"w{n}" if n % 2 else f"@name_{n}"}) for n in range(10_000)]
    began = monotonic()
    with CaptureQueriesContext(connection) as asked:
        seen = brought(rows, market, lena, timezone.now())
    assert len(asked) < 10 and not any(one.refusal or one.known for one in seen)
    with CaptureQueriesContext(connection) as asked:
        many = operations.lay_blocks([one.entry for one in seen], by=lena)
    assert (len(many.blocks), many.known, many.taken) == (10_000, 0, 1)
    assert len(asked) < 60
    assert monotonic() - began < 60
    assert [Candidate.objects.get(pk=row.pk).state for row in (live, other)] == ["blocked", "approved"]
    assert Enforcement.objects.filter(act=many.act).count() == 10_000
    assert list(Change.objects.values_list("verb", "after__count")) == [("bring", 10_000)]
    again = operations.lay_blocks([one.entry for one in seen], by=lena)
    assert (again.blocks, again.known, again.act) == ((), 10_000, None)


def carry_to_the_end() -> None:
    """The last pass waits for every transaction of the server, those of other tests' databases too."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        operations.carry_blocks(now=timezone.now())
        if not Enforcement.objects.waiting().exists():
            return
        time.sleep(0.05)


def test_many_are_carried_in_one_walk_given_back_and_undone(
    transactional_db: None, lena: User, de_politics: Channel
) -> None:
    market, sport = de_politics.market, channel_of("de", "sport")
    waits = [make_candidate(de_politics, f"Wort w{n}") for n in range(8)]
    held, there = make_candidate(sport, "Wort h1"), make_candidate(channel_of("nl", "sport"), "Woord w1")
    asked = entries([f"w{n}" for n in range(40)], market=market)
    asked += entries([f"h{n}" for n in range(10)], market=market, effect="hold")
    many = operations.lay_blocks(asked, by=lena)
    assert len(carrying.leads()) == 1, "the first stands for all"
    carry_to_the_end()
    assert {Candidate.objects.get(pk=row.pk).state for row in waits} == {"blocked"}
    assert Candidate.objects.get(pk=held.pk).held is True
    assert Candidate.objects.get(pk=there.pk).state == "pending"
    assert not Enforcement.objects.waiting().exists()
    operations.lift_blocks(list(many.blocks)[:20], by=lena)
    carry_to_the_end()
    assert {Candidate.objects.get(pk=row.pk).state for row in waits} == {"pending"}
    assert not Enforcement.objects.waiting().exists()
    assert many.act is not None
    with CaptureQueriesContext(connection) as queries:
        undone = operations.undo(many.act, by=lena)
    assert (Block.objects.filter(lifted_at=None).count(), len(queries) < 60) == (0, True)
    operations.carry_blocks(now=timezone.now())
    assert Candidate.objects.get(pk=held.pk).held is False
    assert undone.act is not None
    operations.undo(operations_lift(lena), by=lena)
    assert Block.objects.filter(lifted_at=None).count() == 20, "what that lift alone had ended"


def operations_lift(by: User) -> Act:
    return Act.objects.filter(verb="lift", by=by).latest("pk")


def test_lifting_many_is_undone_and_live_hits_go_again(lena: User, anna: User, de_politics: Channel) -> None:
    many = operations.lay_blocks(entries([f"w{n}" for n in range(12)], channel=de_politics), by=anna)
    lifted = operations.lift_blocks(many.blocks, by=lena)
    live = make_candidate(de_politics, "Wort w7", state="approved")
    operations.undo(lifted, by=lena)
    assert Block.objects.filter(lifted_at=None).count() == 12
    assert Candidate.objects.get(pk=live.pk).state == "blocked"


def test_one_may_not_bring_wider_than_ones_rights(anna: User, de_politics: Channel) -> None:
    mixed = [*entries(["eins"], channel=de_politics), *entries(["zwei"], market=de_politics.market)]
    with pytest.raises(operations.ScopeForbidden):
        operations.lay_blocks(mixed, by=anna)
    with pytest.raises(operations.TooManyBlocks):
        operations.lay_blocks(entries(["w"] * 10_001, channel=de_politics), by=anna)
    assert not Block.objects.exists()
