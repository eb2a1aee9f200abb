"""The company account: single sign-on by OpenID Connect."""

from __future__ import annotations

from django.conf import settings


def only() -> bool:
    """Whether the company account is the only way in."""
    return bool(getattr(settings, "OIDC_ONLY", False))
