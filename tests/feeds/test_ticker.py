"""The ticker in a real browser, against invented feeds from a small server with a strict policy."""

import gzip
import threading
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.feeds.ticker_host import AUTHOR, MODULE, PHOTO, VIDEO, Edge, Server, door, feed, post, row

NOW = 1_795_336_867_000  # 2026-11-22T08:41:07Z in milliseconds
HOUR = 3_600_000
WATCH = (
    "window.broken = []; window.ran = 0; window.told = [];"
    "addEventListener('securitypolicyviolation', (e) => broken.push([e.violatedDirective, e.blockedURI]));"
    "for (const kind of ['ticker-update', 'ticker-open'])"
    " addEventListener(kind, (e) => told.push([kind, e.detail]));"
)

pytestmark = pytest.mark.browser


@pytest.fixture
def edge() -> Iterator[Edge]:
    served = Edge(feed=feed(1, post("11", "Hello")))
    server = Server(("127.0.0.1", 0), door(served))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 360, "height": 740}, timezone_id="Europe/Berlin")
    opened.add_init_script(WATCH)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page whose clock stands at NOW. Nothing may run, break the policy or leave the host."""
    opened = context.new_page()
    opened.clock.install(time=NOW / 1000)
    said: list[str] = []
    left: list[str] = []
    opened.on("console", lambda line: said.append(line.text) if line.type in ("warning", "error") else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: left.append(request.url) if "127.0.0.1" not in request.url else None)
    yield opened
    assert opened.evaluate("[broken, ran]") == [[], 0]
    assert left == []
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


def show(page: Page, edge: Edge, lang: str = "en", theme: str = "light") -> Page:
    page.goto(f"{edge.url}/host/{lang}/{theme}")
    expect(page.locator("section")).to_have_attribute("aria-busy", "false")
    return page


def texts(page: Page) -> list[str]:
    return page.locator(".text").evaluate_all("nodes => nodes.map((node) => node.textContent)")


def settle(page: Page, edge: Edge, seconds: int = 12) -> None:
    """Lets the page's clock run until it has asked again and shown the answer."""
    before = len(edge.asked)
    page.clock.run_for(seconds * 1000)
    for _ in range(100):
        if len(edge.asked) > before:
            break
        page.wait_for_timeout(20)
    page.wait_for_timeout(400)


def test_module_is_at_most_ten_kilobytes() -> None:
    assert len(gzip.compress(MODULE.read_bytes(), 9)) <= 10_000


def test_asks_for_channel_or_market_with_key(page: Page, edge: Edge) -> None:
    show(page, edge)
    page.evaluate("document.querySelector('telekom-ticker').removeAttribute('category')")
    expect(page.locator("h2")).to_have_text("Germany")
    page.evaluate("document.querySelector('telekom-ticker').removeAttribute('key')")
    page.wait_for_timeout(200)
    assert [path for path, _ in edge.asked] == ["/feeds/de/politics/?key=k", "/feeds/de/?key=k", "/feeds/de/"]


def test_text_is_whole_and_entities_are_linked_by_code_points(page: Page, edge: Edge) -> None:
    words = "😀😀 1 &lt; 2 &amp;amp; 3\n\nsee https://t.co/a1 #Wahl  @blick_p $ABC"
    at = words.index
    entities = {
        "urls": [{"start": at("https"), "end": at(" #"), "url": "https://t.co/a1", "display_url": "a.example…"}],
        "hashtags": [{"start": at("#"), "end": at("  @"), "tag": "Wahl"}],
        "mentions": [{"start": at("@"), "end": at(" $"), "username": "blick_p"}],
        "cashtags": [{"start": at("$"), "end": len(words), "tag": "ABC"}],
    }
    edge.feed = feed(1, post("11", words, entities=entities, edited=True))
    show(page, edge)
    assert texts(page) == ["😀😀 1 < 2 &amp; 3\n\nsee a.example… #Wahl  @blick_p $ABC"]
    told = "all => all.map((a) => [a.href, a.textContent, a.rel, a.target])"
    links = page.locator(".text a").evaluate_all(told)
    assert links == [
        ["https://t.co/a1", "a.example…", "noopener", "_blank"],
        ["https://x.com/hashtag/Wahl", "#Wahl", "noopener", "_blank"],
        ["https://x.com/blick_p", "@blick_p", "noopener", "_blank"],
        ["https://x.com/search?q=%24ABC", "$ABC", "noopener", "_blank"],
    ]
    expect(page.locator(".when")).to_have_text("22 Nov 2026, 07:54 · Edited")
    expect(page.locator(".when a")).to_have_attribute("href", "https://x.com/i/status/11")
    actions = page.locator(".actions a").evaluate_all("all => all.map((a) => [a.href, a.ariaLabel])")
    assert actions == [
        ["https://x.com/intent/post?in_reply_to=11", "Reply: Wahlamt Lindmark"],
        ["https://x.com/intent/retweet?tweet_id=11", "Repost: Wahlamt Lindmark"],
        ["https://x.com/intent/like?tweet_id=11", "Like: Wahlamt Lindmark"],
        ["https://x.com/i/status/11", "View on X: Wahlamt Lindmark"],
    ]


