"""Faults to order: the next answers under a path are errors, come badly, or say what they should not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from curation.x.simulator.kinds import ARRIVING, REPLACING, window
from curation.x.simulator.problems import by_status
from curation.x.simulator.turns import TURNS

DROPPED = ("content-length", "content-encoding", "connection", "transfer-encoding")
RATED = (429,)


@dataclass
class Fault:
    """`status` None keeps the usual answer; `times` None lasts until mended.

    `kind` names a fault of kinds.py or turns.py, e.g. "usage_cap"; `reset` is when a window opens again,
    in seconds from now. `slow` waits that many seconds first; `trickle` takes that many for the body;
    `cut` closes the connection after half the body; `malformed` ends after half of it as if that were all;
    `recording` names a recorded error, e.g. "errors/402_credits_depleted.json".
    """

    path_prefix: str = "/2/"
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    slow: float = 0.0
    cut: bool = False
    recording: str = ""
    kind: str = ""
    reset: float = 900.0
    trickle: float = 0.0
    malformed: bool = False

    def __post_init__(self) -> None:
        if self.kind and self.kind not in {*REPLACING, *ARRIVING, *TURNS}:
            raise ValueError(f"unknown kind {self.kind}")
        for name, value in ARRIVING.get(self.kind, {}).items():
            setattr(self, name, getattr(self, name) or value)

    @property
    def spoils(self) -> bool:
        """Whether the answer does not arrive whole."""
        return self.cut or self.malformed


@dataclass(frozen=True)
class Reply:
    """A finished answer; or, with `parts`, one that is written as they come."""

    status: int
    body: bytes
    headers: dict[str, str]
    parts: Iterator[bytes] | None = None


def encoded(body: Any) -> bytes:
    if body is None or isinstance(body, bytes):
        return body or b""
    if isinstance(body, str):
        return body.encode()
    try:
        return json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate can only be escaped
        return json.dumps(body).encode()


def content_type(body: Any) -> str:
    return "text/html; charset=utf-8" if isinstance(body, str) else "application/json; charset=utf-8"


def kept_headers(recorded: dict[str, str]) -> dict[str, str]:
    """Recorded headers without those that belonged to the recorded bytes."""
    return {name: value for name, value in recorded.items() if name.lower() not in DROPPED}


class Faults:
    """`recordings` is the folder that recorded errors are named in."""

    def __init__(self, recordings: Path | None, clock: Callable[[], float]) -> None:
        self.recordings = recordings
        self.clock = clock
        self.lock = Lock()
        self.orders: list[Fault] = []

    def order(self, fault: Fault) -> None:
        """Raises ValueError when its recording is not there."""
        if fault.recording:
            fault = self._recorded(fault)
        with self.lock:
            self.orders.append(fault)

    def mend(self) -> None:
        with self.lock:
            self.orders.clear()

    def take(self, path: str) -> Fault | None:
        """The oldest order for this path, counted down."""
        with self.lock:
            fault = next((order for order in self.orders if path.startswith(order.path_prefix)), None)
            if fault and fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.orders.remove(fault)
            return fault

    def reply(self, fault: Fault) -> Reply | None:
        """The ordered answer, or None where the usual one is only told badly."""
        if fault.kind in REPLACING:
            return self._replaced(fault)
        if fault.status is None:
            return None
        body = fault.body
        if body is None and not fault.recording:
            body = by_status(fault.status)
        headers = {"content-type": content_type(body)} | self._rate(fault) | fault.headers
        return Reply(fault.status, encoded(body), headers)

    def _replaced(self, fault: Fault) -> Reply:
        status, body, headers = REPLACING[fault.kind](self.clock() + fault.reset)
        return Reply(status, encoded(body), {"content-type": content_type(body)} | headers | fault.headers)

    def _rate(self, fault: Fault) -> dict[str, str]:
        if fault.status not in RATED or fault.recording or fault.headers:
            return {}
        return window(self.clock() + fault.reset)

    def _recorded(self, fault: Fault) -> Fault:
        file = (self.recordings or Path("?")) / fault.recording
        if self.recordings is None or not file.resolve().is_relative_to(self.recordings.resolve()):
            raise ValueError("no folder of recordings, or a recording outside it")
        if not file.exists():
            raise ValueError(f"no recording {fault.recording}")
        exchange = json.loads(file.read_text(encoding="utf-8"))
        headers = kept_headers(exchange.get("headers") or {}) | fault.headers
        status = fault.status or exchange.get("status") or 200
        return Fault(**(vars(fault) | {"status": status, "body": exchange["body"], "headers": headers}))
