"""What the desk does when the server cannot be reached, and when the page is no longer its reader's."""

from playwright.sync_api import BrowserContext, Page, Route, expect

from curation.models import Candidate, Decision, State
from regions.models import Membership, User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
WAITS = "Keine Verbindung"
NEWS_COMES = """window.EventSource = class extends EventTarget {
  constructor() { super(); setTimeout(() => this.dispatchEvent(new MessageEvent("open", { data: "{}" }))); }
}"""


def cut(page: Page) -> None:
    page.route("**/candidates/**", lambda route: route.abort())
    page.route("**/decisions/**", lambda route: route.abort())


def mend(page: Page) -> None:
    page.unroute("**/candidates/**")
    page.unroute("**/decisions/**")


def decided(candidate: Candidate) -> list[str]:
    return list(Decision.objects.filter(candidate=candidate).order_by("version").values_list("verb", flat=True))


def test_what_could_not_be_sent_is_sent_again(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    cut(page)
    page.keyboard.press("a")
    keys.glance(page)
    page.keyboard.press("b")
    expect(page.locator("#strip")).to_contain_text(WAITS)
    for candidate, said in ((rows[0], "hat freigegeben"), (rows[1], "hat gesperrt")):
        expect(row(page, candidate)).to_contain_text(said)
    assert (is_current(page), state_of(rows[0])) == (str(rows[2].pk), State.PENDING)
    mend(page)
    page.clock.fast_forward(4_000)
    expect(page.locator("#undo")).to_be_visible()
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [decided(candidate) for candidate in rows] == [["approve"], ["block"], []]


def test_while_an_act_waits_the_line_does_not_say_connected(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    """News may come though nothing can be sent."""
    anna.language = "en"
    anna.save()
    context.clock.install()
    context.add_init_script(NEWS_COMES)
    page = enter(anna)
    line = page.locator("#line")
    expect(line).to_have_text("Connected")
    cut(page)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("No connection")
    expect(line).to_have_text("No connection")
    expect(line).to_have_class("warn")
    mend(page)
    page.clock.fast_forward(4_000)
    expect(page.locator("#undo")).to_be_visible()
    expect(line).to_have_text("Connected")


def test_what_waits_is_sent_in_the_order_it_was_done(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    """Though the first is the slowest, and the last was done when all could be sent again."""
    context.clock.install()
    page = enter(anna)
    cut(page)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text(WAITS)
    keys.glance(page)
    page.keyboard.press("b")
    expect(row(page, rows[1])).to_contain_text("hat gesperrt")
    keys.glance(page)
    with keys.Held(page, f"**/candidates/{rows[0].pk}/**"):
        mend(page)
        page.keyboard.press("p")
        page.keyboard.press("z")
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.locator(".is-sent")).to_have_count(3)
    expect(page.locator("#strip")).to_contain_text("Zurückgenommen")
    made = Decision.objects.order_by("pk").values_list("candidate_id", "verb")
    told = [(rows[0], "approve"), (rows[1], "block"), (rows[2], "pin"), (rows[2], "undo")]
    assert list(made) == [(candidate.pk, verb) for candidate, verb in told]


def test_two_acts_on_many_wait_beside_each_other(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    cut(page)
    for verb in "ab":
        page.keyboard.press("x")
        page.keyboard.press(verb)
        expect(page.locator("body.is-bulk")).to_have_count(0)
        keys.glance(page)
    expect(page.locator(".is-sent")).to_have_count(2)
    mend(page)
    page.clock.fast_forward(4_000)
    expect(page.locator(".is-sent")).to_have_count(0)
    assert [decided(candidate) for candidate in rows] == [["approve"], ["block"], []]


def test_an_answer_that_was_lost_counts_once(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)

    def swallow(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/candidates/**", swallow)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text(WAITS)
    mend(page)
    page.clock.fast_forward(1_500)
    expect(page.locator("#strip")).to_contain_text("Freigegeben")
    expect(row(page, rows[0]).get_by_role("alert")).to_have_count(0)
    assert decided(rows[0]) == ["approve"]


def test_z_waits_for_what_is_sent_again(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    cut(page)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text(WAITS)
    page.keyboard.press("z")
    mend(page)
    page.clock.fast_forward(1_500)
    expect(page.locator("#strip")).to_contain_text("Zurückgenommen")
    assert (decided(rows[0]), state_of(rows[0])) == (["approve", "undo"], State.PENDING)


def test_a_selection_is_sent_again_as_it_was(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    cut(page)
    for key in ("x", "j", "x", "b"):
        page.keyboard.press(key)
    expect(page.locator("#strip")).to_contain_text(WAITS)
    row(page, rows[2]).locator(".pick input").check()
    mend(page)
    page.clock.fast_forward(1_500)
    expect(page.locator("#strip")).to_contain_text("2 Beiträge")
    assert [state_of(candidate) for candidate in rows] == ["blocked", "blocked", "pending"]


def test_after_the_last_try_the_row_is_back(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    page = enter(anna)
    cut(page)
    page.keyboard.press("a")
    for seconds in (1, 2, 4, 8, 15, 30):
        expect(row(page, rows[0])).to_have_class("row is-decided is-sent")
        with page.expect_event("requestfailed"):
            page.clock.fast_forward(seconds * 1000 + 100)
        page.wait_for_timeout(50)
    with page.expect_event("requestfailed"):
        page.clock.fast_forward(31_000)
    expect(page.locator("#strip")).to_contain_text("Nicht gespeichert: Der Server ist nicht erreichbar")
    assert is_current(page) == str(rows[0].pk)
    expect(row(page, rows[0])).not_to_contain_text("hat freigegeben")
    mend(page)
    keys.glance(page)
    page.keyboard.press("a")
    expect(page.locator("#undo")).to_be_visible()
    assert state_of(rows[0]) == State.APPROVED


def test_a_role_that_was_taken_ends_the_open_desk(
    enter: Open, context: BrowserContext, anna: User, rows: list[Candidate]
) -> None:
    context.clock.install()
    anna.language = "en"
    anna.save()
    page = enter(anna)
    expect(row(page, rows[0])).to_be_visible()
    Membership.objects.filter(user=anna).delete()
    page.clock.fast_forward(15_000)
    expect(page.locator("#main h2")).to_be_focused()
    expect(page.locator("#main")).to_contain_text("Your role here was taken")
    expect(page.locator(".row, .entry, #live, #phone")).to_have_count(0)
    page.keyboard.press("a")
    page.keyboard.press("j")
    page.get_by_role("link", name="To my markets").click()
    expect(page.locator("h1")).to_have_text("Markets")
    assert state_of(rows[0]) == State.PENDING


def test_a_page_left_open_decides_for_nobody_else(enter: Open, anna: User, ben: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    enter(ben)
    page.keyboard.press("a")
    expect(page.locator("#strip")).to_contain_text("jemand anders angemeldet")
    expect(row(page, rows[0]).locator(".decide")).to_be_visible()
    assert (decided(rows[0]), is_current(page)) == ([], str(rows[0].pk))
