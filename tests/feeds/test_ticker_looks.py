"""The ticker as everyone meets it: six languages, light and dark, 320 to 1200 pixels, by keyboard; in one page load."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.feeds import test_ticker as stage
from tests.feeds.test_ticker import show
from tests.feeds.ticker_host import PHOTO, VIDEO, Edge, feed, post, row

pytestmark = pytest.mark.browser
edge, context, page = stage.edge, stage.context, stage.page
PAUSES = {
    "de": "Ticker anhalten", "nl": "Ticker pauzeren", "el": "Παύση ενημέρωσης", "ro": "Întrerupe actualizarea",
    "hr": "Zaustavi osvježavanje", "en": "Pause ticker",
}  # fmt: skip
WIDTHS = (320, 390, 768, 1200)
ELEMENT = "document.querySelector('telekom-ticker')"
CUT = """(boxes) => boxes
  .filter(({ scrollWidth, clientWidth, scrollHeight, clientHeight: high }) =>
    scrollWidth > clientWidth + 1 || scrollHeight > high + 1)
  .map((box) => `${box.className}: ${box.textContent}`)"""
FOCUSED = f"""() => {{
  const {{ activeElement: one }} = {ELEMENT}.shadowRoot, ring = one && getComputedStyle(one);
  return one && [one.getAttribute("aria-label") ?? one.innerText.trim(), ring.outlineStyle, ring.outlineWidth];
}}"""
LINK = {"start": 6, "end": 11, "tag": "Wahl"}


def test_it_can_be_read_in_every_language_colour_and_width(page: Page, edge: Edge) -> None:
    words = "Ένα πολύ μακρύ κείμενο " * 20
    whole = post("11", "Hello #Wahl", entities={"hashtags": [LINK]}, edited=True, media=[PHOTO, VIDEO])
    edge.feed = feed(1, whole | {"context": words, "label": "Διαφήμιση"}, post("12", words), row("13", context=words))
    page.emulate_media(reduced_motion="reduce")
    show(page, edge)
    page.clock.resume()
    for number, (lang, pause) in enumerate(PAUSES.items()):
        theme = ("light", "dark")[number % 2]
        page.emulate_media(color_scheme=theme)
        page.evaluate(f"(lang) => {{ {ELEMENT}.lang = lang; {ELEMENT}.removeAttribute('theme') }}", lang)
        page.get_by_role("button", name=pause, exact=True).wait_for()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") == width, (lang, width)
            cut = page.locator(".title, .as-of, .context span, .label, .text, .when, .view, .note, .foot").evaluate_all(
                CUT
            )
            assert cut == [], (lang, width)
        found = Axe().run(page).response["violations"]
        assert [(lang, rule["id"], [n["html"] for n in rule["nodes"]]) for rule in found] == []


def test_everything_is_reached_by_keyboard_and_seen_there(page: Page, edge: Edge) -> None:
    video = VIDEO | {"alt": "A parade"}
    edge.feed = feed(1, post("11", "Hello #Wahl", entities={"hashtags": [LINK]}, media=[video]), row("12"))
    show(page, edge)
    name = "Wahlamt Lindmark"
    wanted = [
        "Pause ticker", f"WL\n{name}\n@wahlamt_lindmark", "#Wahl", f"Video: View on X: {name}: A parade",
        "22 Nov 2026, 07:54", f"Reply: {name}", f"Repost: {name}", f"Like: {name}", f"View on X: {name}", "View on X",
    ]  # fmt: skip
    met = []
    for _ in wanted:
        page.keyboard.press("Tab")
        met.append(page.evaluate(FOCUSED))
    assert [words.replace(" \n", "\n") for words, _style, _width in met] == wanted
    assert {(style, width) for _words, style, width in met} == {("solid", "2px")}
