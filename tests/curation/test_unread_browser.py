"""What could not be read says so where it was asked for, and can be tried again: nothing that stands there is lost."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from curation.models import Candidate, State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import DESK, Open, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
UNREACHED, FAILED = "Not loaded: the server cannot be reached.", "Not loaded: the server failed."
AWAY: list[tuple[int, str]] = [(0, UNREACHED), (500, FAILED), (503, UNREACHED), (401, "somebody else is logged in")]


@pytest.fixture
def rows(anna: User, de_politics: Channel) -> list[Candidate]:
    """Sixty that wait, best first; the last is held."""
    anna.language = "en"
    anna.save()
    made = [make_candidate(de_politics, f"Beitrag {rank}", rank=rank) for rank in range(60, 1, -1)]
    return [*made, make_candidate(de_politics, "Böller", held=True, rank=1)]


def away(page: Page, address: str, status: int) -> None:
    """From now on requests there meet no server, or one that answers with an error page."""

    def answer(route: Route) -> None:
        page_of_error = "<!doctype html><title>x</title><main id=main>x</main>"
        route.fulfill(status=status, body=page_of_error) if status else route.abort()

    page.unroute(address)
    page.route(address, answer)


def told(page: Page, place: str) -> Any:
    return page.locator(f"{place} .unread")


def test_show_more_that_failed_can_be_pressed_again(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.keyboard.press("x")
    away(page, "**/*cursor=*", AWAY[0][0])
    page.locator("#more a[hx-get]").scroll_into_view_if_needed()
    expect(row(page, rows[0])).not_to_have_attribute("aria-current", "true")
    stood = is_current(page)
    for status, words in AWAY:
        away(page, "**/*cursor=*", status)
        page.locator("#more a[hx-get]").click()
        expect(told(page, "#more")).to_contain_text(words)
        expect(told(page, "#more")).to_have_count(1)
    assert (page.locator("#rows .row").count(), page.locator("#picked").inner_text()) == (25, "1")
    assert is_current(page) == stood
    away(page, "**/*cursor=*", 0)
    page.locator("#more a[hx-get]").click()
    expect(told(page, "#more")).to_contain_text(UNREACHED)
    page.unroute("**/*cursor=*")
    told(page, "#more").get_by_role("button", name="Try again").click()
    expect(page.locator("#rows .row")).to_have_count(50)
    expect(page.locator(".unread")).to_have_count(0)


def test_a_tab_or_search_that_failed_leaves_the_queue_as_it_is(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.keyboard.press("c")
    words = page.locator(".why [name=context]")
    words.fill("Nicht verlieren")
    for status, said in AWAY:
        away(page, "**/*show=held*", status)
        page.locator("#tabs a[href*='show=held']").click()
        expect(told(page, ".filters")).to_contain_text(said)
    assert (page.url.endswith(DESK), page.locator("#rows .row").count()) == (True, 25)
    expect(words).to_have_value("Nicht verlieren")
    away(page, "**/*show=held*", 503)
    page.locator("#tabs a[href*='show=held']").click()
    expect(told(page, ".filters")).to_contain_text(UNREACHED)
    page.unroute("**/*show=held*")
    told(page, ".filters").get_by_role("button", name="Try again").click()
    expect(page.locator("#rows .row")).to_have_count(1)
    assert (page.url.endswith("?show=held"), is_current(page)) == (True, str(rows[-1].pk))
    away(page, "**/*q=Beitrag*", 0)
    page.keyboard.press("/")
    page.keyboard.type("Beitrag 7")
    page.keyboard.press("Enter")
    expect(told(page, ".filters")).to_contain_text(UNREACHED)
    expect(page.locator("#q")).to_have_value("Beitrag 7")
    page.unroute("**/*q=Beitrag*")
    told(page, ".filters").get_by_role("button", name="Try again").click()
    expect(page.locator(".rest")).to_contain_text("Nothing found for")
    expect(page.locator("#find [name=show]")).to_have_value("held")
    page.go_back()
    expect(row(page, rows[-1])).to_be_focused()
    keys.glance(page)
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    assert state_of(rows[-1]) == State.APPROVED


def test_what_waits_to_be_sent_outlives_another_tab(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    page.route("**/candidates/**", lambda route: route.abort())
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("No connection")
    page.locator(".seg a[href*=newest]").click()
    page.wait_for_url("**order=newest")
    expect(row(page, rows[-1])).to_have_attribute("aria-current", "true")
    page.locator(".seg a").first.click()
    expect(row(page, rows[0])).to_have_class("row is-decided is-sent")
    assert is_current(page) == str(rows[1].pk)
    page.unroute("**/candidates/**")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [state_of(one) for one in rows[:2]] == [State.APPROVED, State.PENDING]


def test_the_palette_the_panels_and_the_columns_say_it_too(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    away(page, "**/palette/**", 0)
    page.keyboard.press("Control+k")
    expect(told(page, "#palette")).to_contain_text(UNREACHED)
    for status, words in AWAY[1:]:
        away(page, "**/palette/**", status)
        page.keyboard.type("s")
        expect(told(page, "#palette")).to_contain_text(words)
        expect(page.locator("[role=option]")).to_have_count(0)
    away(page, "**/palette/**", 500)
    page.keyboard.type("p")
    expect(told(page, "#palette")).to_contain_text(FAILED)
    page.unroute("**/palette/**")
    page.locator("#palette-q").fill("spor")
    expect(page.locator("[role=option]").first).to_contain_text("Sport")
    away(page, "**/palette/**", 0)
    page.keyboard.type("t")
    expect(told(page, "#palette")).to_contain_text(UNREACHED)
    page.unroute("**/palette/**")
    page.keyboard.press("Enter")
    expect(page.locator("[role=option]").first).to_contain_text("Sport")
    page.keyboard.press("Escape")

    away(page, "**/panel/**", 503)
    page.keyboard.press("e")
    expect(told(page, ".is-current .panel-slot")).to_contain_text(UNREACHED)
    page.unroute("**/panel/**")
    told(page, ".is-current .panel-slot").get_by_role("button", name="Try again").click()
    expect(page.locator(".why [name=go_live_at]")).to_be_focused()
    page.keyboard.press("Escape")

    away(page, "**/live/**", 500)
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(told(page, "#live")).to_contain_text(FAILED)
    expect(page.locator("#live .subhead").first).to_be_visible()
    page.unroute("**/live/**")
    told(page, "#live").get_by_role("button", name="Try again").click()
    expect(page.locator(".unread")).to_have_count(0)
    assert state_of(rows[0]) == State.PENDING
