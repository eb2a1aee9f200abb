"""The public feed before everything that serves people: no session, language, token or log line."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from feeds.addresses import PREFIX
from feeds.api import public


class BareFeedsMiddleware:
    """Answers the public feed without the middleware below it.

    Else LocaleMiddleware and sessions would let the answer vary by language and cookie, so that caches could not
    share it; a stale session would need the very PostgreSQL that may be down; and it would take thrice as long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = public(request) if request.path_info.startswith(PREFIX) else None
        return answer or self.get_response(request)
