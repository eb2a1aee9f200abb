"""The desk in a real browser: keys, marks before the answer, refusals, news, and nothing that jumps."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Candidate, State
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate, make_tweet

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
DESK = "/desk/de/politics/"
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"
Open = Callable[..., Page]


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    opened = browser.new_context(
        base_url=live_server.url, viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin", locale="de-DE"
    )
    opened.add_init_script(WATCH)
    yield opened
    opened.close()


@pytest.fixture
def enter(context: BrowserContext, live_server: LiveServer, browse: Any) -> Iterator[Open]:
    """Opens a page as somebody; whatever it did, no script failed and the policy was never broken."""
    said: list[str] = []
    pages: list[Page] = []

    def open_as(user: User, path: str = DESK) -> Page:
        session = browse(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda told: said.append(told.text) if "oobErrorNoTarget" in told.text else None)
        page.on("request", lambda request: said.append(request.url) if left_to_the_browser(request) else None)
        # Interception that begins on a page already open lets single requests slip by.
        page.route("**/never-asked-for", lambda route: route.abort())
        page.goto(path, wait_until="domcontentloaded")
        expect(page.locator("#live .subhead").first).to_be_visible()
        pages.append(page)
        return page

    yield open_as
    assert said == []
    assert [page.evaluate("window.broken ?? []") for page in pages] == [[] for _ in pages]


def left_to_the_browser(request: Request) -> bool:
    """Whether an act went out as a plain form, which takes the whole page away."""
    plain = request.method == "POST" and request.is_navigation_request()
    return plain and re.search("/(candidates|decisions|acts)/", request.url) is not None


@pytest.fixture
def rows(anna: User, de_politics: Channel) -> list[Candidate]:
    """Three that wait, best first."""
    anna.language = "de"
    anna.save()
    return [make_candidate(de_politics, f"Beitrag Nummer {rank}", rank=rank) for rank in (30, 20, 10)]


def row(page: Page, candidate: Candidate) -> Any:
    return page.locator(f"#row-{candidate.pk} .row")


def is_current(page: Page) -> str:
    return page.evaluate("document.querySelector('#rows .is-current').dataset.candidate")


def state_of(candidate: Candidate) -> str:
    candidate.refresh_from_db()
    return candidate.state


def test_keys_move_select_write_and_explain(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    assert is_current(page) == str(rows[0].pk)
    for key, place in (("j", 1), ("ArrowDown", 2), ("j", 2), ("k", 1), ("ArrowUp", 0), ("k", 0), ("s", 1)):
        page.keyboard.press(key)
        assert is_current(page) == str(rows[place].pk)
    expect(row(page, rows[1]).locator(".decide")).to_be_visible()
    expect(row(page, rows[0]).locator(".decide")).to_be_hidden()
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("abp")
    assert page.input_value("#q") == "abp"
    assert [state_of(candidate) for candidate in rows] == ["pending"] * 3
    page.locator("#main .scroll").focus()
    page.keyboard.press("0")
    page.wait_for_url("**/desk/de/")
    page.keyboard.press("1")
    page.wait_for_url(f"**{DESK}")
    page.keyboard.press("j")
    expect(row(page, rows[1])).to_be_focused()
    page.reload(wait_until="domcontentloaded")
    expect(row(page, rows[1])).to_be_focused()
    page.goto(DESK, wait_until="domcontentloaded")
    expect(row(page, rows[0])).to_be_focused()


def test_one_key_decides_and_moves_on(enter: Open, anna: User, rows: list[Candidate], de_politics: Channel) -> None:
    rows.append(make_candidate(de_politics, rank=5))
    page = enter(anna)
    for n, (key, state, said) in enumerate(
        (("a", "approved", "hat freigegeben"), ("p", "approved", "hat angeheftet"), ("b", "blocked", "hat gesperrt"))
    ):
        page.keyboard.press(key)
        assert is_current(page) == str(rows[n + 1].pk)
        expect(row(page, rows[n])).to_contain_text(said)
        expect(page.locator(".is-sent")).to_have_count(0)
        assert (state_of(rows[n]), rows[n].pinned) == (state, key == "p")
        glance(page)
    expect(page.locator(".entry--pinned")).to_contain_text("live seit")
    page.locator(".entry--pinned summary").click()
    page.locator(".entry--pinned").get_by_role("button", name="Lösen").click()
    expect(page.locator(".entry--pinned")).to_have_count(0)
    expect(page.locator("#strip")).to_contain_text("Gelöst")
    assert page.evaluate("customElements.get('telekom-ticker') !== undefined")


def test_z_takes_it_back_and_stands_there_again(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.keyboard.press("b")
    expect(page.locator("#undo")).to_be_visible()
    page.evaluate(IN_HASTE)
    page.keyboard.press("z")
    expect(page.locator("#strip")).to_contain_text("Zurückgenommen")
    expect(row(page, rows[0]).locator(".verdict")).to_have_count(0)
    expect(row(page, rows[0])).to_have_attribute("aria-current", "true")
    assert state_of(rows[0]) == State.PENDING
    assert (is_current(page), page.evaluate("window.hasty")) == (str(rows[0].pk), str(rows[0].pk))
    glance(page)
    assert (page.locator(".why").count(), page.locator(".pick input:checked").count()) == (0, 0)
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text("Gesperrt")
    glance(page)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("a")
        page.keyboard.press("z")
        expect(row(page, rows[1])).to_contain_text("hat freigegeben")
    expect(page.locator("#strip")).to_contain_text("Zurückgenommen")
    assert [state_of(candidate) for candidate in rows] == ["blocked", "pending", "pending"]
    way_back = row(page, rows[1]).locator(".more [name=next]")
    expect(way_back).to_have_value(DESK)
    glance(page)
    for key in ("p", "b", "z", "z", "z"):
        page.keyboard.press(key)
    expect(page.locator("#undo")).to_have_count(0)
    assert [state_of(candidate) for candidate in rows] == ["pending"] * 3
    row(page, rows[1]).locator(".words").click()
    glance(page)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("Freigegeben")
    swapped = {"key": "z", "code": "KeyY", "bubbles": True}  # German: Z and Y change places
    page.evaluate("told => document.body.dispatchEvent(new KeyboardEvent('keydown', told))", swapped)
    expect(page.locator("#strip")).to_contain_text("Zurückgenommen")


IN_HASTE = """() => document.addEventListener("stood", ({ detail }) => {
  window.hasty = detail.row;
  for (const key of ["b", "x", "m", "B"])
    document.body.dispatchEvent(
      new KeyboardEvent("keydown", { key, code: `Key${key.toUpperCase()}`, shiftKey: key === "B", bubbles: true }));
}, { once: true })"""  # keys that were on their way when the current row changed by itself


def glance(page: Page) -> None:
    """As long as somebody needs to see that the current row changed by itself or late: until then no key decides."""
    page.wait_for_timeout(350)


class Held:
    """While it lasts, requests to an address are kept back; at its end they go on, and there was at least one."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.routes: list[Route] = []

    def __enter__(self) -> "Held":
        self.page.route(self.address, lambda route: self.routes.append(route))
        return self

    def __exit__(self, *_failure: object) -> None:
        for _ in range(500):
            if self.routes:
                break
            self.page.wait_for_timeout(10)
        assert self.routes, f"nothing was asked of {self.address}"
        self.page.unroute(self.address)
        for route in self.routes:
            route.continue_()


