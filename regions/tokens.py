"""Tokens of the API: who sends one is answered in the language they chose, unless the request asks for another."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from regions.models import User

NO_LANGUAGE = ("", "*")  # some clients send the star of themselves


class PersonsToken(TokenAuthentication):
    """Known only here, after the middleware: whose request it is."""

    def authenticate(self, request: Request) -> tuple[User, Any] | None:
        try:
            found: tuple[User, Any] | None = super().authenticate(request)
        except UnicodeDecodeError:
            raise AuthenticationFailed from None
        if found and found[0].language and request.headers.get("Accept-Language", "").strip() in NO_LANGUAGE:
            translation.activate(found[0].language)
            request._request.LANGUAGE_CODE = found[0].language
        return found


class PersonsTokenScheme(KnoxTokenScheme):
    """The same in the schema."""

    target_class = "regions.tokens.PersonsToken"