@pytest.mark.parametrize(
    "entities",
    [
        {"urls": [{"start": 0, "end": 5, "url": "javascript:ran=1", "display_url": "x"}]},
        {"urls": [{"start": 3, "end": 99, "url": "https://t.co/a"}, None, 7], "hashtags": "none"},
        {"hashtags": [{"start": 0, "end": 5, "tag": "Other"}]},
        {"mentions": [{"start": -1, "end": 2, "username": "x"}]},
        {"urls": [{"start": "0", "end": None, "url": "https://t.co/a"}]},
        None,
    ],
)
def test_entities_that_do_not_fit_leave_the_text_alone(page: Page, edge: Edge, entities: Any) -> None:
    edge.feed = feed(1, post("11", "Plain words", entities=entities))
    show(page, edge)
    assert texts(page) == ["Plain words"]
    assert page.locator(".text a").count() == 0


def test_words_never_become_elements(page: Page, edge: Edge) -> None:
    words = "<i>Plain</i> <img src=x onerror='ran=1'>"
    edge.feed = feed(1, post("11", words, context=words, label=words))
    show(page, edge)
    assert texts(page) == [words]
    assert page.locator("section i, .text img, .context img, .label img").count() == 0


def test_hostile_words_stay_words_in_their_box(page: Page, edge: Edge) -> None:
    hostile = [
        "<img src=x onerror='ran=1'><script>ran=1</script>&lt;b&gt;",
        "\u202egnol\u202d \u2066\u2067\u200b\ufeff end",
        "Z" + "\u0300\u0316\u0489" * 400,
        "😀" * 4000,
        "x" * 10_000,
    ]
    script = "javascript:ran=1"
    author = {
        "id": "5",
        "name": hostile[1] + "<b>" * 90,
        "username": 'a"b',
        "url": script,
        "avatar_url": script,
    }
    more = {"author": author, "url": script}
    edge.feed = feed(1, *(post(str(n), x, context=x, label=x, **more) for n, x in enumerate(hostile, 1)))
    show(page, edge)
    assert texts(page) == [hostile[0].replace("&lt;", "<").replace("&gt;", ">"), *hostile[1:]]
    hrefs = page.locator("a").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
    assert all(href.startswith("https://x.com/") for href in hrefs)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = page.locator(".text, .context span, .label")
    cut = "all => all.filter((box) => box.scrollWidth > box.clientWidth && !/\\u0489/.test(box.textContent)).length"
    assert boxes.evaluate_all(cut) == 0
    # one letter with its marks has no place to break at, and some fonts give each mark a width
    flows = boxes.evaluate_all("all => all.map((box) => getComputedStyle(box).overflowX)")
    assert "visible" not in flows and "auto" not in flows
    bidi = page.locator(".text").evaluate_all("all => all.map((p) => getComputedStyle(p).unicodeBidi)")
    assert bidi == ["isolate"] * 5
    assert page.locator("section script, section img, .context b b, .text *").count() == 0


def test_editors_words_stand_outside_the_card(page: Page, edge: Edge) -> None:
    edge.feed = feed(1, post("11", "Hello", context="Erste Zahlen ab 18 Uhr", label="Anzeige"))
    show(page, edge, lang="de")
    expect(page.locator("li > .context")).to_have_text("Redaktion Erste Zahlen ab 18 Uhr")
    expect(page.locator("li > .label")).to_have_text("Anzeige")
    expect(page.locator("article .context, article .label")).to_have_count(0)


def test_without_key_each_entry_is_a_link_to_x(page: Page, edge: Edge) -> None:
    edge.feed = feed(1, row("11", context="Read this", label="Ad"), row("12"))
    show(page, edge)
    rows = page.locator("a.row").evaluate_all("all => all.map((a) => [a.href, a.textContent, a.ariaLabel])")
    assert rows == [
        ["https://x.com/i/status/11", "View on X", "View on X: Read this"],
        ["https://x.com/i/status/12", "View on X", None],
    ]
    expect(page.locator(".context span")).to_have_text("Read this")


