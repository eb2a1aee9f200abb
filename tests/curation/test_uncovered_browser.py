"""What comes by itself, a bar of new ones or word that the feed is held, neither moves nor covers the current row."""

import pytest
from playwright.sync_api import Page, expect

from curation import operations
from curation.models import Candidate
from feeds.holding import BLANK, hold
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, ask, row, top_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
IN_SIGHT = """row => {
  const who = row.querySelector(".who").getBoundingClientRect();
  return row.contains(document.elementFromPoint(who.left + 2, who.top + who.height / 2));
}"""


def in_sight(page: Page, candidate: Candidate) -> bool:
    """Whether nothing hides whose post it is."""
    seen: bool = row(page, candidate).evaluate(IN_SIGHT)
    return seen


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_new_ones_cover_no_row(
    enter: Open, anna: User, ben: User, rows: list[Candidate], de_politics: Channel, width: int
) -> None:
    for _ in range(12):
        make_candidate(de_politics, rank=5)
    page = enter(anna)
    page.set_viewport_size({"width": width, "height": 900})
    before = top_of(page, rows[0])
    make_candidate(de_politics, rank=90)
    ask(page)
    expect(page.locator(".arrivals")).to_have_text("1 neuer")
    assert (top_of(page, rows[0]), in_sight(page, rows[0])) == (before, True)
    assert page.locator(".arrivals").evaluate("bar => bar.scrollWidth <= bar.clientWidth")
    operations.block(rows[0], by=ben, version=1)
    page.keyboard.press("a")
    expect(row(page, rows[0]).get_by_role("alert")).to_be_visible()
    assert in_sight(page, rows[0])


def test_word_that_the_feed_is_held_moves_no_row(
    enter: Open, anna: User, lena: User, rows: list[Candidate], de_politics: Channel
) -> None:
    page = enter(anna)
    before, foot = top_of(page, rows[0]), page.locator("#strip").bounding_box()
    hold(de_politics.market, de_politics, BLANK, reason="Falschmeldung wird geprüft", by=lena)
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(page.locator(".banner")).to_contain_text("Falschmeldung wird geprüft")
    assert (top_of(page, rows[0]), in_sight(page, rows[0])) == (before, True)
    assert page.locator("#strip").bounding_box() == foot
