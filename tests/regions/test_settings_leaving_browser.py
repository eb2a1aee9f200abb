"""The end of a settings form in a real browser, by keyboard: it says what leaves before anything is saved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from regions.models import Channel, Role
from tests.cast import channel_of, make_candidate, make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_a_lead_reads_what_leaves_and_saves_it_by_keyboard(browser: Browser, live_server: LiveServer) -> None:
    lena, politics = make_user("lena", {"de": Role.LEAD}, language="en"), channel_of("de", "politics")
    for hours in (1, 5, 9):
        make_candidate(politics, state="approved", approved_at=timezone.now() - timedelta(hours=hours))
    Channel.objects.filter(pk=politics.pk).update(minimum_fill=0)
    client = Client()
    client.force_login(lena, backend="django.contrib.auth.backends.ModelBackend")
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/lists/de/settings/politics/")
    save, hours_field = page.locator("#save"), page.locator("#id_live_hours")
    expect(save).to_have_text("Save")
    hours_field.fill("4")
    page.keyboard.press("Tab")
    expect(page.locator("#saving .finding")).to_have_text("2 of 3 live posts leave the phones at once.")
    expect(save).to_have_text("Save and take 2 off")
    expect(save).to_be_in_viewport(ratio=1)
    hours_field.fill("24")
    page.keyboard.press("Tab")
    expect(save).to_have_text("Save")
    hours_field.fill("4")
    page.keyboard.press("Tab")
    expect(save).to_have_text("Save and take 2 off")
    save.focus()
    page.keyboard.press("Enter")
    expect(page.locator("ul.told")).to_contain_text("Saved.")
    assert Channel.objects.get(pk=politics.pk).live_hours == 4
    context.close()
