"""The refusals of the public feed: the API answers them, the edge keeps them in files."""

from http import HTTPStatus

from regions.problems import Refusal


class UnknownKey(Refusal):
    status = HTTPStatus.FORBIDDEN
    code = "unknown_key"
    detail = "This key is unknown or was revoked."


class NoSuchFeed(Refusal):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    detail = "There is no such feed."


class OnlyToRead(Refusal):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"
    detail = "A feed can only be read."
