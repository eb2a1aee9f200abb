"""Settings in a real browser, by keyboard: bounds, what leaves the phones, and a colleague who was faster."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from feeds.models import Snapshot
from feeds.operations import publish
from regions.adjusting import adjust
from regions.models import Channel, Role, User
from tests.cast import make_candidate, make_user
from tests.curation import test_keys as keys

pytestmark = keys.pytestmark
context = keys.context
SETTINGS = "/lists/de/settings/politics/"


@pytest.fixture
def page(context: keys.BrowserContext, live_server: LiveServer, browse: Any, lena: User) -> Iterator[Page]:
    lena.language = "en"
    lena.save()
    context.add_cookies(
        [{"name": "sessionid", "value": browse(lena).cookies["sessionid"].value, "url": live_server.url}]
    )
    opened = context.new_page()
    opened.goto(SETTINGS)
    yield opened
    assert opened.evaluate("window.broken ?? []") == []


def typed(page: Page, name: str, value: str) -> None:
    """As fingers do it: the field chosen, its number replaced."""
    page.locator(f"[name={name}]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type(value)


def test_a_lead_shortens_a_feed_by_keyboard(page: Page, de_politics: Channel) -> None:
    now = timezone.now()
    for minutes in (10, 20, 30):
        make_candidate(de_politics, state="approved", approved_at=now - timedelta(minutes=minutes))
    publish(de_politics.market_id)
    typed(page, "feed_length", "0")
    page.keyboard.press("Enter")
    expect(page.locator("#feed_length-wrong")).to_be_visible()
    expect(page.locator("[name=feed_length]")).to_have_value("0")
    typed(page, "minimum_fill", "0")
    typed(page, "feed_length", "1")
    page.keyboard.press("Tab")
    expect(page.locator("#saving")).to_contain_text("2 of 3 live posts leave the phones at once.")
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.told")).to_contain_text("Saved")
    publish(de_politics.market_id)
    assert Channel.objects.get(pk=de_politics.pk).feed_length == 1
    assert len(Snapshot.objects.filter(feed__channel=de_politics).latest("number").entries) == 1
    typed(page, "live_hours", "30")
    mira = make_user("mira", {"de": Role.LEAD})
    adjust(Channel.objects.get(pk=de_politics.pk), {"live_hours": 12}, seen={"live_hours": 24}, by=mira)
    page.keyboard.press("Enter")
    expect(page.locator("#live_hours-theirs")).to_contain_text("12")
    expect(page.locator("[name=live_hours]")).to_have_value("30")
    assert Channel.objects.get(pk=de_politics.pk).live_hours == 12, "nobody is overwritten unseen"
    page.locator("#save").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.told")).to_contain_text("Saved")
    assert Channel.objects.get(pk=de_politics.pk).live_hours == 30
