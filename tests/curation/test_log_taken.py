"""What the log tells of acts taken back, in whole or in part, and of what the system did because of someone's block."""

import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.history import reading
from curation.history.asked import Asked
from curation.models import Act, Candidate
from curation.operations.carrying import Continued
from curation.operations.record import one_transaction
from regions.models import Channel, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.curation.test_log import lines_of, verbs_of

pytestmark = pytest.mark.django_db
LOG, MY = "/log/de/", "/my/decisions/"
TERM = {"kind": "term", "value": "Gewinnspiel", "scope": "channel"}


def line_of(response: Any, act: Act | None) -> Any:
    """The first line of an act."""
    return next(line for line in response.context["lines"] if line.act == act)


def undone_by(response: Any) -> dict[tuple[str, str], str]:
    text = b"".join(response.streaming_content).decode()[1:]
    return {(row["What"], row["Number here"]): row["Taken back by act"] for row in csv.DictReader(io.StringIO(text))}


@pytest.fixture
def three(anna: User, lena: User, de_politics: Channel) -> tuple[Act, Act, list[Candidate]]:
    """Three approved at once by Anna, the first annotated by Lena since; the undo of the act, and the three."""
    rows = [make_candidate(de_politics) for _ in range(3)]
    act = operations.decide_many("approve", {row.pk: 1 for row in rows}, by=anna).act
    operations.decide("annotate", rows[0], by=lena, version=2, label="Anzeige")
    assert act is not None
    back = operations.undo(act, by=anna).act
    assert back is not None
    return act, back, rows


def test_a_partly_undone_act_is_told_in_part(browse: Any, lena: User, three: tuple[Act, Act, list[Candidate]]) -> None:
    act, back, _rows = three
    response = browse(lena).get(LOG)
    line = line_of(response, act)
    assert (line.back.count, line.undone, line.struck, line.undoable) == (2, back, False, False)
    told = next(one for one in lines_of(response) if "approved 3 posts" in one)
    assert "2 of 3 taken back by Anna Amsel," in told
    assert response.content.decode().count("is-undone") == 0


def test_one_by_one_only_what_was_taken_back_is_struck(
    browse: Any, lena: User, three: tuple[Act, Act, list[Candidate]]
) -> None:
    act, back, rows = three
    client = browse(lena)
    alone = {line.tweet.pk: line.undone for line in client.get(LOG, {"act": act.pk}).context["lines"]}
    assert alone == {rows[0].tweet_id: None, rows[1].tweet_id: back, rows[2].tweet_id: back}
    for row, struck in zip(rows, [0, 1, 1], strict=True):
        page = client.get(f"/posts/{row.tweet.current_id}/").content.decode()
        assert page.count("is-undone") == struck
    sheet = undone_by(client.get(LOG + "sheet.csv"))
    assert [sheet["approved", str(row.pk)] for row in rows] == ["", str(back.pk), str(back.pk)]


def test_a_folded_line_counts_what_its_filters_left(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics), make_candidate(de_politics), make_candidate(channel_of("de", "sport"))]
    act = operations.decide_many("approve", {row.pk: 1 for row in rows}, by=anna).act
    assert act is not None
    operations.decide("annotate", rows[0], by=lena, version=2, label="Anzeige")
    operations.undo(act, by=anna)
    line = line_of(browse(lena).get(LOG, {"category": "politics"}), act)
    assert (line.back.count, line.count) == (1, 2)


def test_an_undo_that_was_undone_leaves_the_first_act_standing(
    browse: Any, lena: User, anna: User, de_politics: Channel
) -> None:
    row = make_candidate(de_politics)
    first = operations.approve(row, by=anna, version=1).act
    client, acts, struck = browse(lena), [first], []
    for n in range(1, 4):
        acts.append(operations.undo(acts[-1], by=anna).act)
        lines = client.get(LOG).context["lines"]
        struck.append([line.struck for line in lines])
        assert [line.undoable for line in lines] == [True] + [False] * n
    assert struck == [[False, True], [False, True, False], [False, True, False, True]]
    sheet = undone_by(client.get(LOG + "sheet.csv"))
    assert sheet["approved", str(row.pk)] == str(acts[3].pk)


def test_an_undo_is_taken_back_from_ones_own_log(browse: Any, anna: User, de_politics: Channel) -> None:
    row = make_candidate(de_politics)
    back = operations.undo(operations.approve(row, by=anna, version=1).act, by=anna).act
    client = browse(anna)
    assert back is not None
    assert f'action="/acts/{back.pk}/undo/"' in client.get(MY).content.decode()
    client.post(f"/acts/{back.pk}/undo/")
    row.refresh_from_db()
    assert row.state == "approved"


@pytest.mark.parametrize("wish", [{"verb": "move", "category": "sport"}, {"verb": "offer", "market": "nl"}])
def test_what_was_moved_or_offered_back_offers_no_undo(
    browse: Any, anna: User, de_politics: Channel, wish: dict[str, str]
) -> None:
    verb = wish.pop("verb")
    act = operations.decide(verb, make_candidate(de_politics), by=anna, version=1, **wish).act
    operations.undo(act, by=anna)
    assert [line.undoable for line in browse(anna).get(MY).context["lines"]] == [False, False]


