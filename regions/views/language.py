"""The language switch."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from regions.permissions import PUBLIC, rule


@rule(PUBLIC)
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keeps the chosen language with the person, or in a cookie for a stranger."""
    chosen = request.POST.get("language", "")
    if request.user.is_authenticated and chosen in dict(settings.LANGUAGES):
        request.user.language = chosen
        request.user.save(update_fields=["language"])
    return set_language(request)
