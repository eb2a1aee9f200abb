"""Refusals: the errors an operation raises, and their form for programs, problem+json (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from json import JSONDecodeError
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

CONTENT_TYPE = "application/problem+json"


class Refusal(Exception):
    """What an operation will not do. `code` is stable, `detail` is a sentence in the reader's language."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "not_allowed"
    detail: Any = _("This cannot be done.")

    def __init__(self, detail: Any = None, *, field: str = "", **more: Any) -> None:
        self.detail = detail or self.detail
        self.field = field
        self.more = more
        super().__init__(self.code)

    def problem(self) -> dict[str, Any]:
        """The body of problem+json."""
        told = {"field": self.field} if self.field else {}
        return body(self.status, self.code, self.detail) | told | self.more


class BadCursor(Refusal):
    """`cursor` of a list is none that the list gave."""

    code = "bad_cursor"
    detail = _("This page's address is not usable. Begin with the first page.")


def body(status: int, code: str, detail: Any) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": str(detail),
    }


def answer(status: int, code: str, detail: Any, **headers: str) -> JsonResponse:
    """A problem for a plain Django view."""
    return JsonResponse(body(status, code, detail), status=status, content_type=CONTENT_TYPE, headers=headers)


def flattened(errors: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested errors as {"candidates.0.id": ["..."]}."""
    if isinstance(errors, dict):
        pairs = [(f"{path}.{key}".strip("."), value) for key, value in errors.items()]
    elif isinstance(errors, list) and any(isinstance(error, dict | list) for error in errors):
        pairs = [(f"{path}.{place}".strip("."), value) for place, value in enumerate(errors)]
    else:
        return {path: [str(error) for error in (errors if isinstance(errors, list) else [errors])]}
    return {place: told for key, value in pairs for place, told in flattened(value, key).items() if told}


def as_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error of the API is problem+json with a stable code."""
    set_rollback()
    if isinstance(error, Refusal):
        return Response(error.problem(), status=error.status, content_type=CONTENT_TYPE)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        return None
    return _of_drf(error)


def _of_drf(error: exceptions.APIException) -> Response:
    status, headers = error.status_code, {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait or 0))  # type: ignore[attr-defined]
    if isinstance(error, exceptions.ValidationError):
        errors = flattened(error.detail)
        first = {"field": field} if (field := next(iter(errors), "")) else {}
        told = body(422, "invalid", _("Some fields are not right.")) | first | {"errors": errors}
        return Response(told, status=422, content_type=CONTENT_TYPE)
    plain = error.detail
    code = (plain.code if isinstance(plain, exceptions.ErrorDetail) else None) or error.default_code
    detail = _not_json(error) if isinstance(error, exceptions.ParseError) else plain
    return Response(body(status, code, detail), status=status, headers=headers, content_type=CONTENT_TYPE)


def _not_json(error: exceptions.ParseError) -> Any:
    """The sentence on a body that is no JSON, which DRF has in English alone."""
    cause = error.__context__
    if not isinstance(cause, JSONDecodeError):
        return _("The body is not valid JSON.")
    place = {"line": cause.lineno, "column": cause.colno}
    return _("The body is not valid JSON: line %(line)d, column %(column)d.") % place


def not_found(request: HttpRequest) -> JsonResponse:
    """404 for addresses under /api/ that no route knows."""
    return answer(404, "not_found", _("There is nothing here."))
