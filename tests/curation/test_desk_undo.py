"""What the desk tells of an undo, of a bulk that came to nothing, and of a request that comes twice."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse

from curation import operations
from curation.models import Act, State
from curation.views.recent import done_by
from regions.models import Block, Channel, User
from tests.cast import make_candidate, make_tweet
from tests.curation.test_desk import DESK, HTMX, in_german, rows_of, text_of
from tests.curation.test_desk_decisions import states

STRIP = HTMX | {"HX-Target": "strip"}


def told_by(response: HttpResponse) -> str:
    """The sentence of the strip."""
    return str(response.context["told"])


def undo_of(act: Act | None) -> str:
    assert act is not None
    return f"/desk/de/acts/{act.pk}/undo/"


def test_undo_tells_that_a_slot_is_taken(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=State.APPROVED, slot=1)
    act = operations.unpin(candidate, by=anna, version=1).act
    operations.pin(make_candidate(de_politics), by=ben, version=1, slot=1)
    response = browse(anna).post(undo_of(act), headers=STRIP)
    said = "Its slot was taken meanwhile; it is back unpinned."
    assert told_by(response) == f"Taken back · {candidate.tweet.author} · {said}"
    assert [card.remark for card in response.context["rows"]] == [said]
    assert text_of(response).count(said) == 2


def test_undo_counts_what_was_refused(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(3)]
    act = operations.decide_many("block", {row.pk: 1 for row in rows}, by=anna).act
    operations.reopen(rows[0], by=ben, version=2)
    response = browse(anna).post(undo_of(act), headers=STRIP)
    assert told_by(response) == "2 taken back, 1 refused"
    assert rows_of(response) == [row.pk for row in rows]
    assert [bool(card.refusal) for card in response.context["rows"]] == [True, False, False]
    assert response["HX-Trigger-After-Settle"] == f'{{"returned": {{"row": {rows[1].pk}}}}}'


def test_a_block_that_another_asked_for_too_is_said_to_stand(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    also, first = [{"kind": "author", "scope": "channel"}], make_candidate(de_politics)
    tweet = make_tweet("Noch eins.", author=first.tweet.author)
    act = operations.block(first, by=anna, version=1, also=also).act
    operations.block(make_candidate(de_politics, tweet=tweet), by=ben, version=1, also=also)
    response = browse(anna).post(undo_of(act), headers=STRIP)
    assert told_by(response).startswith("A block forbids this post. Lift the block first.")
    assert [bool(card.refusal) for card in response.context["rows"]] == [True]
    assert Block.objects.get().lifted_at is None


def test_an_undo_of_nothing_says_why(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    act = operations.decide_many("block", {row.pk: 1 for row in rows}, by=anna).act
    operations.decide_many("reopen", {row.pk: 2 for row in rows}, by=ben)
    response = browse(anna).post(undo_of(act), headers=STRIP)
    assert (response.status_code, told_by(response)[:30]) == (409, "Ben Buche was faster (reopened")


def test_a_bulk_of_nothing_says_why(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    operations.decide_many("block", {row.pk: 1 for row in rows}, by=ben)
    sent = {"verb": "approve", "candidate": [f"{row.pk}:1" for row in rows]}
    response = browse(in_german(anna)).post("/desk/de/decisions/", sent, headers=HTMX | {"HX-Target": "bulk"})
    assert (response.status_code, told_by(response)[:33]) == (409, "Ben Buche war schneller (hat gesp")
    plain = browse(anna).post("/desk/de/decisions/", sent)
    assert [message.level_tag for message in get_messages(plain.wsgi_request)] == ["error"]


def test_a_repeated_bulk_tells_its_refusals_again(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    first, second = make_candidate(de_politics), make_candidate(de_politics)
    operations.block(second, by=ben, version=1)
    sent = {"verb": "approve", "key": "k", "candidate": [f"{row.pk}:1" for row in (first, second)]}
    once, again = (browse(anna).post("/desk/de/decisions/", sent, headers=HTMX) for _ in range(2))
    assert told_by(again) == told_by(once) == "1 done, 1 refused"
    (refused,) = [card.refusal for card in again.context["rows"] if card.candidate.pk == second.pk]
    assert (refused.code, str(refused.detail)[:29]) == ("stale_version", "Ben Buche was faster (blocked")
    assert states(first, second) == ["approved", "blocked"]


def strip_of(response: HttpResponse) -> str:
    """The strip's own words: what is said, what Undo would take back, the buttons."""
    html = response.content.decode().split('id="strip"')[1]
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index(">") + 1 :].split('<button class="keys')[0]).split())


