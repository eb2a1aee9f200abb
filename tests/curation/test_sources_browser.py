"""The sources' page in a real browser, by keyboard: search, try, save, drop; without scripts too."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from curation.x.simulator import Simulator
from regions.models import Channel, Source, User
from tests.curation import test_keys as keys
from tests.curation.ingest import conftest

pytestmark = keys.pytestmark
context, x = keys.context, conftest.x
LIST = "/lists/de/sources/"


@pytest.fixture
def listed(x: Simulator, settings: Settings, de_politics: Channel) -> list[Source]:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    for n in range(3):
        x.post("rathaus", f"Der Landtag tagt, Teil {n}.", lang="de")
    return [
        Source.objects.create(kind="search", value="landtag", name="Landtag", channel=de_politics),
        Source.objects.create(kind="account", value="stadtblatt", name="Stadtblatt", market=de_politics.market),
    ]


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer, browse: Any, lena: User) -> Iterator[Page]:
    lena.language = "en"
    lena.save()
    enter(context, live_server, browse, lena)
    opened = context.new_page()
    yield opened
    assert opened.evaluate("window.broken ?? []") == []


def enter(context: BrowserContext, live_server: LiveServer, browse: Any, user: User) -> None:
    session = browse(user).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])


def test_a_source_is_found_tried_and_saved_by_keyboard(page: Page, listed: list[Source], de_politics: Channel) -> None:
    page.goto(LIST)
    page.locator("#q").focus()
    page.keyboard.type("landt")
    expect(page.locator(".sources tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=landt$"))
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#tabs a").first).to_have_attribute("href", f"{LIST}?&q=landt")
    page.locator(".sources tbody a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-head")).to_have_text("Landtag")
    page.locator("#value").focus()
    page.keyboard.press("End")
    page.keyboard.type(" (rat OR")
    page.locator("#name").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#wrong-value")).to_contain_text("A bracket is opened and not closed.")
    expect(page.locator("#value")).to_have_value("landtag (rat OR")
    page.locator("#value").fill("landtag -quiz")
    page.locator("[name=try]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".finding")).to_contain_text("3 posts in the last 24 hours")
    expect(page.locator(".sample li")).to_have_count(3)
    page.locator("[name=save]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_contain_text("Saved: Landtag.")
    assert Source.objects.get(pk=listed[0].pk).value == "landtag -quiz"


def test_without_scripts_everything_works(
    browser: Browser, live_server: LiveServer, browse: Any, lena: User, listed: list[Source]
) -> None:
    with browser.new_context(base_url=live_server.url, java_script_enabled=False) as plain:
        enter(plain, live_server, browse, lena)
        page = plain.new_page()
        page.goto(LIST)
        page.locator("#q").fill("stadtbl")
        page.keyboard.press("Enter")
        expect(page.locator(".sources tbody tr")).to_have_count(1)
        page.locator(".sources tbody a").click()
        page.locator("summary", has_text="Pause…").click()
        page.locator("#pause-reason").fill("Wahlkampf")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".told")).to_contain_text("Paused: Stadtblatt.")
        assert Source.objects.get(pk=listed[1].pk).paused_reason == "Wahlkampf"
