"""The refusals of the public feed: the API answers them, the edge keeps them in files."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from feeds.rendering import as_json
from regions.problems import Refusal


class UnknownKey(Refusal):
    status = HTTPStatus.FORBIDDEN
    code = "unknown_key"
    detail: Any = _("This key is unknown or was revoked.")


class NoSuchFeed(Refusal):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    detail: Any = _("There is no such feed.")


class OnlyToRead(Refusal):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"
    detail: Any = _("A feed can only be read.")


class FeedsAway(Refusal):
    """Neither PostgreSQL nor the files answer. nginx says the same of files that are away (deploy/edge/feeds.conf)."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"
    detail = "The feeds cannot be read now."


def body_of(refusal: Refusal) -> str:
    """Problem+json in the default language, whoever asks: the edge and caches hold one body for everyone."""
    with override(settings.LANGUAGE_CODE):
        return as_json(refusal.problem())


AT_THE_EDGE = (UnknownKey(), NoSuchFeed(), OnlyToRead())
"""Those that the edge keeps a file of."""
