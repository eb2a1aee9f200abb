"""Health in a real browser, by keyboard: what was set aside is looked into, released and dropped."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from curation.models import Candidate, Quarantined
from regions.models import Channel, Source, User
from tests.curation import test_keys as keys
from tests.curation.ingest.test_releasing import kept, payload_at

pytestmark = keys.pytestmark
context = keys.context


def test_what_was_set_aside_is_released_and_dropped_by_keyboard(
    context: keys.BrowserContext, live_server: LiveServer, browse: Any, lena: User, de_politics: Channel
) -> None:
    lena.language = "en"
    lena.save()
    now = timezone.now()
    source = Source.objects.create(kind="search", value="Brücke lang:de", name="Brücken", channel=de_politics)
    good, bad = kept(source, payload_at(now), now), kept(source, {"id": "x"}, now)
    session = browse(lena).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto("/health/de/")
    rows = page.locator("#quarantine tbody tr")
    expect(rows).to_have_count(2)
    for chart in page.locator(".charts svg").all():
        assert chart.get_attribute("aria-hidden") == "true" or chart.get_attribute("role") == "img"
    page.locator(f'#quarantine a[href$="/{good.pk}/"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator(".facts")).to_contain_text("Die Brücke ist offen.")
    page.get_by_role("button", name="Release it").focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.told")).to_be_visible()
    assert Candidate.objects.get(channel=de_politics).tweet.text == "Die Brücke ist offen."
    page.goto("/health/de/")
    expect(rows).to_have_count(1)
    rows.locator("a").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".finding--warn")).to_contain_text("It cannot be released.")
    page.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live_server.url}/health/de/")
    expect(rows).to_have_count(0)
    assert not Quarantined.objects.filter(pk=bad.pk).exists()
    assert page.evaluate("window.broken ?? []") == []
