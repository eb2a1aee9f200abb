"""The form of the second step."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.utils.translation import ngettext


class CodeForm(AuthenticateForm):
    """Asks for digits, which recovery codes are too, and says how many of those are left after one was used."""

    def __init__(self, *args: Any, **told: Any) -> None:
        super().__init__(*args, **told)
        self.fields["code"].widget.attrs |= {"autofocus": True, "inputmode": "numeric"}

    def save(self) -> None:
        super().save()
        if self.authenticator.type != Authenticator.Type.RECOVERY_CODES:
            return
        self.authenticator.refresh_from_db()  # allauth marks the code as used in a copy
        n = len(self.authenticator.wrap().get_unused_codes())
        told = ngettext("You used a recovery code: %(n)d is left.", "You used a recovery code: %(n)d are left.", n)
        messages.warning(context.request, told % {"n": n})
