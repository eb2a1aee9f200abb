"""Named lists: renamed, given one end for all, and what the log of changes says of them and takes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Hit
from regions.models import Block, BlockExemption, BlockList, Change, Channel, User
from tests.cast import channel_of, make_block, make_candidate
from tests.curation.test_blocks_brought import entries, taken
from tests.curation.test_blocks_page import PAGE, undo_door
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def spam(de_politics: Channel) -> BlockList:
    return BlockList.objects.create(name="Werbung", purpose="Rabatte", market=de_politics.market)


def standing() -> set[tuple[str, str]]:
    rows = Block.objects.filter(lifted_at=None)
    return {(one.value, one.ends_at.isoformat() if one.ends_at else "") for one in rows}


def test_a_list_is_renamed_by_who_may_edit_it(browse: Any, lena: User, anna: User, spam: BlockList) -> None:
    door = f"{PAGE}lists/{spam.pk}/"
    BlockList.objects.create(name="Hetze", market=spam.market)
    assert browse(anna).post(door, {"press": "rename", "name": "Anders"}).status_code == 403
    client = browse(lena)
    for name, status in (("", 422), ("x" * 101, 422), ("Hetze", 409)):
        refused = client.post(door, {"press": "rename", "name": name})
        assert (refused.status_code, refused.context["panel"].wrong) == (status, "name")
        assert f'value="{name}" maxlength="100" autocomplete="off" aria-invalid="true"' in refused.content.decode()
    done = client.post(door, {"press": "rename", "name": " Reklame "}, follow=True)
    spam.refresh_from_db()
    assert (spam.name, spam.purpose) == ("Reklame", "Rabatte")
    assert "The list is called Reklame." in text_of(done)
    assert operations.rename_block_list(spam, "Reklame", by=lena, purpose="Rabatte") is False, "nothing is another"
    operations.rename_block_list(spam, "Reklame", by=lena, purpose="Gutscheine")
    assert Change.objects.filter(verb="rename").count() == 2
    told = text_of(client.get(PAGE))
    assert "Reklame renamed, formerly Werbung" in told and "Reklame has another purpose" in told


def test_all_of_a_list_gets_one_end_as_one_act_and_holds_meanwhile(
    browse: Any, lena: User, anna: User, spam: BlockList
) -> None:
    market, client, door = spam.market, browse(lena), f"{PAGE}lists/{spam.pk}/"
    assert client.post(door, {"press": "end", "ends": "2030-12-31T18:00"}).status_code == 422, "nothing stands in it"
    operations.lay_blocks(entries(["Rabatt", "Gutschein"], market=market, block_list=spam), by=lena)
    make_block("Wort", market=market)
    twice = timezone.now() + timedelta(days=9)
    make_block("Rabatt", market=market, block_list=spam, ends_at=twice)
    row = make_candidate(channel_of("de", "sport"), "Rabatt")
    operations.carry_blocks(now=timezone.now())
    assert browse(anna).post(door, {"press": "end", "ends": "2030-12-31T18:00"}).status_code == 403
    for ends in ("2001-01-01T10:00", "soon"):
        refused = client.post(door, {"press": "end", "ends": ends})
        assert (refused.status_code, refused.context["panel"].wrong) == (422, "ends")
    done = client.post(door, {"press": "end", "ends": "2030-12-31T18:00"}, follow=True)
    assert "2 blocks end on Dec. 31, 2030, 18:00." in text_of(done)
    assert standing() == {
        ("Rabatt", "2030-12-31T17:00:00+00:00"), ("Gutschein", "2030-12-31T17:00:00+00:00"), ("Wort", "")
    }  # fmt: skip
    operations.carry_blocks(now=timezone.now())
    row.refresh_from_db()
    assert (row.state, Hit.objects.filter(block__lifted_at=None).count()) == ("blocked", 1), "it holds still"
    assert "All of Werbung ends on Dec. 31, 2030, 18:00" in text_of(client.get(PAGE))
    client.post(undo_door(done), {"next": PAGE})
    assert standing() == {("Rabatt", ""), ("Rabatt", twice.isoformat()), ("Gutschein", ""), ("Wort", "")}
    client.post(door, {"press": "end", "ends": ""})
    assert standing() == {("Rabatt", ""), ("Gutschein", ""), ("Wort", "")}
    assert client.post(door, {"press": "end", "ends": ""}).status_code == 422, "nothing would change"


def test_exemptions_stay_with_blocks_that_get_an_end(lena: User, chief: User, de_politics: Channel) -> None:
    listed = BlockList.objects.create(name="Hetze")
    operations.lay_blocks(entries(["eins", "zwei"], block_list=listed), by=chief)
    operations.exempt(Block.objects.get(value="eins"), de_politics.market, reason="meint die Zahl", by=lena)
    live = make_candidate(de_politics, "eins", state="approved")
    operations.end_block_list(listed, timezone.now() + timedelta(days=3), by=chief)
    assert BlockExemption.objects.filter(block__lifted_at=None).count() == 1
    assert Candidate.objects.get(pk=live.pk).state == "approved"


def test_ending_a_thousand_asks_as_often_as_ending_ten(lena: User, spam: BlockList) -> None:
    def asked(words: list[str], days: int) -> int:
        operations.lay_blocks(entries(words, market=spam.market, block_list=spam), by=lena)
        with CaptureQueriesContext(connection) as queries:
            operations.end_block_list(spam, timezone.now() + timedelta(days=days), by=lena)
        return len(queries)

    few = asked([f"w{n}" for n in range(10)], 1)
    assert asked([f"v{n}" for n in range(1000)], 2) == few
    assert Change.objects.filter(verb="lift").count() == 0, "one line tells of all"


def test_what_was_brought_is_taken_back_from_the_log_of_changes(
    browse: Any, lena: User, anna: User, de_politics: Channel
) -> None:
    client, undo = browse(lena), "Undo"
    taken(client, "\n".join(f"wort {n}" for n in range(60)))
    client.get(PAGE)  # the message is read, and gone
    page = client.get(PAGE)
    assert "60 blocks brought" in text_of(page) and undo in text_of(page)
    assert undo not in text_of(browse(anna).get(PAGE)), "leads alone take back what a lead brought"
    client.post(undo_door(page), {"next": PAGE})
    assert standing() == set()
    client.get(PAGE)
    assert undo not in text_of(client.get(PAGE)), "nothing of it stands"
    assert Act.objects.filter(verb="undo").count() == 1
