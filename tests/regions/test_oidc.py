"""The company account, against a real identity provider over a socket: log-in, groups to roles, refusals."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from regions.models import Change, Market, Membership, Role, User
from regions.operations import give_role
from tests.regions.provider import START, Provider, running

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
LOG_IN = "/accounts/login/"
BACKENDS = ["rules.permissions.ObjectPermissionBackend", "regions.accounts.CompanyBackend"]
ROLES = [("de-leads", "de", "lead"), ("de-desk", "de", "editor"), ("de-desk", "nl", "viewer")]


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(server: Provider, settings: Settings) -> Iterator[Provider]:
    """The provider, and a console that knows it."""
    cache.clear()
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = server.issuer, "tickerdesk", "secret"
    settings.OIDC_ROLES, settings.OIDC_STRANGERS = ROLES, "refuse"
    server.forge, server.signs_with, server.calls_itself = dict, server.key, {}
    server.asked.clear()
    yield server


def roles(user: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("market__code", "role"))


def opens(client: Client, market: str = "de") -> int:
    return client.get(f"/desk/{market}/").status_code


def test_somebody_new_comes_in_with_the_roles_of_their_groups(provider: Provider) -> None:
    provider.has("7", name="Mila Moor", preferred_username="mila", email="mila@desk.example", email_verified=True,
                 groups=["de-desk", "football"])  # fmt: skip
    client = Client()
    assert provider.log_in(client, "7", onward="/desk/de/politics/")["Location"] == "/desk/de/politics/"
    mila = User.objects.get(username="mila")
    assert (mila.shown_name, mila.email, mila.has_usable_password()) == ("Mila Moor", "mila@desk.example", False)
    assert roles(mila) == {"de": "editor", "nl": "viewer"}
    assert (opens(client), opens(client, "gr")) == (200, 404)
    assert SocialAccount.objects.get().extra_data == {"iss": provider.issuer, "sub": "7"}
    told = Change.objects.filter(verb="give_role").values_list("market__code", "by", "after")
    assert sorted(told, key=str) == [
        (code, None, {"role": role, "user": mila.pk, "group": True})
        for code, role in (("de", "editor"), ("nl", "viewer"))
    ]


def test_pkce_is_really_sent(provider: Provider) -> None:
    provider.has("7", groups=["de-desk"])
    provider.log_in(Client(), "7")
    began = next(told for path, told in provider.asked if path.endswith("authorize"))
    redeemed = next(told for path, told in provider.asked if path.endswith("token"))
    digest = hashlib.sha256(redeemed["code_verifier"].encode()).digest()
    assert began["code_challenge_method"] == "S256"
    assert began["code_challenge"] == urlsafe_b64encode(digest).decode().rstrip("=")
    assert set(began["scope"].split()) == {"openid", "profile", "email"}
    assert len(began["nonce"]) >= 32 and began["nonce"] != began["state"]


def test_groups_are_followed_at_each_log_in(provider: Provider) -> None:
    provider.has("7", preferred_username="mila", groups=["de-desk"])
    provider.log_in(Client(), "7")
    mila = User.objects.get(username="mila")
    open_page = Client()
    provider.log_in(open_page, "7")
    provider.has("7", preferred_username="other", groups=["de-leads"])
    provider.log_in(Client(), "7")
    assert (roles(mila), User.objects.count()) == ({"de": "lead"}, 1)
    assert (opens(open_page), opens(open_page, "nl")) == (200, 404)
    provider.has("7", groups=[])
    answer = provider.log_in(Client(), "7")
    assert (answer.status_code, "none of your groups has a role here" in answer.content.decode()) == (403, True)
    assert roles(mila) == {}
    assert opens(open_page) == 404


def test_what_was_given_by_hand_stays(provider: Provider) -> None:
    provider.has("7", preferred_username="mila", groups=["de-desk"])
    provider.log_in(Client(), "7")
    mila, gr, de = User.objects.get(username="mila"), *(Market.objects.get(code=code) for code in ("gr", "de"))
    give_role(mila, gr, Role.EDITOR, by=None)
    give_role(mila, de, Role.VIEWER, by=None)
    provider.has("7", groups=["de-leads"])
    provider.log_in(Client(), "7")
    assert roles(mila) == {"de": "lead", "gr": "editor"}
    provider.has("7", groups=[])
    client = Client()
    assert provider.log_in(client, "7").status_code == 302
    assert roles(mila) == {"de": "viewer", "gr": "editor"}
    assert opens(client) == 200


@pytest.mark.parametrize(("strangers", "status", "people"), [("refuse", 403, 0), ("admit", 302, 1)])
def test_who_has_no_group(provider: Provider, settings: Settings, strangers: str, status: int, people: int) -> None:
    settings.OIDC_STRANGERS = strangers
    provider.has("8", preferred_username="nora", groups="football")
    client = Client()
    assert provider.log_in(client, "8").status_code == status
    assert (User.objects.count(), Membership.objects.count(), opens(client)) == (people, 0, 404 if people else 302)


FORGED: list[tuple[str, Any]] = [
    ("issuer", lambda claims: claims | {"iss": "http://localhost:1"}),
    ("audience", lambda claims: claims | {"aud": "another-console"}),
    ("audiences", lambda claims: claims | {"aud": ["tickerdesk", "another"], "azp": "another"}),
    ("nonce", lambda claims: claims | {"nonce": "of-another-log-in"}),
    ("no nonce", lambda claims: {name: told for name, told in claims.items() if name != "nonce"}),
    ("too old", lambda claims: claims | {"exp": claims["iat"] - 3600}),
    ("no end", lambda claims: {name: told for name, told in claims.items() if name != "exp"}),
    ("somebody else", lambda claims: claims | {"sub": "1"}),
]


@pytest.mark.parametrize(("what", "forge"), FORGED, ids=[what for what, _ in FORGED])
def test_a_token_that_does_not_fit_lets_nobody_in(provider: Provider, what: str, forge: Any) -> None:
    provider.has("7", preferred_username="mila", groups=["de-leads"])
    provider.forge = forge
    client = Client()
    answer = provider.log_in(client, "7")
    assert (answer.status_code, "You are not logged in" in answer.content.decode()) == (403, True)
    assert (User.objects.count(), opens(client)) == (0, 302)


def test_a_token_that_another_signed_lets_nobody_in(provider: Provider) -> None:
    provider.has("7", groups=["de-leads"])
    provider.signs_with = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert provider.log_in(Client(), "7").status_code == 403
    assert User.objects.count() == 0


def test_a_log_in_that_another_began_counts_for_nobody(provider: Provider) -> None:
    """The nonce was changed on the way there; the state is of another browser."""
    provider.has("7", groups=["de-leads"])
    assert provider.log_in(Client(), "7", change={"nonce": "planted-by-somebody"}).status_code == 403
    assert provider.log_in(Client(), "7", change={"state": "planted"}).status_code == 403
    assert Client().get(f"{START}callback/", {"code": "x", "state": "y"}).status_code == 403
    assert Client().get(f"{START}callback/", {"error": "access_denied"}).status_code == 403
    assert User.objects.count() == 0


@pytest.mark.parametrize(
    "said", [{"issuer": "http://localhost:1"}, {"token_endpoint": "ftp://localhost/"}, {"jwks_uri": ""}]
)
def test_a_provider_that_calls_itself_otherwise_is_not_asked(provider: Provider, said: dict[str, str]) -> None:
    provider.calls_itself = said
    assert Client().get(START).status_code == 403


def test_a_provider_that_is_away_is_told(provider: Provider, settings: Settings) -> None:
    settings.OIDC_ISSUER = "http://localhost:1"
    assert Client().get(START).status_code == 403


@pytest.fixture
def local(provider: Provider) -> User:
    """Somebody who has an account here with a password, and the address that the provider tells."""
    user = User.objects.create_user("mila", "mila@desk.example", "mila")
    provider.has("7", preferred_username="mila", email="mila@desk.example", email_verified=True, groups=["de-desk"])
    return user


@pytest.mark.parametrize(
    ("configured", "here", "there", "same"),
    [(True, True, True, True), (False, True, True, False), (True, False, True, False), (True, True, False, False)],
)
def test_an_address_tells_who_somebody_is_only_where_all_vouch_for_it(
    provider: Provider, settings: Settings, local: User, configured: bool, here: bool, there: bool, same: bool
) -> None:
    settings.OIDC_MATCH_EMAIL = configured
    EmailAddress.objects.create(user=local, email=local.email, verified=here, primary=True)
    provider.has("7", preferred_username="mila", email=local.email, email_verified=there, groups=["de-desk"])
    assert provider.log_in(Client(), "7").status_code == 302
    assert (roles(local), User.objects.count()) == (({"de": "editor", "nl": "viewer"}, 1) if same else ({}, 2))


def test_the_log_in_page_offers_it_first(provider: Provider, settings: Settings) -> None:
    settings.OIDC_NAME = "Lindmark ID"
    html = Client().get(f"{LOG_IN}?next=/desk/de/").content.decode()
    places = [html.index(mark) for mark in ("Log in with Lindmark ID", "data-passkey=", 'type="password"')]
    assert places == sorted(places)
    assert f'href="{START}?next=%2Fdesk%2Fde%2F"' in html
    assert html.count("button--primary") == 1


def test_where_it_leads_on_to_is_a_page_of_ours(provider: Provider) -> None:
    provider.has("7", groups=["de-desk"])
    client = Client()
    assert provider.log_in(client, "7", onward="https://elsewhere.example/")["Location"] == "/"
    assert client.get(START, {"next": "//elsewhere.example"})["Location"] == "/"


def test_without_a_provider_there_is_no_such_way(db: None) -> None:
    assert [Client().get(path).status_code for path in (START, f"{START}callback/")] == [404, 404]


PASSWORDS = [
    "/accounts/signup/", "/accounts/password/reset/", "/accounts/password/change/", "/accounts/password/set/",
    "/accounts/email/", "/accounts/reauthenticate/", "/accounts/2fa/", "/accounts/2fa/webauthn/login/",
    "/accounts/2fa/webauthn/add/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/reauthenticate/",
]  # fmt: skip


def test_as_the_only_way_in_there_is_no_other(provider: Provider, settings: Settings, chief: User) -> None:
    settings.OIDC_ONLY, settings.AUTHENTICATION_BACKENDS = True, BACKENDS
    client = Client()
    html = client.get(LOG_IN).content.decode()
    assert ('type="password"' in html, "data-passkey" in html, "Log in with the company account" in html) == (
        False, False, True,
    )  # fmt: skip
    assert client.post(LOG_IN, {"login": "chief", "password": "chief"}).status_code == 404
    assert {client.get(path).status_code for path in PASSWORDS} == {404}
    assert {client.post(path).status_code for path in PASSWORDS} == {404}
    admin = client.post("/admin/login/", {"username": "chief", "password": "chief"})
    assert (admin.status_code, admin["Location"].startswith(LOG_IN)) == (302, True)
    assert not client.login(username="chief", password="chief")
    assert client.get("/admin/").status_code == 302
    provider.has("7", groups=["de-desk"])
    assert provider.log_in(client, "7").status_code == 302
    assert opens(client) == 200
    assert client.get("/profile/").status_code == 200


def test_sessions_by_password_end_where_it_becomes_the_only_way(
    provider: Provider, settings: Settings, anna: User
) -> None:
    client = Client()
    client.post(LOG_IN, {"login": "anna", "password": "anna"})
    assert opens(client) == 200
    settings.OIDC_ONLY, settings.AUTHENTICATION_BACKENDS = True, BACKENDS
    assert opens(client) == 302


def test_who_set_up_a_second_step_is_asked_for_it_all_the_same(provider: Provider) -> None:
    provider.has("7", preferred_username="mila", groups=["de-desk"])
    provider.log_in(Client(), "7")
    Authenticator.objects.create(user=User.objects.get(username="mila"), type="totp", data={"secret": "x"})
    client = Client()
    assert provider.log_in(client, "7")["Location"] == "/accounts/2fa/authenticate/"
    assert opens(client) == 302


def test_a_password_does_not_bring_the_roles_of_groups(provider: Provider) -> None:
    provider.has("7", preferred_username="mila", groups=["de-leads"])
    provider.log_in(Client(), "7")
    mila = User.objects.get(username="mila")
    mila.set_password("mila")
    mila.save()
    give_role(mila, Market.objects.get(code="gr"), Role.VIEWER, by=None)
    client = Client()
    assert client.post(LOG_IN, {"login": "mila", "password": "mila"}).status_code == 302
    assert (roles(mila), opens(client), opens(client, "gr")) == ({"gr": "viewer"}, 404, 200)
    provider.log_in(Client(), "7")
    assert roles(mila) == {"gr": "viewer", "de": "lead"}


def test_who_may_not_log_in_stays_out(provider: Provider) -> None:
    provider.has("7", preferred_username="mila", groups=["de-desk"])
    provider.log_in(Client(), "7")
    User.objects.update(is_active=False)
    client = Client()
    provider.log_in(client, "7")
    assert opens(client) == 302