def test_a_move_that_somebody_followed_offers_no_undo(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    row = make_candidate(de_politics)
    operations.move(row, by=anna, version=1, category="sport")
    client = browse(anna)
    assert [line.undoable for line in client.get(MY).context["lines"]] == [True]
    there = Candidate.objects.select_related("channel", "tweet").exclude(pk=row.pk).get()
    operations.approve(there, by=ben, version=1)
    assert [line.undoable for line in client.get(MY).context["lines"]] == [False]


@pytest.fixture
def blocked(lena: User, de_politics: Channel) -> tuple[Act, list[Candidate]]:
    """Lena blocks one with a term that takes out two live ones; the act, and all three."""
    rows = [make_candidate(de_politics, "Ein Rabatt")]
    rows += [make_candidate(de_politics, f"Gewinnspiel {n}", state="approved") for n in range(2)]
    act = operations.block(rows[0], by=lena, version=1, reason="spam", also=[TERM]).act
    return act, rows


def test_what_the_system_did_because_of_a_block_stands_apart(
    browse: Any, lena: User, blocked: tuple[Act, list[Candidate]]
) -> None:
    act, rows = blocked
    client = browse(lena)
    response = client.get(LOG, {"system": "1"})
    assert [(line.by, line.count, line.undoable) for line in response.context["lines"]] == [
        (None, 2, False),
        (lena, 1, True),
    ]
    system, own = lines_of(response)
    assert "The system blocked 2 posts · by a block of lena · spam" in system
    assert ("lena blocked in Politics · spam" in own, "Ein Rabatt" in own, "by a block of" in own) == (
        True,
        True,
        False,
    )
    assert f"?act={act.pk}&amp;system=only" in response.content.decode()
    within = client.get(LOG, {"act": act.pk, "system": "only"}).context["lines"]
    assert {line.tweet.pk for line in within} == {row.tweet_id for row in rows[1:]}
    assert [line.tweet.pk for line in client.get(LOG, {"act": act.pk}).context["lines"]] == [rows[0].tweet_id]


def test_what_was_broken_off_while_reading_is_counted_by_its_kind(
    lena: User, blocked: tuple[Act, list[Candidate]], monkeypatch: pytest.MonkeyPatch
) -> None:
    act, rows = blocked
    monkeypatch.setattr(reading, "AT_ONCE", 1)
    asked = Asked([rows[0].channel.market], system=True)
    assert [(run.act, run.system, run.count) for run in reading.read(asked).runs] == [
        (act.pk, True, 2),
        (act.pk, False, 1),
    ]


def test_a_post_taken_out_by_a_block_says_whose_and_offers_no_undo(
    browse: Any, lena: User, blocked: tuple[Act, list[Candidate]]
) -> None:
    _act, rows = blocked
    response = browse(lena).get(f"/posts/{rows[1].tweet.current_id}/")
    cell = response.context["dossier"].rows[0].cells[0]
    assert (cell.state, cell.lines) == ("blocked", ["spam", "term “Gewinnspiel”", "by a block of lena"])
    assert "The system blocked in Politics · by a block of lena · spam" in lines_of(response)[0]
    assert "/undo/" not in response.content.decode()


def test_what_came_back_with_a_lifted_block_says_who_lifted_it(
    browse: Any, lena: User, blocked: tuple[Act, list[Candidate]]
) -> None:
    _act, rows = blocked
    lifted = Act.objects.create(verb="lift", by=lena)
    row = Candidate.objects.select_related("channel", "tweet").get(pk=rows[1].pk)
    with one_transaction():
        record = Continued(lifted, now=timezone.now())
        record.change(row, "lift", state="pending", blocked_by_lists=False)
        record.close()
    assert "by a block" not in lines_of(browse(lena).get(LOG, {"system": "1"}))[0]
    assert "as lena lifted a block" in lines_of(browse(lena).get(LOG, {"system": "1"}))[0]


def test_an_act_on_two_channels_offers_one_undo_in_the_posts_history(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    tweet = make_tweet("Der Rat tagt")
    rows = [make_candidate(channel, tweet=tweet) for channel in (de_politics, channel_of("de", "sport"))]
    operations.decide_many("approve", {row.pk: 1 for row in rows}, by=anna)
    page = browse(anna).get(f"/posts/{tweet.current_id}/").content.decode()
    assert page.count("/undo/") == 1


def test_blocked_authors_are_told_by_name_in_one_query(browse: Any, lena: User, de_politics: Channel) -> None:
    client = browse(lena)

    def block(name: str) -> int:
        tweet = make_tweet(author=make_author(name))
        also = [{"kind": "author", "value": "", "scope": "channel"}]
        operations.block(make_candidate(de_politics, tweet=tweet), by=lena, version=1, reason="spam", also=also)
        with CaptureQueriesContext(connection) as queries:
            line = lines_of(client.get(LOG))[0]
        assert (f"author “@{name}”" in line, str(tweet.author_id) in line) == (True, False)
        return len(queries)

    assert block("spassvogel") == block("scherzkeks") == block("witzbold")


def test_an_act_unfolds_to_as_many_as_it_says(browse: Any, lena: User, anna: User, de_politics: Channel) -> None:
    one, two = make_candidate(de_politics, "Erster"), make_candidate(de_politics, "Zweiter")
    operations.pin(one, by=anna, version=1, slot=1)
    act = operations.pin(two, by=anna, version=1, slot=1, swap=True).act
    client = browse(lena)
    assert "2 decisions in this act" in lines_of(client.get(LOG))[0]
    assert sorted(verbs_of(client.get(LOG, {"act": act.pk}))) == ["pin", "unpin"]
