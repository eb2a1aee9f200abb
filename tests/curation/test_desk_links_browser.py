"""Links and similar posts in a real browser: by hand and by keyboard, on a narrow phone, without scripts."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Candidate, Pause, State
from curation.x.simulator import Simulator
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_desk_links as at_x
from tests.curation import test_desk_similar as similar
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, ask, is_current, row, state_of, top_of

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter
x, at_simulator = at_x.x, at_x.number
group = similar.group
Group = similar.Group


@pytest.fixture
def number(at_simulator: str, x: Simulator, settings: Settings) -> str:
    """A post at X, whose pictures may be shown."""
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    allowed = [*directives["img-src"], x.base_url]
    settings.CONTENT_SECURITY_POLICY = {"DIRECTIVES": directives | {"img-src": allowed}}
    return at_simulator


@pytest.fixture
def english(anna: User) -> User:
    anna.language = "en"
    anna.save()
    return anna


@pytest.fixture
def rows(english: User, de_politics: Channel) -> list[Candidate]:
    """Three that wait, best first."""
    return [make_candidate(de_politics, f"Beitrag Nummer {rank}", rank=rank) for rank in (30, 20, 10)]


def see_price(page: Page, number: str) -> None:
    page.locator("#open-link").click()
    expect(page.locator("#link-url")).to_be_focused()
    page.keyboard.type(f"https://x.com/rathaus/status/{number}")
    page.keyboard.press("Enter")
    expect(page.locator("#link-told")).to_contain_text("Costs 1 post")


def test_the_panel_opens_closes_and_hides_nothing_of_the_row_one_stands_on(
    enter: Open, english: User, rows: list[Candidate]
) -> None:
    page = enter(english)
    for close in ("Escape", "cross"):
        page.locator("#open-link").click()
        expect(page.locator("#link-url")).to_be_focused()
        expect(page.locator("#link-url")).to_be_in_viewport()
        panel = page.locator("#by-link").bounding_box()
        assert panel is not None
        assert top_of(page, rows[0]) >= panel["y"] + panel["height"]
        page.keyboard.type("abp")
        page.keyboard.press("Escape") if close == "Escape" else page.get_by_role("button", name="Close").click()
        expect(page.locator("#by-link > *")).to_have_count(0)
        expect(page.locator("#open-link")).to_be_focused()
    assert [state_of(candidate) for candidate in rows] == [State.PENDING] * 3
    page.locator("#open-link").click()
    page.locator("#link-url").fill(str(rows[2].tweet.current_id))
    page.keyboard.press("Enter")
    expect(page.locator("#link-told")).to_contain_text("it waits in the queue")
    expect(row(page, rows[2])).to_have_count(1)
    expect(row(page, rows[2])).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#by-link > *")).to_have_count(0)


def test_a_link_is_priced_added_and_stood_on_and_a_refusal_is_read(
    enter: Open, english: User, rows: list[Candidate], number: str, x: Simulator
) -> None:
    page = enter(english)
    see_price(page, number)
    assert (x.meter.reads, Candidate.objects.count()) == ({}, 3)
    page.get_by_role("button", name="Add to Politics").click()
    expect(page.locator("#link-told")).to_contain_text("Added to Politics.")
    added = Candidate.objects.get(tweet__current_id=int(number))
    expect(row(page, added)).to_have_attribute("aria-current", "true")
    expect(row(page, added)).to_contain_text("added by Anna Amsel")
    assert page.locator("#rows > li").first.get_attribute("id") == f"row-{added.pk}"
    keys.glance(page)
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    assert state_of(added) == State.APPROVED
    other = x.post("rathaus", "Gleich wieder gelöscht.", lang="de")
    page.locator("#link-url").fill(f"https://x.com/rathaus/status/{other}")
    page.keyboard.press("Enter")
    expect(page.locator("#link-told")).to_contain_text("Costs 1 post")
    x.delete(other)
    page.get_by_role("button", name="Add to Politics").click()
    expect(page.get_by_role("alert")).to_contain_text("does not exist at X, or was deleted")
    page.locator("#link-url").fill("hello")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("no link to a post")
    expect(page.locator("#link-url")).to_have_value("hello")


def test_without_scripts_a_link_is_added_by_plain_forms(
    browser: Browser, live_server: LiveServer, browse: Any, english: User, number: str
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    session = browse(english).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto("/desk/de/politics/")
    page.locator("#open-link").click()
    page.locator("#link-url").fill(f"https://x.com/rathaus/status/{number}")
    page.get_by_role("button", name="See the price").click()
    page.get_by_role("button", name="Add to Politics").click()
    expect(page.locator("#link-told")).to_contain_text("Added to Politics.")
    page.locator('.row button[value="approve"]').click()
    assert Candidate.objects.get().state == State.APPROVED
    context.close()


def test_similar_ones_open_in_the_row_and_are_decided_one_after_another(
    enter: Open, english: User, ben: User, group: Group
) -> None:
    leading, behind = group
    page = enter(english)
    before = top_of(page, leading)
    row(page, leading).locator("summary").focus()
    page.keyboard.press("Enter")
    alikes = row(page, leading).locator(".alike")
    expect(alikes).to_have_count(3)
    assert top_of(page, leading) == before
    row(page, leading).locator('.alike button[value="block"]').first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#alike-{behind[0].pk}")).to_contain_text("Anna Amsel blocked")
    expect(page.locator(f"#alike-{behind[1].pk} button").first).to_be_focused()
    operations.block(behind[2], by=ben, version=1)
    ask(page)
    expect(page.locator(f"#alike-{behind[2].pk}")).to_contain_text("Ben Buche blocked")
    expect(alikes).to_have_count(3)
    alikes.nth(1).locator('button[value="block"]').click()
    expect(alikes.nth(1)).to_contain_text("Anna Amsel blocked")
    expect(row(page, leading).locator(".decide")).to_be_visible()
    assert [state_of(one) for one in (*behind, leading)] == [*[State.BLOCKED] * 3, State.PENDING]


def test_the_keys_decide_about_the_row_and_the_next_of_its_group_takes_its_place(
    enter: Open, english: User, group: Group
) -> None:
    leading, behind = group
    page = enter(english)
    expect(row(page, behind[0])).to_have_count(0)
    row(page, leading).locator("summary").click()
    expect(row(page, leading).locator(".alike")).to_have_count(3)
    page.locator("#main .scroll").focus()
    page.keyboard.press("b")
    expect(page.locator("#undo")).to_be_visible()
    expect(row(page, behind[0]).locator(".decide")).to_have_count(1)
    assert state_of(leading) == State.BLOCKED
    assert [state_of(one) for one in behind] == [State.PENDING] * 3


def test_a_pause_appears_on_an_open_desk_and_moves_no_row(
    enter: Open, english: User, rows: list[Candidate], de_politics: Channel
) -> None:
    page = enter(english)
    tops = [top_of(page, candidate) for candidate in rows]
    until = timezone.now() + timedelta(hours=3, minutes=5)
    pause = Pause.objects.create(market=de_politics.market, cause="day", until=until)
    ask(page)
    expect(page.locator("#pauses")).to_contain_text("No new posts for Germany")
    assert [top_of(page, candidate) for candidate in rows] == tops
    assert is_current(page) == str(rows[0].pk)
    Pause.objects.filter(pk=pause.pk).update(ended_at=timezone.now())
    ask(page)
    expect(page.locator("#pauses")).to_be_hidden()
    assert [top_of(page, candidate) for candidate in rows] == tops
