"""How sources fare, derived from their runs: nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db.models import Max, Min, OuterRef, Q, Subquery, Sum
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation.ingest.chances import closed_for, closed_windows
from curation.ingest.pauses import PROBE, fed_by
from curation.ingest.yields import Yield, yields_of
from curation.models import Cursor, IngestRun, Pause, Reservation
from regions.models import Source

DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=30)
SPANS = {"day": DAY, "week": WEEK, "month": MONTH}
QUIET = WEEK
SUMMED = ("read", "fresh", "charged")
TOLD = (*SUMMED, "held")
READ_IN_FULL = (IngestRun.Outcome.READ, IngestRun.Outcome.RUNNING)


class Condition(StrEnum):
    """One word each; what is first here is what is told."""

    REFUSED = "refused"
    PAUSED = "paused"
    NEW = "new"
    FAILING = "failing"
    OUT_OF_BUDGET = "out of budget"
    WAITING = "waiting"
    SILENT = "silent"
    WELL = "well"
    OFF = "switched off"


NOT_READ = (Condition.REFUSED, Condition.PAUSED, Condition.OFF)


@dataclass(frozen=True)
class Counts:
    """What runs of a span brought: posts read, fresh ones, what was charged, and what is held since X may have
    charged it."""

    read: int = 0
    fresh: int = 0
    charged: int = 0
    held: int = 0


@dataclass(frozen=True)
class Health:
    """`words`: one sentence in the reader's language. `next`: when X is asked again, None where nobody plans to;
    of a stream rule the stream brings what is new. `yielded`: what was decided on what it brought in 30 days. Within
    these, `fresh_at`: when it last brought something new; `since`: when it was first read."""

    condition: Condition
    words: str
    last: datetime | None = None
    next: datetime | None = None
    day: Counts = field(default_factory=Counts)
    week: Counts = field(default_factory=Counts)
    month: Counts = field(default_factory=Counts)
    yielded: Yield = field(default_factory=Yield)
    fresh_at: datetime | None = None
    since: datetime | None = None

    @property
    def approved(self) -> float | None:
        """Of a hundred posts that it brought and that were decided on."""
        return self.yielded.per_hundred


def health_of(sources: Iterable[Source], now: datetime) -> dict[int, Health]:
    """The health of each source, by its id. A handful of queries, however many sources."""
    found = list(sources)
    ids = [source.pk for source in found]
    runs, last = _runs(ids, now), _last(ids)
    cursors = {cursor.pk: cursor for cursor in Cursor.objects.filter(pk__in=ids)}
    pauses = {pause.market_id: pause for pause in Pause.objects.filter(ended_at=None).order_by("until")}
    yields, off, closed = yields_of(ids, now - MONTH), _switched_off(ids), closed_windows(now)
    ours = list(Pause.objects.filter(market=None))
    fed = fed_by(found) if pauses else {}
    healths = {}
    for source in found:
        told = runs.get(source.pk, {})
        cursor, run = cursors.get(source.pk), last.get(source.pk)
        paid_by = fed[source.pk][0].market_id if fed.get(source.pk) else 0
        own = pauses.get(None) or pauses.get(paid_by)
        seen = Seen(source, cursor, run, own, told.get("last_fresh"), _shut(source, cursor, closed, now))
        seen.blameless = run is not None and any(_turned_away(run, pause, now) for pause in ours)
        condition, words = _judged(seen, now) if source.pk not in off else (Condition.OFF, _off())
        day, week, month = (Counts(*(told.get(f"{name}_{span}") or 0 for name in TOLD)) for span in SPANS)
        healths[source.pk] = Health(
            condition=condition,
            words=sentence(words),
            last=run.started_at if run else None,
            next=_next(source, cursor, own, now) if condition not in NOT_READ else None,
            day=day,
            week=week,
            month=month,
            yielded=yields.get(source.pk, Yield()),
            fresh_at=told.get("last_fresh"),
            since=told.get("since"),
        )
    return healths


@dataclass
class Seen:
    """What a source is judged by. `shut`: until when its window keeps it waiting; `blameless`: its last run failed
    for what concerned everyone."""

    source: Source
    cursor: Cursor | None
    run: IngestRun | None
    pause: Pause | None
    last_fresh: datetime | None
    shut: datetime | None
    blameless: bool = False


def _judged(seen: Seen, now: datetime) -> tuple[Condition, str]:
    source, run, pause = seen.source, seen.run, seen.pause
    if source.paused_at and not (source.paused_until and source.paused_until <= now):
        return _stopped(source, run)
    if pause and pause.market_id is None:
        return Condition.WAITING, _("X turns everyone away: %(why)s") % {"why": pause.words}
    if pause:
        return Condition.OUT_OF_BUDGET, _spent(pause.cause)
    if run and run.outcome == IngestRun.Outcome.BUDGET:
        return Condition.OUT_OF_BUDGET, _("The budget of its market did not reach.")
    failed = run is not None and run.outcome not in (*READ_IN_FULL, IngestRun.Outcome.WAITING)
    times = (seen.cursor.failures if seen.cursor else 0) or int(failed and not seen.blameless)
    if run and times:
        told = ngettext("Failed once: %(why)s", "Failed %(n)d times in a row: %(why)s", times)
        return Condition.FAILING, told % {"n": times, "why": run.error}
    if seen.shut or (run and run.outcome == IngestRun.Outcome.WAITING):
        return Condition.WAITING, _waits(seen, now)
    if run is None:
        return Condition.NEW, _("Not read yet.")
    return _quiet_or_well(source, seen.last_fresh, now)


def _waits(seen: Seen, now: datetime) -> str:
    until = seen.shut or (seen.cursor.due_at if seen.cursor else now)
    if until <= now:
        return _("X lets us read again now; it is next in line.")
    told = _("X lets us read again at %(time)s: too many requests.")
    return told % {"time": date_format(localtime(until), "H:i")}


def _off() -> str:
    return _("Not read: its market is switched off.")


def _shut(source: Source, cursor: Cursor | None, closed: dict[str, datetime], now: datetime) -> datetime | None:
    """Until when a closed window keeps it waiting: not where it is due only later, or where the stream brings it."""
    until = closed_for(source, closed)
    if until is None or cursor is None or cursor.due_at > until:
        return None
    return None if source.kind == Source.Kind.STREAM and not cursor.stream_is_away(now) else until


def _turned_away(run: IngestRun, pause: Pause, now: datetime) -> bool:
    """Whether a run failed for the cause of a pause of everyone: it began or probed it."""
    within = pause.since - PROBE <= run.started_at <= (pause.ended_at or now)
    return within and run.outcome == IngestRun.Outcome.FAILED and run.error[:500] == pause.words


def _switched_off(ids: list[int]) -> set[int]:
    """Those of a market that is switched off."""
    off = Q(market__active=False) | Q(channel__market__active=False)
    return set(Source.objects.filter(off, pk__in=ids).values_list("pk", flat=True))


def sentence(words: str) -> str:
    """With the full stop that X's words often lack."""
    return words if words.endswith((".", "!", "?", "…")) or not words else f"{words}."


