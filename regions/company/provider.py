"""The provider as allauth meets it, stricter than allauth's own: a nonce, the token's signature, one issuer."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import build_absolute_uri
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

ID = "company"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
CLOCKS_APART = 60  # seconds
ADDRESSES = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Untrusted(ProviderException):
    """What the provider said cannot be believed; the message is for the log."""


def app() -> SocialApp:
    """The provider by the settings."""
    return SocialApp(
        provider="openid_connect", provider_id=ID, name=settings.OIDC_NAME, client_id=settings.OIDC_CLIENT_ID,
        secret=settings.OIDC_CLIENT_SECRET,
        settings={"server_url": settings.OIDC_ISSUER, "oauth_pkce_enabled": True, "scope": settings.OIDC_SCOPES},
    )  # fmt: skip


class Door(OpenIDConnectOAuth2Adapter):
    """Speaks with the provider for one request. `nonce` is what the log-in was begun with."""

    nonce = ""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, ID)

    def get_provider(self) -> Company:
        return Company(self.request, app=app())

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return str(build_absolute_uri(request, reverse("company-callback")))

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself. Raises Untrusted where it is another, or less safe than its address."""
        if not hasattr(self, "_openid_config"):
            address = self.get_provider().server_url
            told = fetched(address)
            if str(told.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER.rstrip("/"):
                raise Untrusted("the issuer calls itself otherwise")
            scheme = urlsplit(settings.OIDC_ISSUER).scheme
            if any(urlsplit(str(told.get(name, ""))).scheme not in ("https", scheme) for name in ADDRESSES):
                raise Untrusted("an address is missing or not safe")
            self._openid_config = told
        return self._openid_config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        """The log-in of whoever the token names. Raises Untrusted."""
        told = self.verified(str(kwargs["response"].get("id_token") or ""))
        if "userinfo_endpoint" in self.openid_config:
            more = self._fetch_user_info(token.token)
            if more.get("sub") != told["sub"]:
                raise Untrusted("userinfo is of somebody else")
            told = told | more
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, told)
        login.told = told
        return login

    def verified(self, token: str) -> dict[str, Any]:
        """The claims of an ID token: signed by the issuer, for us, for this log-in, and not too old."""
        try:
            head = jwt.get_unverified_header(token)
            if head.get("alg") not in ALGORITHMS:
                raise Untrusted("the token is not signed as it must be")
            told = jwt.decode(
                token, self.key_of(head), algorithms=[head["alg"]], audience=settings.OIDC_CLIENT_ID,
                issuer=self.openid_config["issuer"], leeway=CLOCKS_APART, options={"require": REQUIRED},
            )  # fmt: skip
        except jwt.PyJWTError as error:
            raise Untrusted(f"the token: {type(error).__name__}") from error
        if isinstance(told["aud"], list) and len(told["aud"]) > 1 and told.get("azp") != settings.OIDC_CLIENT_ID:
            raise Untrusted("the token is for several")
        if not self.nonce or not hmac.compare_digest(str(told.get("nonce", "")).encode(), self.nonce.encode()):
            raise Untrusted("the token is of another log-in")
        return dict(told)

    def key_of(self, head: dict[str, Any]) -> Any:
        keys = jwt.PyJWKSet.from_dict(fetched(self.openid_config["jwks_uri"])).keys
        named = [key for key in keys if key.key_id == head.get("kid")] if "kid" in head else keys
        if len(named) != 1:
            raise Untrusted("nobody knows the token's key")
        return named[0].key


def fetched(address: str) -> dict[str, Any]:
    """A JSON document of the provider."""
    with get_adapter().get_requests_session() as session:
        answer = session.get(address)
        answer.raise_for_status()
        told = answer.json()
    if not isinstance(told, dict):
        raise Untrusted("an answer is no object")
    return told


class Company(OpenIDConnectProvider):
    """What the provider tells of people, as accounts here."""

    oauth2_adapter_class = Door

    def get_oauth2_adapter(self, request: HttpRequest) -> Door:
        return Door(request)

    def begin(self, request: HttpRequest, next_url: str) -> HttpResponse:
        """Sends the browser to the provider, with PKCE, a state and a nonce."""
        nonce = secrets.token_urlsafe(24)
        answer: HttpResponse = self.redirect(
            request, "login", next_url=next_url, auth_params={"nonce": nonce}, nonce=nonce
        )
        return answer

    def extract_uid(self, told: dict[str, Any]) -> str:
        """Another issuer's people are others, whatever they are numbered."""
        return hashlib.sha256(f"{settings.OIDC_ISSUER.rstrip('/')}\n{told['sub']}".encode()).hexdigest()

    def extract_extra_data(self, told: dict[str, Any]) -> dict[str, Any]:
        return {"iss": settings.OIDC_ISSUER, "sub": told["sub"]}

    def extract_email_addresses(self, told: dict[str, Any]) -> list[Any]:
        """Only an address that the provider says it verified."""
        return list(super().extract_email_addresses(told)) if told.get("email_verified") is True else []


class Callback(OAuth2CallbackView):
    """The way back from the provider."""

    def _get_state(self, request: HttpRequest, provider: Company) -> tuple[dict[str, Any] | None, Any]:
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = (state or {}).get("nonce", "")
        return state, answer
