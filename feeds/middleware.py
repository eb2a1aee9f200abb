"""The public feed before everything that serves people: no session, language, token or log line."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter

from feeds.addresses import PREFIX
from feeds.api import NAMED, public

FORMATS = dict(NAMED)
ANSWERS = Counter("tickerdesk_feed_answers", "Feeds that this web gave out or refused.", ["format", "status"])


class BareFeedsMiddleware:
    """Answers the public feed without the middleware below it.

    Else LocaleMiddleware and sessions would let the answer vary by language and cookie, so that caches could not
    share it; a stale session would need the very PostgreSQL that may be down; and it would take thrice as long.
    Prometheus' own count stands below too, so these are counted here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = public(request) if request.path_info.startswith(PREFIX) else None
        if answer is None:
            return self.get_response(request)
        ANSWERS.labels(format_of(request.path_info), answer.status_code).inc()
        return answer


def format_of(path: str) -> str:
    """One of a few, whatever strangers ask for."""
    return FORMATS.get(path.rsplit("/", 1)[-1], "feed")
