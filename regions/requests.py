"""The request as a view behind a rule gets it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from regions.models import User


class MemberRequest(HttpRequest):
    """Someone is signed in: RuleMiddleware lets nobody else through. `htmx` is set by its middleware."""

    user: User
    htmx: HtmxDetails
