"""The time that all our processes share: PostgreSQL's. By it X is asked, readings are planned, and what is old goes, so
that a machine whose own clock is off does none of it too early, too late, or for a day that has not come."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """PostgreSQL's clock at this moment, within a transaction too. Raises Django's database errors."""
    with connection.cursor() as asked:
        asked.execute("SELECT clock_timestamp()")
        told: datetime = asked.fetchone()[0]
    return told


def epoch_seconds() -> float:
    return now().timestamp()


def clock_from(start: datetime) -> Callable[[], datetime]:
    """A clock that shows `start` now and goes on from there."""
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


class SharedClock:
    """PostgreSQL's clock for who looks at it all the time, from any thread: it runs on from when it was last set, and
    shows this machine's time until then."""

    def __init__(self) -> None:
        self._shown = clock_from(timezone.now())

    def __call__(self) -> datetime:
        return self._shown()

    def set(self) -> timedelta:
        """By how much it was off. Raises Django's database errors."""
        before, right = self._shown(), now()
        self._shown = clock_from(right)
        return right - before
