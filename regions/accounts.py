"""How people come in: by invitation, or by the company account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest


class ClosedAdapter(DefaultAccountAdapter):
    """No sign-up: accounts come by a lead's invitation, the company account, or the chief."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class CompanyBackend(AuthenticationBackend):
    """Sessions of the company account, where it is the only way in: no password counts."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None
