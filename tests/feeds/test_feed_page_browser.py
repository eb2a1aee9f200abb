"""A feed's page in a real browser, by keyboard and on a phone: a moment is looked at, restored, and released."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Candidate
from feeds.holding import BLANK, hold, release
from feeds.models import Feed
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import make_user
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open
from tests.feeds.conftest import id_of, ids, live, published

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
PHONE = {"width": 360, "height": 780}


@pytest.fixture
def lena(db: None) -> User:
    """Leads DE, reads English."""
    return make_user("lena", {"de": Role.LEAD}, first_name="Lena", last_name="Weiss", language="en")


@pytest.fixture
def past(de: Market, politics: Channel) -> list[Candidate]:
    """Two snapshots, of an hour and of half an hour ago; the second shows one post more."""
    began, made = timezone.now() - timedelta(hours=1), []
    for turn in range(2):
        now = began + timedelta(minutes=30 * turn)
        made.append(live(politics, f"Satz Nummer {turn}.", approved_at=now))
        publish(de.pk, now=now)
    return made


def open_as(context: BrowserContext, live_server: LiveServer, browse: Any, user: User, path: str) -> Page:
    session = browse(user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(path)
    return page


def press(page: Page, role: Any, name: str) -> None:
    """By the keyboard alone."""
    page.get_by_role(role, name=name).first.focus()
    page.keyboard.press("Enter")


def narrow(page: Page) -> None:
    """As wide as a small phone nothing scrolls sideways."""
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_a_moment_is_looked_at_restored_and_released_by_keyboard(
    context: BrowserContext, live_server: LiveServer, browse: Any, lena: User, de: Market, past: list[Candidate]
) -> None:
    page = open_as(context, live_server, browse, lena, "/feed/de/politics/")
    then = (timezone.now() - timedelta(minutes=45)).astimezone(ZoneInfo("Europe/Berlin"))
    page.locator("#at").fill(then.strftime("%Y-%m-%dT%H:%M"))
    page.keyboard.press("Enter")
    expect(page.locator("#machine .finding")).to_contain_text("the phones showed no. 1, with 1 post.")
    narrow(page)
    press(page, "link", "Look at it")
    expect(page.locator(".shot")).to_have_count(1)
    expect(page.locator(".turn").first).to_contain_text("1 post leaves, 0 come, 1 stays.")
    narrow(page)
    press(page, "link", "Restore it…")
    expect(page.locator("h1")).to_contain_text("Bring Politics back to")
    narrow(page)
    page.locator("#reason").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reason")).to_be_focused()
    expect(page.locator("#reason")).to_have_attribute("aria-invalid", "true")
    page.keyboard.type("Falschmeldung wird geprüft")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("Politics is set back to")
    expect(page.locator(".banner")).to_contain_text("Falschmeldung wird geprüft")
    narrow(page)
    assert ids(published("de", "politics")) == [id_of(past[0])]
    press(page, "link", "Release…")
    expect(page.locator(".turn").first).to_contain_text("0 posts leave, 1 comes, 1 stays.")
    press(page, "button", "Release now")
    expect(page.locator("ul.told")).to_contain_text("Politics is released.")
    expect(page.locator(".banner")).to_have_count(0)
    assert ids(published("de", "politics")) == [id_of(one) for one in reversed(past)]
    assert page.evaluate("window.broken ?? []") == []


def test_who_was_faster_is_told_and_what_was_typed_stays(
    context: BrowserContext,
    live_server: LiveServer,
    browse: Any,
    lena: User,
    de: Market,
    politics: Channel,
    past: list[Candidate],
) -> None:
    page = open_as(context, live_server, browse, lena, "/feed/de/politics/hold/?snapshot=blank")
    expect(page.locator(".finding--danger")).to_contain_text("This is a grave act.")
    page.locator("#reason").fill("Recht")
    mona = make_user("mona", {"de": Role.LEAD}, first_name="Mona", last_name="Marder")
    hold(de, politics, "current", reason="Wahl", by=mona)
    page.keyboard.press("Enter")
    expect(page.locator(".told[role=alert]")).to_contain_text("Somebody held or released this feed meanwhile.")
    expect(page.locator("main")).to_contain_text("Mona Marder")
    expect(page.locator("#reason")).to_have_value("Recht")
    assert Feed.objects.get(channel=politics).held_by == mona
    press(page, "button", "Take 2 posts off the phones")
    expect(page.locator("h1")).to_have_text("Politics is blank")
    assert ids(published("de", "politics")) == []


def test_half_an_end_holds_nothing_for_ever(
    context: BrowserContext, live_server: LiveServer, browse: Any, lena: User, politics: Channel, past: list[Candidate]
) -> None:
    page = open_as(context, live_server, browse, lena, "/feed/de/politics/hold/")
    page.locator("#reason").fill("Wahl")
    page.locator("#until").press_sequentially("1224")
    page.locator("#reason").press("Enter")
    expect(page.locator("#until")).to_be_focused()
    page.wait_for_timeout(300)
    assert (page.url.endswith("/hold/"), Feed.objects.get(channel=politics).hold) == (True, "")


def test_an_open_desk_hears_of_holds_and_of_thin_feeds(
    enter: Open, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    page = enter(lena)
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator("#live .live-note")).to_contain_text("Thin: 2 of at least 3.")
    hold(de, politics, BLANK, reason="Recht prüft", by=lena)
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(page.locator(".banner")).to_contain_text("Politics is blank.")
    expect(page.locator("#live")).to_contain_text("The feed is blank.")
    release(de, politics, by=lena)
    live(politics, "Noch einer.")
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator("#live .live-note")).to_have_count(0)
    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill("time machine")
    page.keyboard.press("Enter")
    expect(page.locator("#machine")).to_be_visible()
