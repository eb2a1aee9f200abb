"""Whoever leaves while an act is on its way: what is refused is said, here or on the desk they are at by then."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from curation import operations
from curation.models import Candidate, Decision, State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import DESK, Held, Open, glance, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
ELSEWHERE = "/desk/de/economy/"


@pytest.fixture
def rows(anna: User, de_politics: Channel) -> list[Candidate]:
    """Three that wait, best first; and no slot is free."""
    anna.language = "en"
    anna.save()
    for slot in range(1, de_politics.slots + 1):
        make_candidate(de_politics, f"Angeheftet {slot}", state=State.APPROVED, slot=slot)
    return [make_candidate(de_politics, f"Beitrag Nummer {rank}", rank=rank) for rank in (30, 20, 10)]


def at(page: Page, address: str) -> bool:
    return page.url.endswith(address)


def test_a_refusal_keeps_the_desk_that_was_being_left(enter: Open, anna: User, rows: list[Candidate]) -> None:
    """The digit came before the question which slot gives way: it is no answer to that."""
    page = enter(anna)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("p")
        page.keyboard.press("2")
        glance(page)
        page.keyboard.press("a")
    expect(row(page, rows[0]).locator(".swaps")).to_be_visible()
    expect(row(page, rows[0]).get_by_role("alert")).to_contain_text("slots")
    page.wait_for_timeout(1_200)
    assert (at(page, DESK), is_current(page)) == (True, str(rows[0].pk))
    assert [state_of(candidate) for candidate in rows] == ["pending"] * 3
    expect(page.locator("#late")).to_have_count(0)
    page.keyboard.press("2")
    expect(page.locator("#strip")).to_contain_text("Pinned")
    rows[0].refresh_from_db()
    assert (rows[0].slot, at(page, DESK)) == (2, True)


@pytest.mark.parametrize("way", ["digit", "link", "palette"])
def test_what_is_done_lets_go_at_once(enter: Open, anna: User, rows: list[Candidate], way: str) -> None:
    page = enter(anna)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("a")
        if way == "palette":
            page.keyboard.press("Control+k")
            page.keyboard.type("economy")
            expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Economy")
            page.keyboard.press("Enter")
            expect(page.locator("#palette")).to_be_hidden()
        elif way == "link":
            page.locator('#categories [data-digit="2"]').click()
        else:
            page.keyboard.press("2")
        assert at(page, DESK)
    page.wait_for_url(f"**{ELSEWHERE}")
    assert state_of(rows[0]) == State.APPROVED


def test_escape_stays(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    with Held(page, "**/candidates/**"):
        for key in ("a", "2", "Escape"):
            page.keyboard.press(key)
        page.wait_for_timeout(1_200)
    expect(page.locator("#strip")).to_contain_text("Approved")
    assert at(page, DESK)


def name_of(candidate: Candidate) -> str:
    assert candidate.tweet.author is not None
    return candidate.tweet.author.name


def slow(page: Page) -> list[Route]:
    """No act is answered before the page is left."""
    kept: list[Route] = []
    page.route("**/candidates/**", lambda route: kept.append(route))
    return kept


def test_a_refusal_that_comes_later_is_said_where_one_is_by_then(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    """Until it is closed: neither the next act nor the next desk takes it away."""
    page = enter(anna)
    slow(page)
    page.keyboard.press("p")
    page.keyboard.press("2")
    page.wait_for_url(f"**{ELSEWHERE}")
    expect(page.locator("#late")).to_have_count(0)
    page.unroute("**/candidates/**")
    page.reload(wait_until="domcontentloaded")
    late, asked = page.locator("#late p"), f"Pin · {name_of(rows[0])}: "
    expect(late).to_contain_text(asked)
    expect(late).to_contain_text("slots")
    page.keyboard.press("1")
    page.wait_for_url(f"**{DESK}")
    expect(late).to_have_count(1)
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text("Blocked")
    page.locator("#tabs a").nth(1).click()
    page.wait_for_url(re.compile("show="))
    expect(late).to_contain_text(asked)
    late.get_by_role("button", name="Close").click()
    expect(page.locator("#late")).to_have_count(0)
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#live .subhead").first).to_be_visible()
    expect(page.locator("#late")).to_have_count(0)


def test_what_was_left_behind_is_sent_in_turn_and_counts_once(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    kept = slow(page)
    page.keyboard.press("a")
    glance(page)
    page.keyboard.press("b")
    expect(page.locator(".is-sent")).to_have_count(2)
    kept[0].fetch()
    assert state_of(rows[0]) == State.APPROVED
    page.keyboard.press("2")
    page.wait_for_url(f"**{ELSEWHERE}")
    page.unroute("**/candidates/**")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#strip")).to_contain_text("Blocked")
    assert [state_of(candidate) for candidate in rows] == ["approved", "blocked", "pending"]
    assert Decision.objects.filter(candidate=rows[0]).count() == 1
    expect(page.locator("#late")).to_have_count(0)


def test_nobody_else_is_told(enter: Open, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    slow(page)
    page.keyboard.press("p")
    page.keyboard.press("2")
    page.wait_for_url(f"**{ELSEWHERE}")
    other = enter(ben)
    page.unroute("**/candidates/**")
    page.reload(wait_until="domcontentloaded")
    expect(page.locator("#live .subhead").first).to_be_visible()
    for one in (page, other):
        expect(one.locator("#late")).to_have_count(0)


def test_a_refusal_for_another_tab_of_the_queue_is_said_too(
    enter: Open, anna: User, ben: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("p")
        page.locator("#tabs a").nth(1).click()
        page.wait_for_url(re.compile("show="))
    expect(page.locator("#late p")).to_contain_text(f"Pin · {name_of(rows[0])}: ")


def test_what_was_done_for_another_tab_of_the_queue_is_said_and_is_what_z_takes_back(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text("Blocked")
    glance(page)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("a")
        page.locator("#tabs a").nth(1).click()
        page.wait_for_url(re.compile("show="))
    expect(page.locator("#strip")).to_contain_text("Approved")
    expect(page.locator("#late")).to_have_count(0)
    page.keyboard.press("z")
    expect(page.locator("#strip")).to_contain_text("Taken back")
    assert [state_of(candidate) for candidate in rows] == ["blocked", "pending", "pending"]


def test_of_many_it_is_said_how_many_were_refused(enter: Open, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    operations.decide("block", rows[0], by=ben, version=1)
    for key in ("x", "j", "x"):
        page.keyboard.press(key)
    with Held(page, "**/decisions/**"):
        page.keyboard.press("a")
        page.keyboard.press("2")
    expect(page.locator("#strip")).to_contain_text("1 done, 1 refused")
    page.wait_for_timeout(1_200)
    assert at(page, DESK)


@pytest.mark.parametrize("left", ["Escape", "j", "x"])
def test_a_digit_after_the_question_was_left_is_a_category(
    enter: Open, anna: User, rows: list[Candidate], left: str
) -> None:
    page = enter(anna)
    page.keyboard.press("p")
    expect(row(page, rows[0]).locator(".swaps")).to_be_visible()
    glance(page)
    page.keyboard.press(left)
    expect(row(page, rows[0]).locator(".swaps")).to_have_count(0)
    expect(row(page, rows[0]).get_by_role("alert")).to_contain_text("slots")
    if left == "j":
        page.keyboard.press("k")
    page.keyboard.press("2")
    page.wait_for_url(f"**{ELSEWHERE}")
    assert state_of(rows[0]) == State.PENDING
