"""`make pictures`: the docs' pictures, of a demo of their own. Run it again when the desk looks different.

Everything in them is invented by the demo: accounts, posts, people. The demo runs in a folder that goes afterwards."""

from __future__ import annotations

import base64
import hmac
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from curation.config.demo.ports import free_port
from tests.chromium import QUIET, chromium

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
READY = 240  # seconds that a first start may take
FLAT, OTHERS = 160, 96  # colours of a picture: grounds and letters as they are, and what photographs need
DESKTOP, PHONE = (1440, 900), (390, 844)
DESK = "/desk/de/politics/"
APP = ROOT / "static/feeds/app"
LEADS = (
    ("sources", "/lists/de/sources/"),
    ("blocks", "/lists/de/blocks/"),
    ("people", "/lists/de/people/"),
    ("market-settings", "/lists/de/settings/"),
    ("health", "/health/de/"),
    ("feed", "/feed/de/"),
    ("hold", "/feed/de/hold/?snapshot=blank"),
)
PANELS = (("panel-block", "Shift+B"), ("panel-schedule", "e"))
TICKERS = (
    ("light", PHONE, "light"),
    ("dark", PHONE, "dark"),
    ("narrow", (320, 640), "light"),
    ("wide", (1200, 900), "dark"),
)


@dataclass
class Demo:
    """Where it answers, and who may log in with which password."""

    address: str
    passwords: dict[str, str]


