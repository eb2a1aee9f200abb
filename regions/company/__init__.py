"""The company account: single sign-on by OpenID Connect, with any provider that speaks it.

We answer at two routes of our own. allauth's are not routed: they send no nonce, and take a token's signature on
trust."""

from __future__ import annotations

from django.conf import settings

# What of allauth's is gone where the company account is the only way in: all that has to do with passwords and
# passkeys. The second step stays for those who set one up.
GONE = {
    "account_signup", "account_reauthenticate", "account_change_password", "account_set_password",
    "account_reset_password", "account_reset_password_done", "account_reset_password_from_key",
    "account_reset_password_from_key_done", "account_email", "account_email_verification_sent", "account_confirm_email",
    "account_confirm_login_code", "mfa_login_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    "mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_edit_webauthn", "mfa_remove_webauthn",
    "mfa_list_webauthn", "mfa_index", "mfa_view_recovery_codes", "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
}  # fmt: skip


def configured() -> bool:
    return bool(settings.OIDC_ISSUER)


def only() -> bool:
    """Whether the company account is the only way in."""
    return bool(settings.OIDC_ONLY)


def closed(route: str, method: str) -> bool:
    """Whether a route is gone, since nobody logs in by password or passkey."""
    return only() and (route in GONE or (route == "account_login" and method not in ("GET", "HEAD")))
