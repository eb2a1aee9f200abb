"""The pages for errors."""

import sys
from http import HTTPStatus
from typing import Any

import structlog
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from regions import problems


def error_page(request: HttpRequest, status: int, code: str, title: str, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return problems.answer(status, code, sentence)
    reference = structlog.contextvars.get_contextvars().get("request_id") if status >= 500 else None
    told = {"title": title, "sentence": sentence, "reference": reference}
    return render(request, "regions/error.html", told, status=status)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    sentence = _("You do not have the right to do this.")
    return error_page(request, 403, "permission_denied", _("Not yours to do"), sentence)


def missing(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return error_page(request, 404, "not_found", _("Nothing here"), _("This page does not exist, or not for you."))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token does not fit: mostly one that stood open while somebody logged in anew. Where the cookies
    are gone, a page that asks by itself hears what it hears without a session: log in."""
    if "HX-Request" in request.headers and not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    sentence = _("The form stood open too long, or you logged in anew meanwhile. Go back, reload, send it again.")
    return error_page(request, 403, "form_expired", _("This form no longer counts"), sentence)


def too_often(request: HttpRequest) -> HttpResponse:
    sentence = _("Too many attempts. Wait a few minutes, then try again.")
    return error_page(request, 429, "throttled", _("Too often"), sentence)


def refused(request: HttpRequest, refusal: problems.Refusal) -> HttpResponse:
    """A refusal that its view did not tell itself; for a swap its sentence alone."""
    status, sentence = int(refusal.status), str(refusal.detail)
    if "HX-Request" in request.headers:
        return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
    title = _("Somebody was faster") if status == HTTPStatus.CONFLICT else _("That cannot be done")
    return error_page(request, status, refusal.code, title, sentence)


RETRY_AFTER = "5"  # seconds


def broken(request: HttpRequest) -> HttpResponse:
    """Called where the error is at hand: without a database it is 503, which programs may repeat. What the desk sent
    of a page gets 500 all the same, since its 503 is a row to be put in place; Retry-After tells it to send again."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        sentence = _("Something broke on our side. Nothing you decided before was lost; please try again.")
        return error_page(request, 500, "broken", _("That went wrong"), sentence)
    sentence = _("The database does not answer. Nothing you decided before was lost; try again in a moment.")
    answer = error_page(request, 503, "unavailable", _("Not there at the moment"), sentence)
    answer.headers["Retry-After"] = RETRY_AFTER
    if "HX-Request" in request.headers:
        answer.status_code = 500
    return answer
