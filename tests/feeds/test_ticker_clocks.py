"""The ticker under wrong clocks, huge answers, and eyes: what is shown when, and what the host hears of it."""

from collections.abc import Iterator
from email.utils import formatdate

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.feeds import test_ticker as stage
from tests.feeds.test_ticker import HOUR, NOW, settle, show, texts
from tests.feeds.ticker_host import AUTHOR, PHOTO, Edge, feed, post

pytestmark = pytest.mark.browser
DAY = 24 * HOUR
edge, context, page = stage.edge, stage.context, stage.page


def at(moment: int) -> str:
    """An HTTP date."""
    return formatdate(moment / 1000, usegmt=True)


def ask_again(page: Page, edge: Edge) -> None:
    """In steps shorter than an answer may take: the page's clock runs faster than any server."""
    before = len(edge.asked)
    for _ in range(30):
        page.clock.run_for(10_000)
        page.wait_for_timeout(60)
        if len(edge.asked) > before:
            return page.wait_for_timeout(600)
    raise AssertionError("not asked again")


def iso(page: Page, moment: int) -> str:
    return str(page.evaluate("(moment) => new Date(moment).toISOString()", moment))


@pytest.mark.parametrize("wrong", [-DAY, DAY], ids=["a day behind", "a day ahead"])
def test_clock_wrong_by_a_day_neither_keeps_nor_drops(page: Page, edge: Edge, wrong: int) -> None:
    """The true time stands in the answer's Date header; the device believes otherwise, in and out of reach."""
    true = NOW - wrong
    edge.date = at(true)
    edge.feed = feed(
        1,
        post("11", "stays"),
        post("12", "expired", expires_at=iso(page, true - 1000)),
        post("13", "expires", expires_at=iso(page, true + 300_000)),
    )
    show(page, edge)
    assert texts(page) == ["stays", "expires"]
    edge.status = 503
    page.reload()
    expect(page.locator(".as-of")).to_have_text("Offline · As of 09:41")
    assert texts(page) == ["stays", "expires"]
    page.clock.fast_forward(290_000)
    assert texts(page) == ["stays", "expires"]
    page.clock.fast_forward(11_000)
    assert texts(page) == ["stays"]
    page.clock.fast_forward(HOUR - 320_000)
    assert texts(page) == ["stays"]
    page.clock.fast_forward(60_000)
    assert texts(page) == []


def test_clock_set_back_by_a_day_stops_neither_questions_nor_the_hour(page: Page, edge: Edge) -> None:
    show(page, edge)
    page.clock.set_system_time((NOW - DAY) / 1000)
    edge.feed = feed(2, post("12", "later"))
    settle(page, edge)
    assert texts(page) == ["later"]
    edge.status = 503
    settle(page, edge)
    page.clock.fast_forward(HOUR)
    assert texts(page) == []


def test_clock_set_ahead_by_a_day_is_asked_about_at_once(page: Page, edge: Edge) -> None:
    """Nobody can tell it from a day's sleep: what was known goes, what is true comes."""
    show(page, edge)
    asked = len(edge.asked)
    page.clock.set_system_time((NOW + DAY) / 1000)
    edge.feed = feed(2, post("12", "later"))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".text")).to_have_text("later")
    assert len(edge.asked) == asked + 1


def test_feeds_beyond_all_measure_are_ignored(page: Page, edge: Edge) -> None:
    show(page, edge)
    for bad in (feed(2, *(post(str(n), "many") for n in range(501))), feed(3, post("12", "x" * 4_100_000))):
        edge.feed = bad
        ask_again(page, edge)
        assert texts(page) == ["Hello"]
    expect(page.locator(".as-of")).to_have_text("Offline · As of 09:41")
    edge.feed = feed(4, *(post(str(n), "many") for n in range(1, 501)))
    ask_again(page, edge)
    assert len(texts(page)) == 500


