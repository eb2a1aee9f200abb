"""Requests as views behind a rule meet them: someone is signed in."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from regions.models import User


class PageRequest(HttpRequest):
    """A page's or partial's request; `htmx` is true for a swap."""

    user: User
    htmx: HtmxDetails


class ApiRequest(Request):
    """A request to the editorial API."""

    user: User
