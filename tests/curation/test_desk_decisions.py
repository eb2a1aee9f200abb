"""Deciding from the desk: as a plain form, by htmx, refused, in bulk, taken back."""

from typing import Any

import pytest
from django.contrib.messages import get_messages

from curation import operations
from curation.models import Act, Candidate, Decision, State
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate
from tests.curation.test_desk import DESK, HTMX, in_german, rows_of, text_of


def door(candidate: Candidate) -> str:
    channel = candidate.channel
    return f"/desk/{channel.market.code}/{channel.category.slug}/candidates/{candidate.pk}/"


def states(*candidates: Candidate) -> list[str]:
    for candidate in candidates:
        candidate.refresh_from_db()
    return [candidate.state for candidate in candidates]


@pytest.mark.parametrize(("verb", "state"), [("approve", "approved"), ("pin", "approved"), ("block", "blocked")])
def test_a_plain_form_decides_and_leads_back(
    browse: Any, anna: User, de_politics: Channel, verb: str, state: str
) -> None:
    candidate = make_candidate(de_politics)
    back = DESK + "?order=newest"
    response = browse(anna).post(door(candidate), {"verb": verb, "version": 1, "key": "k", "next": back})
    assert (response.status_code, response.url) == (302, back)
    assert states(candidate) == [state]


def test_the_way_back_never_leaves_the_house(browse: Any, anna: User, de_politics: Channel) -> None:
    sent = {"verb": "approve", "version": 1, "next": "https://evil.example/"}
    assert browse(anna).post(door(make_candidate(de_politics)), sent).url == DESK


