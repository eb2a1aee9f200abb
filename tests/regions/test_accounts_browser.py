"""Log-in, second step and passkeys in a real browser."""

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from regions.models import User
from tests.regions.codes import code_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
WATCH = "window.broken = []; addEventListener('securitypolicyviolation', (e) => broken.push(e.violatedDirective));"
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


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, anna: User) -> Iterator[Page]:
    """A page in German; no script failed in it, and the policy was never broken."""
    anna.language = "de"
    anna.save()
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 800}, locale="de")
    context.add_init_script(WATCH)
    opened = context.new_page()
    said: list[str] = []
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    broken = opened.evaluate("window.broken")
    context.close()
    assert (said, broken) == ([], [])


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


def test_a_passkey_that_is_a_second_step_never_logs_in_alone(page: Page, anna: User) -> None:
    """The device keeps it so that it could: what was ticked counts."""
    log_in(page)
    page.wait_for_url("**/desk/**")
    confirm(page)
    put_a_passkey_in(page)
    page.goto(FACTORS + "webauthn/add/")
    page.locator("#passkey-add").click()
    page.wait_for_url("**/recovery-codes/")
    key = Authenticator.objects.get(type="webauthn")
    assert key.wrap().is_passwordless is True
    key.data["credential"]["clientExtensionResults"] = {"credProps": {"rk": False}}
    key.save()
    page.context.clear_cookies()
    page.goto(LOG_IN)
    page.locator("#passkey-login").click()
    expect(page.locator(".told li")).to_have_count(1)
    page.goto("/desk/de/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    log_in(page)
    page.wait_for_url("**/authenticate/")
    page.locator("#passkey-authenticate").click()
    page.wait_for_url("**/desk/de/")


def test_what_is_not_ticked_is_kept_as_a_second_step(page: Page, anna: User) -> None:
    log_in(page)
    page.wait_for_url("**/desk/**")
    confirm(page)
    put_a_passkey_in(page)
    page.goto(FACTORS + "webauthn/add/")
    box = page.locator("input[type=checkbox]")
    box.evaluate("box => box.name = 'elsewhere'")  # the device is asked as if it were ticked, and keeps it so
    expect(box).to_be_checked()
    page.locator("#passkey-add").click()
    page.wait_for_url("**/recovery-codes/")
    assert Authenticator.objects.get(type="webauthn").wrap().is_passwordless is False


def test_a_device_that_knows_no_passkey_is_told(page: Page) -> None:
    put_a_passkey_in(page)
    page.goto(LOG_IN)
    expect(page.locator("[data-passkey-failed]")).to_be_hidden()
    page.route("**/webauthn/login/", lambda route: route.abort())
    page.locator("#passkey-login").click()
    expect(page.locator("[data-passkey-failed]")).to_be_visible()


def test_without_scripts_the_password_is_the_way(browser: Browser, live_server: LiveServer, anna: User) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto(LOG_IN)
    expect(page.locator("#passkey-login")).to_be_hidden()
    log_in(page)
    page.wait_for_url("**/desk/de/")
    context.close()
