"""Readers of one address who look at every answer: whole, never older, one body for each ETag."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from hashlib import sha256
from http.client import HTTPException

from tests.edge.asking import Answer, over
from tests.edge.nginx import Edge

PACKED = {"Accept-Encoding": "gzip"}


class Reader:
    """Asks for a feed again and again in a thread; half of the time with the ETag it has. `wrong`: what it met."""

    def __init__(self, edge: Edge, path: str, *, pause: float = 0.0) -> None:
        self.edge, self.path, self.pause = edge, path, pause
        self.bodies: dict[str, str] = {}
        self.answers = self.known = 0
        self.newest = -1
        self.wrong: list[str] = []
        self._etag, self._stop = "", threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        line = self.edge.line()
        while not self._stop.wait(self.pause):
            condition = {"If-None-Match": self._etag} if self._etag and self.answers % 2 else {}
            try:
                self.look_at(over(line, self.path, PACKED | condition))
            except (OSError, HTTPException) as error:
                self.wrong.append(f"cut: {error!r}")
                line.close()
        line.close()

    def look_at(self, answer: Answer) -> None:
        self.answers += 1
        if answer.status == 304:
            self.known += 1
            if answer.headers["etag"] != self._etag:
                self.wrong.append(f"304 for another body: {answer.headers['etag']}, asked with {self._etag}")
            return
        if answer.status != 200:
            self.wrong.append(f"status {answer.status}")
            return
        self._look_at_body(answer.body, answer.headers["etag"])

    def _look_at_body(self, body: bytes, etag: str) -> None:
        try:
            told = json.loads(gzip.decompress(body))
        except (OSError, EOFError, zlib.error, ValueError) as error:
            self.wrong.append(f"torn: {error!r}")
            return
        if told["snapshot"] < self.newest:
            self.wrong.append(f"{told['snapshot']} after {self.newest}")
        if self.bodies.setdefault(etag, sha256(body).hexdigest()) != sha256(body).hexdigest():
            self.wrong.append(f"two bodies for {etag}")
        self.newest, self._etag = max(self.newest, told["snapshot"]), etag


def disagreeing(readers: list[Reader]) -> list[str]:
    """ETags for which readers of the same address got different bodies."""
    bodies: dict[tuple[str, str], str] = {}
    pairs = [((one.path, etag), body) for one in readers for etag, body in one.bodies.items()]
    return [etag for (path, etag), body in pairs if bodies.setdefault((path, etag), body) != body]
