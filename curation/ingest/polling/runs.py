"""How a pass ends: what its run says, when the source is read next, and whether it is paused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.db.models import F, Value
from django.db.models.functions import Greatest

from curation.ingest.pauses import FOR_EVERYONE, PROBE
from curation.ingest.storing.aside import Aside, rows_of
from curation.models import Cursor, IngestRun, Quarantined
from curation.x.outcomes import BudgetSpent, Failure, NotPermitted, QueryRefused, WindowClosed
from regions.models import Source

log = structlog.get_logger(__name__)
MOST_FAILURES = 10_000
SOON = timedelta(seconds=5)
PLENTY = 50
LONGEST_BACK_OFF = timedelta(minutes=15)
LONGEST_WINDOW = timedelta(hours=1)
Outcome = IngestRun.Outcome
WELL = (Outcome.READ, Outcome.WAITING, Outcome.BUDGET)
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
    "withdrawn": "withdrawn",
    "restored": "restored",
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


def next_interval(source: Source, cursor: Cursor, useful: int) -> int:
    """Seconds between readings, by the candidates that the last one brought: with half a page or more a quarter of
    what it was, with some a half, with none half as long again; so one in three readings brings something."""
    seconds = cursor.interval_seconds
    if useful >= PLENTY:
        seconds //= 4
    else:
        seconds = seconds // 2 if useful else seconds * 3 // 2 + 1
    return min(max(seconds, source.least_seconds), source.most_seconds)


def close_stopped(source: Source, now: datetime) -> None:
    """Ends the runs that a killed worker left open. By whoever has the source's lease now."""
    left = IngestRun.objects.filter(source=source, outcome=Outcome.RUNNING)
    ended = Greatest(F("started_at"), Value(now))
    left.update(outcome=Outcome.FAILED, error="The worker was stopped.", ended_at=ended)


def set_aside(run: IngestRun, broken: Iterable[Aside], now: datetime) -> None:
    """Keeps what could not be understood, once for each source: the same payload is read again and again where the
    cursor does not pass it. A newer run says that it still comes."""
    for one in broken:
        reason, payload = one.reason, one.payload
        here = Quarantined.objects.filter(reason=reason, run__source=run.source_id, run__market=run.market_id)
        number = payload.get("id") if isinstance(payload, dict) else None
        known = here.filter(payload__id=number).exclude(run=run).first() if number and run.source_id else None
        if known is None:
            Quarantined.objects.bulk_create(rows_of(run, [one], now))
        else:
            Quarantined.objects.filter(pk=known.pk).update(run=run, payload=payload, beside=one.beside, at=now)


def say(run: IngestRun, source: Source | None = None) -> None:
    """One line a pass for whoever follows the log; without a source, of a recheck or a link by hand."""
    line = log.info if run.outcome in WELL else log.warning
    market = run.market.code if run.market else ""
    asked = {"source": str(source)} if source else {"kind": run.kind}
    line("source_read" if source else "x_asked", **asked, market=market, **outcome_of(run))


def outcome_of(run: IngestRun) -> dict[str, str]:
    return {"outcome": run.outcome, "told": in_words(run), "error": run.error}


def in_words(run: IngestRun) -> str:
    """What came of a run, as in: 12 read, 3 new, 9 known, 3 candidates, 12 charged."""
    counts = ((getattr(run, name), words) for name, words in COUNTS.items())
    told = [f"{count} {words}" for count, words in counts if count]
    cost = cost_of(run.charged, run.uncertain)
    return ", ".join([*told, *([cost] if cost else [])]) or "nothing"


def cost_of(charged: int, uncertain: int) -> str:
    """What was settled apart from what X may have charged, as a market's line tells it."""
    if uncertain:
        return f"{charged:,} charged and {uncertain:,} held"
    return f"{charged:,} charged" if charged else ""


def ending(failure: Failure, source: Source, cursor: Cursor, now: datetime) -> Ending:
    """What a failure means for the source."""
    if isinstance(failure, WindowClosed):
        reset = datetime.fromtimestamp(failure.reset_at, UTC)
        return Ending(Outcome.WAITING, min(max(reset, now + SOON), now + LONGEST_WINDOW))
    if isinstance(failure, Crowded):
        return Ending(Outcome.FAILED, now + SOON, cursor.failures)
    if isinstance(failure, QueryRefused | NotPermitted):
        return Ending(Outcome.REFUSED, now + timedelta(seconds=source.most_seconds), paused_reason=failure.message)
    if isinstance(failure, BudgetSpent):
        return Ending(Outcome.BUDGET, again_for_budget(failure, source, now), cursor.failures)
    if type(failure) in FOR_EVERYONE:
        return Ending(Outcome.FAILED, now + PROBE, cursor.failures)
    failures = min(cursor.failures + 1, MOST_FAILURES)
    return Ending(Outcome.FAILED, now + back_off(source, failures), failures)


def again_for_budget(failure: BudgetSpent, source: Source, now: datetime) -> datetime:
    """When to look again. Where the market is out of budget its pause puts the source off; without one there is
    some by now, or as soon as the readings under way give it back."""
    soonest = now + max(SOON, timedelta(seconds=source.least_seconds))
    return max(failure.until, now + SOON) if failure.passing else soonest


def back_off(source: Source, failures: int) -> timedelta:
    """The shortest interval doubled with each failure in a row, at most a quarter of an hour."""
    doubled = timedelta(seconds=source.least_seconds * 2 ** min(failures, 12))
    return min(doubled, LONGEST_BACK_OFF)
