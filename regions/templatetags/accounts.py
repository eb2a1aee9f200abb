"""What the log-in page offers."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from regions import company

register = template.Library()


@register.simple_tag
def company_account() -> str:
    """What the company account's button says; empty where there is none."""
    if not company.configured():
        return ""
    name = settings.OIDC_NAME
    return _("Log in with %(name)s") % {"name": name} if name else _("Log in with the company account")


@register.simple_tag
def company_only() -> bool:
    """Whether nobody logs in by password or passkey."""
    return company.only()
