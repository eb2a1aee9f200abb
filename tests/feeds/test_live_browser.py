"""The live column in a browser: slots changed by buttons, by keys and by hand; menus that stay open; what is late."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from curation import operations
from curation.models import Candidate
from feeds.operations import publish
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, state_of

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter


@pytest.fixture
def shown(anna: User, de_politics: Channel) -> list[Candidate]:
    """Two that are pinned, and two that flow."""
    anna.language = "de"
    anna.save()
    made = [make_candidate(de_politics, f"Live Nummer {n}") for n in range(4)]
    for slot, candidate in enumerate(made[:2], start=1):
        operations.decide("pin", candidate, by=anna, version=1, slot=slot)
    for candidate in made[2:]:
        operations.approve(candidate, by=anna, version=1)
    publish(de_politics.market_id)
    return made


def entry(page: Page, candidate: Candidate) -> Any:
    return page.locator(f"#live-{candidate.pk}")


PUBLISHED = """() => {
  const { person, eventsUrl } = document.body.dataset;
  new BroadcastChannel(`tickerdesk ${person} ${eventsUrl}`).postMessage({ event: "feed", told: {} });
}"""  # as another tab of the browser tells what it heard


def slots(*candidates: Candidate) -> list[int | None]:
    for candidate in candidates:
        candidate.refresh_from_db()
    return [candidate.slot for candidate in candidates]


def test_arrows_change_places_and_stay_under_the_finger(enter: Open, anna: User, shown: list[Candidate]) -> None:
    page = enter(anna)
    entry(page, shown[0]).locator("summary").press("Enter")
    page.keyboard.press("Tab")
    expect(entry(page, shown[0]).get_by_role("button", name="Einen Platz hinunter")).to_be_focused()
    page.keyboard.press("Enter")
    expect(entry(page, shown[0])).to_have_attribute("data-slot", "2")
    assert slots(*shown[:2]) == [2, 1]
    expect(entry(page, shown[0]).get_by_role("button", name="Einen Platz hinunter")).to_be_visible()
    page.locator("#undo").click()
    expect(entry(page, shown[0])).to_have_attribute("data-slot", "1")
    assert slots(*shown[:2]) == [1, 2]


def test_dragging_to_a_slot_pins_there(enter: Open, anna: User, shown: list[Candidate]) -> None:
    page = enter(anna)
    entry(page, shown[2]).drag_to(page.locator('#live [data-slot="3"]'))
    expect(entry(page, shown[2])).to_have_attribute("data-slot", "3")
    entry(page, shown[3]).drag_to(entry(page, shown[0]))
    expect(entry(page, shown[3])).to_have_attribute("data-slot", "1")
    assert slots(*shown) == [None, 2, 3, 1]


def test_who_gives_way_to_what_was_dragged_is_said_and_beside_the_slots_nothing_is_dropped(
    enter: Open, anna: User, shown: list[Candidate]
) -> None:
    anna.language = "en"
    anna.save()
    page = enter(anna)
    entry(page, shown[0]).drag_to(entry(page, shown[3]))
    entry(page, shown[2]).drag_to(entry(page, shown[1]))
    author = shown[1].tweet.author
    assert author is not None
    expect(page.locator("#strip")).to_contain_text(f"{author} gave way")
    assert slots(*shown) == [1, None, 2, None]
    page.locator("#undo").click()
    expect(page.locator("#strip")).to_contain_text("Taken back")
    assert slots(*shown) == [1, 2, None, None]


def test_the_menu_takes_off_and_brings_back(
    enter: Open, anna: User, shown: list[Candidate], de_politics: Channel
) -> None:
    waits = make_candidate(de_politics)
    page = enter(anna)
    entry(page, shown[1]).locator("summary").press("Enter")
    for key in ("a", "p", "s", "x", "b"):
        page.keyboard.press(key)
    expect(entry(page, shown[1])).to_have_count(0)
    expect(page.locator("#live summary:focus")).to_have_count(1)
    assert (state_of(shown[1]), state_of(waits), page.locator("body.is-bulk").count()) == ("blocked", "pending", 0)
    for candidate, verb, state in ((shown[2], "block", "blocked"), (shown[3], "reopen", "pending")):
        entry(page, candidate).locator("summary").click()
        entry(page, candidate).locator(f'[data-do="{verb}"]').click()
        expect(entry(page, candidate)).to_have_count(0)
        assert state_of(candidate) == state


def test_what_is_open_stays_open_while_others_publish(
    enter: Open, anna: User, ben: User, shown: list[Candidate], de_politics: Channel
) -> None:
    page = enter(anna)
    entry(page, shown[1]).locator("summary").click()
    operations.block(shown[2], by=ben, version=2)
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(entry(page, shown[2])).to_have_count(0)
    expect(entry(page, shown[1]).get_by_role("button", name="Lösen")).to_be_visible()
    expect(page.locator("#live details[open]")).to_have_count(1)
    entry(page, shown[3]).locator("summary").click()
    expect(entry(page, shown[3]).locator("details")).to_have_attribute("open", "")
    expect(page.locator("#live details[open]")).to_have_count(1)
    expect(page.locator("#phone telekom-ticker:defined")).to_have_count(1)
    for _ in range(3):  # by its own clock it asks every 5 s
        with page.expect_request("**/api/v1/feeds/**", timeout=1_500):
            page.evaluate(PUBLISHED)


def test_who_is_told_that_something_is_late(
    enter: Open, anna: User, shown: list[Candidate], de_politics: Channel
) -> None:
    late, fresh = make_candidate(de_politics), make_candidate(de_politics)
    page = enter(anna)
    now = timezone.now()
    for candidate, approved in ((late, now - timedelta(seconds=14)), (fresh, now)):
        Candidate.objects.filter(pk=candidate.pk).update(state="approved", approved_at=approved)
    page.evaluate("htmx.trigger('#live', 'published')")
    expect(entry(page, late).get_by_role("alert")).to_contain_text("noch nicht live · 1")
    expect(entry(page, fresh)).to_contain_text("unterwegs")


def test_a_panel_opens_in_the_entry_and_outlives_news(
    enter: Open, anna: User, ben: User, shown: list[Candidate], de_politics: Channel
) -> None:
    page = enter(anna)
    entry(page, shown[2]).locator("summary").click()
    entry(page, shown[2]).get_by_role("link", name="Kontext ergänzen").click()
    field = entry(page, shown[2]).locator("[name=context]")
    expect(field).to_be_focused()
    field.fill("Wahllokale schließen um 18 Uhr.")
    operations.block(shown[3], by=ben, version=2)
    with page.expect_response("**/live/**"):
        page.evaluate("htmx.trigger('#live', 'published')")
    expect(field).to_have_value("Wahllokale schließen um 18 Uhr.")
    page.wait_for_timeout(100)
    expect(page.locator("#live .unread")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(entry(page, shown[2]).locator("form[data-panel-of]")).to_have_count(0)
    expect(entry(page, shown[3])).to_have_count(0)
    shown[2].refresh_from_db()
    assert shown[2].context == "Wahllokale schließen um 18 Uhr."

    expect(entry(page, shown[2])).to_have_count(1)
    entry(page, shown[2]).locator("summary").focus()
    page.keyboard.press("c")
    expect(field).to_be_focused()
    field.fill("Bis 20 Uhr.")
    operations.decide("pin", shown[2], by=ben, version=shown[2].version, slot=3)
    page.keyboard.press("Enter")
    expect(entry(page, shown[2]).get_by_role("alert")).to_contain_text("Ben Buche war schneller")
    expect(field).to_have_value("Bis 20 Uhr.")
    page.keyboard.press("Enter")
    expect(entry(page, shown[2]).locator("form[data-panel-of]")).to_have_count(0)
    shown[2].refresh_from_db()
    assert (shown[2].context, shown[2].slot) == ("Bis 20 Uhr.", 3)


def test_what_a_panel_kept_from_view_comes_when_it_is_closed(
    enter: Open, anna: User, ben: User, shown: list[Candidate], de_politics: Channel
) -> None:
    page = enter(anna)
    entry(page, shown[2]).locator("summary").click()
    entry(page, shown[2]).get_by_role("link", name="planen").click()
    expect(entry(page, shown[2]).locator("form[data-panel-of]")).to_have_count(1)
    operations.block(shown[3], by=ben, version=2)
    with page.expect_response("**/live/**"):
        page.evaluate("htmx.trigger('#live', 'published')")
    expect(entry(page, shown[3])).to_have_count(1)
    page.keyboard.press("Escape")
    expect(entry(page, shown[3])).to_have_count(0)


def test_the_column_hears_of_news_after_another_tab_of_the_queue(
    enter: Open, anna: User, shown: list[Candidate], de_politics: Channel
) -> None:
    page = enter(anna)
    page.locator("#tabs a").nth(1).click()
    page.wait_for_url("**/?show=*")
    with page.expect_response("**/live/**"):
        page.evaluate("htmx.trigger('#changes', 'ask')")


def test_a_refused_panel_stays_in_the_entry(enter: Open, anna: User, shown: list[Candidate]) -> None:
    page = enter(anna)
    entry(page, shown[2]).locator("summary").click()
    entry(page, shown[2]).get_by_role("link", name="planen").click()
    panel = entry(page, shown[2]).locator("form[data-panel-of]")
    panel.locator("[name=expire_at]").fill("2020-01-01T10:00")
    panel.locator("[data-presses]").click()
    expect(panel.locator("[name=expire_at]")).to_have_attribute("aria-invalid", "true")
    expect(panel.locator("[name=expire_at]")).to_have_value("2020-01-01T10:00")
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(entry(page, shown[2]).locator("summary")).to_be_focused()
