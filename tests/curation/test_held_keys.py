"""Keys that do nothing: held back because nobody can have meant the row that is there, or of no use to its post."""

from playwright.sync_api import expect

from curation.models import Act, Candidate, State
from regions.models import Channel, User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Held, Open, glance, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows

IN_PAIRS = """() => document.addEventListener("stood", () => {
  const key = { key: "x", code: "KeyX", bubbles: true };
  const press = () => document.body.dispatchEvent(new KeyboardEvent("keydown", key));
  setTimeout(() => (press(), setTimeout(() => (press(), (document.documentElement.dataset.pressed = "")), 200)), 200);
}, { once: true })"""  # the second is later than what holds back the first
TOO_EARLY = """() => document.addEventListener("stood", () => queueMicrotask(() =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "b", code: "KeyB", bubbles: true }))), { once: true })
"""  # a key that comes before the row that one goes on to is drawn
HAMMERING = """() => document.addEventListener("stood", () => {
  const key = { key: "a", code: "KeyA", bubbles: true };
  for (let n = 1; n < 9; n++) setTimeout(() => document.body.dispatchEvent(new KeyboardEvent("keydown", key)), n * 150);
  setTimeout(() => (document.documentElement.dataset.pressed = ""), 1300);
}, { once: true })"""  # each comes within what holds back the one before it


def test_a_key_that_a_post_cannot_take_says_so(enter: Open, anna: User, rows: list[Candidate]) -> None:
    """Of an approval that waits for a second pair of eyes the first pair is no second one."""
    Candidate.objects.filter(pk=rows[0].pk).update(confirmed_by=anna)
    Channel.objects.filter(pk=rows[0].channel_id).update(second_pair=True)
    anna.language = "en"
    anna.save()
    page = enter(anna)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("This post cannot take that now")
    assert (is_current(page), state_of(rows[0])) == (str(rows[0].pk), State.PENDING)


def test_who_goes_on_pressing_is_not_held_back_for_ever(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.keyboard.press("b")
    expect(page.locator("#undo")).to_be_visible()
    page.evaluate(HAMMERING)
    page.keyboard.press("z")
    expect(page.locator("html[data-pressed]")).to_have_count(1)
    expect(row(page, rows[0])).to_contain_text("Anna")


def test_the_key_behind_one_that_was_held_back_does_nothing_either(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    page.keyboard.press("b")
    expect(page.locator("#undo")).to_be_visible()
    page.evaluate(IN_PAIRS)
    page.keyboard.press("z")
    expect(row(page, rows[0])).to_have_attribute("aria-current", "true")
    expect(page.locator("html[data-pressed]")).to_have_count(1)
    expect(page.locator(".pick input:checked")).to_have_count(0)
    glance(page)
    page.keyboard.press("x")
    expect(page.locator(".pick input:checked")).to_have_count(1)


def test_a_key_before_its_row_is_drawn_decides_nothing_and_says_so(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    page.evaluate(TOO_EARLY)
    with Held(page, "**/candidates/**"):
        page.keyboard.press("a")
        expect(page.locator("#strip")).to_contain_text("Nicht ausgeführt")
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [state_of(candidate) for candidate in rows] == ["approved", "pending", "pending"]


def test_keys_for_a_decided_post_do_nothing_and_say_so(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text("Gesperrt")
    row(page, rows[0]).locator(".words").click()
    for key in ("a", "p", "b", "m", "x"):
        page.locator("#strip p").evaluate("said => said.replaceChildren()")
        page.keyboard.press(key)
        expect(page.locator("#strip")).to_contain_text("Das geht bei diesem Beitrag gerade nicht")
    assert (is_current(page), Act.objects.count(), state_of(rows[0])) == (str(rows[0].pk), 1, State.BLOCKED)


def test_an_undo_that_waits_says_so_and_how_many(enter: Open, anna: User, rows: list[Candidate]) -> None:
    """While the foot still named the act before, the key was pressed again, and took back that one too."""
    anna.language = "en"
    anna.save()
    page = enter(anna)
    page.keyboard.press("b")
    strip, waits = page.locator("#strip"), page.locator("#strip .taking-back")
    expect(strip).to_contain_text("Blocked")
    glance(page)
    with Held(page, "**/undo/"):
        with Held(page, "**/candidates/**"):
            page.keyboard.press("a")
            page.keyboard.press("z")
            expect(waits).to_have_text("Taking back … Press again only to take back one more.")
            expect(strip).not_to_contain_text("Blocked")
            page.keyboard.press("z")
            expect(waits).to_contain_text("2 ×")
        expect(page.locator(".is-sent")).to_have_count(0)
        expect(waits).to_contain_text("2 ×")
    expect(page.locator("#undo")).to_have_count(0)
    expect(waits).to_have_count(0)
    expect(strip).to_contain_text("Taken back")
    assert [state_of(candidate) for candidate in rows] == [State.PENDING] * 3