def test_pictures_come_through_the_base_and_broken_ones_leave_their_place(page: Page, edge: Edge) -> None:
    edge.feed = feed(1, post("11", "Hello", media=[PHOTO]))
    show(page, edge)
    picture = page.locator(".media img")
    assert picture.get_attribute("src") == "/pictures?u=https%3A%2F%2Fpics.example%2Fb.jpg%3Fx%3D1"
    assert picture.get_attribute("alt") == "A bridge"
    tall = page.locator(".media").bounding_box()
    edge.pictures = 404
    gone = {"url": "https://pics.example/gone.jpg", "avatar_url": "https://pics.example/gone.png"}
    edge.feed = feed(2, post("11", "Hello", media=[PHOTO | gone], author=AUTHOR | {"avatar_url": gone["avatar_url"]}))
    show(page, edge)
    expect(page.locator("img")).to_have_count(0)
    expect(page.locator(".avatar")).to_have_text("WL")
    expect(page.locator(".alt")).to_have_text("A bridge")
    assert page.locator(".media").bounding_box() == tall
    page.evaluate("document.querySelector('telekom-ticker').setAttribute('media-base', 'none')")
    expect(page.locator(".media")).to_have_count(0)


def test_video_shows_its_preview_and_leads_to_the_post(page: Page, edge: Edge) -> None:
    edge.feed = feed(1, post("11", "Hello", media=[VIDEO]))
    show(page, edge)
    expect(page.locator("a.picture")).to_have_attribute("href", "https://x.com/i/status/11")
    expect(page.locator("a.picture")).to_have_attribute("aria-label", "Video: View on X: Wahlamt Lindmark")


def test_new_snapshot_keeps_the_nodes_of_what_stays(page: Page, edge: Edge) -> None:
    edge.feed = feed(1, post("11", "one"), post("12", "two"), post("13", "three"))
    show(page, edge)
    root = "document.querySelector('telekom-ticker').shadowRoot"
    page.evaluate(f"window.kept = [...{root}.querySelectorAll('article')]")
    page.locator("article .view").nth(2).focus()
    edge.feed = feed(2, post("14", "new"), post("13", "three", context="note"), post("12", "edited"))
    settle(page, edge)
    assert texts(page) == ["new", "three", "edited"]
    places = f"kept.map((node) => [...{root}.querySelectorAll('article')].indexOf(node))"
    assert page.evaluate(places) == [-1, -1, 1]
    assert page.evaluate(f"{root}.activeElement.closest('li').dataset.id") == "13"
    assert [told for told in page.evaluate("told") if told[1]["ids"]] == [
        ["ticker-update", {"snapshot": 1, "ids": ["11", "12", "13"]}],
        ["ticker-update", {"snapshot": 2, "ids": ["14", "13", "12"]}],
    ]


def test_entries_leave_when_they_expire_or_are_removed(page: Page, edge: Edge) -> None:
    soon = "2026-11-22T08:41:57Z"  # of these 50 seconds a slow machine takes some for the start
    edge.feed = feed(1, post("11", "stays"), post("12", "expires", expires_at=soon), post("13", "removed"),
                     removed=[{"id": "13", "at": soon}])  # fmt: skip
    show(page, edge)
    assert texts(page) == ["stays", "expires"]
    page.get_by_role("button").click()
    left = NOW + 50_000 - page.evaluate("Date.now()")
    page.clock.run_for(left - 5_000)
    assert texts(page) == ["stays", "expires"]
    page.clock.run_for(5_500)
    assert texts(page) == ["stays"]


@pytest.mark.parametrize(
    "bad",
    [
        feed(4, post("12", "older")),
        feed(6, post("12", "other version"), version=2),
        feed(6, {"id": "<b>"}),
        {**feed(6), "entries": None},
        b'{"version": 1, "snapshot": 6, "entr',
        None,
    ],
)
def test_older_and_invalid_answers_are_ignored(page: Page, edge: Edge, bad: Any) -> None:
    edge.feed = feed(5, post("11", "good"))
    show(page, edge)
    edge.feed = bad
    settle(page, edge)
    assert texts(page) == ["good"]
    edge.feed = feed(7, post("13", "newer"))
    for _ in range(4):  # a slow machine may still be at the bad answer when the clock runs
        settle(page, edge, 30)
        if texts(page) == ["newer"]:
            break
    assert texts(page) == ["newer"]


def test_unchanged_feed_is_asked_by_etag_and_counts_as_good(page: Page, edge: Edge) -> None:
    show(page, edge)
    expect(page.locator(".as-of")).to_have_text("As of 09:41 · Chosen by the editors")
    for _ in range(6):
        settle(page, edge)
    assert {status for _, status in edge.asked[1:]} == {304}
    expect(page.locator(".as-of")).to_have_text("As of 09:42 · Chosen by the editors")
    assert len(page.evaluate("told")) == 2


