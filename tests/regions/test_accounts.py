"""allauth's pages as ours look: each opens, says what is wrong, and runs only our scripts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.contrib.messages import get_messages
from django.core.cache import cache
from django.test import Client

from regions.models import User
from regions.names import browser
from tests.regions.codes import code_of

LOG_IN, SECOND = "/accounts/login/", "/accounts/2fa/authenticate/"
FOR_STRANGERS = [LOG_IN, "/accounts/signup/", "/accounts/password/reset/", "/accounts/inactive/"]
FOR_MEMBERS = [
    "/accounts/logout/", "/accounts/password/change/", "/accounts/email/", "/accounts/reauthenticate/",
    "/accounts/sessions/", "/accounts/2fa/", "/accounts/2fa/reauthenticate/", "/accounts/2fa/webauthn/",
    "/accounts/2fa/webauthn/add/", "/accounts/2fa/recovery-codes/", "/accounts/2fa/recovery-codes/generate/",
    "/accounts/2fa/totp/deactivate/",
]  # fmt: skip


def headings(html: str) -> list[str]:
    return [words.strip() for words in re.findall(r'<h1 class="statement">(.*?)</h1>', html, re.S)]


def looks_like_ours(html: str) -> bool:
    """One heading in our way, our stylesheet and the way to other languages; no style or script within the page."""
    inline = re.findall(r"<style|\sstyle=|<script(?![^>]*(?:\ssrc=|application/json))", html)
    return len(headings(html)) == 1 and "regions/door.css" in html and 'class="tongues"' in html and inline == []


@pytest.fixture(autouse=True)
def nobody_tried_before() -> Iterator[None]:
    """allauth counts attempts in the cache, which outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def lock(anna: User) -> User:
    """Anna with a second step and codes for when it is lost."""
    TOTP.activate(anna, generate_totp_secret())
    RecoveryCodes.activate(anna)
    return anna


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0"


def logged_in(user: User, agent: str = "") -> Client:
    """By the pages, the password given once more: what guards the account asks for it."""
    client = Client(headers={"User-Agent": agent})
    client.post(LOG_IN, {"login": user.username, "password": user.username})
    if Authenticator.objects.filter(user=user).exists():
        client.post(SECOND, {"code": code_of(user)})
    client.post("/accounts/reauthenticate/", {"password": user.username})
    return client


@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_pages_for_strangers_look_like_ours(browse: Any, db: None, path: str) -> None:
    response = browse().get(path)
    assert (response.status_code, looks_like_ours(response.content.decode())) == (200, True)


@pytest.mark.parametrize("path", FOR_MEMBERS)
def test_pages_for_members_look_like_ours(lock: User, path: str) -> None:
    response = logged_in(lock).get(path)
    assert (response.status_code, looks_like_ours(response.content.decode())) == (200, True)


def test_setting_up_the_second_step_looks_like_ours_too(anna: User) -> None:
    html = logged_in(anna).get("/accounts/2fa/totp/activate/").content.decode()
    assert looks_like_ours(html)
    assert re.findall(r'<img class="qr" src="(data:image/svg\+xml)', html) == ["data:image/svg+xml"]


def test_a_stranger_gets_none_of_them(browse: Any, db: None) -> None:
    assert {browse().get(path).status_code for path in FOR_MEMBERS} == {302}


def test_the_second_step_comes_after_the_password(lock: User) -> None:
    client = Client()
    assert client.post(LOG_IN, {"login": "anna", "password": "anna"}).url == SECOND
    html = client.get(SECOND).content.decode()
    assert (looks_like_ours(html), headings(html)) == (True, ["Second step"])
    assert client.get("/desk/de/").status_code == 302
    wrong = client.post(SECOND, {"code": "000000"})
    assert re.findall(r'id="id_code_error">(.*?)</p>', wrong.content.decode()) == ["Incorrect code."]
    assert client.get("/desk/de/").status_code == 302
    assert client.post(SECOND, {"code": code_of(lock)}).status_code == 302
    assert client.get("/desk/de/").status_code == 200


