"""A new market from nothing to a shown post, by clicks alone: a real browser, the simulator for X, the real ticker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from curation.models import Candidate
from curation.x.simulator import Simulator
from feeds.models import Consumer
from regions.models import Channel, User
from tests.curation import test_keys as keys
from tests.curation.ingest import conftest

pytestmark = keys.pytestmark
context = keys.context
x = conftest.x
NAMES = {"Deutsch": "Österreich", "Nederlands": "Oostenrijk", "Ελληνικά": "Αυστρία", "English": "Austria"}
TEXT = "Der Gemeinderat von Lindmark hat die neue Brücke beschlossen."


@pytest.fixture
def number(x: Simulator, settings: Settings) -> str:
    """A post at X; its pictures may be shown."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    images = [*directives["img-src"], x.base_url]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"img-src": images}}
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    return x.post("rathaus", TEXT, lang="de")


@pytest.fixture
def page(context: keys.BrowserContext, live_server: LiveServer, chief: User) -> Iterator[Page]:
    """The first page of somebody who is not logged in yet."""
    chief.language = "en"
    chief.save()
    cache.clear()  # allauth counts attempts there, over tests
    Consumer.objects.create(name="App")
    opened = context.new_page()
    opened.goto("/")
    yield opened
    assert opened.evaluate("window.broken ?? []") == []


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


@pytest.mark.long
def test_a_market_from_nothing_to_a_shown_post_by_clicks_alone(page: Page, number: str) -> None:
    log_in(page)
    add_market(page)
    follow(page, "To the desk")
    add_link(page, number)
    approve(page)
    expect(page.locator("#live")).to_contain_text(TEXT)
    expect(page.locator("telekom-ticker")).to_contain_text(TEXT)  # its shadow too
    page.get_by_role("link", name="Sport").first.click()
    expect(page.locator("#main h1")).to_be_visible()
    assert list(Channel.objects.filter(market__code="at").values_list("category__slug", flat=True)) == [
        "politics",
        "sport",
    ]
    assert Candidate.objects.get().channel.market.code == "at"


def log_in(page: Page) -> None:
    page.locator("#id_login").fill("chief")
    page.locator("#id_password").fill("chief")
    page.keyboard.press("Enter")
    follow(page, "Markets and categories")


def add_market(page: Page) -> None:
    """First with a code that is taken: it is told at the field, and nothing that was typed is lost."""
    follow(page, "Add a market")
    page.get_by_label("Code").fill("de")
    page.get_by_label("Country").fill("at")
    for language, name in NAMES.items():
        page.get_by_label(language, exact=True).fill(name)
    page.get_by_label("Languages").fill("de")
    page.get_by_label("Time zone").select_option("Europe/Vienna")
    for category in ("Politics", "Sport"):
        page.get_by_label(category).check()
    press(page, "Add the market")
    expect(page.locator("#code-wrong")).to_have_text("There is a market with this code already.")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Vienna")
    page.get_by_label("Code").fill("at")
    press(page, "Add the market")
    expect(page.locator(".told")).to_contain_text("Austria is there: desk, lists, feeds and ticker.")


def add_link(page: Page, number: str) -> None:
    page.get_by_role("link", name="Politics").first.click()
    page.locator("#open-link").click()
    page.locator("#link-url").fill(f"https://x.com/rathaus/status/{number}")
    press(page, "See the price")
    press(page, "Add to Politics")
    expect(page.locator("#link-told")).to_contain_text("Added to Politics.")


def approve(page: Page) -> None:
    row = page.locator("#rows .row", has_text=TEXT)
    expect(row).to_have_class("row is-current")  # it was added for whoever stands there
    row.locator('button[value="approve"]').click()
    expect(page.locator("#undo")).to_be_visible()
