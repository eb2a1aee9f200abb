"""The profile in a real browser: keys that are remapped or off."""

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from curation.models import Candidate, State
from regions.models import User
from tests.curation import test_keys as keys
from tests.curation.test_keys import Open, is_current, row, state_of

pytestmark = keys.pytestmark
context, enter, rows = keys.context, keys.enter, keys.rows
PROFILE = "/profile/"


def save(page: Page, theme: str = "system", **fields: str) -> None:
    """Chooses a theme and keys on the profile and saves them."""
    page.goto(PROFILE)
    page.select_option("#id_theme", theme)
    for act, key in fields.items():
        page.fill(f"#id_key_{act}", key)
    page.locator(".profile__save .button--primary").click()
    expect(page.locator(".told")).to_be_visible()


def test_a_remapped_key_acts_and_the_old_one_does_not(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    save(page, approve="Y", next="n", block_reason="", block="Shift+q")
    page.goto(keys.DESK)
    page.keyboard.press("a")
    page.keyboard.press("j")
    assert is_current(page) == str(rows[0].pk)
    expect(row(page, rows[0]).locator("kbd").first).to_have_text("Y")
    page.keyboard.press("n")
    assert is_current(page) == str(rows[1].pk)
    page.keyboard.press("y")
    expect(row(page, rows[1])).to_contain_text("hat freigegeben")
    page.keyboard.press("Shift+Q")
    expect(row(page, rows[2])).to_contain_text("hat gesperrt")
    for one in rows[1:]:
        expect(row(page, one).locator(".verdict time")).to_be_visible()  # the server's own verdict
    assert [state_of(one) for one in rows] == [State.PENDING, State.APPROVED, State.BLOCKED]


def test_switched_off_no_single_key_does_anything(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    page.goto(PROFILE)
    page.locator("#id_off").check()
    save_and_open(page)
    for key in ("a", "b", "p", "j", "x", "?", "/", "1", "Shift+B"):
        page.keyboard.press(key)
    assert (page.url.endswith(keys.DESK), is_current(page)) == (True, str(rows[0].pk))
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".is-picked")).to_have_count(0)
    expect(row(page, rows[0]).locator("kbd")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    assert is_current(page) == str(rows[1].pk)
    row(page, rows[1]).locator('button[value="approve"]').click()
    expect(row(page, rows[1])).to_contain_text("hat freigegeben")
    expect(row(page, rows[1]).locator(".verdict time")).to_be_visible()
    assert [state_of(one) for one in rows] == [State.PENDING, State.APPROVED, State.PENDING]
    page.locator("#show-keys").click()
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator('#keys a[href="/profile/"]')).to_be_visible()


def save_and_open(page: Page) -> None:
    """What the checkbox says is kept without filling anything else."""
    page.locator(".profile__save .button--primary").click()
    expect(page.locator(".told")).to_be_visible()
    page.goto(keys.DESK)


def test_a_refusal_loses_nothing_and_leads_to_its_field(enter: Open, anna: User, rows: list[Candidate]) -> None:
    page = enter(anna)
    save(page, theme="dark", approve="y", pin="y", skip="12")
    expect(page.locator(".key-field.is-wrong")).to_have_count(3)
    assert [page.input_value(f"#id_key_{act}") for act in ("approve", "pin", "skip")] == ["y", "y", "12"]
    assert page.input_value("#id_theme") == "dark"
    anna.refresh_from_db()
    assert (anna.keys, anna.theme) == ({}, "system")


def test_without_scripts_the_profile_is_a_form(
    context: BrowserContext, browser: Any, live_server: Any, browse: Any, anna: User
) -> None:
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    session = browse(anna).cookies["sessionid"].value
    plain.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = plain.new_page()
    page.goto(PROFILE)
    page.select_option("#id_time_zone", "Europe/Zagreb")
    page.locator(".profile__save .button--primary").click()
    expect(page.locator(".told")).to_be_visible()
    anna.refresh_from_db()
    assert anna.time_zone == "Europe/Zagreb"
    plain.close()
