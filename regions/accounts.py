"""How people come in: by invitation, or by the company account."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from regions import company


class ClosedAdapter(DefaultAccountAdapter):
    """No sign-up: accounts come by a lead's invitation, the company account, or the chief."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": _("Too many failed attempts to log in. Try again in five minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: Any, **told: Any) -> HttpResponse:
        """Whoever comes in by a password or passkey comes without the roles of groups: nobody knows whether they are
        in them still. Who left the company keeps nothing by a password that they had set here."""
        from regions.company.groups import follow  # knows the models

        if company.configured() and "sociallogin" not in (told.get("signal_kwargs") or {}):
            follow(user, {})
        answer: HttpResponse = super().post_login(request, user, **told)
        return answer


class CompanyBackend(AuthenticationBackend):
    """Sessions of the company account, where it is the only way in: no password counts."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None
