"""How often X may be asked: an endpoint's window, as its headers tell it, less what was asked since.

Headers x-rate-limit-limit, -remaining, -reset: X_API, section "Shapes". X counts for all workers together, so the
workers share their windows in PostgreSQL; a door by itself, as in tests, keeps its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import connection

from curation.x.outcomes import LATEST, Answer
from regions.numbers import whole

LONGEST = 3600  # seconds; what X says beyond that is not believed
MOST = 2**31 - 1


@dataclass(frozen=True)
class Rate:
    """An endpoint's window as its last answer told it; `reset_at` in epoch seconds."""

    limit: int
    remaining: int
    reset_at: int

    @classmethod
    def of(cls, answer: Answer | None) -> Rate | None:
        names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
        told = [answer.headers.get(name, "") for name in names] if answer else []
        read = [number for one in told if (number := whole(one, LATEST)) is not None]
        if len(read) < len(names):
            return None
        limit, remaining, reset_at = read
        return cls(min(limit, MOST), min(remaining, MOST), reset_at)

    def believed(self, now: float) -> Rate:
        return replace(self, reset_at=min(self.reset_at, int(now) + LONGEST))


class Windows(Protocol):
    """What a door asks before it asks X, and tells afterwards. `now` in epoch seconds."""

    def take(self, endpoint: str, now: float) -> int | None:
        """Takes one request; when none is left, the time in epoch seconds at which there are some again."""
        ...

    def tell(self, endpoint: str, rate: Rate, now: float) -> None:
        """What X answered: within a window `remaining` only falls, since others may be asking at this moment."""
        ...


class OwnWindows:
    """Of one door alone."""

    def __init__(self) -> None:
        self.known: dict[str, Rate] = {}

    def take(self, endpoint: str, now: float) -> int | None:
        rate = self.known.get(endpoint)
        if rate is None or rate.reset_at <= now:
            return None
        if rate.remaining <= 0:
            return rate.reset_at
        self.known[endpoint] = replace(rate, remaining=rate.remaining - 1)
        return None

    def tell(self, endpoint: str, rate: Rate, now: float) -> None:
        rate, known = rate.believed(now), self.known.get(endpoint)
        if known is None or known.reset_at < rate.reset_at:
            self.known[endpoint] = rate
        elif known.reset_at == rate.reset_at:
            self.known[endpoint] = replace(rate, remaining=min(known.remaining, rate.remaining))


TAKE = """
    UPDATE curation_ratewindow SET remaining = CASE WHEN reset_at > %(now)s THEN remaining - 1 ELSE remaining END
    WHERE endpoint = %(endpoint)s AND (remaining > 0 OR reset_at <= %(now)s)
"""
# Asks for what is left once more: another worker may have told of a window since.
CLOSED = """
    SELECT reset_at FROM curation_ratewindow
    WHERE endpoint = %(endpoint)s AND reset_at > %(now)s AND remaining <= 0
"""
TELL = """
    INSERT INTO curation_ratewindow AS known (endpoint, "limit", remaining, reset_at, told_at)
    VALUES (%(endpoint)s, %(limit)s, %(remaining)s, %(reset_at)s, %(now)s)
    ON CONFLICT (endpoint) DO UPDATE SET
        "limit" = excluded."limit", reset_at = excluded.reset_at, told_at = excluded.told_at,
        remaining = CASE WHEN known.reset_at = excluded.reset_at
                         THEN least(known.remaining, excluded.remaining) ELSE excluded.remaining END
    WHERE known.reset_at <= excluded.reset_at
"""


class SharedWindows:
    """Of all workers: the rows of RateWindow, each changed by one statement."""

    def take(self, endpoint: str, now: float) -> int | None:
        told: dict[str, Any] = {"endpoint": endpoint, "now": instant(now)}
        with connection.cursor() as cursor:
            cursor.execute(TAKE, told)
            if cursor.rowcount:
                return None
            cursor.execute(CLOSED, told)
            row = cursor.fetchone()
        return int(row[0].timestamp()) if row else None

    def tell(self, endpoint: str, rate: Rate, now: float) -> None:
        rate = rate.believed(now)
        told: dict[str, Any] = {"endpoint": endpoint, "limit": rate.limit, "remaining": rate.remaining}
        with connection.cursor() as cursor:
            cursor.execute(TELL, told | {"reset_at": instant(rate.reset_at), "now": instant(now)})


def instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