def test_a_passkey_is_offered_to_who_has_one_alone(lock: User) -> None:
    client = Client()
    client.post(LOG_IN, {"login": "anna", "password": "anna"})
    assert "data-passkey" not in client.get(SECOND).content.decode()


def test_no_sentence_waits_on_the_desk_for_who_logged_in(anna: User) -> None:
    client = Client()
    response = client.post(LOG_IN, {"login": "anna", "password": "anna"})
    assert list(get_messages(response.wsgi_request)) == []
    assert client.get("/desk/de/").status_code == 200


def test_a_recovery_code_counts_once(lock: User) -> None:
    codes = Authenticator.objects.get(user=lock, type="recovery_codes").wrap().get_unused_codes()
    for count, status in ((1, 200), (2, 302)):
        client = Client()
        client.post(LOG_IN, {"login": "anna", "password": "anna"})
        client.post(SECOND, {"code": codes[0]})
        assert (count, client.get("/desk/de/").status_code) == (count, status)


def test_after_a_recovery_code_it_says_how_many_are_left(lock: User) -> None:
    codes = Authenticator.objects.get(user=lock, type="recovery_codes").wrap().get_unused_codes()
    for code, said in ((codes[0], ["9 are left."]), (codes[1], ["8 are left."]), (code_of(lock), [])):
        client = Client()
        client.post(LOG_IN, {"login": "anna", "password": "anna"})
        response = client.post(SECOND, {"code": code})
        told = [str(message) for message in get_messages(response.wsgi_request)]
        assert told == [f"You used a recovery code: {left}" for left in said]


def test_the_one_field_of_each_step_has_the_focus(lock: User) -> None:
    client = Client()
    html = client.get(LOG_IN).content.decode()
    assert re.findall(r'id="(\w+)"[^>]* autofocus', html) == ["id_login"]
    client.post(LOG_IN, {"login": "anna", "password": "anna"})
    found = re.findall(r"<input[^>]* autofocus[^>]*>", client.get(SECOND).content.decode())
    assert [('id="id_code"' in one, 'inputmode="numeric"' in one) for one in found] == [(True, True)]


def test_the_company_account_has_no_place_until_it_is_configured(browse: Any, db: None) -> None:
    html = browse().get(LOG_IN).content.decode()
    assert settings.OIDC_ISSUER == ""
    buttons = re.findall(r'<button class="(button[^"]*)"', html)
    assert buttons == ["button", "button button--primary"]
    assert html.index("data-passkey=") < html.index('type="password"')


def test_a_forgotten_password_is_no_form(browse: Any, anna: User) -> None:
    User.objects.update(email="anna@desk.example")
    html = browse().get("/accounts/password/reset/").content.decode()
    assert 'type="email"' not in html
    assert browse().post("/accounts/password/reset/", {"email": "anna@desk.example"}).status_code < 500


def test_too_many_attempts_are_told_on_a_page(browse: Any, anna: User) -> None:
    client = browse()
    answers = [client.post(LOG_IN, {"login": "anna", "password": f"guess {n}"}) for n in range(40)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert headings(refused.content.decode()) == ["Too often"]


def test_other_sessions_can_be_ended(anna: User) -> None:
    here, there = logged_in(anna), logged_in(anna, FIREFOX)
    html = here.get("/accounts/sessions/").content.decode()
    assert "Firefox · Linux" in html
    here.post("/accounts/sessions/")
    assert [client.get("/desk/de/").status_code for client in (here, there)] == [200, 302]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142 Safari/537.36 Edg/142",
         "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1",
         "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142 Mobile Safari/537.36", "Chrome · Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Version/18 Safari/605", "Safari · macOS"),
        ("<script>", ""), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_browsers_are_named_in_two_words(header: str | None, name: str) -> None:
    assert browser(header) == name
