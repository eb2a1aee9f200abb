"""The log in a real browser: filters, undo, unfolding, without scripts, narrow."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Candidate
from regions.models import Channel, User
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation import test_keys as keys

pytestmark = keys.pytestmark
context = keys.context
Go = Callable[..., Page]
LONG = "EinWortOhneEndeDasNirgendsUmbrichtUndDieSeiteBreiterMachenKönnteAlsSieIst" * 3


@pytest.fixture
def go(context: BrowserContext, live_server: LiveServer, browse: Any) -> Iterator[Go]:
    """Opens a page as somebody, in German; the policy was never broken."""
    pages: list[Page] = []

    def open_as(user: User, path: str, in_context: BrowserContext = context) -> Page:
        user.language = "de"
        user.save()
        session = browse(user).cookies["sessionid"].value
        in_context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = in_context.new_page()
        page.goto(path)
        pages.append(page)
        return page

    yield open_as
    assert [broken for page in pages if not page.is_closed() for broken in page.evaluate("window.broken ?? []")] == []


@pytest.fixture
def rows(anna: User, lena: User, de_politics: Channel) -> list[Candidate]:
    """Two approved at once by Anna, one blocked by Lena; long names and hostile words among them."""
    anna.first_name, anna.last_name = "Katharina Wilhelmine", "Sommerau-Lindenberg"
    anna.save()
    author = make_author("nachtzug", name="Ακρογιάλη-Παπαδοπούλου \u202e" * 3)
    tweet = make_tweet(LONG + " \u202e<b>x</b>", author=author)
    made = [make_candidate(de_politics, tweet=tweet), *(make_candidate(de_politics) for _ in range(2))]
    told = {"context": "Ein Satz der Redaktion, der erklärt, worum es hier geht.", "note": LONG, "label": "Anzeige"}
    operations.decide_many("approve", {row.pk: 1 for row in made[:2]}, by=anna, **told)
    operations.block(made[2], by=lena, version=1, reason="legal")
    return made


def test_a_filter_asks_at_once_and_stands_in_the_address(go: Go, lena: User, rows: list[Candidate]) -> None:
    page = go(lena, "/log/de/")
    expect(page.locator(".line")).to_have_count(2)
    page.locator("#verb").select_option("block")
    expect(page.locator(".line")).to_have_count(1)
    assert page.url.endswith("/log/de/?verb=block")
    page.locator("#post").fill("hallo")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".line")).to_have_count(0)
    expect(page.locator("#post")).to_have_value("hallo")
    page.go_back()
    expect(page.locator(".line")).to_have_count(1)


def test_a_bulk_unfolds_and_is_taken_back_in_its_place(go: Go, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = go(anna, "/my/decisions/")
    line = page.locator("#found > .log > .line")
    expect(line).to_have_count(1)
    line.locator("summary").click()
    expect(line.locator(".log--within .line")).to_have_count(2)
    line.locator(".take-back button").click()
    expect(line.locator(".undone")).to_be_visible()
    expect(line.locator(".take-back")).to_have_count(0)
    assert {keys.state_of(row) for row in rows[:2]} == {"pending"}
    assert page.evaluate("document.activeElement.classList.contains('line')")


def test_a_refused_undo_is_said_on_its_line(go: Go, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = go(anna, "/my/decisions/")
    for row in rows[:2]:
        operations.block(row, by=ben, version=2)
    page.locator(".take-back button").click()
    expect(page.get_by_role("alert")).to_contain_text("Ben Buche")
    assert {keys.state_of(row) for row in rows[:2]} == {"blocked"}


def test_without_scripts_everything_works(
    browser: Browser, live_server: LiveServer, go: Go, anna: User, rows: list[Candidate]
) -> None:
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = go(anna, "/my/decisions/?verb=approve", plain)
    page.locator("summary", has_text="").nth(1).click()
    page.locator(".log--within a").click()
    expect(page.locator("#found .line")).to_have_count(2)
    page.go_back()
    page.locator(".take-back button").click()
    expect(page.locator(".told")).to_be_visible()
    assert page.url.endswith("/my/decisions/?verb=approve")
    assert keys.state_of(rows[0]) == "pending"
    page.close()
    plain.close()


def test_a_long_log_scrolls_in_its_page_alone(go: Go, lena: User, anna: User, de_politics: Channel) -> None:
    for n in range(30):
        operations.approve(make_candidate(de_politics), by=anna, version=1, context=f"Satz {n}", label="Anzeige")
    page = go(lena, "/log/de/")
    heights = page.evaluate("[document.documentElement.scrollHeight, innerHeight, main.scrollHeight > innerHeight]")
    assert heights == [900, 900, True]
