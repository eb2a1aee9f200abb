"""The panels in a real browser: by keys alone, refused, overtaken, in bulk, without script."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Act, Candidate, State
from regions.models import Block, Channel, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, is_current, row, state_of, top_of
from tests.curation.test_panels import WIRE

pytestmark = keys.pytestmark
context, enter = keys.context, keys.enter


@pytest.fixture
def rows(anna: User, de_politics: Channel) -> list[Candidate]:
    """Three that wait, best first; the first with a link and a tag."""
    anna.language = "en"
    anna.save()
    first = make_tweet("tippt #Stichwahl jetzt", wire=WIRE, author=make_author("tippblitz", name="Tippblitz"))
    return [make_candidate(de_politics, tweet=first, rank=30)] + [
        make_candidate(de_politics, f"Beitrag Nummer {rank}", rank=rank) for rank in (20, 10)
    ]


def panel(page: Page, verb: str) -> Any:
    return page.locator(f'#rows .is-current .why[data-panel-of="{verb}"]')


def press(page: Page, *pressed: str) -> None:
    for key in pressed:
        page.keyboard.press(key)


def saved(page: Page, candidate: Candidate, words: str) -> None:
    """Once the server has confirmed it, the row says what was done; and one looks at the next."""
    expect(row(page, candidate)).to_contain_text(f"Anna Amsel {words}")
    expect(page.locator(".is-sent")).to_have_count(0)
    keys.glance(page)


def test_shift_b_asks_why_and_its_keys_are_its_own(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    tops = [top_of(page, rows[0]), page.locator("#main .head h1").bounding_box()]
    press(page, "Shift+B")
    expect(panel(page, "block")).to_be_visible()
    assert [top_of(page, rows[0]), page.locator("#main .head h1").bounding_box()] == tops
    press(page, "a", "b", "Shift+B", "p", "x", "j", "9")
    row(page, rows[0]).focus()
    press(page, "a", "b", "Shift+B", "p", "x", "j", "9")
    expect(panel(page, "block")).to_be_visible()
    assert (is_current(page), Act.objects.count()) == (str(rows[0].pk), 0)
    press(page, "Escape")
    expect(page.locator(".why")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.candidate") == str(rows[0].pk)
    press(page, "Shift+B")
    reach = panel(page, "block").locator(".reach")
    expect(reach).to_have_text("Only this post is blocked.")
    panel(page, "block").get_by_label("@tippblitz").check()
    expect(reach).to_have_text("Would have hit 1 post in 7 days. None of it is live.")
    press(page, "3")
    expect(panel(page, "block").locator('[value="spam"]')).to_be_checked()
    press(page, "Enter")
    saved(page, rows[0], "blocked")
    assert (is_current(page), state_of(rows[0])) == (str(rows[1].pk), State.BLOCKED)
    assert rows[0].decision_set.get().reason == "spam"
    assert list(Block.objects.values_list("kind", "reason")) == [("author", "spam")]
    with keys.Held(page, "**/panel/**"):
        press(page, "Shift+B", "4", "Enter")
        page.wait_for_timeout(200)
        assert (page.url.endswith(keys.DESK), state_of(rows[1])) == (True, State.PENDING)
    saved(page, rows[1], "blocked")
    assert [one.reason for one in rows[1].decision_set.all()] == ["hate"]
    press(page, "b")
    saved(page, rows[2], "blocked")


def test_shift_b_without_a_key_of_its_own_still_asks_why(enter: Open, anna: User, rows: list[Candidate]) -> None:
    anna.keys = {"own": {"block_reason": ""}}
    anna.save()
    page = enter(anna)
    press(page, "Shift+B")
    expect(panel(page, "block")).to_be_visible()
    assert Act.objects.count() == 0


def test_without_single_keys_no_digit_chooses_in_a_panel(enter: Open, anna: User, rows: list[Candidate]) -> None:
    anna.keys = {"off": True}
    anna.save()
    page = enter(anna)
    for verb, chosen in (("move", "2"), ("block", "3")):
        page.locator(f"#rows .is-current [data-panel={verb}]").click()
        expect(panel(page, verb)).to_be_visible()
        expect(panel(page, verb).locator("[data-digit] kbd, label kbd")).to_have_count(0)
        press(page, chosen, "Escape")
        expect(page.locator(".why")).to_have_count(0)
    assert (is_current(page), Act.objects.count()) == (str(rows[0].pk), 0)


def test_what_is_refused_stays_open_as_it_was_typed(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    press(page, "Shift+B")
    panel(page, "block").get_by_label("Note for the log").fill("Wie gestern")
    press(page, "Enter")
    expect(panel(page, "block").get_by_role("alert")).to_contain_text("Choose why.")
    expect(panel(page, "block").get_by_label("Note for the log")).to_have_value("Wie gestern")
    expect(panel(page, "block").locator("fieldset[aria-invalid=true]")).to_be_visible()
    assert (is_current(page), state_of(rows[0])) == (str(rows[0].pk), State.PENDING)
    expect(panel(page, "block").locator("input[name=reason]").first).to_be_focused()
    press(page, "1", "Enter")
    saved(page, rows[0], "blocked")

    press(page, "e")
    panel(page, "schedule").get_by_label("Ends").fill("2020-01-01T10:00")
    press(page, "Enter")
    expect(panel(page, "schedule").get_by_role("alert")).to_contain_text("That time is past.")
    ends = panel(page, "schedule").get_by_label("Ends")
    expect(ends).to_have_value("2020-01-01T10:00")
    expect(ends).to_have_attribute("aria-invalid", "true")
    expect(ends).to_be_focused()
    assert is_current(page) == str(rows[1].pk)
    ends.fill("")
    panel(page, "schedule").get_by_role("button", name="tomorrow 7:00").click()
    typed = panel(page, "schedule").get_by_label("Goes live").input_value()
    assert typed.endswith("T07:00")
    press(page, "Enter")
    saved(page, rows[1], "scheduled")
    assert state_of(rows[1]) == State.APPROVED
    assert rows[1].go_live_at is not None


def test_half_a_time_is_not_taken_for_none(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    press(page, "e")
    panel(page, "schedule").get_by_label("Goes live").press_sequentially("1224")
    press(page, "Enter")
    expect(panel(page, "schedule").locator("input:invalid")).to_be_focused()
    page.wait_for_timeout(300)
    expect(panel(page, "schedule")).to_be_visible()
    assert (Act.objects.count(), state_of(rows[0])) == (0, State.PENDING)
    panel(page, "schedule").get_by_label("Goes live").fill(f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}")
    press(page, "Enter")
    saved(page, rows[0], "scheduled")
    assert state_of(rows[0]) == State.APPROVED
    assert rows[0].go_live_at is not None


def test_a_time_is_said_by_the_clocks_of_the_market(enter: Open, anna: User, rows: list[Candidate]) -> None:
    """With the year where it is another, and the zone where one reads by another clock; what comes twice says so."""
    anna.time_zone = "Europe/Athens"
    anna.save()
    page = enter(anna)
    press(page, "e")
    field, said = panel(page, "schedule").get_by_label("Goes live"), panel(page, "schedule").locator("output").first
    for typed, told in (
        ("2035-07-02T07:00", "Monday, July 2, 2035 at 07:00 AM CEST"),
        ("2035-12-03T07:00", "Monday, December 3, 2035 at 07:00 AM CET"),
        ("2035-03-25T02:30", "Sunday, March 25, 2035 at 02:30 AM"),
        ("2035-10-28T02:30", "Sunday, October 28, 2035 at 02:30 AM CEST · comes twice that day: the first is meant"),
    ):
        field.fill(typed)
        expect(said).to_have_text(told)
    field.fill("2035-12-03T07:00")
    press(page, "Enter")
    saved(page, rows[0], "scheduled")
    expect(row(page, rows[0])).to_contain_text("from Dec. 3, 2035, 07:00 CET")
    expect(page.locator("#live")).to_contain_text("Dec. 3, 2035, 07:00 CET")


def test_who_was_faster_is_said_and_the_row_is_as_they_left_it(
    enter: Open, anna: User, ben: User, rows: list[Candidate], de_politics: Channel
) -> None:
    rows.append(make_candidate(de_politics, rank=5))
    page = enter(anna)
    press(page, "e")
    panel(page, "schedule").get_by_role("button", name="in 1 h").click()
    operations.block(rows[0], by=ben, version=1)
    press(page, "Enter")
    expect(row(page, rows[0])).to_contain_text("Ben Buche blocked")
    expect(row(page, rows[0]).get_by_role("alert")).to_contain_text("Ben Buche")
    expect(page.locator(".why")).to_have_count(0)
    assert state_of(rows[0]) == State.BLOCKED
    keys.glance(page)
    press(page, "j")
    operations.block(rows[1], by=ben, version=1)
    press(page, "e")
    expect(row(page, rows[1])).to_contain_text("Ben Buche blocked")
    expect(page.locator(".why")).to_have_count(0)
    press(page, "j")
    assert is_current(page) == str(rows[2].pk)
    with keys.Held(page, "**/panel/**"):
        press(page, "e", "1")
        operations.block(rows[2], by=ben, version=1)
        keys.ask(page)
        expect(row(page, rows[2])).to_contain_text("Ben Buche blocked")
        with page.expect_response("**/changes/**"):
            keys.ask(page)
    page.wait_for_timeout(500)
    press(page, "j")
    assert is_current(page) == str(rows[3].pk)
    with keys.Held(page, "**/panel/**"):
        press(page, "e", "j", "Escape", "k")
    assert is_current(page) == str(rows[2].pk)
    page.context.clear_cookies(name="sessionid")
    press(page, "j", "e")
    expect(page.locator(".is-current .unread")).to_contain_text("you are logged out")
    press(page, "k")
    assert (is_current(page), page.locator(".why").count()) == (str(rows[2].pk), 0)


def test_c_writes_words_that_are_counted_shown_and_kept(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    press(page, "c")
    context = panel(page, "annotate").get_by_label("Context, one line")
    expect(context).to_be_focused()
    page.keyboard.type("Nicht verlieren")
    press(page, "j", "k")
    expect(context).to_have_value("Nicht verlierenjk")
    row(page, rows[1]).locator(".words").click()
    expect(row(page, rows[0]).locator(".why")).to_be_hidden()
    row(page, rows[0]).locator(".words").click()
    expect(context).to_have_value("Nicht verlierenjk")
    context.fill("")
    page.keyboard.type("Heute wird gewählt.")
    expect(panel(page, "annotate").locator(".count")).to_have_text("19/200")
    panel(page, "annotate").get_by_role("button", name="Anzeige").click()
    expect(panel(page, "annotate").locator(".as-shown__line")).to_have_text("Anzeige Editors Heute wird gewählt.")
    press(page, "Enter")
    expect(row(page, rows[0]).locator(".notes")).to_contain_text("Heute wird gewählt.")
    assert (is_current(page), state_of(rows[0])) == (str(rows[0].pk), State.PENDING)
    assert (rows[0].context, rows[0].label) == ("Heute wird gewählt.", "Anzeige")
    press(page, "a")
    saved(page, rows[0], "approved")

    digit = page.locator('#categories a[href="/desk/de/sport/"]').get_attribute("data-digit")
    press(page, "m", digit or "")
    saved(page, rows[1], "moved")
    assert is_current(page) == str(rows[2].pk)
    assert Candidate.objects.filter(channel=channel_of("de", "sport"), tweet=rows[1].tweet).count() == 1
    press(page, "b")
    saved(page, rows[2], "blocked")
    row(page, rows[2]).get_by_role("button", name="reopen").click()
    expect(row(page, rows[2]).locator(".decide")).to_be_visible()
    expect(page.locator("#strip")).to_contain_text("Reopened")
    assert state_of(rows[2]) == State.PENDING


def test_a_taken_slot_says_who_gives_way(enter: Open, anna: User, rows: list[Candidate], de_politics: Channel) -> None:
    author = make_author("wahlamt", name="Wahlamt Lindmark")
    holder = make_candidate(de_politics, tweet=make_tweet(author=author), state=State.APPROVED, slot=1)
    page = enter(anna)
    page.locator(".is-current [data-panel=pin]").click()
    first = panel(page, "pin").locator(".place").first
    expect(first.locator(".gives-way")).to_be_hidden()
    press(page, "1")
    expect(first.locator(".gives-way")).to_be_visible()
    press(page, "Enter")
    saved(page, rows[0], "pinned")
    holder.refresh_from_db()
    assert (state_of(rows[0]), rows[0].slot, holder.slot) == (State.APPROVED, 1, None)
    others = [make_candidate(de_politics, state=State.APPROVED, slot=slot) for slot in (2, 3)]
    press(page, "p")
    expect(page.locator(".is-current .swaps")).to_be_visible()
    keys.glance(page)
    press(page, "2")
    saved(page, rows[1], "pinned")
    others[0].refresh_from_db()
    assert (page.url.endswith(keys.DESK), state_of(rows[1]), rows[1].slot, others[0].slot) == (
        True, State.APPROVED, 2, None,
    )  # fmt: skip
    press(page, "z")
    expect(row(page, rows[1])).to_have_attribute("aria-current", "true")
    expect(row(page, rows[1]).locator(".decide")).to_be_visible()
    keys.glance(page)
    press(page, "b")
    saved(page, rows[1], "blocked")
    assert [state_of(one) for one in rows[:3]] == [State.APPROVED, State.BLOCKED, State.PENDING]


# --- several ---


def bar(page: Page) -> Any:
    return page.locator("#bulk .why")


def test_many_are_blocked_for_a_reason_and_moved_by_keys(
    enter: Open, anna: User, ben: User, rows: list[Candidate], de_politics: Channel
) -> None:
    rows += [make_candidate(de_politics, tweet=make_tweet("tippt", wire=WIRE), rank=n) for n in (5, 4, 3)]
    page = enter(anna)
    press(page, "x")
    approve = page.locator('#bulk > .button[value="approve"]')
    stood = approve.bounding_box()
    press(page, "e")
    expect(bar(page)).to_be_visible()
    press(page, "Escape")
    expect(bar(page)).to_have_count(0)
    assert approve.bounding_box() == stood, "nothing jumps when a panel is closed"
    expect(page.locator("body.is-bulk")).to_have_count(1)
    press(page, "Escape")
    expect(page.locator("body.is-bulk")).to_have_count(0)

    press(page, "x", "j", "x", "Shift+B")
    expect(bar(page)).to_contain_text("2 posts: \u2068Tippblitz\u2069, ")
    expect(page.locator('#bulk > .button[value="approve"]')).to_be_hidden()
    press(page, "a", "b")
    assert Act.objects.count() == 0
    press(page, "Enter")
    expect(bar(page).get_by_role("alert")).to_contain_text("Choose why.")
    expect(page.locator("#picked")).to_have_text("2")
    press(page, "3", "Enter")
    for one in rows[:2]:
        saved(page, one, "blocked")
    expect(page.locator("body.is-bulk")).to_have_count(0)
    expect(page.locator("#undo")).to_be_visible()
    assert [state_of(one) for one in rows[:3]] == [State.BLOCKED, State.BLOCKED, State.PENDING]
    assert Act.objects.count() == 1

    digit = page.locator('#categories a[href="/desk/de/sport/"]').get_attribute("data-digit")
    press(page, "x", "j", "x", "m", digit or "")
    for one in rows[2:4]:
        saved(page, one, "moved")
    assert Candidate.objects.filter(channel=channel_of("de", "sport")).count() == 2

    press(page, "x", "j", "x", "Shift+B")
    expect(bar(page).locator(".reach")).to_have_text("Only these posts are blocked.")
    bar(page).get_by_label("#Stichwahl (2)").check()
    expect(bar(page).locator(".reach")).to_have_text("Would have hit 4 posts in 7 days. None of it is live.")
    assert Act.objects.count() == 2
    operations.block(rows[4], by=ben, version=1)
    keys.ask(page)
    expect(bar(page).locator(".overtaken")).to_have_text("Decided meanwhile: 1")
    press(page, "Escape", "c")
    expect(page.locator("#strip")).to_contain_text("Not for several posts at once.")
    expect(page.locator("#picked")).to_have_text("1")


# --- without script ---


def test_without_script_each_panel_is_a_page(
    browser: Browser, live_server: LiveServer, browse: Any, anna: User, rows: list[Candidate]
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    session = browse(anna).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(keys.DESK)
    row(page, rows[0]).locator("[data-panel=block]").click()
    page.get_by_role("button", name="Block", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose why.")
    page.get_by_label("spam").check()
    page.get_by_label("@tippblitz").check()
    page.get_by_role("button", name="What would it hit?").click()
    expect(page.locator(".reach")).to_have_text("Would have hit 1 post in 7 days. None of it is live.")
    expect(page.get_by_label("spam")).to_be_checked()
    expect(page.get_by_label("@tippblitz")).to_be_checked()
    page.get_by_role("button", name="Block", exact=True).click()
    assert (page.url, state_of(rows[0])) == (live_server.url + keys.DESK, State.BLOCKED)
    assert Block.objects.count() == 1
    for one in rows[1:]:
        row(page, one).locator(".pick input").check()
    page.locator("#bulk [data-panel=move]").click()
    page.locator("button[value=sport]").click()
    assert (page.url, [state_of(one) for one in rows[1:]]) == (live_server.url + keys.DESK, [State.BLOCKED] * 2)
    context.close()
