"""Connects to the stream, each a run without a source: so restarts and kills count, and X's 50 in 15 minutes hold."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest

from curation.models import IngestRun
from curation.x.client import Ended
from curation.x.outcomes import WindowClosed
from curation.x.stream import Times, failure_in

Outcome = IngestRun.Outcome
SLACK = timedelta(minutes=1)  # what lies further ahead was noted by a clock that was wrong


def connects() -> QuerySet[IngestRun]:
    return IngestRun.objects.filter(kind=IngestRun.Kind.STREAM, source=None, market=None)


def not_before(now: datetime, times: Times) -> datetime | None:
    """When the next connect may be made; None: now. When half of them are used, the rest are spread evenly."""
    window = timedelta(seconds=times.window)
    lately = list(
        connects()
        .filter(started_at__gt=now - window, started_at__lt=now + SLACK)
        .order_by("-started_at")
        .values_list("started_at", flat=True)[: times.connects]
    )
    if len(lately) >= times.connects:
        return lately[-1] + window + timedelta(milliseconds=1)
    if len(lately) * 2 < times.connects:
        return None
    spread = lately[0] + window / times.connects
    return spread if spread > now else None


def note(now: datetime) -> IngestRun:
    """Before X is asked: who is killed now has connected."""
    return IngestRun.objects.create(kind=IngestRun.Kind.STREAM, started_at=now)


def note_end(run: IngestRun | None, ended: Ended, words: str, now: datetime) -> None:
    """How a connection ended, in its run."""
    if run is None:
        return
    failure = failure_in(ended, now.timestamp())
    waiting = isinstance(failure, WindowClosed)
    outcome = Outcome.WAITING if waiting else Outcome.REFUSED if failure else Outcome.READ
    ended_at = Greatest(F("started_at"), Value(now))
    connects().filter(pk=run.pk).update(outcome=outcome, error=words, ended_at=ended_at)


def close_stopped(now: datetime) -> None:
    """Ends the runs that a killed process left open."""
    left = connects().filter(outcome=Outcome.RUNNING)
    left.update(
        outcome=Outcome.FAILED, error="The process was stopped.", ended_at=Greatest(F("started_at"), Value(now))
    )
