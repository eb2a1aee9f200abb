"""The HTTP side: one request in, one answer out, connections kept open."""

from __future__ import annotations

import json
import logging
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from curation.x.simulator import pictures
from curation.x.simulator.asking import Asking
from curation.x.simulator.faults import Fault, Reply, content_type, encoded
from curation.x.simulator.problems import HTML_404, by_status
from curation.x.simulator.streams import Cut
from curation.x.simulator.turns import TURNS

if TYPE_CHECKING:
    from curation.x.simulator.server import Simulator

log = logging.getLogger("x_simulator")


class Handler(BaseHTTPRequestHandler):
    """Routes between X's endpoints, the pictures, and the simulator's own controls."""

    protocol_version = "HTTP/1.1"
    server_version = "x_simulator"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    simulator: Simulator

    def setup(self) -> None:
        super().setup()
        self.simulator.connections.add(self.connection)

    def finish(self) -> None:
        self.simulator.connections.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        self._route("GET")

    def do_POST(self) -> None:
        self._route("POST")

    def do_PUT(self) -> None:
        self._route("PUT")

    def do_DELETE(self) -> None:
        self._route("DELETE")

    def _route(self, method: str) -> None:
        address = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("content-length") or 0))
        if address.path.startswith("/pictures/"):
            self._send(picture(address.path))
        elif address.path.startswith("/simulator/"):
            self._send(self._control(method, address.path, sent))
        else:
            self._api(method, address.path, parse_qs(address.query, keep_blank_values=True), sent)

    def _api(self, method: str, path: str, parameters: dict[str, list[str]], sent: bytes) -> None:
        fault = self.simulator.befalls(path)
        if fault and fault.slow:
            time.sleep(fault.slow)
        ordered = self.simulator.faults.reply(fault) if fault else None
        asked = Asking(
            method=method,
            path=path,
            parameters=parameters,
            authorization=self.headers.get("authorization"),
            sent=sent,
            reader=self.connection,
            spoiled=bool(fault and fault.spoils),
            turn=fault.kind if fault and fault.kind in TURNS else "",
        )
        reply = ordered or self.simulator.answer(asked)
        if reply.status >= 400:
            log.info("%s %s -> %s%s", method, path, reply.status, " (ordered)" if ordered else "")
        self._send(reply, fault)

    def _control(self, method: str, path: str, sent: bytes) -> Reply:
        # Only JSON: a foreign web page cannot send that to this machine without being asked.
        if method == "POST" and "json" not in (self.headers.get("content-type") or ""):
            return answer(415, {"detail": "send application/json"})
        try:
            return answer(*self.simulator.control(method, path, json.loads(sent or b"{}")))
        except (KeyError, TypeError, ValueError) as wrong:
            return answer(400, {"detail": f"{type(wrong).__name__}: {wrong}"})

    def _send(self, reply: Reply, fault: Fault | None = None) -> None:
        if reply.parts is not None:
            return self._send_parts(reply, reply.parts)
        if fault and fault.malformed:
            reply = replace(reply, body=reply.body[: len(reply.body) // 2])
        cut = bool(fault and fault.cut)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            if name.lower() not in ("date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(reply.body)))
        if cut:
            self.send_header("connection", "close")
        self.end_headers()
        self._write(reply.body[: len(reply.body) // 2] if cut else reply.body, fault.trickle if fault else 0)
        if cut:
            self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, sent: bytes, seconds: float) -> None:
        """At once, or in twenty pieces over that many seconds."""
        size = max(1, len(sent) // 20) if seconds else len(sent) or 1
        for start in range(0, len(sent), size):
            self.wfile.write(sent[start : start + size])
            self.wfile.flush()
            time.sleep(seconds / 20)
        self.wfile.flush()

    def _send_parts(self, reply: Reply, parts: Iterator[bytes]) -> None:
        """One chunk a part; how the parts end is how the connection ends."""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.flush()
            for part in parts:
                self._chunk(part)
            self._chunk(b"")
        except Cut as cut:
            self._chunk(cut.part)
            self.reset()
        finally:
            parts.close()  # type: ignore[attr-defined]

    def _chunk(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.flush()

    def reset(self) -> None:
        """Ends the connection without a word of farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, encoded(body), {"content-type": content_type(body)} | (headers or {}))


def not_found() -> Reply:
    return answer(404, HTML_404)


def unauthorized() -> Reply:
    return answer(401, by_status(401))


def picture(path: str) -> Reply:
    """An SVG that looks the same each time."""
    drawn = pictures.drawn(path)
    if drawn is None:
        return not_found()
    headers = {"content-type": "image/svg+xml; charset=utf-8", "cache-control": "public, max-age=86400"}
    return answer(200, drawn, headers | {"access-control-allow-origin": "*"})
