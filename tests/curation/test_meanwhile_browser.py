"""What somebody does at the desk while something else happens: nothing written is lost, no key becomes another's."""

from typing import Any

from playwright.sync_api import Page, expect

from curation import operations
from curation.models import Act, Candidate, State
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Held, Open, ask, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows


def written(page: Page) -> Any:
    return page.locator("#rows .is-current .why [name=context]")


def test_a_sentence_being_written_stays_one_whatever_others_do(
    enter: Open, anna: User, ben: User, rows: list[Candidate], de_politics: Channel
) -> None:
    rows += [make_candidate(de_politics, rank=rank) for rank in (5, 4)]
    page = enter(anna)
    page.keyboard.press("c")
    expect(written(page)).to_be_focused()
    page.keyboard.type("Katrin ")
    operations.approve(rows[0], by=ben, version=1)
    operations.block(rows[1], by=ben, version=1)
    ask(page)
    expect(row(page, rows[1])).to_contain_text("Ben Buche hat gesperrt")
    page.keyboard.type("bap")
    expect(written(page)).to_have_value("Katrin bap")
    expect(page.locator(".why [role=alert]")).to_contain_text("Ben Buche hat freigegeben")
    assert (is_current(page), Act.objects.count()) == (str(rows[0].pk), 2)
    page.keyboard.press("Escape")
    expect(row(page, rows[0])).to_have_class("row is-decided is-current")
    expect(row(page, rows[0])).to_be_focused()
    expect(row(page, rows[0]).locator(".why")).to_have_count(0)

    for key in ("j", "j"):
        page.keyboard.press(key)
    operations.block(rows[2], by=ben, version=1)
    with Held(page, f"**/candidates/{rows[2].pk}/**"):
        page.keyboard.press("a")
        page.keyboard.press("c")
        expect(written(page)).to_be_focused()
        page.keyboard.type("Bald")
    expect(row(page, rows[2]).get_by_role("alert")).to_contain_text("Ben Buche war schneller")
    expect(written(page)).to_be_focused()
    page.keyboard.type(" abp")
    expect(written(page)).to_have_value("Bald abp")
    page.locator("#rows .is-current .why").evaluate("one => one.remove()")
    page.keyboard.type("abp")
    assert (is_current(page), Act.objects.count()) == (str(rows[3].pk), 3)
    page.wait_for_timeout(1_100)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("Freigegeben")
    assert [state_of(one) for one in rows[3:]] == [State.APPROVED, State.PENDING]


def test_a_tab_that_is_opened_while_counts_are_told_is_the_one_in_the_address(
    enter: Open, anna: User, ben: User, rows: list[Candidate]
) -> None:
    """The link outlives the news, so that what it asked for is known by its answer: else a reload shows other posts."""
    page = enter(anna)
    tab, open_ones = page.locator("#tabs a").nth(1), page.locator("#categories [aria-current] .count")
    expect(open_ones).to_contain_text("3")
    with Held(page, "**/desk/de/politics/?show=*"):
        tab.click()
        operations.approve(rows[0], by=ben, version=1)
        ask(page)
        expect(open_ones).to_contain_text("2")
    page.wait_for_url("**/desk/de/politics/?show=*")
    expect(tab).to_have_attribute("aria-current", "page")
    assert page.locator("#main").count() == 1


def test_a_link_keeps_the_keyboard_and_the_finger_while_counts_are_told(
    enter: Open, anna: User, ben: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    tab, economy = page.locator("#tabs a").nth(1), page.locator('#categories [data-digit="2"]')
    open_ones = page.locator("#categories [aria-current] .count")
    tab.focus()
    operations.approve(rows[0], by=ben, version=1)
    ask(page)
    expect(open_ones).to_contain_text("2")
    expect(tab).to_be_focused()
    economy.hover()
    page.mouse.down()
    operations.approve(rows[1], by=ben, version=1)
    ask(page)
    expect(open_ones).to_contain_text("1")
    page.mouse.up()
    page.wait_for_url("**/desk/de/economy/")
