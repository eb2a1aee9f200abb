"""Passkeys that log in alone, and those that are a second step: what its owner ticked counts, not what a device can.

allauth asks only the browser, when a passkey is added; which of them may log in alone it never looks up again."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class AddForm(AddWebAuthnForm):
    """Keeps with a passkey what was ticked: many devices store each one so that it could log in alone."""

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean()
        if credential := told.get("credential"):
            alone = {"credProps": {"rk": bool(told.get("passwordless"))}}  # what allauth's is_passwordless reads
            told["credential"] = credential | {"clientExtensionResults": alone}
        return told


class LoginForm(LoginWebAuthnForm):
    """Refuses a second step where the first was not made."""

    def clean_credential(self) -> Authenticator:
        found: Authenticator = super().clean_credential()
        if not found.wrap().is_passwordless:
            raise ValidationError(_("This passkey is a second step only: log in with your password first."))
        return found
