"""Requests as views behind a rule meet them: someone is signed in."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from regions.models import User


class PageRequest(HttpRequest):
    """A page's or partial's request; `htmx` is true for a swap."""

    user: User
    htmx: HtmxDetails


def chief(request: HttpRequest) -> User:
    """Who works in the admin, which its rule opens to chiefs alone."""
    if not isinstance(request.user, User) or not request.user.is_superuser:
        raise PermissionDenied
    return request.user


def person(request: Request) -> User:
    """Who calls the editorial API. Refuses strangers, whom the route's rule keeps out before."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
