"""The public feed before everything that serves people: no session, language, token or log line."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

ADDRESS = "/api/v1/feeds/"


class BareFeedsMiddleware:
    """Answers routes that `feeds.api.bare` marks without the middleware below it.

    Else LocaleMiddleware and sessions would let the answer vary by language and cookie, so that caches could not
    share it; a stale session would need the very PostgreSQL that may be down; and it would take thrice as long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(ADDRESS):
            try:
                match = resolve(request.path_info)
            except Resolver404:
                return self.get_response(request)
            if getattr(match.func, "bare", False):
                request.resolver_match = match
                return match.func(request, *match.args, **match.kwargs)
        return self.get_response(request)
