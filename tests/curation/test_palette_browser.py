"""The palette in a real browser, by keys alone; the tabs and the home page as people meet them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from curation.models import Candidate, State
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import DESK, Open, ask, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows


def opened(page: Page) -> Any:
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    return page.locator("#palette-q")


def chosen(page: Page) -> str:
    """The label of the option that Enter takes, as a screen reader is told of it."""
    told = page.locator("#palette-q").get_attribute("aria-activedescendant")
    return page.locator(f"#{told}[aria-selected=true] .palette__label").inner_text()


def type_for(page: Page, words: str, first: str) -> None:
    page.keyboard.type(words)
    expect(page.locator("[role=option]").first.locator(".palette__label")).to_have_text(first)


def test_enter_in_haste_decides_nothing_and_a_channel_is_found_by_keys_alone(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    expect(opened(page)).to_be_focused()
    expect(page.locator("[role=option]").first).to_be_visible()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(DESK)
    assert [state_of(one) for one in rows] == [State.PENDING] * 3
    expect(page.locator("#rows .is-current")).to_be_focused()  # by the script, which is there then
    page.locator("#open-palette").click()
    expect(page.locator("#palette-q")).to_be_focused()
    page.mouse.click(10, 600)
    expect(page.locator("#palette")).to_be_hidden()
    assert page.url.endswith(DESK)
    expect(opened(page)).to_be_focused()
    type_for(page, "spor", "Sport")
    assert chosen(page) == "Sport"
    expect(page.locator("#palette-q")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/de/sport/")


def test_arrows_go_round_and_acts_and_posts_are_here_or_elsewhere(
    enter: Open, anna: User, rows: list[Candidate]
) -> None:
    page = enter(anna)
    page.keyboard.press("j")
    opened(page)
    expect(page.locator("[role=option]").first).to_be_visible()
    labels = page.locator("[role=option] .palette__label").all_inner_texts()
    assert chosen(page) == labels[0]
    page.keyboard.press("ArrowDown")
    assert chosen(page) == labels[1]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert chosen(page) == labels[-1]
    page.keyboard.type("zzzz")
    expect(page.locator(".palette__none")).to_contain_text("zzzz")
    expect(page.locator("#palette-q")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()
    expect(row(page, rows[1])).to_be_focused()
    page.keyboard.press("k")
    assert is_current(page) == str(rows[0].pk)

    page.keyboard.press("j")
    opened(page)
    type_for(page, "freig", "Freigeben")
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_hidden()
    expect(row(page, rows[1])).to_contain_text("hat freigegeben")
    expect(page.locator("#undo")).to_be_visible()
    assert [state_of(one) for one in rows] == [State.PENDING, State.APPROVED, State.PENDING]
    assert is_current(page) == str(rows[2].pk)

    opened(page)
    type_for(page, "freig", "Freigeben")
    with keys.Held(page, "**/palette/**"):
        page.locator("#palette-q").select_text()
        page.keyboard.type("anheften")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#palette")).to_be_visible()
        assert (state_of(rows[2]), page.locator("[aria-selected=true]").count()) == (State.PENDING, 0)
    expect(row(page, rows[2])).to_contain_text("hat angeheftet")
    expect(page.locator("#strip")).to_contain_text("Angeheftet")
    with keys.Held(page, "**/palette/**"):
        opened(page)
        page.keyboard.type("nummer 30")
        page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_hidden()
    assert is_current(page) == str(rows[0].pk)
    page.keyboard.press("j")

    opened(page)
    type_for(page, "nummer 30", "Beitrag Nummer 30")
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_hidden()
    assert is_current(page) == str(rows[0].pk)
    expect(row(page, rows[0])).to_be_focused()
    far = make_candidate(channel_of("de", "sport"), "Anderswo im Sport")
    opened(page)
    type_for(page, "anderswo", "Anderswo im Sport")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/posts/{far.tweet.current_id}/")

    page.goto(DESK, wait_until="domcontentloaded")
    expect(page.locator("#live .entry summary")).to_have_count(2)
    opened(page)
    type_for(page, "live", "Live")
    page.keyboard.press("Enter")
    expect(page.locator("#live summary").first).to_be_focused()

    page.goto("/my/decisions/")
    opened(page)
    expect(page.locator("[data-group=places] [role=option]").first).to_be_visible()
    expect(page.locator("[data-act]")).to_have_count(0)
    type_for(page, "ελλ", "Ελληνικά")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "el")


def test_tabs_follow_what_others_do(enter: Open, anna: User, rows: list[Candidate], de_politics: Channel) -> None:
    held = make_candidate(de_politics, "Böller", held=True, rank=5)
    page = enter(anna)
    page.locator("#tabs a", has_text="1").click()
    page.wait_for_url("**?show=held")
    assert is_current(page) == str(held.pk)
    make_candidate(de_politics, held=True)
    make_candidate(de_politics)
    ask(page)
    expect(page.locator(".arrivals")).to_contain_text("1 neue")
    expect(page.locator("#tabs a[aria-current]")).to_contain_text("2")
    page.locator(".arrivals").click()
    expect(page.locator("#rows > li")).to_have_count(2)
