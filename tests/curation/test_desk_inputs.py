"""What an address or a form may hold: whatever it is, the desk answers a sentence and never breaks."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.contrib.messages import get_messages

from curation import operations
from curation.models import State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation.test_desk import DESK, HTMX, rows_of
from tests.curation.test_desk_changes import since
from tests.curation.test_desk_decisions import door, states

LONG, NUL, HUGE = "x" * 300, "a\x00b", "9" * 25
BEST = urlsafe_b64encode(b'["best", 1, Infinity]').decode()
DEEP = urlsafe_b64encode(b"[" * 2000).decode()
LIVE = "http://testserver/live/de/?a=b"


@pytest.mark.parametrize("key", [LONG, NUL])
def test_undo_refuses_an_unusable_key(browse: Any, anna: User, de_politics: Channel, key: str) -> None:
    candidate = make_candidate(de_politics)
    act = operations.approve(candidate, by=anna, version=1).act
    response = browse(anna).post(f"/desk/de/acts/{act.pk}/undo/", {"key": key}, headers=HTMX)
    assert (response.status_code, states(candidate)) == (422, [State.APPROVED])
    assert "This form was not complete" in response.content.decode()


@pytest.mark.parametrize(
    "sent", [{"key": LONG}, {"key": NUL}, {"version": HUGE}, {"version": "1" * 5000}, {"verb": NUL}, {"swap": HUGE}]
)
def test_decide_refuses_unusable_fields(browse: Any, anna: User, de_politics: Channel, sent: dict[str, str]) -> None:
    candidate = make_candidate(de_politics)
    response = browse(anna).post(door(candidate), {"verb": "approve", "version": 1} | sent, headers=HTMX)
    assert (response.status_code, states(candidate)) == (422, [State.PENDING])


@pytest.mark.parametrize(
    "sent",
    [{"key": LONG}, {"key": NUL}, *({"candidate": f"{pk}:1"} for pk in (HUGE, "1" * 5000, NUL, "0", "-1"))],
)
def test_a_bulk_refuses_unusable_fields(browse: Any, anna: User, de_politics: Channel, sent: dict[str, str]) -> None:
    told = {"verb": "approve", "candidate": f"{make_candidate(de_politics).pk}:1"} | sent
    response = browse(anna).post("/desk/de/decisions/", told, headers=HTMX)
    assert response.status_code == 422


def test_a_bulk_of_what_is_not_ones_own_says_so(browse: Any, anna: User, nl_politics: Channel) -> None:
    sent = {"verb": "approve", "candidate": f"{make_candidate(nl_politics).pk}:1"}
    response = browse(anna).post("/desk/de/decisions/", sent)
    assert [str(told) for told in get_messages(response.wsgi_request)] == ["Nothing was selected."]


@pytest.mark.parametrize("cursor", [NUL, LONG, BEST, DEEP, "ä", "W10"])
def test_an_unusable_cursor_leads_to_the_first_page(browse: Any, anna: User, db: None, cursor: str) -> None:
    assert browse(anna).get(DESK, {"cursor": cursor}).url == DESK


@pytest.mark.parametrize("words", [NUL, LONG, "'", ":*", '"', "-", "\\", "\ud7ff"])
def test_an_unusable_search_finds_something_or_nothing(
    browse: Any, anna: User, de_politics: Channel, words: str
) -> None:
    make_candidate(de_politics)
    assert browse(anna).get(DESK, {"q": words}).status_code == 200
    assert browse(anna).get(DESK + "changes/", since(q=words), headers=HTMX).status_code == 200


@pytest.mark.parametrize("seen", [HUGE, "1" * 5000, NUL, "-1", ""])
def test_an_unusable_horizon_is_refused(browse: Any, anna: User, db: None, seen: str) -> None:
    for told in ({"decision": seen, "candidate": 1}, {"decision": 1, "candidate": seen}):
        assert browse(anna).get(DESK + "changes/", told, headers=HTMX).status_code == 422
        assert browse(anna).get(DESK + "arrivals/", told, headers=HTMX).url == DESK


@pytest.mark.parametrize(
    "back", ["nowhere", "home", "//evil.example/", "/\\evil.example", "/" + "x" * 9000, "http://[", "/a\x00b", ""]
)
def test_an_unusable_way_back_leads_to_the_desk(browse: Any, anna: User, de_politics: Channel, back: str) -> None:
    sent = {"verb": "approve", "version": 1, "next": back}
    assert browse(anna).post(door(make_candidate(de_politics)), sent).url == DESK


def test_without_next_the_way_back_is_the_page_one_came_from(browse: Any, anna: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, state=State.APPROVED, slot=1)
    for referer, back in ((LIVE, LIVE), ("https://evil.example/live/", DESK)):
        live.refresh_from_db()
        sent = {"verb": "pin", "version": live.version}
        assert browse(anna).post(door(live), sent, headers={"Referer": referer}).url == back


def test_rows_are_still_found_with_a_usable_cursor(browse: Any, anna: User, de_politics: Channel) -> None:
    first, second = make_candidate(de_politics, rank=9), make_candidate(de_politics, rank=8)
    cursor = urlsafe_b64encode(f'["best", 9.0, {first.pk}]'.encode()).decode().rstrip("=")
    assert rows_of(browse(anna).get(DESK, {"cursor": cursor})) == [second.pk]
