"""The people's page in a real browser, by keyboard."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from regions.models import Membership, Role
from tests.cast import make_user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_a_lead_finds_and_changes_somebody_by_keyboard(browser: Browser, live_server: LiveServer) -> None:
    lena, anna = make_user("lena", {"de": Role.LEAD}), make_user("anna", {"de": Role.EDITOR}, first_name="Anna")
    make_user("ben", {"de": Role.EDITOR})
    client = Client()
    client.force_login(lena, backend="django.contrib.auth.backends.ModelBackend")
    context = browser.new_context()
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/lists/de/people/")
    rows = page.locator("#found tbody tr")
    expect(rows).to_have_count(3)
    page.locator("#people-q").focus()
    page.keyboard.type("anna")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("q=anna"))
    page.locator("#found tbody a").focus()
    page.keyboard.press("Enter")
    page.locator("#person-role").focus()
    page.keyboard.press("l")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("ul.told")).to_contain_text("lead")
    assert Membership.objects.get(user=anna).role == "lead"
    page.set_viewport_size({"width": 360, "height": 780})
    page.reload()
    expect(page.locator(".rail [aria-current]")).to_be_in_viewport(ratio=1)
    context.close()
