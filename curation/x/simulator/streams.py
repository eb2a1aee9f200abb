"""The filtered stream: one connection that every new post matching a rule is written to, and its breaks."""

from __future__ import annotations

import random
import socket
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any

from curation.x.simulator.asking import Request, body
from curation.x.simulator.dialects import TWEET
from curation.x.simulator.faults import encoded
from curation.x.simulator.fields import Json
from curation.x.simulator.posts import Post
from curation.x.simulator.problems import Complaint, Refused, by_status, invalid_request
from curation.x.simulator.rules import Rule
from curation.x.simulator.search import streamable

ENDPOINT = "/2/tweets/search/stream"
END = b"\r\n"
ONCE = ("close", "reset", "cut", "disconnect", "silence", "garbage", "unknown", "again")
LASTING = ("duplicates", "disorder", "bare_rules")
KINDS = (*ONCE, *LASTING)
DISCONNECTED = {
    "errors": [
        {
            "title": "operational-disconnect",
            "disconnect_type": "OperationalDisconnect",
            "detail": "This stream has been disconnected for operational reasons.",
            "type": TWEET.problems + "operational-disconnect",
        }
    ]
}
GARBAGE = b'{"data":{"id":"12\xff\x00,,]' + END
UNKNOWN = b'{"notice":{"code":17,"words":["maintenance"]}}' + END


class Cut(Exception):
    """The connection is reset after these bytes, in the middle of a line."""

    def __init__(self, part: bytes) -> None:
        super().__init__("reset")
        self.part = part


@dataclass(frozen=True)
class Match:
    post: Post
    rules: list[Rule]


