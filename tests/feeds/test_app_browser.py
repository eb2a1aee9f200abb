"""The ticker's page installed on a phone: what browsers ask of an app, and what it shows when the server is gone."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation import operations
from feeds import installing
from feeds.models import Consumer, Mode
from feeds.module import served
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.chromium import QUIET, chromium
from tests.feeds.conftest import committed

pytestmark = [pytest.mark.browser, committed]
HOUR = 3_600_000
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"
READY = "() => navigator.serviceWorker.ready.then(({ scope, active }) => [scope, active.scriptURL])"
KEPT = """async () => {
  const [name] = await caches.keys();
  return (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname);
}"""


class Mortal(LiveServer):
    """A server that dies at once: its open connections would be served for ever."""

    def __init__(self) -> None:
        super().__init__("localhost")
        self.open: list[socket.socket] = []
        self.accept = self.thread.httpd.get_request
        self.thread.httpd.get_request = self.noted

    def noted(self) -> tuple[socket.socket, Any]:
        accepted: tuple[socket.socket, Any] = self.accept()
        self.open.append(accepted[0])
        return accepted

    def stop(self) -> None:
        super().stop()
        for one in self.open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server() -> Iterator[Mortal]:
    started = Mortal()
    yield started
    started.stop()


@pytest.fixture
def context(browser: Browser, server: Mortal, tmp_path: Path) -> Iterator[BrowserContext]:
    """Of a browser of its own: apps cannot be installed from private windows, which all other contexts are."""
    opened = browser.browser_type.launch_persistent_context(
        tmp_path, executable_path=chromium(), args=QUIET, base_url=server.url, timezone_id="Europe/Berlin",
        viewport={"width": 390, "height": 844},
    )  # fmt: skip
    opened.add_init_script(WATCH)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def wait_until(page: Page, done: Callable[[], bool]) -> None:
    for _ in range(80):
        if done():
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.evaluate(KEPT))


def kept(page: Page) -> list[str]:
    return sorted(path for path in page.evaluate(KEPT) if path.startswith("/ticker/"))


def test_app_shows_what_it_had_for_an_hour_when_the_server_is_gone(
    page: Page, server: Mortal, anna: User, de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installable, looked at, its worker renewed with all that it kept; a blocked entry leaves with the next answer.
    Then reloaded without a server: the page as it was, an hour long; other pages of the market without entries, the
    console not at all."""
    Consumer.objects.create(name="App", mode=Mode.FULL)
    first, second, third = (make_candidate(de_politics) for _ in range(3))
    for one in (first, second, third):
        operations.approve(one, by=anna, version=1)
    said: list[str] = []
    page.on("console", lambda line: said.append(line.text) if line.type in ("warning", "error") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.clock.install()
    page.goto("/ticker/de/politics/")
    expect(page.locator("telekom-ticker article")).to_have_count(3)
    assert page.evaluate(READY) == [f"{server.url}/ticker/", f"{server.url}/ticker/worker.js"]
    assert Axe().run(page).response["violations"] == []
    told = page.context.new_cdp_session(page)
    assert told.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert told.send("Page.getAppManifest")["errors"] == []
    paths = ["/ticker/de/", *(f"/ticker/de/{one}/" for one in ("celebrity", "economy", "politics", "sport"))]
    wait_until(page, lambda: kept(page) == paths)
    [before] = page.evaluate("caches.keys()")
    monkeypatch.setattr(installing, "served", lambda name: served(name) + b"\n")
    page.evaluate("navigator.serviceWorker.getRegistration().then((known) => known.update())")
    wait_until(page, lambda: len(page.evaluate("caches.keys()")) == 1 and page.evaluate("caches.keys()") != [before])
    assert kept(page) == paths
    assert (said, page.evaluate("broken")) == ([], [])

    operations.block(second, by=anna, version=2)
    page.clock.run_for(70_000)
    expect(page.locator("telekom-ticker article")).to_have_count(2)
    texts = page.locator(".text").all_inner_texts()
    server.stop()
    page.reload()
    expect(page.locator(".as-of")).to_contain_text("Offline · Stand")
    assert page.locator(".text").all_inner_texts() == texts
    page.locator(".tabs a").first.click()
    expect(page.locator(".note")).to_have_text("Keine Verbindung.")
    page.go_back()
    expect(page.locator(".as-of")).to_contain_text("Offline · Stand")
    page.clock.fast_forward(HOUR)
    expect(page.locator("article")).to_have_count(0)
    page.reload()
    expect(page.locator(".note")).to_have_text("Keine Verbindung.")
    assert page.evaluate("localStorage.length") == 0
    with pytest.raises(Exception, match="ERR_CONNECTION_REFUSED"):
        page.goto("/accounts/login/")
