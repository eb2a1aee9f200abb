"""Selecting several posts by keys, as in any list."""

import pytest
from playwright.sync_api import Page, expect

from curation.models import Act, Candidate
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, is_current, row, state_of, top_of

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


@pytest.fixture
def five(anna: User, rows: list[Candidate], de_politics: Channel) -> list[Candidate]:
    anna.language = "en"
    anna.save()
    return rows + [make_candidate(de_politics, rank=rank) for rank in (8, 6)]


def choose(page: Page, *candidates: Candidate) -> None:
    for candidate in candidates:
        row(page, candidate).locator(".pick input").check()


def two_wait_and_two_are_chosen(page: Page, five: list[Candidate]) -> Page:
    page.clock.install()
    page.route("**/decisions/", lambda route: route.abort())
    choose(page, *five[:2])
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("No connection")
    choose(page, *five[2:4])
    return page


def test_what_waits_for_the_server_goes_as_it_was_though_a_panel_for_others_is_open(
    enter: Open, anna: User, five: list[Candidate]
) -> None:
    """And its answer takes neither the panel nor what is typed there."""
    page = two_wait_and_two_are_chosen(enter(anna), five)
    page.keyboard.press("Shift+B")
    note = page.locator("#panel-many [name=note]")
    note.fill("Wegen der")
    page.unroute("**/decisions/")
    page.clock.fast_forward(4_000)
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [state_of(one) for one in five] == ["approved"] * 2 + ["pending"] * 3
    expect(note).to_have_value("Wegen der")
    page.keyboard.type(" Quelle")
    page.keyboard.press("Enter")
    expect(row(page, five[2])).to_contain_text("blocked")
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [state_of(one) for one in five] == ["approved"] * 2 + ["blocked"] * 2 + ["pending"]
    assert Act.objects.count() == 2


def test_half_a_time_in_a_panel_holds_back_nothing_that_waits(enter: Open, anna: User, five: list[Candidate]) -> None:
    page = two_wait_and_two_are_chosen(enter(anna), five)
    page.keyboard.press("e")
    page.locator("#panel-many [name=go_live_at]").focus()
    page.keyboard.type("12")
    page.unroute("**/decisions/")
    page.clock.fast_forward(4_000)
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [state_of(one) for one in five] == ["approved"] * 2 + ["pending"] * 3


@pytest.mark.parametrize("way", ["cross", "boxes"])
def test_a_panel_ends_with_its_selection(enter: Open, anna: User, five: list[Candidate], way: str) -> None:
    """Else it would be sent for the posts that are selected next."""
    page = enter(anna)
    choose(page, *five[:2])
    page.keyboard.press("e")
    panel = page.locator("#panel-many .why")
    expect(panel).to_be_visible()
    if way == "cross":
        page.locator("#bulk [type=reset]").click()
    else:
        for one in five[:2]:
            row(page, one).locator(".pick input").uncheck()
    expect(panel).to_have_count(0)
    choose(page, five[3])
    expect(page.locator("#bulk")).to_be_visible()
    expect(panel).to_have_count(0)
