"""The switchboard: every address of the house. Rules of the routes that libraries bring stand in settings.py."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from curation.config import health
from regions.permissions import PUBLIC, rule
from regions.problems import not_found

# Swagger writes styles into its page; scripts stay files of ours. No other page has such an exception.
api_page = csp_update({"style-src": [UNSAFE_INLINE]})(SpectacularSwaggerSplitView.as_view(url_name="schema"))

handler403 = "regions.views.forbidden"
handler404 = "regions.views.missing"
handler429 = "regions.views.too_often"  # allauth asks for it
handler500 = "regions.views.broken"

urlpatterns = [
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/schema/", rule(PUBLIC)(SpectacularAPIView.as_view()), name="schema"),
    path("api/v1/docs/", rule(PUBLIC)(api_page), name="docs"),
    path("api/v1/", include("regions.api")),
    path("api/v1/", include("curation.api")),
    path("api/v1/", include("feeds.api")),
    re_path(r"^api/", rule(PUBLIC)(csrf_exempt(not_found)), name="no-such-api"),
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("", include("regions.urls")),
    path("", include("curation.urls")),
    path("", include("feeds.urls")),
]