def _spent(cause: str) -> str:
    if cause == Pause.Cause.MONTH:
        return _("This month's budget of its market is used up.")
    return _("Today's budget of its market is used up.")


def _next(source: Source, cursor: Cursor | None, pause: Pause | None, now: datetime) -> datetime | None:
    """When X is asked for it again: not before a pause ends. None where the stream brings it, or nothing is planned."""
    if cursor is None or (source.kind == Source.Kind.STREAM and not pause and not cursor.stream_is_away(now)):
        return None
    return max(cursor.due_at, pause.until if pause else now, now)


def _stopped(source: Source, run: IngestRun | None) -> tuple[Condition, str]:
    if run and run.outcome == IngestRun.Outcome.REFUSED:
        return Condition.REFUSED, _("X refuses it: %(why)s") % {"why": source.paused_reason}
    if source.paused_reason:
        return Condition.PAUSED, _("Paused: %(why)s") % {"why": source.paused_reason}
    return Condition.PAUSED, _("Paused.")


def _quiet_or_well(source: Source, last_fresh: datetime | None, now: datetime) -> tuple[Condition, str]:
    since = last_fresh or source.created_at
    if now - since > QUIET:
        days = (now - since).days
        told = ngettext("Nothing new for %(n)d day.", "Nothing new for %(n)d days.", days)
        return Condition.SILENT, told % {"n": days}
    return Condition.WELL, _("Read as it should be.")


def _runs(ids: list[int], now: datetime) -> dict[int, dict[str, Any]]:
    """Sums of the last day, week and month."""
    recent = IngestRun.objects.filter(source__in=ids, started_at__gt=now - MONTH)
    spans = {span: Q(started_at__gt=now - length) for span, length in SPANS.items()}
    sums: dict[str, Any] = {
        f"{name}_{span}": Sum(name, filter=within) for name in SUMMED for span, within in spans.items()
    }
    sums |= {"last_fresh": Max("started_at", filter=Q(fresh__gt=0)), "since": Min("started_at")}
    told = recent.values("source").annotate(**sums)
    held = _held(ids, now)
    return {row["source"]: row | held.get(row["source"], {}) for row in told}


def _held(ids: list[int], now: datetime) -> dict[int, dict[str, Any]]:
    """What ended runs drew and nobody settled: apart from the runs' own sums, which a join would multiply."""
    open_ones = Reservation.objects.filter(run__source__in=ids, settled_at=None, run__started_at__gt=now - MONTH)
    sums = {f"held_{span}": Sum("posts", filter=Q(run__started_at__gt=now - length)) for span, length in SPANS.items()}
    return {row["run__source"]: dict(row) for row in open_ones.values("run__source").annotate(**sums)}


def _last(ids: list[int]) -> dict[int, IngestRun]:
    """The newest run of each source, each by one step into the index."""
    own = IngestRun.objects.filter(source=OuterRef("pk")).order_by("-started_at").values("pk")[:1]
    newest = Source.objects.filter(pk__in=ids).annotate(newest=Subquery(own)).values_list("pk", "newest")
    by_source = {source: run for source, run in newest if run is not None}
    runs = IngestRun.objects.in_bulk(by_source.values())
    return {source: runs[run] for source, run in by_source.items()}
