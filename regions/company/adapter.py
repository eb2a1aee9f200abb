"""Who may come in by the company account, and as whom."""

from __future__ import annotations

import functools
from typing import Any

import requests
import structlog
from allauth.account.internal.flows.manage_email import assess_unique_email
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from regions import company
from regions.company.groups import follow, roles_of
from regions.models import Membership, User
from regions.views.errors import error_page

TIMEOUT = 5  # seconds
log = structlog.get_logger(__name__)


class CompanyAdapter(DefaultSocialAccountAdapter):
    """allauth's questions about accounts of the provider."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        from regions.company.provider import Company, app

        return Company(request, app=app())

    def list_providers(self, request: HttpRequest) -> list[Any]:
        return [self.get_provider(request, "")] if company.configured() else []

    def get_requests_session(self) -> requests.Session:
        """Goes where it is told and no further."""
        session = requests.Session()
        session.request = functools.partial(  # type: ignore[method-assign]
            session.request, timeout=TIMEOUT, allow_redirects=False
        )
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Whoever the provider knows; pre_social_login turned the others away."""
        return True

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """The account that an address belongs to: verified there, and here by a chief, and of one person alone."""
        if not settings.OIDC_MATCH_EMAIL:
            return None
        for address in sociallogin.email_addresses:
            same = EmailAddress.objects.filter(email__iexact=address.email, verified=True, user__is_active=True)
            if address.verified and len(found := list(same.select_related("user")[:2])) == 1:
                return found[0].user, found[0].email
        return None

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Follows the groups of who is known here, then turns away who has none and nothing by hand."""
        roles = roles_of(groups_of(sociallogin.told))
        known = sociallogin.user if sociallogin.is_existing else None
        if known is not None:
            follow(known, roles)
        if not roles and settings.OIDC_STRANGERS == "refuse" and not stays(known):
            log.warning("company_login_without_group", known=known is not None)
            told = _("You logged in, but none of your groups has a role here. Ask your lead.")
            raise ImmediateHttpResponse(refusal(request, 403, "no_group", told))
        if known is None:
            addresses = [one for one in sociallogin.email_addresses if assess_unique_email(one.email) is True]
            sociallogin.email_addresses = addresses
            sociallogin.user.email = addresses[0].email if addresses else ""

    @transaction.atomic
    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        follow(user, roles_of(groups_of(sociallogin.told)))
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """One page for everything that goes wrong; the log knows more."""
        log.warning("company_login_failed", error=str(error), cause=type(exception).__name__, why=str(exception)[:200])
        told = _("The company account did not let you in. Try again; if it stays so, tell your operator.")
        raise ImmediateHttpResponse(refusal(request, 403, "company_login_failed", told))


def groups_of(told: dict[str, Any]) -> list[str]:
    """The groups among what the provider told; one group may come as a word of its own."""
    groups = told.get(settings.OIDC_GROUPS_CLAIM)
    if isinstance(groups, str):
        return [groups]
    return [group for group in groups if isinstance(group, str)] if isinstance(groups, list) else []


def stays(known: User | None) -> bool:
    """Whether somebody is here by more than a group."""
    return known is not None and (known.is_superuser or Membership.objects.filter(user=known).exists())


def refusal(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    return error_page(request, status, code, _("You are not logged in"), sentence)
