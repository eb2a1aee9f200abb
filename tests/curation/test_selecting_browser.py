"""Selecting several posts by keys, as in any list."""

from playwright.sync_api import Page, expect

from curation.models import Act, Candidate
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, is_current, row, top_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows


def selected(page: Page, rows: list[Candidate]) -> list[int]:
    """The places of those that are selected, as the bar counts them."""
    found = [place for place, one in enumerate(rows) if row(page, one).locator(".pick input").is_checked()]
    expect(page.locator("#picked")).to_have_text(str(len(found)))
    return found


def test_shift_with_an_arrow_extends_what_is_selected(
    enter: Open, anna: User, rows: list[Candidate], de_politics: Channel
) -> None:
    rows += [make_candidate(de_politics, rank=rank) for rank in (8, 6)]
    page = enter(anna)
    for key, place, chosen in (
        ("Shift+ArrowDown", 1, []),
        ("x", 1, [1]),
        ("Shift+ArrowDown", 2, [1, 2]),
        ("Shift+J", 3, [1, 2, 3]),
        ("Shift+ArrowUp", 2, [1, 2]),
        ("Shift+K", 1, [1]),
        ("Shift+ArrowUp", 0, [0, 1]),
        ("Shift+ArrowUp", 0, [0, 1]),
        ("ArrowDown", 1, [0, 1]),
        ("j", 2, [0, 1]),
        ("Shift+ArrowDown", 3, [0, 1, 2, 3]),
    ):
        page.keyboard.press(key)
        assert (is_current(page), selected(page, rows)) == (str(rows[place].pk), chosen), key
    assert Act.objects.count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#keys dt", has_text="⇧↓")).to_have_text("⇧X ⇧↓ ⇧↑")


def test_the_longest_words_of_the_bar_move_no_row(enter: Open, anna: User, rows: list[Candidate]) -> None:
    anna.language = "el"
    anna.save()
    page = enter(anna)
    before = top_of(page, rows[0])
    page.keyboard.press("x")
    expect(page.locator("#bulk")).to_be_visible()
    assert top_of(page, rows[0]) == before
    bar = page.locator("#bulk").bounding_box()
    assert bar is not None
    for button in page.locator("#bulk > .button").all():
        box = button.bounding_box()
        assert box is not None
        assert bar["y"] <= box["y"] and box["y"] + box["height"] <= min(bar["y"] + bar["height"], before)
    page.keyboard.press("Escape")
    expect(page.locator("#tabs a").first).to_be_visible()
    assert top_of(page, rows[0]) == before