def test_host_hears_once_of_each_entry_that_was_really_seen(page: Page, edge: Edge) -> None:
    page.add_init_script("addEventListener('ticker-shown', (event) => told.push(event.detail.id))")
    edge.feed = feed(1, *(post(str(n), f"{n}\n" * 9) for n in range(1, 6)))
    show(page, edge)
    heard = "told.filter((one) => typeof one === 'string')"
    page.wait_for_timeout(200)
    assert page.evaluate(heard) == []
    page.clock.run_for(1_100)
    assert page.evaluate(heard) == ["1", "2"]
    last = page.locator("li").nth(4)
    last.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    page.clock.run_for(500)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(200)
    page.clock.run_for(2_000)
    assert page.evaluate(heard) == ["1", "2"]
    page.evaluate("scrollTo(0, 1e6)")
    page.wait_for_timeout(200)
    page.clock.run_for(1_100)
    assert page.evaluate(heard) == ["1", "2", "4", "5"]


def test_removed_entry_leaves_a_running_ticker_with_the_next_answer(page: Page, edge: Edge) -> None:
    """Taken out, or told as removed though a copy between still lists it; the kept copy forgets it too."""
    edge.feed = feed(1, post("11", "stays"), post("12", "taken out"), post("13", "removed"))
    show(page, edge)
    assert texts(page) == ["stays", "taken out", "removed"]
    edge.feed = feed(2, post("11", "stays"), post("13", "removed"), removed=[{"id": "13", "at": "x"}])
    settle(page, edge)
    assert texts(page) == ["stays"]
    edge.status = 503
    page.reload()
    expect(page.locator(".as-of")).to_contain_text("Offline")
    assert texts(page) == ["stays"]


@pytest.fixture
def quiet_context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 360, "height": 740}, timezone_id="Europe/Berlin")
    yield opened
    opened.close()


def test_host_that_blocks_images_shows_words_instead(quiet_context: BrowserContext, edge: Edge) -> None:
    """The violations are the host's own wish, so this page is not watched for them."""
    edge.policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
    edge.feed = feed(1, post("11", "Hello", media=[PHOTO], author=AUTHOR))
    opened = quiet_context.new_page()
    opened.goto(f"{edge.url}/host/en/light")
    expect(opened.locator(".alt")).to_have_text("A bridge")
    expect(opened.locator("img")).to_have_count(0)
    expect(opened.locator(".avatar")).to_have_text("WL")


def test_what_storage_refuses_leaves_nothing_older_there(page: Page, edge: Edge) -> None:
    """The answer before may hold what was removed since."""
    show(page, edge)
    page.evaluate(
        """() => { for (let size = 2 ** 22; size >= 1; size /= 2)
        for (let n = 0; n < 3; n++) try { localStorage[`${size} ${n}`] = "x".repeat(size) } catch {} }"""
    )
    edge.feed = feed(2, post("12", "later " * 999))
    settle(page, edge)
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('telekom'))") == []


@pytest.mark.parametrize("poll", ["-5", "0", "soon", "-Infinity"])
def test_poll_that_is_no_number_of_seconds_leaves_it_to_the_feed(page: Page, edge: Edge, poll: str) -> None:
    show(page, edge)
    page.locator("telekom-ticker").evaluate("(ticker, poll) => ticker.setAttribute('poll', poll)", poll)
    settle(page, edge, 0)
    before = len(edge.asked)
    for _ in range(5):
        page.clock.run_for(10_000)
        page.wait_for_timeout(60)
    assert len(edge.asked) == before


def test_copies_of_other_feeds_leave_an_hour_later(page: Page, edge: Edge) -> None:
    show(page, edge)
    page.evaluate(
        """([hour, feed]) => { for (const [place, age] of [["old", hour + 1], ["young", hour - 60e3]])
        localStorage[`telekom-ticker:/feeds/${place}`] = JSON.stringify({ at: Date.now() - age, feed });
        localStorage["telekom-ticker:/feeds/odd"] = "{"; localStorage["telekom-ticker-host"] = "kept"; }""",
        [HOUR, feed(1, post("11", "Hello"))],
    )
    page.locator("telekom-ticker").evaluate("(ticker) => ticker.removeAttribute('category')")
    expect(page.locator("h2")).to_have_text("Germany")
    kept = {"telekom-ticker-host", "telekom-ticker:/feeds/young", "telekom-ticker:/feeds/de/politics/?key=k"}
    page.wait_for_function("() => 'telekom-ticker:/feeds/de/?key=k' in localStorage")
    assert set(page.evaluate("Object.keys(localStorage)")) == kept | {"telekom-ticker:/feeds/de/?key=k"}
