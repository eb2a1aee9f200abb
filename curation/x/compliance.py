"""The storage beside X's API that batch compliance uses: ids are put there, results are taken from there.

The addresses come from X and stand for themselves: only hosts of the settings are asked, no redirect is followed, the
token never travels along, and no address is told in words, since it holds a signature.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests

from curation.x.outcomes import Unreachable

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 5.0, 15.0, 120.0
LARGEST = 64 * 1024 * 1024
LONGEST_LINE = 10_000
PORTS = {"https": 443, "http": 80}
Origin = tuple[str, str, int | None]


class Storage:
    """`hosts`: names, or origins such as https://storage.example:8443; a bare name means https."""

    def __init__(self, hosts: Iterable[str], *, read_seconds: float = READ_SECONDS, largest: int = LARGEST) -> None:
        self.allowed = {origin_of(urlsplit(host if "//" in host else f"https://{host}")) for host in hosts}
        self.read_seconds, self.largest = read_seconds, largest
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no netrc

    def put(self, address: Any, ids: Iterable[int]) -> None:
        """Puts ids there, one a line. Raises Unreachable."""
        body = "".join(f"{number}\n" for number in ids).encode()
        with self._asked("PUT", address, data=body, headers={"Content-Type": "text/plain"}):
            pass

    def lines(self, address: Any) -> Iterator[bytes]:
        """The lines of what lies there, without their ends; too long ones cut. Raises Unreachable, also midway."""
        size, rest, end = 0, b"", time.monotonic() + WHOLE_SECONDS
        with self._asked("GET", address, headers={"Accept-Encoding": "identity"}) as response:
            for part in _parts(response):
                size += len(part)
                if size > self.largest or time.monotonic() > end:
                    raise Unreachable("X's compliance result is too long or too slow.")
                *whole, rest = (rest + part).split(b"\n")
                yield from (line[:LONGEST_LINE].rstrip(b"\r") for line in whole)
                rest = rest[: LONGEST_LINE + 1]
        if rest:
            yield rest[:LONGEST_LINE].rstrip(b"\r")

    def _asked(self, method: str, address: Any, **options: Any) -> requests.Response:
        self._check(address)
        options |= {"allow_redirects": False, "stream": True, "timeout": (CONNECT_SECONDS, self.read_seconds)}
        try:
            response = self._session.request(method, address, **options)
        except requests.RequestException:
            trouble = "X's storage for compliance cannot be reached."
        else:
            if response.status_code in (200, 201, 204):
                return response
            response.close()
            trouble = f"X's storage for compliance answered {response.status_code}."
        raise Unreachable(trouble)  # outside the except block: the exception holds the address

    def _check(self, address: Any) -> None:
        try:
            parts = urlsplit(address) if isinstance(address, str) else SplitResult("", "", "", "", "")
            allowed = origin_of(parts) in self.allowed and parts.username is None and parts.password is None
        except ValueError:
            allowed, parts = False, SplitResult("", "", "", "", "")
        if not allowed:
            raise Unreachable(f"X names a storage host that is not allowed: {(parts.hostname or 'none')[:100]}.")


def origin_of(parts: SplitResult) -> Origin:
    return parts.scheme, parts.hostname or "", parts.port or PORTS.get(parts.scheme)


def _parts(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(65_536)
    except requests.RequestException:
        raise Unreachable("X's compliance result broke off.") from None
