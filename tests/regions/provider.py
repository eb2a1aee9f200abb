"""A real identity provider on a socket, whose tokens can be changed on their way, signed all the same."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.http import HttpResponse
from django.test import Client
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its own libraries', of each other
    from oidc_provider_mock import app

Claims = dict[str, Any]
START = "/accounts/company/"


class Provider:
    """`people` are its accounts: {"sub": claims}. `forge` changes a token's claims before it is signed; `asked` holds
    every request to it; `calls_itself` changes what it says of itself."""

    def __init__(self) -> None:
        self.flask = app(require_nonce=True)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.signs_with = self.key
        self.forge: Callable[[Claims], Claims] = dict
        self.calls_itself: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.issuer = ""

    def __call__(self, environ: Any, start: Any) -> Any:
        request = Request(environ)
        body = request.get_data()
        environ["wsgi.input"] = BytesIO(body)
        told = dict(parse_qsl(body.decode())) if request.path.endswith("token") else dict(request.args)
        self.asked.append((request.path, told))
        answer = Response.from_app(self.flask, environ, buffered=True)
        if request.path.startswith("/.well-known/"):
            answer.data = json.dumps(json.loads(answer.data) | self.calls_itself)
        if request.path == "/jwks":
            answer.data = json.dumps({"keys": [self.public | {"kid": "1", "alg": "RS256"}]})
        if request.path.endswith("token") and answer.status_code == 200:
            answer.data = json.dumps(self.signed(json.loads(answer.data)))
        return answer(environ, start)

    @property
    def public(self) -> dict[str, Any]:
        return dict(json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())))

    def signed(self, told: dict[str, Any]) -> dict[str, Any]:
        claims = self.forge(jwt.decode(told["id_token"], options={"verify_signature": False}))
        return told | {"id_token": jwt.encode(claims, self.signs_with, "RS256", {"kid": "1"})}

    def has(self, sub: str, **claims: Any) -> None:
        """Somebody with an account there, as it stands from now on."""
        told = requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=5)
        told.raise_for_status()

    def log_in(
        self, client: Client, sub: str, *, onward: str = "", change: dict[str, str] | None = None
    ) -> HttpResponse:
        """What a browser does: from our button to the provider, and back with what it said. `change` alters what we
        asked the provider for, as somebody between would."""
        there = client.get(START, {"next": onward} if onward else {})
        assert there.status_code == 302, there.content.decode()
        address = urlsplit(there["Location"])
        query = {name: told[0] for name, told in parse_qs(address.query).items()} | (change or {})
        url = f"{address.scheme}://{address.netloc}{address.path}?{urlencode(query)}"
        back = requests.post(url, data={"sub": sub}, allow_redirects=False, timeout=5)
        assert back.status_code == 302, back.text
        parts = urlsplit(back.headers["Location"])
        answer: HttpResponse = client.get(f"{parts.path}?{parts.query}")
        return answer


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()
    server = make_server("localhost", 0, provider, threaded=True)
    provider.issuer = f"http://localhost:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
