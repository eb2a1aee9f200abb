"""How an answer of X travels: in bounded time and size, from one address, unpacked as it comes."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from curation.x.outcomes import Answer

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
WHOLE_SECONDS = 30.0
LARGEST_BODY = 16 * 1024 * 1024


class Redirected(HTTPAdapter):
    """Sends requests for tweepy's fixed host to `base_url`, in bounded time and size; keeps the answer."""

    def __init__(self, base_url: str, read_seconds: float, whole_seconds: float) -> None:
        super().__init__()
        self.base_url = base_url.rstrip("/")
        self.read_seconds, self.whole_seconds = read_seconds, whole_seconds
        self.answer: Answer | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        request.url = self.base_url + asked.path + (f"?{asked.query}" if asked.query else "")
        options |= {"timeout": (CONNECT_SECONDS, self.read_seconds), "stream": True}
        response = super().send(request, **options)
        body = self._read(response)
        # requests reads a body without any bound; a body that is already there it leaves alone.
        response._content = body
        response.encoding = "utf-8"  # as all JSON; requests would guess
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.answer = Answer(response.status_code, headers, body)
        if response.is_redirect:
            raise requests.TooManyRedirects("X redirects to another address")
        return response

    def _read(self, response: requests.Response) -> bytes:
        """Unpacked as it comes, each time only what is there: neither a bomb nor a trickle is read to its end."""
        parts, size, end = [], 0, time.monotonic() + self.whole_seconds
        with response:
            while part := response.raw.read1(65_536, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > LARGEST_BODY:
                    raise TooLong("the answer is too long")
                if time.monotonic() > end:
                    raise requests.ReadTimeout("the answer is too slow")
        return b"".join(parts)


class TooLong(requests.RequestException):
    """More than LARGEST_BODY."""


def never_reached(error: Exception) -> bool:
    """Whether no connection was made: then nothing was asked."""
    inner = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(inner, "reason", None), NewConnectionError | ConnectTimeoutError)


class Refusing(HTTPAdapter):
    """Every other host."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        raise requests.exceptions.InvalidURL("only X is asked through this door")