@contextmanager
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory(prefix="tickerdesk-pictures-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        environ = os.environ | {"PORT": str(port), "DEMO_DIR": folder}
        runs = subprocess.Popen([sys.executable, "-m", "curation.config.demo"], cwd=ROOT, env=environ)
        try:
            address = f"http://localhost:{port}"
            wait_for(f"{address}/readyz", runs)
            known = json.loads((Path(folder) / "credentials.json").read_text())
            yield Demo(address, {one["username"]: one["password"] for one in known["users"]})
        finally:
            runs.send_signal(signal.SIGINT)
            runs.wait(60)


def wait_for(url: str, runs: subprocess.Popen[bytes]) -> None:
    for _ in range(READY):
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            if runs.poll() is not None:
                sys.exit("The demo did not start.")
            time.sleep(1)
    sys.exit(f"{url} did not answer within {READY} s.")


class Camera:
    """Somebody at a browser, in a language; `take` keeps what they see."""

    def __init__(self, browser: Browser, demo: Demo, *, who: str = "", language: str = "de") -> None:
        zone = "Europe/Athens" if language == "el" else "Europe/Berlin"
        self.context: BrowserContext = browser.new_context(
            base_url=demo.address, locale=language, timezone_id=zone, color_scheme="light", reduced_motion="reduce"
        )
        self.page: Page = self.context.new_page()
        self.edition = ".en" if language == "en" else ""
        self.be(DESKTOP)
        if who:
            self.log_in(who, demo.passwords[who], language)

    def log_in(self, who: str, password: str, language: str) -> None:
        self.page.goto("/accounts/login/?next=/profile/")
        self.page.fill("#id_login", who)
        self.page.fill("#id_password", password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/profile/")
        self.page.select_option("#id_language", language)
        self.page.locator(".profile__save .button--primary").click()
        self.page.locator(".told").wait_for()

    def be(self, size: tuple[int, int], colours: str = "light") -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme="dark" if colours == "dark" else "light")

    def go(self, path: str, wait: str = "h1") -> None:
        """To a page, when nothing loads any more. The desk's stream stays open, so it has its own sign."""
        self.page.goto(path, wait_until="load")
        self.page.locator(wait).first.wait_for(state="attached")
        self.rest()

    def rest(self, seconds: float = 1.5) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.rest(0.8)

    def take(self, name: str, part: Locator | None = None) -> None:
        """Keeps it in the docs, with few colours."""
        kept = DOCS / f"{name}{self.edition}.png"
        (part or self.page).screenshot(path=kept)
        with Image.open(kept) as seen:
            with_few_colours(seen.convert("RGB")).save(kept, optimize=True)
        print(f"{kept.relative_to(ROOT)}: {kept.stat().st_size // 1024} kB", flush=True)

    def close(self) -> None:
        self.context.close()


def with_few_colours(seen: Image.Image) -> Image.Image:
    counted = sorted(seen.getcolors(seen.width * seen.height) or [], reverse=True)
    flat = [part for _count, colour in counted[:FLAT] for part in colour]
    others = seen.quantize(OTHERS, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(flat + others[: 3 * OTHERS])
    return seen.quantize(palette=palette, dither=Image.Dither.NONE)


def take_all(browser: Browser, own: Demo) -> None:
    stranger(browser, own)
    at_the_desk(browser, own)
    looking_back(browser, own)
    leading(browser, own)
    abroad(browser, own)
    in_english(browser, own)


def stranger(browser: Browser, own: Demo) -> None:
    camera = Camera(browser, own)
    camera.go("/accounts/login/")
    camera.take("log-in")
    camera.go("/nowhere/")
    camera.take("nothing-here")
    camera.close()
    second_step(browser, own)


def second_step(browser: Browser, own: Demo) -> None:
    """Clara sets up an authenticator app, then logs in with it."""
    camera = Camera(browser, own, who="clara")
    page = camera.page
    page.goto("/accounts/reauthenticate/?next=/accounts/2fa/totp/activate/")
    page.fill("#id_password", own.passwords["clara"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/totp/activate/")
    page.fill("#id_code", code_of(page.locator("#authenticator_secret").input_value()))
    page.keyboard.press("Enter")
    page.wait_for_url("**/recovery-codes/")
    camera.context.clear_cookies()
    page.goto("/accounts/login/")
    page.fill("#id_login", "clara")
    page.fill("#id_password", own.passwords["clara"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/authenticate/")
    camera.take("second-step")
    camera.close()


def code_of(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238)."""
    told = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    place = told[-1] & 15
    return f"{(struct.unpack('>I', told[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def at_the_desk(browser: Browser, own: Demo) -> None:
    """Katrin leads Germany: a morning's work, then each panel and each sheet."""
    camera = Camera(browser, own, who="katrin")
    camera.go(DESK, "#live .subhead")
    camera.press("p", "p", "a", "a", "a")
    camera.go(DESK, "#live .subhead")
    camera.press("a", "b")
    camera.rest(4)
    camera.take("desk-light")
    camera.be(DESKTOP, "dark")
    camera.rest()
    camera.take("desk-dark")
    camera.be(DESKTOP)
    panels(camera, *PANELS, ("key-sheet", "?"), ("last-acts", "h"))
    camera.press("Control+k")
    camera.page.locator("#palette-q").fill("sport")
    camera.rest()
    camera.take("palette")
    camera.press("Escape", "Escape")
    live_menu(camera)
    camera.press("x", "j", "x")
    camera.take("selected")
    camera.go("/desk/de/", "#live .subhead")
    camera.take("desk-market")
    phone(camera)
    camera.close()


def panels(camera: Camera, *keys: tuple[str, str]) -> None:
    """What each key opens."""
    for name, key in keys:
        camera.press(key)
        camera.rest()
        if name == "panel-block":
            camera.page.locator(".is-current .also .check input").first.check()
            camera.press("3")
        camera.take(name)
        camera.press("Escape")


def live_menu(camera: Camera) -> None:
    camera.page.locator(".entry__more summary").first.click()
    camera.rest()
    camera.take("live-menu", camera.page.locator("#live"))


def phone(camera: Camera) -> None:
    camera.be(PHONE)
    camera.go(DESK, "#live .subhead")
    camera.page.evaluate("scrollTo(0, 0)")
    camera.take("desk-phone")
    camera.page.locator(".tabbar a").nth(1).click()
    camera.rest()
    camera.take("desk-phone-live")
    camera.be(PHONE, "dark")
    camera.page.locator(".tabbar a").first.click()
    camera.rest()
    camera.take("desk-phone-dark")


def looking_back(browser: Browser, own: Demo) -> None:
    """Vera leads all markets."""
    camera = Camera(browser, own, who="vera")
    for name, path in (("home", "/"), ("log", "/log/de/"), ("profile", "/profile/"), ("link", "/link/de/")):
        camera.go(path)
        camera.take(name)
        if name == "log":
            post = camera.page.locator(".about a").first.get_attribute("href") or "/"
    camera.go(post)
    camera.take("post")
    author = camera.page.locator(".post .at").inner_text()
    camera.go("/erase/de/")
    camera.page.fill("#author", author)
    camera.page.keyboard.press("Enter")
    camera.page.locator("#typed").wait_for()
    camera.take("erase")
    camera.close()
    ticker(browser, own)


def ticker(browser: Browser, own: Demo) -> None:
    """As it is on phones, at its narrowest, and on a desk."""
    camera = Camera(browser, own)
    for name, size, colours in TICKERS:
        camera.be(size, colours)
        camera.go("/ticker/de/politics/", "telekom-ticker li")
        camera.take(f"ticker-{name}")
    camera.close()


def leading(browser: Browser, own: Demo) -> None:
    """Katrin's lists, how all fares, and what her feeds show."""
    camera = Camera(browser, own, who="katrin")
    for name, path in LEADS:
        camera.go(path)
        camera.take(name)
    camera.close()


def icons(browser: Browser) -> None:
    """The installed ticker's icons, from the one drawing; what a phone cuts to its own shape has no corners left."""
    drawn = (APP / "icon.svg").read_text()
    for name, size, shape in (("icon-192", 192, drawn), ("icon-512", 512, drawn),
                              ("maskable-512", 512, drawn.replace('rx="104"', ""))):  # fmt: skip
        page = browser.new_page(viewport={"width": size, "height": size})
        page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{shape}")
        page.screenshot(path=APP / f"{name}.png", omit_background=True)
        page.close()


def abroad(browser: Browser, own: Demo) -> None:
    """Eleni leads Greece, Marko Croatia."""
    for who, language, market in (("eleni", "el", "gr"), ("marko", "hr", "hr")):
        camera = Camera(browser, own, who=who, language=language)
        camera.go(f"/desk/{market}/politics/", "#live .subhead")
        camera.press("p", "a", "a")
        camera.rest(4)
        camera.take(f"desk-{language}")
        camera.close()


def in_english(browser: Browser, own: Demo) -> None:
    """What the English guides show: the same people's pages, told in English."""
    camera = Camera(browser, own, language="en")
    camera.go("/accounts/login/")
    camera.take("log-in")
    camera.close()
    camera = Camera(browser, own, who="katrin", language="en")
    camera.go(DESK, "#live .subhead")
    camera.press("a", "b")
    camera.rest(4)
    camera.take("desk-light")
    panels(camera, *PANELS)
    live_menu(camera)
    for name, path in LEADS:
        camera.go(path)
        camera.take(name)
    camera.close()
    camera = Camera(browser, own, who="vera", language="en")
    for name, path in (("home", "/"), ("log", "/log/de/")):
        camera.go(path)
        camera.take(name)
    camera.close()


def main() -> None:
    with demo() as own, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        icons(browser)
        take_all(browser, own)
        browser.close()


if __name__ == "__main__":
    main()
