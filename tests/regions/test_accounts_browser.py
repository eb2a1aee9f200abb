"""Log-in, second step and passkeys in a real browser; every page about the account read by axe."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from regions.models import User
from tests.regions.codes import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"
LOOKS = [("de", "light", 1440), ("el", "dark", 360)]
LOG_IN, FACTORS = "/accounts/login/", "/accounts/2fa/"
DEVICE = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def nobody_tried_before() -> Iterator[None]:
    """allauth counts attempts in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(params=[LOOKS[0]])
def page(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer, anna: User) -> Iterator[Page]:
    """A page in one look; no script failed in it."""
    anna.language, colours, width = request.param
    anna.save()
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": width, "height": 800}, color_scheme=colours, locale=anna.language
    )
    context.add_init_script(WATCH)
    opened = context.new_page()
    said: list[str] = []
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert said == []


def log_in(page: Page, password: str = "anna") -> None:
    page.goto(LOG_IN)
    page.fill("#id_login", "anna")
    page.fill("#id_password", password)
    page.keyboard.press("Enter")


def confirm(page: Page) -> None:
    """The password once more, as what guards an account asks for it."""
    page.goto("/accounts/reauthenticate/")
    page.fill("#id_password", "anna")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "reauthenticate" not in url)


def put_a_passkey_in(page: Page) -> None:
    """A device that signs whatever is asked."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})


def wrong_with(page: Page) -> dict[str, Any]:
    """What axe finds, what the policy refused, and by how many pixels the page is too wide."""
    found = Axe().run(page).response["violations"]
    return {
        "axe": [f"{one['id']}: {node['target']}" for one in found for node in one["nodes"]],
        "policy": page.evaluate("window.broken"),
        "too wide": page.evaluate("document.documentElement.scrollWidth - innerWidth"),
    }


NOTHING = {"axe": [], "policy": [], "too wide": 0}


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=["German, light, desktop", "Greek, dark, phone"])
def test_every_page_can_be_read_by_everyone(page: Page, anna: User) -> None:
    for path in (LOG_IN, "/accounts/password/reset/", "/accounts/signup/", "/nowhere/"):
        page.goto(path)
        assert (path, wrong_with(page)) == (path, NOTHING)
    log_in(page, "guess")
    expect(page.locator("[role=alert]:visible")).to_have_count(1)
    assert wrong_with(page) == NOTHING
    log_in(page)
    page.wait_for_url("**/desk/**")
    confirm(page)
    put_a_passkey_in(page)
    page.goto(FACTORS + "totp/activate/")
    page.fill("#id_code", "000000")
    page.keyboard.press("Enter")
    expect(page.locator("#id_code_error")).to_be_visible()
    assert wrong_with(page) == NOTHING
    page.goto(FACTORS + "webauthn/add/")
    assert wrong_with(page) == NOTHING
    page.locator("#passkey-add").click()
    page.wait_for_url("**/recovery-codes/")
    TOTP.activate(anna, generate_totp_secret())
    key = Authenticator.objects.get(type="webauthn").pk
    for path in (
        "/accounts/password/change/", "/accounts/sessions/", "/accounts/email/", "/accounts/logout/",
        "/accounts/reauthenticate/", FACTORS, FACTORS + "reauthenticate/", FACTORS + "recovery-codes/",
        FACTORS + "recovery-codes/generate/", FACTORS + "totp/deactivate/", FACTORS + "webauthn/",
        FACTORS + f"webauthn/keys/{key}/edit/", FACTORS + f"webauthn/keys/{key}/remove/",
        FACTORS + "webauthn/reauthenticate/",
    ):  # fmt: skip
        page.goto(path)
        assert (path, page.url.endswith(path), wrong_with(page)) == (path, True, NOTHING)
    page.context.clear_cookies()
    log_in(page)
    page.wait_for_url("**/authenticate/")
    page.fill("#id_code", "000000")
    page.keyboard.press("Enter")
    expect(page.locator("#id_code_error")).to_be_visible()
    assert wrong_with(page) == NOTHING


def test_the_second_step_takes_the_code_and_tells_a_wrong_one(page: Page, anna: User) -> None:
    TOTP.activate(anna, generate_totp_secret())
    log_in(page)
    page.wait_for_url("**/authenticate/")
    page.fill("#id_code", "123")
    page.keyboard.press("Enter")
    expect(page.locator("#id_code_error")).to_have_text("Falscher Code.")
    expect(page.locator("#id_code")).to_have_attribute("aria-describedby", "id_code_error")
    page.fill("#id_code", code_of(anna))
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/de/")


def test_who_lost_the_phone_comes_in_by_a_recovery_code(page: Page, anna: User) -> None:
    TOTP.activate(anna, generate_totp_secret())
    RecoveryCodes.activate(anna)
    code = Authenticator.objects.get(user=anna, type="recovery_codes").wrap().get_unused_codes()[0]
    log_in(page)
    page.fill("#id_code", code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/de/")


def test_the_second_step_can_be_given_up(page: Page, anna: User) -> None:
    TOTP.activate(anna, generate_totp_secret())
    log_in(page)
    page.wait_for_url("**/authenticate/")
    page.locator(".button--quiet").click()
    page.wait_for_url("**" + LOG_IN)
    expect(page.locator("#id_password")).to_be_visible()


def test_a_passkey_is_added_renamed_used_and_removed(page: Page, anna: User) -> None:
    log_in(page)
    page.wait_for_url("**/desk/**")
    confirm(page)
    put_a_passkey_in(page)
    page.goto("/profile/")
    page.locator('a[href$="/webauthn/add/"]').click()
    page.fill("#id_name", "Diensthandy")
    page.locator("#passkey-add").click()
    page.wait_for_url("**/recovery-codes/")
    page.goto(FACTORS + "webauthn/")
    expect(page.locator(".listed b")).to_have_text("Diensthandy")
    page.locator('.listed a[href$="/edit/"]').click()
    page.fill("#id_name", "Laptop")
    page.keyboard.press("Enter")
    expect(page.locator(".listed b")).to_have_text("Laptop")
    page.context.clear_cookies()
    page.goto(LOG_IN + "?next=/my/decisions/")
    page.locator("#passkey-login").click()
    page.wait_for_url(lambda url: "login" not in url)
    assert page.url.endswith("/my/decisions/")
    page.goto(FACTORS + "webauthn/reauthenticate/")
    page.locator("#passkey-authenticate").click()
    page.wait_for_url(lambda url: "reauthenticate" not in url)
    page.goto(FACTORS + "webauthn/")
    page.locator('.listed a[href$="/remove/"]').click()
    page.locator(".button--danger").click()
    page.wait_for_url(lambda url: "remove" not in url)
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_a_passkey_serves_as_second_step(page: Page, anna: User) -> None:
    log_in(page)
    page.wait_for_url("**/desk/**")
    confirm(page)
    put_a_passkey_in(page)
    page.goto(FACTORS + "webauthn/add/")
    page.locator("#passkey-add").click()
    page.wait_for_url("**/recovery-codes/")
    page.context.clear_cookies()
    log_in(page)
    page.wait_for_url("**/authenticate/")
    page.locator("#passkey-authenticate").click()
    page.wait_for_url("**/desk/de/")


def test_a_device_that_knows_no_passkey_is_told(page: Page) -> None:
    put_a_passkey_in(page)
    page.goto(LOG_IN)
    expect(page.locator("[data-passkey-failed]")).to_be_hidden()
    page.route("**/webauthn/login/", lambda route: route.abort())
    page.locator("#passkey-login").click()
    expect(page.locator("[data-passkey-failed]")).to_be_visible()
    assert wrong_with(page)["axe"] == []


def test_without_scripts_the_password_is_the_way(browser: Browser, live_server: LiveServer, anna: User) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(LOG_IN)
    expect(page.locator("#passkey-login")).to_be_hidden()
    log_in(page)
    page.wait_for_url("**/desk/de/")
    context.close()