@dataclass
class Connection:
    """One reader. Its orders are matches and kinds of breaks; None ends it."""

    socket: socket.socket
    request: Request
    orders: SimpleQueue[Match | str | None] = field(default_factory=SimpleQueue)
    sent: deque[bytes] = field(default_factory=lambda: deque(maxlen=10))
    held: list[Match] = field(default_factory=list)
    cutting: bool = False

    def gone(self) -> bool:
        """Whether the reader hung up, which nothing but looking tells."""
        try:
            return self.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class Streams:
    """`keep_alive` seconds of quiet bring a bare line end; `modes` are the lasting breaks; `chaos` names one or not."""

    def __init__(self, keep_alive: float) -> None:
        self.keep_alive = keep_alive
        self.connections: list[Connection] = []
        self.modes: set[str] = set()
        self.written = 0
        self.chaos: Callable[[], str] = str

    # Callers of these hold the world's lock.

    def open(self, request: Request, reader: socket.socket) -> Connection:
        """Raises Refused: no rules (409), or a connection is there (429)."""
        if request.number("backfill_minutes", 0) or request.text("start_time") or request.text("end_time"):
            raise _enterprise_only(request)
        if not len(request.rules):
            raise Refused(409, _refusal("RuleConfigurationIssue", "This stream has no rules: add one first."))
        self.connections = [one for one in self.connections if not one.gone()]
        if self.connections:
            detail = "This stream is currently at the maximum allowed connection limit."
            raise Refused(429, _refusal("TooManyConnections", detail))
        connection = Connection(reader, request)
        self.connections.append(connection)
        return connection

    def publish(self, post: Post) -> None:
        """Hands a new post to the reader, if a rule matches it."""
        if not self.connections:
            return
        request = self.connections[0].request
        if not request.world.listed(post):
            return
        seen = streamable(request.world, post)
        matched = [rule for rule in request.rules if rule.query.test(seen)]
        for connection in self.connections if matched else ():
            broken = self.chaos()
            if broken:
                connection.orders.put(broken)
            connection.orders.put(Match(post, matched))

    def break_(self, kind: str) -> int:
        """Orders a break of KINDS; how many connections it reaches. Raises ValueError for another."""
        if kind not in KINDS:
            raise ValueError(f"kinds: {', '.join(KINDS)}")
        if kind in LASTING:
            self.modes.add(kind)
        self.connections = [one for one in self.connections if not one.gone()]
        for connection in self.connections:
            connection.orders.put(kind)
        return len(self.connections)

    def mend(self) -> None:
        self.modes.clear()

    def stop(self) -> None:
        for connection in self.connections:
            connection.orders.put(None)

    # Run by the reader's own thread.

    def lines(self, connection: Connection) -> Iterator[bytes]:
        """What is written, until the stream ends; raises Cut."""
        try:
            while True:
                try:
                    order = connection.orders.get(timeout=self.keep_alive)
                except Empty:
                    yield from self._released(connection)
                    yield END
                    continue
                if order is None or order in ("close", "disconnect"):
                    yield from [encoded(DISCONNECTED) + END] if order == "disconnect" else []
                    return
                yield from self._obeyed(connection, order)
        finally:
            if connection in self.connections:
                self.connections.remove(connection)

    def _obeyed(self, connection: Connection, order: Match | str) -> Iterator[bytes]:
        if isinstance(order, Match):
            yield from self._matched(connection, order)
        elif order == "reset":
            raise Cut((connection.sent[-1] if connection.sent else GARBAGE)[:20])
        elif order == "cut":
            connection.cutting = True
        elif order == "again":
            yield from list(connection.sent)
        elif order == "silence":
            while connection.orders.get() is not None:
                """Nothing is written any more, whatever happens."""
            raise Cut(b"")
        elif order in ("garbage", "unknown"):
            yield {"garbage": GARBAGE, "unknown": UNKNOWN}[order]

    def _matched(self, connection: Connection, match: Match) -> Iterator[bytes]:
        connection.held.append(match)
        if "disorder" not in self.modes or len(connection.held) >= 5:
            yield from self._released(connection)

    def _released(self, connection: Connection) -> Iterator[bytes]:
        """The posts held back, out of order while that is ordered."""
        held, connection.held = connection.held, []
        if "disorder" in self.modes:
            held = held[::-1] if len(held) < 3 else random.Random(len(held)).sample(held, len(held))  # noqa: S311
        for match in held:
            yield from self._written(connection, match)

    def _written(self, connection: Connection, match: Match) -> Iterator[bytes]:
        line = encoded(self._body(connection.request, match)) + END
        if connection.cutting:
            self._charge(connection.request, match, delivered=False)
            raise Cut(line[: len(line) // 2])
        yield line
        # Here again, the line has been written.
        self._charge(connection.request, match, delivered=True)
        self.written += 1
        connection.sent.append(line)
        if "duplicates" in self.modes:
            yield line

    def _body(self, request: Request, match: Match) -> Json:
        with request.world.lock:
            asked = replace(request)  # with a view of this moment
            includes = asked.includes()
            includes.gather([match.post])
            found = body(asked.view.post(match.post), includes, [])
        return found | {"matching_rules": [self._label(rule) for rule in match.rules]}

    def _label(self, rule: Rule) -> Json:
        # Ids were integers once, and tags are optional.
        return {"id": rule.id} if "bare_rules" in self.modes else {"id": str(rule.id)} | rule.label()

    def _charge(self, request: Request, match: Match, delivered: bool) -> None:
        first = match.rules[0]
        subject = first.value if first.tag is None else first.tag
        now = request.world.now()
        request.meter.charge("post", [match.post.id], at=now, endpoint=ENDPOINT, subject=subject, delivered=delivered)


def connect(request: Request) -> Connection:
    """The answer of the endpoint: not a body, but a connection to be written to."""
    if request.streams is None or request.reader is None:
        raise Refused(503, by_status(503))
    return request.streams.open(request, request.reader)


def _refusal(issue: str, detail: str) -> dict[str, Any]:
    told = {"title": "ConnectionException", "detail": detail, "connection_issue": issue}
    return told | {"type": TWEET.problems + "streaming-connection"}


def _enterprise_only(request: Request) -> Refused:
    given = [name for name in ("backfill_minutes", "start_time", "end_time") if request.text(name)]
    complaints = [
        Complaint(name, [request.parameters[name]], f"The query parameter [{name}] is not available in your product")
        for name in given
    ]
    return invalid_request(complaints, TWEET)