def test_htmx_gets_the_card_and_the_undo_line(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    headers = HTMX | {"HX-Target": f"row-{candidate.pk}"}
    response = browse(in_german(anna)).post(door(candidate), {"verb": "block", "version": 1}, headers=headers)
    assert (response.status_code, rows_of(response)) == (200, [candidate.pk])
    assert "Anna Amsel hat gesperrt" in text_of(response)
    act = Act.objects.get()
    assert f"/desk/de/acts/{act.pk}/undo/" in response.content.decode()
    assert response["HX-Trigger"] == "acted"


def test_who_comes_second_is_told_who_was_first(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("block", candidate, by=ben, version=1)
    sent = {"verb": "approve", "version": 1}
    response = browse(in_german(anna)).post(door(candidate), sent, headers=HTMX | {"HX-Target": f"row-{candidate.pk}"})
    assert (response.status_code, states(candidate)) == (409, [State.BLOCKED])
    assert "Ben Buche war schneller (hat gesperrt" in text_of(response)
    assert "Ben Buche hat gesperrt" in text_of(response)


def test_a_plain_form_is_told_too(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("block", candidate, by=ben, version=1)
    response = browse(in_german(anna)).post(door(candidate), {"verb": "approve", "version": 1})
    assert response.url == DESK
    (told,) = get_messages(response.wsgi_request)
    assert str(told).startswith("Ben Buche war schneller")


def test_without_a_version_nothing_is_decided(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    response = browse(anna).post(door(candidate), {"verb": "approve"}, headers=HTMX)
    assert (response.status_code, states(candidate)) == (422, [State.PENDING])


@pytest.mark.parametrize("verb", ["", "praise", "undo"])
def test_an_unknown_verb_is_refused(browse: Any, anna: User, de_politics: Channel, verb: str) -> None:
    candidate = make_candidate(de_politics)
    response = browse(anna).post(door(candidate), {"verb": verb, "version": 1}, headers=HTMX)
    assert (response.status_code, states(candidate)) == (422, [State.PENDING])


def test_the_same_press_twice_counts_once(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    for _ in range(2):
        response = browse(anna).post(door(candidate), {"verb": "approve", "version": 1, "key": "one"}, headers=HTMX)
        assert response.status_code == 200
    assert Decision.objects.filter(candidate=candidate).count() == 1


def test_a_full_channel_offers_its_slots(browse: Any, anna: User, de_politics: Channel) -> None:
    held = [make_candidate(de_politics, state=State.APPROVED, slot=slot) for slot in (1, 2, 3)]
    candidate = make_candidate(de_politics)
    headers = HTMX | {"HX-Target": f"row-{candidate.pk}"}
    refused = browse(anna).post(door(candidate), {"verb": "pin", "version": 1}, headers=headers)
    assert (refused.status_code, refused.content.decode().count('name="swap"')) == (409, 3)
    taken = browse(anna).post(door(candidate), {"swap": 2, "version": 1}, headers=headers)
    assert taken.status_code == 200
    slots = dict(Candidate.objects.values_list("pk", "slot"))
    assert [slots[row.pk] for row in (*held, candidate)] == [1, None, 3, 2]


@pytest.mark.parametrize(("who", "status"), [("bram", 404), ("vera", 403), ("guest", 404)])
def test_who_may_not_decide_changes_nothing(
    browse: Any, request: pytest.FixtureRequest, de_politics: Channel, who: str, status: int
) -> None:
    candidate = make_candidate(de_politics)
    person = browse(request.getfixturevalue(who))
    assert person.post(door(candidate), {"verb": "approve", "version": 1}).status_code == status
    sent = {"verb": "approve", "candidate": f"{candidate.pk}:1"}
    assert person.post("/desk/de/decisions/", sent).status_code == status
    assert states(candidate) == [State.PENDING]


def test_a_foreign_candidate_cannot_come_in_by_an_own_door(
    browse: Any, bram: User, nl_politics: Channel, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    path = f"/desk/nl/politics/candidates/{candidate.pk}/"
    assert browse(bram).post(path, {"verb": "approve", "version": 1}).status_code == 404
    browse(bram).post("/desk/nl/decisions/", {"verb": "approve", "candidate": f"{candidate.pk}:1"}, headers=HTMX)
    assert states(candidate) == [State.PENDING]


def test_a_channel_answers_for_its_own_only(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(channel_of("de", "sport"))
    path = f"/desk/de/politics/candidates/{candidate.pk}/"
    assert browse(anna).post(path, {"verb": "approve", "version": 1}).status_code == 404


def test_nothing_is_decided_by_looking(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    assert browse(anna).get(door(candidate)).status_code == 405


def test_many_are_decided_each_with_its_own_result(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    first, second, third = (make_candidate(de_politics) for _ in range(3))
    operations.decide("block", second, by=ben, version=1)
    sent = {"verb": "approve", "key": "k", "candidate": [f"{row.pk}:1" for row in (first, second, third)]}
    response = browse(in_german(anna)).post("/desk/de/decisions/", sent, headers=HTMX | {"HX-Target": "bulk"})
    assert (response.status_code, sorted(rows_of(response))) == (200, [first.pk, second.pk, third.pk])
    assert states(first, second, third) == ["approved", "blocked", "approved"]
    assert "2 erledigt, 1 abgelehnt" in text_of(response)
    assert "Ben Buche war schneller" in text_of(response)
    assert Act.objects.filter(by=anna).count() == 1


@pytest.mark.parametrize("picked", [[], ["x"], ["1:2:3"], ["1"]])
def test_a_selection_that_is_none_is_refused(browse: Any, anna: User, picked: list[str]) -> None:
    response = browse(anna).post("/desk/de/decisions/", {"verb": "block", "candidate": picked}, headers=HTMX)
    assert response.status_code == 422


def test_undo_brings_everything_back(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(2)]
    act = operations.decide_many("block", {row.pk: 1 for row in rows}, by=anna).act
    assert act is not None
    headers = HTMX | {"HX-Target": "strip"}
    response = browse(in_german(anna)).post(f"/desk/de/acts/{act.pk}/undo/", {"key": "u"}, headers=headers)
    assert (response.status_code, sorted(rows_of(response))) == (200, [row.pk for row in rows])
    assert states(*rows) == ["pending", "pending"]
    assert response.context["last"] is None


def test_undo_of_what_someone_changed_since_is_refused(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    act = operations.decide("approve", candidate, by=anna, version=1).act
    operations.decide("block", candidate, by=ben, version=2)
    response = browse(anna).post(f"/desk/de/acts/{act.pk}/undo/", headers=HTMX)
    assert (response.status_code, states(candidate)) == (409, [State.BLOCKED])


def test_undo_by_another_editor_is_refused(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    act = operations.decide("approve", candidate, by=anna, version=1).act
    assert browse(ben).post(f"/desk/de/acts/{act.pk}/undo/", headers=HTMX).status_code == 403
    assert states(candidate) == [State.APPROVED]


def test_undo_in_another_market_does_not_exist(browse: Any, anna: User, bram: User, de_politics: Channel) -> None:
    act = operations.decide("approve", make_candidate(de_politics), by=anna, version=1).act
    assert browse(bram).post(f"/desk/nl/acts/{act.pk}/undo/").status_code == 404
