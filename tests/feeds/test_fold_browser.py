"""Columns that one folds away stay folded in every browser, and open again."""

import pytest
from playwright.sync_api import Page, expect

from regions.models import User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
COLUMNS = {"live": "#live", "phone": "#phone", "rail": ".rail"}


def width(page: Page, place: str) -> int:
    return round(page.locator(place).bounding_box()["width"])  # type: ignore[index]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_folds_at_once_and_stays_so(enter: Open, anna: User, column: str) -> None:
    page = enter(anna)
    place = COLUMNS[column]
    before, queue = width(page, place), width(page, "#main")
    button = page.locator(f"form[data-fold={column}] button")
    with page.expect_response("**/profile/layout/"):
        button.press("Enter")
    assert (width(page, place), width(page, "#main")) == (44, queue + before - 44)
    expect(button).to_have_attribute("aria-expanded", "false")
    page.reload()
    expect(button).to_have_attribute("aria-expanded", "false")
    assert width(page, place) == 44
    with page.expect_response("**/profile/layout/"):
        button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert (width(page, place), User.objects.get(pk=anna.pk).layout) == (before, {column: False})
