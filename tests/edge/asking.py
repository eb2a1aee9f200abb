"""A request as it goes over the wire, to nginx or to Django, and what of the answer must agree."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from http.client import HTTPConnection

from django.test import Client

from tests.edge.nginx import Edge

CORS = ("Allow-Origin", "Allow-Methods", "Allow-Headers", "Expose-Headers", "Max-Age")
AGREED = (
    "ETag", "Cache-Control", "Content-Type", "Content-Encoding", "Vary", "Allow", "X-Content-Type-Options",
    "Last-Modified", "Accept-Ranges", *(f"Access-Control-{name}" for name in CORS),
)  # fmt: skip
Headers = dict[str, str]


@dataclass(frozen=True)
class Answer:
    """Headers by their names in lower case; what was sent twice stands joined."""

    status: int
    body: bytes
    headers: Headers

    @property
    def agreed(self) -> tuple[int, bytes, Headers]:
        told = {name: self.headers[name.lower()] for name in AGREED if name.lower() in self.headers}
        return self.status, self.body, told

    @property
    def text(self) -> str:
        packed = self.headers.get("content-encoding") == "gzip"
        return (gzip.decompress(self.body) if packed else self.body).decode()


def ask(
    edge: Edge, path: str, headers: Headers | None = None, method: str = "GET", body: bytes | None = None
) -> Answer:
    line = edge.line()
    try:
        return over(line, path, headers, method, body)
    finally:
        line.close()


def over(
    line: HTTPConnection, path: str, headers: Headers | None = None, method: str = "GET", body: bytes | None = None
) -> Answer:
    """On a connection that stays open. Nothing is added but Host."""
    line.putrequest(method, path, skip_accept_encoding=True)
    for name, told in (headers or {}).items():
        line.putheader(name, told)
    if body is not None:
        line.putheader("Content-Length", str(len(body)))
    line.endheaders(body)
    reply = line.getresponse()
    told = {}
    for name, value in reply.getheaders():
        told[name.lower()] = f"{told[name.lower()]}, {value}" if name.lower() in told else value
    return Answer(reply.status, reply.read(), told)


def ask_django(client: Client, path: str, headers: Headers | None = None, method: str = "GET") -> Answer:
    reply = client.generic(method, path, headers=headers or {})
    return Answer(reply.status_code, reply.content, {name.lower(): told for name, told in reply.headers.items()})
