"""The filtered stream as a thread that reads and a box that fills: nothing here knows the database.

Back-off: X_API, section 4, after X's own advice. Times come by argument, so that tests need not wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from curation.x.client import CLOSED, Ended, Stream
from curation.x.outcomes import Failure, WindowClosed, failure_of
from curation.x.windows import Rate


@dataclass(frozen=True)
class Times:
    """Seconds. `silence`: X sends a line end at least every 20. `late`: a post may come so long after its time, and
    clocks may differ. `ahead`: rules and connections may take so long to work."""

    silence: float = 30.0
    gather: float = 1.0
    sync: float = 3.0
    review: float = 60.0
    heartbeat: float = 5.0
    late: float = 30.0
    ahead: float = 10.0
    standby: float = 2.0
    tcp_step: float = 0.25
    tcp_most: float = 16.0
    http_first: float = 5.0
    http_most: float = 320.0
    limited_first: float = 60.0
    limited_most: float = 900.0
    barred: float = 900.0  # after a refusal that only people can mend
    window: float = 900.0
    connects: int = 45  # of X's 50 in a window


class BackOff:
    """How long to wait before the next connect; it grows until a connection has proven itself."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.tried = {"tcp": 0, "http": 0, "limited": 0}

    def proven(self) -> None:
        self.tried = dict.fromkeys(self.tried, 0)

    def after(self, ended: Ended) -> float:
        """Seconds: at once after the first break, +250 ms each after that; refusals double."""
        kind = kind_of(ended)
        before = self.tried[kind]
        self.tried[kind] += 1
        if kind == "tcp":
            return min(before * self.times.tcp_step, self.times.tcp_most)
        first, most = (
            (self.times.limited_first, self.times.limited_most)
            if kind == "limited"
            else (self.times.http_first, self.times.http_most)
        )
        return min(first * 2.0 ** min(before, 20), most)


def kind_of(ended: Ended) -> str:
    if ended.answer is None:
        return "http" if ended.ours else "tcp"
    return "limited" if ended.answer.status == 429 else "http"


def unclean(ended: Ended) -> bool:
    """Whether posts that X sent, and charged, may not have arrived."""
    return ended.answer is None and ended.words != CLOSED


def failure_in(ended: Ended, now: float) -> Failure | None:
    """What X's refusal means; None where it refused nothing."""
    return failure_of(ended.answer, now) if ended.answer else None


def reset_of(ended: Ended, now: float) -> float:
    """When X's window opens again, in epoch seconds; 0 where it is not the window that is closed."""
    failure = failure_in(ended, now)
    told = ended.answer.reset_at() if ended.answer and isinstance(failure, WindowClosed) else None
    remaining = ended.answer.headers.get("x-rate-limit-remaining") if ended.answer else None
    return float(told) if told and remaining == "0" else 0.0


@dataclass(frozen=True)
class Heard:
    """A line, b"" for a keep-alive; or that the connection stands (`connected`), or how it ended.

    X sent a line later than `at`; what else there is was at that time."""

    at: datetime
    line: bytes = b""
    connected: bool = False
    rate: Rate | None = None
    ended: Ended | None = None


class Inbox:
    """Between the thread that reads and the one that stores: bounded in lines and bytes."""

    MOST = 10_000

    def __init__(self, most: int = MOST, most_bytes: int = 64 * 1024 * 1024) -> None:
        self.most, self.most_bytes = most, most_bytes
        self.heard: deque[Heard] = deque()
        self.bytes = 0
        self.changed = threading.Condition()

    def put(self, heard: Heard) -> bool:
        """False when it is full: then the post is left to catch-up, and nothing after it may be taken."""
        with self.changed:
            full = len(self.heard) >= self.most or self.bytes > self.most_bytes
            if full and not heard.connected and not heard.ended:
                return not heard.line  # a keep-alive less does no harm
            self.heard.append(heard)
            self.bytes += len(heard.line)
            self.changed.notify()
            return True

    def take(self, most: int, seconds: float) -> list[Heard]:
        """Up to `most`, in their order: at once when so many are there or the connection began or ended."""
        until = time.monotonic() + seconds
        with self.changed:
            while len(self.heard) < most and not any(one.connected or one.ended for one in self.heard):
                left = until - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    break
            taken = [self.heard.popleft() for _ in range(min(most, len(self.heard)))]
            self.bytes -= sum(len(one.line) for one in taken)
            return taken


class Connection:
    """One connection in a thread of its own. What it hears is in its inbox, last of all how it ended."""

    def __init__(
        self, base_url: str, token: str, silence: float, *, clock: Callable[[], datetime], inbox: Inbox | None = None
    ) -> None:
        self.clock, self.inbox = clock, inbox or Inbox()
        self.full = False
        self.stream = Stream(
            base_url,
            token,
            connected=self._connected,
            hear=self._hear,
            silence_seconds=silence,
            clock=lambda: clock().timestamp(),
        )
        self.thread = threading.Thread(target=self._read, name="stream", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def drop(self, words: str, *, ours: bool = False) -> None:
        """Ends it at once; `ours`: for a fault on our side, so that it is not tried again at once."""
        self.stream.drop(words, ours=ours)

    def over(self) -> bool:
        return not self.thread.is_alive()

    def _read(self) -> None:
        ended = self.stream.read()
        self.inbox.put(Heard(self.clock(), ended=ended))

    def _connected(self, rate: Rate | None) -> None:
        self.inbox.put(Heard(self.clock(), connected=True, rate=rate))

    def _hear(self, line: bytes, sent_after: float) -> None:
        if not self.full and not self.inbox.put(Heard(datetime.fromtimestamp(sent_after, UTC), line)):
            self.full = True
            self.drop("More posts came than could be stored.", ours=True)
