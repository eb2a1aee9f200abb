"""How a pass ends: what its run says, when the source is read next, and whether it is paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db.models import F, Value
from django.db.models.functions import Greatest

from curation.models import Cursor, IngestRun
from curation.x.outcomes import (
    BadToken,
    Failure,
    MonthlyCapReached,
    NotPermitted,
    OutOfCredits,
    QueryRefused,
    WindowClosed,
)
from regions.models import Channel, Market, Source

log = structlog.get_logger(__name__)
MOST_FAILURES = 10_000
SOON = timedelta(seconds=5)
LONG = timedelta(minutes=15)
LONGEST_BACK_OFF = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(hours=1)
FOR_EVERYONE = (BadToken, OutOfCredits, MonthlyCapReached)
Outcome = IngestRun.Outcome
WELL = (Outcome.READ, Outcome.WAITING)
COUNTS = {
    "read": "read",
    "fresh": "new",
    "known": "known",
    "edited": "edited",
    "missing": "missing",
    "quarantined": "set aside",
    "candidates": "candidates",
    "blocked": "blocked",
    "held": "held",
}


class Crowded(Failure):
    """Editors or other passes were at the same rows: nothing was stored."""

    def __init__(self) -> None:
        super().__init__("Others were at the same rows; it is read again soon.")
        self.args = ()


@dataclass(frozen=True)
class Ending:
    """Outcome of a run, the time of the next, and X's reason when the source is paused."""

    outcome: str
    due_at: datetime
    failures: int = 0
    paused_reason: str = ""


def payer(source: Source, channels: list[Channel]) -> Market | None:
    """The market that pays: the source's own, else the first that it feeds."""
    if source.market_id:
        return source.market
    return channels[0].market if channels else None


def next_interval(source: Source, cursor: Cursor, fresh: int, waiting: bool) -> int:
    """Seconds until the next reading: halved by a yield, longer by half without, short when more waits."""
    if waiting:
        return source.least_seconds
    seconds = cursor.interval_seconds // 2 if fresh else cursor.interval_seconds * 3 // 2 + 1
    return min(max(seconds, source.least_seconds), source.most_seconds)


def close_stopped(source: Source, now: datetime) -> None:
    """Ends the runs that a killed worker left open. By whoever has the source's lease now."""
    left = IngestRun.objects.filter(source=source, outcome=Outcome.RUNNING)
    ended = Greatest(F("started_at"), Value(now))
    left.update(outcome=Outcome.FAILED, error="The worker was stopped.", ended_at=ended)


def say(run: IngestRun, source: Source) -> None:
    """One line a pass for whoever follows the log."""
    line = log.info if run.outcome in WELL else log.warning
    market = run.market.code if run.market else ""
    line("source_read", source=str(source), market=market, outcome=run.outcome, told=in_words(run), error=run.error)


def in_words(run: IngestRun) -> str:
    """What came of a run, as in: 12 read, 3 new, 9 known, 3 candidates."""
    counts = ((getattr(run, name), words) for name, words in COUNTS.items())
    return ", ".join(f"{count} {words}" for count, words in counts if count) or "nothing"


def ending(failure: Failure, source: Source, cursor: Cursor, now: datetime) -> Ending:
    """What a failure means for the source."""
    if isinstance(failure, WindowClosed):
        reset = datetime.fromtimestamp(failure.reset_at, UTC)
        return Ending(Outcome.WAITING, min(max(reset, now + SOON), now + LONGEST_WINDOW))
    if isinstance(failure, Crowded):
        return Ending(Outcome.FAILED, now + SOON, cursor.failures)
    if isinstance(failure, QueryRefused | NotPermitted):
        return Ending(Outcome.REFUSED, now + timedelta(seconds=source.most_seconds), paused_reason=failure.message)
    failures = min(cursor.failures + 1, MOST_FAILURES)
    if isinstance(failure, FOR_EVERYONE):
        return Ending(Outcome.FAILED, now + LONG, failures)
    return Ending(Outcome.FAILED, now + back_off(source, failures), failures)


def back_off(source: Source, failures: int) -> timedelta:
    """The shortest interval doubled with each failure in a row, at most a quarter of an hour."""
    doubled = timedelta(seconds=source.least_seconds * 2 ** min(failures, 12))
    return min(doubled, LONGEST_BACK_OFF)