def test_the_row_is_marked_before_the_answer_and_news_that_overtakes_it_does_no_harm(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("a")
        expect(row(page, rows[0])).to_contain_text("Anna Amsel hat freigegeben")
        assert (is_current(page), state_of(rows[0])) == (str(rows[1].pk), State.PENDING)
        operations.decide("approve", rows[0], by=anna, version=1, key=key_of(page, rows[0]))
        with page.expect_response("**/changes/**"):
            ask(page)
        expect(row(page, rows[0])).to_have_class("row is-decided is-sent")
    expect(page.locator("#strip")).to_contain_text("Freigegeben Stadtblatt")
    expect(row(page, rows[0])).not_to_have_class(re.compile("is-sent"))


def key_of(page: Page, candidate: Candidate) -> str:
    return row(page, candidate).locator('input[name="key"]').get_attribute("value") or ""


@pytest.mark.parametrize("gone", [{"name": "sessionid"}, {}], ids=["its session", "all cookies"])
def test_who_was_slower_or_is_logged_out_is_told_and_loses_nothing(
    enter: Open, anna: User, ben: User, rows: list[Candidate], gone: dict[str, str]
) -> None:
    page = enter(anna)
    operations.decide("block", rows[0], by=ben, version=1)
    page.keyboard.press("a")
    expect(row(page, rows[0])).to_contain_text("Ben Buche hat gesperrt")
    expect(row(page, rows[0]).get_by_role("alert")).to_contain_text("Ben Buche war schneller")
    assert state_of(rows[0]) == State.BLOCKED
    row(page, rows[1]).locator(".words").click()
    page.context.clear_cookies(**gone)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("Sie sind abgemeldet")
    expect(row(page, rows[1]).locator(".decide")).to_be_visible()
    assert (page.url.endswith(DESK), is_current(page)) == (True, str(rows[1].pk))
    assert state_of(rows[1]) == State.PENDING


def test_x_selects_and_one_key_decides_them_all(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    for key in ("x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("#picked")).to_have_text("2")
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text("2 Beiträge")
    expect(page.locator("#bulk")).to_be_hidden()
    assert [state_of(candidate) for candidate in rows] == ["blocked", "blocked", "pending"]


NO_KEYS: list[dict[str, Any]] = [
    {"key": "q", "code": "KeyA"},
    {"key": "a", "code": "KeyA", "ctrlKey": True},
    {"key": "a", "code": "KeyA", "metaKey": True},
    {"key": "a", "code": "KeyA", "repeat": True},
]
APPROVE_KEYS: list[dict[str, Any]] = [
    {"key": "α", "code": "KeyA"},  # Greek: the place of A
    {"key": "a", "code": "KeyQ"},  # French: the letter, wherever it is
]


def test_letters_are_what_is_printed_on_them(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    press = "told => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...told}))"
    for told in NO_KEYS:
        page.evaluate(press, told)
    assert (page.locator(".is-decided").count(), is_current(page)) == (0, str(rows[0].pk))
    for told, candidate in zip(APPROVE_KEYS, rows, strict=False):
        page.evaluate(press, told)
        expect(row(page, candidate)).to_have_class("row is-decided")
        assert state_of(candidate) == State.APPROVED
    assert state_of(rows[2]) == State.PENDING


def test_arrivals_wait_and_then_stand_above_without_a_jump(
    enter: Open, anna: User, rows: list[Candidate], de_politics: Channel
) -> None:
    for _ in range(12):
        make_candidate(de_politics, rank=5)
    page = enter(anna)
    page.keyboard.press("j")
    before = top_of(page, rows[1])
    new = make_candidate(de_politics, "Ganz neu\n" * 5, rank=90)
    ask(page)
    expect(page.locator(".arrivals")).to_contain_text("1 neuer")
    assert top_of(page, rows[1]) == before
    expect(row(page, new)).to_have_count(0)
    page.locator(".arrivals").click()
    expect(row(page, new)).to_have_count(1)
    assert page.locator("#rows > li").first.get_attribute("id") == f"row-{new.pk}"
    expect(page.locator(".arrivals")).to_have_count(0)
    assert top_of(page, rows[1]) == before
    assert is_current(page) == str(rows[1].pk)


def top_of(page: Page, candidate: Candidate) -> float:
    box = row(page, candidate).bounding_box()
    assert box is not None
    return box["y"]


def ask(page: Page) -> None:
    """What a page does when it is looked at again, on an event, or every 15 seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_colleagues_verdict_appears_in_place(enter: Open, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    before = [top_of(page, candidate) for candidate in rows]
    operations.decide("block", rows[1], by=ben, version=1)
    ask(page)
    expect(row(page, rows[1])).to_contain_text("Ben Buche hat gesperrt")
    assert [top_of(page, candidate) for candidate in rows] == before
    expect(page.locator("#waiting")).to_have_text("2 offen")
    assert is_current(page) == str(rows[0].pk)


def test_decided_rows_keep_their_height(enter: Open, anna: User, de_politics: Channel) -> None:
    long = make_candidate(de_politics, "Ein langer Satz. " * 30, rank=50)
    make_candidate(de_politics, rank=10)
    page = enter(anna)
    page.keyboard.press("j")
    height = "id => document.querySelector(`#row-${id}`).getBoundingClientRect().height"
    before = page.evaluate(height, long.pk)
    page.keyboard.press("k")
    page.keyboard.press("b")
    expect(page.locator("#undo")).to_be_visible()
    assert page.evaluate(height, long.pk) == before


def test_everything_works_without_scripts(browser: Browser, live_server: LiveServer, browse: Any, anna: User,
                                          rows: list[Candidate]) -> None:  # fmt: skip
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False, locale="de-DE")
    session = browse(anna).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(DESK)
    row(page, rows[1]).get_by_role("button", name="Sperren").click()
    expect(page.locator("#strip")).to_contain_text("Gesperrt")
    expect(row(page, rows[1])).to_have_count(0)
    page.get_by_role("button", name="Rückgängig").click()
    expect(row(page, rows[1])).to_have_count(1)
    assert state_of(rows[1]) == State.PENDING
    context.close()


def test_nothing_scrolls_sideways(enter: Open, anna: User, de_politics: Channel) -> None:
    hard = "W" * 300 + " https://t.co/" + "a" * 120 + " ﷽﷽﷽﷽ " + "🧑🏽‍🚀" * 80 + " Z̷͕̈́a̶l̷g̶o̷ \u202egnirts\u202c"
    make_candidate(de_politics, tweet=make_tweet(hard))
    make_candidate(channel_of("de", "sport"))
    page = enter(anna)
    for width in (360, 390, 768, 1000, 1440, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_shift_extends_and_decides_nothing(enter: Open, anna: User, rows: list[Candidate]) -> None:
    anna.keys = {"own": {"block_reason": "", "next": ""}}
    anna.save()
    page = enter(anna)
    for key in ("Shift+A", "Shift+P", "Shift+S"):
        page.keyboard.press(key)
    assert (is_current(page), page.locator(".is-decided").count()) == (str(rows[0].pk), 0)
    for key in ("x", "ArrowDown", "ArrowDown", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("#picked")).to_have_text("3")
    assert [state_of(candidate) for candidate in rows] == ["pending"] * 3
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    page.wait_for_url("**/desk/de/economy/")
