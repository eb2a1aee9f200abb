"""What happens around every view: the person and their language, and the route's rule."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import get_resolver, get_urlconf
from django.utils import translation

from regions import company
from regions.permissions import passes
from regions.problems import Refusal
from regions.views import refused

log = structlog.get_logger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]


class UserLanguageMiddleware:
    """The language someone chose for themselves beats the browser's."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "")
        if language:
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)


class SamePersonMiddleware:
    """A page's script says whose page it is: a page left open acts for nobody who logged in since. 401 then."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get("X-Person")
        if told and request.user.is_authenticated and told != str(request.user.pk):
            return HttpResponse(status=HTTPStatus.UNAUTHORIZED)
        return self.get_response(request)


def rule_of(request: HttpRequest, view: Callable[..., Any]) -> str | None:
    """The rule a view carries, else what the switchboard says of the library it comes from."""
    own = getattr(view, "rule", None) or getattr(getattr(view, "cls", None), "rule", None)
    match = request.resolver_match
    if own or match is None:
        return own
    others: dict[str, str] = settings.RULES_OF_LIBRARIES
    return others.get(match.view_name) or others.get(match.app_names[0] if match.app_names else "")


def forbidden(request: HttpRequest, refusal: PermissionDenied) -> HttpResponse:
    """The page that the routes name for it."""
    page: Callable[..., HttpResponse] = get_resolver(get_urlconf()).resolve_error_handler(403)
    return page(request, exception=refusal)


class OwnPagesMiddleware:
    """No other site may show or read our pages as part of its own. Feeds and static files never come by here."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class RuleMiddleware:
    """Opens a route only by its rule. DRF's views check theirs themselves: they know the person of a token.

    Whoever is refused gets the page for it: an exception would write a traceback into the log, like a fault."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        name = rule_of(request, view)
        if company.closed(request.resolver_match.view_name if request.resolver_match else "", request.method or ""):
            raise Http404
        if name is None:
            log.error("route_without_rule", path=request.path)
            return forbidden(request, PermissionDenied())
        if hasattr(view, "cls") or passes(request.user, name, kwargs):
            return None
        if request.user.is_authenticated:
            return forbidden(request, PermissionDenied())
        return redirect_to_login(request.get_full_path())

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Refusal):
            return refused(request, exception)
        return forbidden(request, exception) if isinstance(exception, PermissionDenied) else None
