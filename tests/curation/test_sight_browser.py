"""Who scrolls away from the current row decides on what is in sight, never on what is not."""

import pytest
from playwright.sync_api import Page, expect

from curation.models import Act, Candidate, State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, glance, is_current, row

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter

FAR = 2_000  # pixels: more than a screen
IN_SIGHT = """() => {
  const at = document.querySelector("#rows .is-current").getBoundingClientRect();
  return at.top >= 0 && at.top < innerHeight - 150;
}"""
AT_ONCE = """([far, press]) => {
  const box = document.querySelector("#main .scroll");
  (getComputedStyle(box).overflowY === "visible" ? document.scrollingElement : box).scrollTop += far;
  if (press === "button") document.querySelector("#rows .is-current .decide [value=approve]").click();
  else document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "a", code: "KeyA", bubbles: true }));
}"""
SCREENS = pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])


@pytest.fixture
def many(anna: User, de_politics: Channel) -> list[Candidate]:
    """Thirty that wait, best first, several lines each."""
    anna.language = "en"
    anna.save()
    words = "Der Rat hat beraten und nach langer Sitzung beschlossen. " * 3
    return [make_candidate(de_politics, f"{words}{n}", rank=100 - n) for n in range(30)]


def view(enter: Open, anna: User, size: tuple[int, int]) -> Page:
    page = enter(anna)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    glance(page)
    return page


@SCREENS
def test_the_current_row_comes_along(enter: Open, anna: User, many: list[Candidate], size: tuple[int, int]) -> None:
    page = view(enter, anna, size)
    page.mouse.move(size[0] / 3, size[1] / 2)
    page.mouse.wheel(0, FAR)
    expect(row(page, many[0])).not_to_have_attribute("aria-current", "true")
    assert page.evaluate(IN_SIGHT)
    glance(page)
    chosen = Candidate.objects.get(pk=is_current(page))
    if size[0] < 500:
        page.locator("#rows .is-current .decide [value=approve]").click()
    else:
        page.keyboard.press("a")
    expect(row(page, chosen).locator(".verdict")).to_contain_text("approved")
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [one.pk for one in many if Candidate.objects.get(pk=one.pk).state == State.APPROVED] == [chosen.pk]


@SCREENS
@pytest.mark.parametrize("press", ["button", "key"])
def test_what_is_pressed_while_it_scrolls_decides_nothing(
    press: str, enter: Open, anna: User, many: list[Candidate], size: tuple[int, int]
) -> None:
    page = view(enter, anna, size)
    page.evaluate(AT_ONCE, [FAR, press])
    expect(page.locator("#strip")).to_contain_text("not on the screen")
    assert page.evaluate(IN_SIGHT)
    assert (Act.objects.count(), is_current(page) == str(many[0].pk)) == (0, False)


def test_a_panel_that_is_open_stays_with_its_row(enter: Open, anna: User, many: list[Candidate]) -> None:
    page = view(enter, anna, (1440, 900))
    page.keyboard.press("c")
    field = row(page, many[0]).get_by_label("Context")
    field.fill("Heute im Rat")
    field.blur()
    page.mouse.move(500, 450)
    page.mouse.wheel(0, FAR)
    page.locator("#main .scroll").evaluate("box => box.scrollTop > 500 || new Promise(done => box.onscroll = done)")
    page.wait_for_timeout(400)  # longer than what one waits for a scroll to end
    assert is_current(page) == str(many[0].pk)
    expect(field).to_have_value("Heute im Rat")


@pytest.mark.parametrize("key", ["a", "x b"])
def test_no_key_decides_while_another_column_stands_in_the_queues_place(
    enter: Open, anna: User, many: list[Candidate], key: str
) -> None:
    """A narrow page with a keyboard: its window at 200 %, or a tablet."""
    page = enter(anna)
    page.set_viewport_size({"width": 700, "height": 800})
    first, *then = key.split()
    if then:
        page.keyboard.press(first)
    page.locator('.tabbar [href="#live"]').click()
    expect(page.locator("#rows")).to_be_hidden()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(then[0] if then else first)
    expect(page.locator("#rows")).to_be_visible()
    expect(page.locator("#strip .warn")).to_be_visible()
    assert Act.objects.count() == 0
    glance(page)
    page.keyboard.press(then[0] if then else first)
    expect(page.locator("#undo")).to_be_visible()
