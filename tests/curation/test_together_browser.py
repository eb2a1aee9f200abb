"""Two people at the same desk, told of each other by the real events process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation.config.demo.ports import free_port
from curation.models import Candidate
from regions.models import User
from tests.curation import test_keys as keys
from tests.curation.test_events import ROOT, database_url, wait_for
from tests.curation.test_keys import DESK, WATCH, row

pytestmark = keys.pytestmark
rows = keys.rows
Seat = Callable[[User], BrowserContext]


@pytest.fixture
def events_port(live_server: LiveServer, settings: Any) -> Iterator[int]:
    """The events process, for the pages of the live server."""
    port = free_port()
    policy = deepcopy(django_settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["connect-src"] = ["'self'", f"http://localhost:{port}"]
    settings.CONTENT_SECURITY_POLICY, settings.EVENTS_URL = policy, f"http://localhost:{port}/events/"
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port)]
    environment = os.environ | {"DATABASE_URL": database_url(), "CONSOLE_URL": live_server.url}
    granian = [*command, "--workers-kill-timeout", "2", "curation.config.asgi:application"]
    running = subprocess.Popen(granian, cwd=ROOT, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/livez")
        yield port
    finally:
        running.terminate()
        running.wait(10)


@pytest.fixture
def seat(browser: Browser, live_server: LiveServer, events_port: int, browse: Any) -> Iterator[Seat]:
    """A browser of somebody's own."""
    opened: list[BrowserContext] = []

    def sit(user: User) -> BrowserContext:
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
        context.add_init_script(WATCH)
        session = browse(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        opened.append(context)
        return context

    yield sit
    for context in opened:
        context.close()


def at_the_desk(context: BrowserContext, heard: list[str] | None = None) -> Page:
    """A new tab, once it is told of news; `heard` collects the streams that it opens."""
    page = context.new_page()
    if heard is not None:
        page.on("request", lambda request: heard.append(request.url) if "/events/" in request.url else None)
    page.goto(DESK, wait_until="domcontentloaded")
    expect(page.locator("#line")).to_have_class("ok", timeout=15_000)
    return page


def looking(page: Page, candidate: Candidate) -> Any:
    return row(page, candidate).locator(".here")


def test_each_sees_where_the_other_stands(seat: Seat, anna: User, ben: User, rows: list[Candidate]) -> None:
    ben.language = "de"
    ben.save()
    his, hers = at_the_desk(seat(ben)), at_the_desk(seat(anna))
    hers.keyboard.press("j")
    expect(looking(his, rows[1])).to_contain_text("Anna Amsel sieht das gerade an")
    expect(his.locator("#faces .face")).to_have_text(["AA"])
    expect(looking(hers, rows[0])).to_contain_text("Ben Buche sieht das gerade an")
    hers.keyboard.press("j")
    expect(looking(his, rows[2])).to_be_visible()
    expect(his.locator(".row .here")).to_have_count(1)
    hers.close()
    expect(his.locator(".row .here")).to_have_count(0)
    expect(his.locator("#faces .face")).to_have_count(0)
    assert his.evaluate("window.broken") == []


def test_a_decision_is_seen_at_the_other_desk(seat: Seat, anna: User, ben: User, rows: list[Candidate]) -> None:
    his, hers = at_the_desk(seat(ben)), at_the_desk(seat(anna))
    hers.keyboard.press("b")
    expect(row(his, rows[0])).to_contain_text("Anna Amsel")
    expect(row(his, rows[0])).to_have_class("row is-decided is-current")
    his.context.set_offline(True)
    expect(his.locator("#line")).not_to_have_class("ok")
    his.context.set_offline(False)
    expect(his.locator("#line")).to_have_class("ok", timeout=15_000)


def test_one_stream_serves_all_tabs_of_a_browser(seat: Seat, anna: User, ben: User, rows: list[Candidate]) -> None:
    hers, streams = seat(anna), []
    tabs = [at_the_desk(hers, streams) for _ in range(3)]
    assert len(streams) == 1
    his = at_the_desk(seat(ben))
    his.keyboard.press("b")
    for tab in tabs:
        expect(row(tab, rows[0])).to_contain_text("Ben Buche")
    tabs[0].close()
    expect(tabs[1].locator("#line")).to_have_class("ok")
    keys.glance(his)
    his.keyboard.press("b")
    for tab in tabs[1:]:
        expect(row(tab, rows[1])).to_contain_text("Ben Buche", timeout=10_000)
    assert len(streams) == 2
