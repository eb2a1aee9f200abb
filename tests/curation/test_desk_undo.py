"""What the desk tells of an undo, of a bulk that came to nothing, and of a request that comes twice."""

from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpResponse

from curation import operations
from curation.models import Act, State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation.test_desk import HTMX, in_german, rows_of, text_of
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


def test_an_undo_of_nothing_says_why(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    act = operations.decide_many("block", {row.pk: 1 for row in rows}, by=anna).act
    operations.decide_many("reopen", {row.pk: 2 for row in rows}, by=ben)
    response = browse(anna).post(undo_of(act), headers=STRIP)
    assert (response.status_code, told_by(response)[:28]) == (409, "Ben Buche was faster (reopen")


def test_a_bulk_of_nothing_says_why(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    operations.decide_many("block", {row.pk: 1 for row in rows}, by=ben)
    sent = {"verb": "approve", "candidate": [f"{row.pk}:1" for row in rows]}
    response = browse(in_german(anna)).post("/desk/de/decisions/", sent, headers=HTMX | {"HX-Target": "bulk"})
    assert (response.status_code, told_by(response)[:29]) == (409, "Ben Buche war schneller (sper")
    plain = browse(anna).post("/desk/de/decisions/", sent)
    assert [message.level_tag for message in get_messages(plain.wsgi_request)] == ["error"]


def test_a_repeated_bulk_tells_its_refusals_again(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    first, second = make_candidate(de_politics), make_candidate(de_politics)
    operations.block(second, by=ben, version=1)
    sent = {"verb": "approve", "key": "k", "candidate": [f"{row.pk}:1" for row in (first, second)]}
    once, again = (browse(anna).post("/desk/de/decisions/", sent, headers=HTMX) for _ in range(2))
    assert told_by(again) == told_by(once) == "1 done, 1 refused"
    (refused,) = [card.refusal for card in again.context["rows"] if card.candidate.pk == second.pk]
    assert (refused.code, str(refused.detail)[:27]) == ("stale_version", "Ben Buche was faster (block")
    assert states(first, second) == ["approved", "blocked"]
