"""The switchboard: every address of the house, and the rules of the routes that libraries bring."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from curation.config import health
from regions.permissions import PUBLIC, rule
from regions.problems import not_found

handler403 = "regions.views.forbidden"
handler404 = "regions.views.missing"
handler500 = "regions.views.broken"

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/schema/", rule(PUBLIC)(SpectacularAPIView.as_view()), name="schema"),
    path("api/v1/docs/", rule(PUBLIC)(SpectacularSwaggerView.as_view(url_name="schema")), name="docs"),
    path("api/v1/", include("regions.api")),
    path("api/v1/", include("curation.api")),
    path("api/v1/", include("feeds.api")),
    re_path(r"^api/", rule(PUBLIC)(csrf_exempt(not_found)), name="no-such-api"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("", include("regions.urls")),
    path("", include("curation.urls")),
    path("", include("feeds.urls")),
]

RULES_OF_LIBRARIES: dict[str, str] = {
    "admin": "chief",
    "admin:login": "public",
    "admin:logout": "signed in",
    "admin:jsi18n": "chief",
    "account_login": "public",
    "account_logout": "signed in",
    "account_signup": "public",
    "account_inactive": "public",
    "account_reauthenticate": "signed in",
    "account_change_password": "signed in",
    "account_set_password": "signed in",
    "account_reset_password": "public",
    "account_reset_password_done": "public",
    "account_reset_password_from_key": "public",
    "account_reset_password_from_key_done": "public",
    "account_email": "signed in",
    "account_email_verification_sent": "public",
    "account_confirm_email": "public",
    "account_confirm_login_code": "public",
    "mfa_authenticate": "public",
    "mfa_reauthenticate": "signed in",
    "mfa_index": "signed in",
    "mfa_activate_totp": "signed in",
    "mfa_deactivate_totp": "signed in",
    "mfa_view_recovery_codes": "signed in",
    "mfa_generate_recovery_codes": "signed in",
    "mfa_download_recovery_codes": "signed in",
    "usersessions_list": "signed in",
}
"""By route name, else by namespace. What stands in neither is closed."""