def test_what_was_undone_and_what_undo_would_take_back_next_are_two_parts(
    browse: Any, anna: User, de_politics: Channel
) -> None:
    older, newer = make_candidate(de_politics), make_candidate(de_politics)
    operations.approve(older, by=anna, version=1)
    act = operations.block(newer, by=anna, version=1).act
    html = browse(anna).post(undo_of(act), headers=STRIP).content.decode()
    said, following = html.split('<p role="status">')[1].split("</p>", 1)
    assert (f"Taken back · {newer.tweet.author}" in said, str(older.tweet.author.name) in said) == (True, False)
    after = following.split('class="strip__next')[1].split("</p>")[0]
    assert "Undo next:" in after
    assert f'<strong>Approved</strong> <span class="muted"><bdi>{older.tweet.author.name}' in after
    assert f'title="Approved · {older.tweet.author}"' in html


def test_a_refusal_stands_alone(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    done, lost = make_candidate(de_politics), make_candidate(de_politics)
    operations.approve(done, by=anna, version=1)
    operations.block(lost, by=ben, version=1)
    path = f"/desk/de/politics/candidates/{lost.pk}/"
    sent = {"verb": "approve", "version": 1}
    html = browse(anna).post(path, sent, headers=HTMX | {"HX-Target": f"row-{lost.pk}"}).content.decode()
    said = html.split('<p role="status">')[1].split("</p>")[0]
    assert ('class="danger"' in said, "Approved" in said) == (True, False)


def test_an_undo_of_several_says_how_many(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(3)]
    act = operations.decide_many("block", {row.pk: 1 for row in rows}, by=anna).act
    assert told_by(browse(anna).post(undo_of(act), headers=STRIP)) == "Taken back · 3 posts"


def test_who_gives_way_to_a_pin_was_not_pinned(browse: Any, anna: User, de_politics: Channel) -> None:
    holder = make_candidate(de_politics, state=State.APPROVED, slot=1)
    newcomer = make_candidate(de_politics)
    operations.decide("pin", newcomer, by=anna, version=1, slot=1, swap=True)
    told = strip_of(browse(anna).get(DESK))
    assert told.startswith(f"Pinned · {holder.tweet.author} gave way · {newcomer.tweet.author.name} :")  # seen whole
    assert [(done.count, done.one) for done in done_by(anna, de_politics.market)] == [(1, newcomer)]


def test_two_that_change_their_slots_are_said_to(browse: Any, anna: User, de_politics: Channel) -> None:
    one, two = (make_candidate(de_politics, state=State.APPROVED, slot=slot) for slot in (1, 2))
    operations.decide("pin", one, by=anna, version=1, slot=2, swap=True)
    assert strip_of(browse(anna).get(DESK)).startswith("Slots changed 2 posts")
    assert states(one, two) == ["approved", "approved"]


def test_a_first_approval_is_not_called_approved(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate = make_candidate(de_politics)
    for who, version, words in ((anna, 1, "First approval, waits for a second"), (ben, 2, "Approved")):
        sent = {"verb": "approve", "version": version}
        path = f"/desk/de/politics/candidates/{candidate.pk}/"
        response = browse(who).post(path, sent, headers=HTMX | {"HX-Target": f"row-{candidate.pk}"})
        assert strip_of(response).startswith(f"{words} {candidate.tweet.author.name}")
        assert [str(done.words).capitalize() for done in done_by(who, de_politics.market)] == [words]


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED])
def test_one_stands_on_what_was_pinned_not_on_what_gave_way(
    browse: Any, anna: User, de_politics: Channel, state: State
) -> None:
    make_candidate(de_politics, state=State.APPROVED, slot=1)
    newcomer = make_candidate(de_politics, state=state)
    act = operations.decide("pin", newcomer, by=anna, version=1, slot=1, swap=True).act
    response = browse(anna).post(undo_of(act), headers=STRIP)
    assert response["HX-Trigger-After-Settle"] == f'{{"returned": {{"row": {newcomer.pk}}}}}'


@pytest.mark.parametrize(("at", "named"), [("politics/", False), ("", True)])
def test_rows_are_drawn_for_the_desk_that_one_looks_at(
    browse: Any, anna: User, de_politics: Channel, at: str, named: bool
) -> None:
    """Each names its category where those of others stand beside it, and only there."""
    candidate = make_candidate(de_politics)
    page = {"HX-Current-URL": f"http://testserver/desk/de/{at}?order=newest"}
    sent = {"verb": "block", "version": 1}
    row = HTMX | page | {"HX-Target": f"row-{candidate.pk}"}
    blocked = browse(anna).post(f"{DESK}candidates/{candidate.pk}/", sent, headers=row)
    back = browse(anna).post(undo_of(Act.objects.get()), headers=STRIP | page)
    for response in (blocked, back):
        assert rows_of(response) == [candidate.pk]
        via = response.content.decode().partition('class="via"')[2].partition("</span>")[0]
        assert (str(de_politics.category.name) in via) == named