def test_offline_shows_the_kept_feed_then_nothing_after_an_hour(page: Page, edge: Edge) -> None:
    show(page, edge)
    edge.status = 503
    settle(page, edge)
    expect(page.locator(".as-of")).to_have_text("Offline · As of 09:41")
    page.reload()
    expect(page.locator(".as-of")).to_have_text("Offline · As of 09:41")
    assert texts(page) == ["Hello"]
    page.clock.fast_forward(HOUR - 60_000)
    assert texts(page) == ["Hello"]
    page.clock.fast_forward(60_000)
    assert texts(page) == []
    expect(page.locator(".note")).to_have_text("No connection.")
    assert page.evaluate("localStorage.length") == 0


def test_questions_back_off_to_ten_minutes(page: Page, edge: Edge) -> None:
    edge.status = 500
    noted = "window.times = []; const ask = fetch; fetch = (...a) => (times.push(Date.now()), ask(...a))"
    page.add_init_script(noted)
    show(page, edge)
    allowed = [(18, 32), (36, 54), (72, 98), (144, 186), (288, 362), (540, 610), (600, 610), (600, 610)]
    while (asked := len(edge.asked)) < 9:
        page.clock.run_for(1000 * max(10, allowed[max(asked, 1) - 1][0] - 20))  # a question that comes then is noted
        page.wait_for_timeout(60)
        while len(edge.asked) == asked:
            page.clock.run_for(10_000)
            page.wait_for_timeout(60)
    times = page.evaluate("times")
    gaps = [(later - sooner) / 1000 for sooner, later in pairwise(times)]
    assert [low <= gap <= high for gap, (low, high) in zip(gaps, allowed, strict=True)] == [True] * 8, gaps


@pytest.mark.parametrize("status", [403, 404])
def test_refusal_shows_one_quiet_line(page: Page, edge: Edge, status: int) -> None:
    show(page, edge)
    edge.status = status
    settle(page, edge)
    assert page.locator("section").inner_text().strip() == "Not available right now."
    assert page.evaluate("localStorage.length") == 0
    edge.status = 200
    settle(page, edge, 30)
    assert texts(page) == ["Hello"]


def test_pause_stops_questions_and_resuming_catches_up(page: Page, edge: Edge) -> None:
    show(page, edge)
    button = page.get_by_role("button", name="Pause ticker")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".as-of")).to_have_text("Paused · As of 09:41")
    edge.feed = feed(2, post("12", "later"))
    page.clock.run_for(120_000)
    assert len(edge.asked) == 1
    button.press("Enter")
    expect(page.locator(".text")).to_have_text("later")


def test_hidden_page_asks_nothing_and_catches_up(page: Page, edge: Edge) -> None:
    show(page, edge)
    hide = "Object.defineProperty(document, 'hidden', {configurable: true, get: () => %s});"
    page.evaluate(hide % "true" + "document.dispatchEvent(new Event('visibilitychange'))")
    edge.feed = feed(2, post("12", "later"))
    page.clock.run_for(120_000)
    assert len(edge.asked) == 1
    page.evaluate(hide % "false" + "document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".text")).to_have_text("later")


def test_host_hears_of_opened_posts_and_may_take_over(page: Page, edge: Edge) -> None:
    show(page, edge)
    page.evaluate("addEventListener('ticker-open', (event) => event.preventDefault())")
    page.locator(".view").click()
    assert page.evaluate("told.at(-1)") == ["ticker-open", {"id": "11", "url": "https://x.com/i/status/11"}]
    assert len(page.context.pages) == 1


def test_works_where_storage_is_denied(page: Page, edge: Edge) -> None:
    denied = "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied') }})"
    page.add_init_script(denied)
    show(page, edge)
    assert texts(page) == ["Hello"]


def test_no_motion_where_less_is_wanted(page: Page, edge: Edge) -> None:
    page.emulate_media(reduced_motion="reduce")
    show(page, edge)
    edge.feed = feed(2, post("12", "new"), post("11", "Hello"))
    settle(page, edge)
    assert page.locator("li.new").evaluate("(li) => getComputedStyle(li).animationName") == "none"


@pytest.mark.parametrize(("lang", "theme"), [("de", "light"), ("el", "dark")])
def test_axe_finds_nothing(page: Page, edge: Edge, theme: str, lang: str) -> None:
    whole = post("11", "Hello", context="Note", label="Ad", media=[PHOTO, VIDEO])
    edge.feed = feed(1, whole, row("12", context="Note"))
    page.emulate_media(color_scheme="dark" if theme == "light" else "light", reduced_motion="reduce")
    show(page, edge, lang, theme)
    page.clock.resume()
    found = Axe().run(page)
    assert [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in found.response["violations"]] == []
