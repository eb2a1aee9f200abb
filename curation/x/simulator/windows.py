"""Rate windows: how often an endpoint may be asked within 15 minutes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True)
class Rate:
    """One window as the x-rate-limit headers tell it; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int
    allowed: bool

    def headers(self) -> dict[str, str]:
        return {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(self.remaining),
            "x-rate-limit-reset": str(self.reset),
        }


class Windows:
    """`scale` multiplies every limit (at least 1 request stays); a window lasts `seconds`."""

    def __init__(self, scale: float, seconds: float, clock: Callable[[], float]) -> None:
        self.scale = scale
        self.seconds = seconds
        self.clock = clock
        self.lock = Lock()
        self.used: dict[str, tuple[float, int]] = {}

    def take(self, key: str, limit: int) -> Rate:
        """Counts one request against the endpoint's window."""
        with self.lock:
            allowance = max(1, round(limit * self.scale))
            now = self.clock()
            started, used = self.used.get(key, (now, 0))
            if now >= started + self.seconds:
                started, used = now, 0
            self.used[key] = (started, used + 1)
            reset = math.ceil(started + self.seconds)
            return Rate(allowance, max(0, allowance - used - 1), reset, used < allowance)
