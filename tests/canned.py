"""A server that answers as told, byte for byte: for what the simulator, which speaks as X does, would never say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Body = bytes | str | dict[str, Any] | list[Any] | Callable[[], Iterable[bytes]]


@dataclass
class Told:
    """One answer; `times` None serves for ever. A body that is a function is sent in its parts, unannounced."""

    body: Body
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = None

    def parts(self) -> Iterable[bytes]:
        if callable(self.body):
            return self.body()
        if isinstance(self.body, str):
            return [self.body.encode()]
        return [self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()]


class Canned:
    """`with Canned() as x: x.tell("/2/tweets", {...})`. Of answers for one path the first that is not used up serves.

    `asked` holds what it was asked: path and parameters, one value each."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Told]] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answering,), {"canned": self}))
        self.server.daemon_threads = True
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.token = "canned"

    def tell(self, path: str, body: Body, status: int = 200, *, times: int | None = None, **headers: str) -> None:
        """Answers requests for a path, the longest that fits; headers with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((path, Told(body, status, named, times)))

    def answer_to(self, path: str) -> Told:
        fitting = [one for one in self.answers if path.startswith(one[0]) and one[1].times != 0]
        if not fitting:
            return Told({"title": "Not Found", "detail": f"nothing told for {path}"}, 404)
        told = max(fitting, key=lambda one: len(one[0]))[1]
        if told.times is not None:
            told.times -= 1
        return told

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Answering(BaseHTTPRequestHandler):
    canned: Canned

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        given = {name: values[0] for name, values in parse_qs(address.query).items()}
        self.canned.asked.append((address.path, given))
        told = self.canned.answer_to(address.path)
        self.send_response(told.status)
        parts = told.parts()
        length = {"content-length": str(sum(map(len, parts)))} if isinstance(parts, list) else {}
        for name, value in (length | told.headers).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            for part in parts:
                self.wfile.write(part)
        except OSError:
            self.close_connection = True  # the other side had enough

    def log_message(self, format: str, *args: Any) -> None:
        pass


def post(number: int, text: str = "Der Rat tagt um drei.", **fields: Any) -> dict[str, Any]:
    """A post as X gives it, of account 5001."""
    told = {
        "id": str(number),
        "text": text,
        "author_id": "5001",
        "created_at": "2026-11-22T10:00:00.000Z",
        "lang": "de",
        "edit_history_tweet_ids": [str(number)],
    }
    return told | fields


USER = {"id": "5001", "username": "stadtblatt", "name": "Stadtblatt"}


def page(*posts: Any, users: Iterable[Any] = (USER,), **parts: Any) -> dict[str, Any]:
    """A page of posts with its authors."""
    return {"data": list(posts), "includes": {"users": list(users)}, "meta": {"result_count": len(posts)}} | parts
