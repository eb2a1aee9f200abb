"""A sheet of blocks is tried as a whole before any of it is laid: one pass over the last days for all its rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.blocking import together
from curation.blocking.together import still_as, try_together
from curation.models import Candidate
from curation.operations.blocking import Entry
from curation.operations.naming import name_of
from regions.models import Block, BlockList, Channel, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.curation.test_blocks_brought import BRING, taken
from tests.curation.test_desk import text_of

pytestmark = pytest.mark.django_db
SHEET = "value,effect,scope,ends\ndie,,,\nNebel,hold,,\nTurm,,sport,2030-12-31 18:00\n"


def entry(value: str, kind: str = "term", **of: Any) -> Entry:
    return Entry(name_of(kind, value), **of)


@pytest.fixture
def posts(de_politics: Channel) -> list[Candidate]:
    """Eight of 24 in Politics with "die", of which three are approved; one live one in fog, one of another market."""
    for n in range(21):
        make_candidate(de_politics, "Und die Stadt" if n < 5 else "Rat und Tat")
    live = [make_candidate(de_politics, "Heute die Wahl", state="approved") for _n in range(2)]
    soon = timezone.now() + timedelta(hours=2)
    live += [make_candidate(de_politics, "Morgen die Wahl", state="approved", go_live_at=soon)]
    make_candidate(channel_of("de", "sport"), "Nebel im Stadion", state="approved")
    make_candidate(channel_of("nl", "politics"), "die Stad", state="approved")
    return live


def test_the_preview_says_what_all_rows_do_and_what_each_is(browse: Any, lena: User, posts: list[Candidate]) -> None:
    client = browse(lena)
    shown = client.post(BRING, {"text": SHEET})
    told = text_of(shown)
    assert "Together they would have hit 9 posts of the last 7 days." in told
    assert "2 of them are live now and vanish from the phones at once." in told
    assert "Scheduled and waiting approvals are withdrawn too." in told
    assert "die alone: 32 of every 100 posts, 8 in all." in told
    assert "Take 3 and withdraw 3" in told
    assert [(row.words, row.about, row.warning) for row in shown.context["rows"]] == [
        ("term: die", "blocks · DE, all categories · without an end · 8 hits in 7 days",
         "Too wide? 32 of every 100 posts."),
        ("term: Nebel", "holds for a second look · DE, all categories · without an end · 1 hit in 7 days", ""),
        ("term: Turm", "blocks · DE Sport · until Dec. 31, 2030, 18:00", ""),
    ]  # fmt: skip
    assert not Block.objects.exists()
    done = taken(client, SHEET)
    assert done.status_code == 302
    assert "3 entries taken. 3 live posts were withdrawn." in text_of(client.get(done.headers["Location"]))
    assert {Candidate.objects.get(pk=row.pk).state for row in posts} == {"blocked"}
    assert Candidate.objects.filter(state="approved").count() == 2, "what is held stays, and so does another market's"


def test_nothing_is_taken_that_would_do_more_than_was_told(
    browse: Any, lena: User, posts: list[Candidate], de_politics: Channel
) -> None:
    client = browse(lena)
    blind = client.post(BRING, {"text": SHEET, "take": "yes"})
    assert (blind.status_code, Block.objects.count()) == (200, 0), "untried, so it is shown first"
    assert "Nothing was taken yet" not in text_of(blind)
    asked = {"text": SHEET, "take": "yes", "mark": blind.context["foreseen"].mark}
    Candidate.objects.filter(pk=posts[0].pk).update(state="pending")
    more = [make_candidate(de_politics, "Noch die Nacht", state="approved") for _n in range(2)]
    again = client.post(BRING, asked)
    assert (again.status_code, Block.objects.count()) == (200, 0)
    assert "Nothing was taken yet: it would do more now than was shown." in text_of(again)
    assert "Take 3 and withdraw 4" in text_of(again)
    other = client.post(BRING, asked | {"text": SHEET + "Wort,,,\n", "mark": again.context["foreseen"].mark})
    assert Block.objects.count() == 0, "what was tried were others"
    Candidate.objects.filter(pk=more[0].pk).update(state="pending")
    asked |= {"text": SHEET + "Wort,,,\n", "mark": other.context["foreseen"].mark}
    assert (client.post(BRING, asked).status_code, Block.objects.count()) == (302, 4), "fewer is what was agreed to"


def test_kinds_and_scopes_are_tried_where_they_hold(de_politics: Channel) -> None:
    market, sport, nl = de_politics.market, channel_of("de", "sport"), channel_of("nl", "politics")
    author = make_author("blitz_gewinn")
    make_candidate(de_politics, tweet=make_tweet("eins", author=author), state="approved")
    make_candidate(sport, "Tor und Turm", state="approved")
    make_candidate(de_politics, "Turm")
    make_candidate(nl, "Turm", state="approved")
    old = make_tweet("Turm von gestern", created_at=timezone.now() - timedelta(days=8))
    make_candidate(de_politics, tweet=old, state="approved")
    asked = [entry("@blitz_gewinn", "author", market=market), entry("Turm", channel=sport), entry("tor", market=market)]
    told = try_together(asked, timezone.now())
    assert (told.sweep.hit, dict(told.sweep.by), len(told.taken), told.read) == (2, {0: 1, 1: 1, 2: 1}, 2, 3)
    everywhere = try_together([entry("Turm")], timezone.now())
    assert (everywhere.sweep.hit, len(everywhere.taken)) == (3, 3), "an older one that is live goes too"
    assert (everywhere.wide, everywhere.read) == ([], 4), "too few to judge by"


def test_a_list_is_not_tried_where_it_is_exempted(lena: User, de_politics: Channel) -> None:
    listed = BlockList.objects.create(name="Hetze")
    for channel in (de_politics, channel_of("nl", "politics")):
        make_candidate(channel, "Turm", state="approved")
    asked = [entry("Turm", block_list=listed)]
    assert try_together(asked, timezone.now()).sweep.hit == 2
    operations.exempt(listed, de_politics.market, reason="meint Schach", by=lena)
    told = try_together(asked, timezone.now())
    assert (told.sweep.hit, [one.candidate.channel.market.code for one in told.taken]) == (1, ["nl"])


def test_one_pass_reads_a_bounded_number_for_any_number_of_rows(
    de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(6):
        make_candidate(de_politics, "Brücke")

    def asked(number: int) -> int:
        with CaptureQueriesContext(connection) as queries:
            rows = [entry(f"wort{n}", market=de_politics.market) for n in range(number)]
            assert try_together(rows, timezone.now()).read == 6
        return len(queries)

    assert asked(1000) == asked(2)
    channels = de_politics.market.channel_set.count()
    monkeypatch.setattr(together, "MOST_SWEPT", 4 * channels)
    told = try_together([entry("Brücke", market=de_politics.market)], timezone.now())
    assert (told.read, told.sweep.cut, told.sweep.late) == (4, True, False)
    monkeypatch.setattr(together, "monotonic", iter([0.0, 99.0]).__next__)  # the clock between two portions
    told = try_together([entry("Brücke", market=de_politics.market)], timezone.now())
    assert (told.read, told.sweep.cut) == (0, True)


def test_what_takes_too_long_is_given_up_and_said(
    browse: Any, lena: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_candidate(de_politics, "Brücke", state="approved")
    monkeypatch.setattr(together, "MOST_SECONDS", 0.05)
    slow = together.NEWEST.replace("FROM week ORDER", "FROM week WHERE pg_sleep(2) IS NOT NULL ORDER")
    monkeypatch.setattr(together, "NEWEST", slow)
    told = try_together([entry("Brücke", market=de_politics.market)], timezone.now())
    assert (told.sweep.late, told.sweep.hit, len(told.live)) == (True, 0, 1), "live ones are told in any case"
    page = text_of(browse(lena).post(BRING, {"text": "Brücke"}))
    assert "What they would have hit could not be counted in time. 1 of them is live now" in page


@pytest.mark.parametrize("mark", ["", ".", "x.3", "9" * 16 + ".1", "é.١"])
def test_marks_that_nobody_made_count_for_nothing(de_politics: Channel, mark: str) -> None:
    assert still_as(mark, [entry("Turm", channel=de_politics)], timezone.now()) is False
