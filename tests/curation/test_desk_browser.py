"""The desk in a real browser: what comes back, what is refused, what fits on a phone, the way back without scripts."""

import re
from typing import Any

from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from curation import operations
from curation.models import Candidate, State
from regions.models import Channel, Membership, Role, User
from tests.cast import make_candidate, make_tweet
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, ask, is_current, row, state_of, top_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def test_a_post_that_waits_again_appears_without_a_jump(
    enter: Open, anna: User, ben: User, rows: list[Candidate], de_politics: Channel
) -> None:
    gone = make_candidate(de_politics, "Schon entschieden\n" * 5, rank=25)
    make_candidate(de_politics, rank=5)
    act = operations.block(gone, by=ben, version=1).act
    page = enter(anna)
    page.keyboard.press("j")
    tops = [top_of(page, candidate) for candidate in rows]
    operations.undo(act, by=ben)
    ask(page)
    expect(row(page, gone)).to_have_count(1)
    expect(page.locator("#waiting")).to_have_text("5 offen")
    assert [top_of(page, candidate) for candidate in rows] == tops
    assert is_current(page) == str(rows[1].pk)
    assert page.locator("#rows > li").count() == 5
    row(page, gone).click()
    page.keyboard.press("a")
    expect(row(page, gone)).to_contain_text("hat freigegeben")


def test_what_a_move_brought_is_gone_from_other_desks_once_it_is_taken_back(
    enter: Open, anna: User, ben: User, rows: list[Candidate]
) -> None:
    act = operations.decide("move", rows[0], by=ben, version=1, category="sport").act
    assert act is not None
    page, origin = enter(anna, "/desk/de/sport/"), enter(anna)
    brought = Candidate.objects.get(brought_by=act)
    operations.undo(act, by=ben)
    top = top_of(page, brought)
    page.keyboard.press("a")
    expect(page.locator("#strip .danger")).to_be_visible()
    expect(row(page, brought)).to_have_class(re.compile("is-decided"))
    expect(row(page, brought).locator("button")).to_have_count(0)
    assert top_of(page, brought) == top
    ask(origin)
    expect(row(origin, rows[0]).locator(".decide")).to_have_count(1)


def test_undo_on_a_fresh_page_brings_the_post_and_stands_there(enter: Open, anna: User, rows: list[Candidate]) -> None:
    operations.block(rows[1], by=anna, version=1)
    page = enter(anna)
    expect(row(page, rows[1])).to_have_count(0)
    page.keyboard.press("z")
    expect(row(page, rows[1])).to_have_attribute("aria-current", "true")


def test_a_row_never_stands_twice(enter: Open, anna: User, ben: User, de_politics: Channel) -> None:
    made = [make_candidate(de_politics, rank=rank) for rank in range(40, 0, -1)]
    act = operations.block(made[-1], by=ben, version=1).act
    page = enter(anna)
    operations.undo(act, by=ben)
    ask(page)
    expect(row(page, made[-1])).to_have_count(1)
    page.locator("#more a").click()
    expect(row(page, made[-2])).to_have_count(1)
    assert page.locator("#rows > li").count() == 40


def test_more_news_than_fit_come_at_once(enter: Open, anna: User, ben: User, de_politics: Channel) -> None:
    made = [make_candidate(de_politics, rank=rank) for rank in range(50, 0, -1)]
    page = enter(anna)
    page.locator("#more a").click()
    expect(row(page, made[-1])).to_have_count(1)
    for start in range(0, 50, 10):
        for turn in range(2, 7):
            some = made[start : start + 10]
            verb = "reopen" if turn % 2 else "block"
            operations.decide_many(verb, {one.pk: turn - 1 for one in some}, by=ben)
    ask(page)
    expect(row(page, made[-1])).to_contain_text("Ben Buche")


def test_who_may_no_longer_decide_is_told_and_the_row_is_back(enter: Open, anna: User, rows: list[Candidate]) -> None:
    anna.language = "en"
    anna.save()
    page = enter(anna)
    Membership.objects.filter(user=anna).update(role=Role.VIEWER)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("you may not decide here any more")
    expect(row(page, rows[0]).locator(".decide")).to_be_visible()
    assert (is_current(page), state_of(rows[0])) == (str(rows[0].pk), State.PENDING)


def test_the_verdict_is_whole_on_a_phone(enter: Open, anna: User, de_politics: Channel) -> None:
    anna.first_name, anna.last_name = "Katharina Wilhelmine", "Sommerau-Lindenberg"
    anna.save()
    wire = {"media": [{"url": PIXEL, "alt": "Brücke"}]}
    candidate = make_candidate(de_politics, tweet=make_tweet(wire=wire))
    make_candidate(de_politics, rank=1)
    page = enter(anna)
    page.set_viewport_size({"width": 390, "height": 844})
    page.keyboard.press("p")
    expect(row(page, candidate).locator(".verdict time")).to_be_visible()
    for part in (".verdict time", ".verdict .muted", ".verdict .nowrap"):
        assert (part, fits(page, candidate, part)) == (part, True)


def fits(page: Page, candidate: Candidate, part: str) -> bool:
    """Whether a part of a row is wholly within its line; news may draw the row anew at any time."""
    cut = """(place, part) => {
      const there = place.querySelector(part), line = there.closest(".who").getBoundingClientRect();
      const own = there.getBoundingClientRect();
      return own.width > 0 && own.right <= line.right && own.bottom <= line.bottom
        && there.scrollWidth <= Math.max(there.clientWidth, own.width + 1);
    }"""
    return bool(page.locator("#rows").evaluate(cut, f"#row-{candidate.pk} {part}"))


def test_without_scripts_the_live_column_leads_back_to_itself(
    browser: Browser, live_server: LiveServer, browse: Any, anna: User, de_politics: Channel
) -> None:
    pinned = make_candidate(de_politics, state=State.APPROVED, slot=1)
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    session = browse(anna).cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto("/live/de/politics/")
    page.locator(".entry--pinned summary").click()
    page.locator('.entry--pinned button[value="unpin"]').click()
    expect(page.locator(".entry--pinned")).to_have_count(0)
    pinned.refresh_from_db()
    assert (page.url, pinned.slot) == (live_server.url + "/live/de/politics/", None)
    context.close()
