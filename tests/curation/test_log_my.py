"""One's own decisions across one's markets, and what of them, or of others', can be taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Decision
from regions.models import Channel, Role, User
from tests.cast import channel_of, make_candidate, make_user
from tests.curation.test_desk import HTMX, text_of

MY = "/my/decisions/"


@pytest.fixture
def mila(db: None) -> User:
    """Edits DE and NL."""
    return make_user("mila", {"de": Role.EDITOR, "nl": Role.EDITOR}, language="en")


def undo(client: Any, act: Act, htmx: bool = True, **sent: Any) -> Any:
    return client.post(f"/acts/{act.pk}/undo/", sent, headers=HTMX if htmx else {})


def of(response: Any) -> list[int]:
    return [line.act.pk for line in response.context["lines"]]


def test_it_holds_ones_own_in_all_of_ones_markets(browse: Any, mila: User, anna: User) -> None:
    german = operations.approve(make_candidate(channel_of("de", "sport")), by=mila, version=1).act
    dutch = operations.block(make_candidate(channel_of("nl", "sport")), by=mila, version=1).act
    operations.approve(make_candidate(channel_of("de", "sport")), by=anna, version=1)
    client = browse(mila)
    assert of(client.get(MY)) == [dutch.pk, german.pk]
    assert of(client.get(MY, {"market": "de"})) == [german.pk]
    assert of(client.get(MY, {"verb": "block"})) == [dutch.pk]
    assert of(client.get(MY, {"who": "anna"})) == [dutch.pk, german.pk]
    mila.membership_set.filter(market__code="nl").delete()
    assert of(browse(mila).get(MY)) == [german.pk]
    assert client.get(MY, {"market": "nl"}).status_code == 422


def test_strangers_log_in_and_guests_find_it_empty(browse: Any, guest: User) -> None:
    assert browse().get(MY).status_code == 302
    assert "Nothing decided yet" in text_of(browse(guest).get(MY))


def test_undo_answers_with_the_line_as_it_stands_then(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    act = operations.block(candidate, by=anna, version=1).act
    client = browse(anna)
    assert client.get(MY).context["lines"][0].undoable
    response = undo(client, act)
    said = text_of(response)
    assert response.status_code == 200
    assert ("Taken back by Anna Amsel" in said, "Undo" in said, "<html" in response.content.decode()) == (
        True,
        False,
        False,
    )
    candidate.refresh_from_db()
    assert candidate.state == "pending"
    assert [line.undoable for line in client.get(MY).context["lines"]] == [True, False]  # the undo, and what it undid


def test_undo_of_a_bulk_takes_the_whole_act_back(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = {make_candidate(de_politics).pk: 1 for _ in range(4)}
    act = operations.decide_many("approve", rows, by=anna).act
    assert act is not None
    response = undo(browse(anna), act, htmx=False, next=f"{MY}?verb=approve")
    assert (response.status_code, response.url) == (302, f"{MY}?verb=approve")
    assert set(Candidate.objects.values_list("state", flat=True)) == {"pending"}


@pytest.mark.parametrize("htmx", [True, False])
def test_a_refusal_is_shown_in_words(browse: Any, anna: User, ben: User, de_politics: Channel, htmx: bool) -> None:
    candidate = make_candidate(de_politics)
    act = operations.approve(candidate, by=anna, version=1).act
    operations.block(candidate, by=ben, version=2)
    client = browse(anna)
    assert [line.undoable for line in client.get(MY).context["lines"]] == [False]
    response = undo(client, act, htmx=htmx)
    assert response.status_code == (409 if htmx else 302)
    said = text_of(response if htmx else client.get(response.url))
    assert "Ben Buche was faster (blocked," in said


def test_too_late_is_too_late(browse: Any, anna: User, de_politics: Channel) -> None:
    late = timezone.now() - timedelta(hours=25)
    act = operations.approve(make_candidate(de_politics), by=anna, version=1, now=late).act
    client = browse(anna)
    assert [line.undoable for line in client.get(MY).context["lines"]] == [False]
    response = undo(client, act)
    assert (response.status_code, "This cannot be taken back any more." in text_of(response)) == (409, True)


def test_who_lost_the_right_is_offered_no_undo(browse: Any, anna: User, de_politics: Channel) -> None:
    act = operations.approve(make_candidate(de_politics), by=anna, version=1).act
    anna.membership_set.update(role=Role.VIEWER)
    client = browse(anna)
    assert [line.undoable for line in client.get(MY).context["lines"]] == [False]
    assert undo(client, act).status_code == 403
    assert Decision.objects.count() == 1


def test_leads_take_back_what_others_did_from_the_log(
    browse: Any, lena: User, ben: User, anna: User, bram: User, de_politics: Channel
) -> None:
    act = operations.approve(make_candidate(de_politics), by=anna, version=1).act
    assert undo(browse(bram), act).status_code == 404
    assert undo(browse(ben), act).status_code == 403
    client = browse(lena)
    assert client.get("/log/de/").context["lines"][0].undoable
    response = undo(client, act, market="de")
    assert (response.status_code, "Taken back by lena" in text_of(response)) == (200, True)
    assert undo(client, act, market="nl").status_code == 404


def test_one_press_counts_once(browse: Any, anna: User, de_politics: Channel) -> None:
    act = operations.block(make_candidate(de_politics), by=anna, version=1).act
    client = browse(anna)
    assert [undo(client, act, key="once").status_code for _ in range(2)] == [200, 200]
    assert Decision.objects.filter(verb="undo").count() == 1


def test_nothing_is_taken_back_by_get(browse: Any, anna: User, de_politics: Channel) -> None:
    act = operations.block(make_candidate(de_politics), by=anna, version=1).act
    assert browse(anna).get(f"/acts/{act.pk}/undo/").status_code == 405


def test_the_way_back_stays_in_the_house(browse: Any, anna: User, de_politics: Channel) -> None:
    act = operations.block(make_candidate(de_politics), by=anna, version=1).act
    assert undo(browse(anna), act, htmx=False, next="//evil.example/").url == MY
