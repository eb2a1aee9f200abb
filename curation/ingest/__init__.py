"""From a due source to candidates: lease, read, store in one transaction, say how it went."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from curation import events, operations
from curation.ingest import leases
from curation.ingest.candidates import Arrivals
from curation.ingest.reading import Reader, Reading
from curation.ingest.runs import Crowded, Ending, Outcome, close_stopped, ending, next_interval, payer, say
from curation.ingest.storing import store
from curation.ingest.tweets import Stored, still_there
from curation.models import Cursor, IngestRun, Quarantined
from curation.operations.record import one_transaction
from curation.x.client import Door, door
from curation.x.outcomes import Failure, Gone, Unreachable, WindowClosed
from regions.models import Channel, Source
from regions.operations import pause_source

log = structlog.get_logger(__name__)


def poll(
    source_id: int, *, now: datetime | None = None, offered: datetime | None = None, ask: Door | None = None
) -> IngestRun | None:
    """Reads a source once and stores what it tells. None when not due, paused, gone, or read by another.

    `offered` is the lease of leases.offer_due; without it the source must be due. `ask` is the door to X."""
    now = now or timezone.now()
    lease = leases.take(source_id, now, offered)
    source = Source.objects.running().select_related("market", "channel__market").filter(pk=source_id).first()
    if lease is None or source is None:
        return None
    if not source.channels().exists():
        leases.put_off(source, lease, now)
        return None
    run = Pass(source, lease, now, ask or door()).run_whole()
    say(run, source)
    return run


class Pass:
    """One reading of one source. No transaction is open while X is asked."""

    def __init__(self, source: Source, lease: datetime, now: datetime, ask: Door) -> None:
        self.source, self.lease, self.now, self.ask = source, lease, now, ask
        self.began = time.monotonic()
        self.channels: list[Channel] = list(source.channels())
        close_stopped(source, now)
        self.run = IngestRun.objects.create(source=source, market=payer(source, self.channels), started_at=now)

    def run_whole(self) -> IngestRun:
        try:
            cursor = Cursor.objects.get(pk=self.source.pk)
            self._store(Reader(self.source, cursor, self.ask, self.now).result())
        except leases.LeaseLost:
            self._note(Outcome.FAILED, "Another worker took over.")
        except Failure as failure:
            self._give_up(failure)
        except operations.Busy:
            self._give_up(Crowded())
        except Exception as error:
            log.exception("ingest failed", source=self.source.pk)
            self._give_up(Unreachable(f"A fault on our side: {type(error).__name__}."))
        return self.run

    def _give_up(self, failure: Failure) -> None:
        try:
            self._fail(failure)
        except operations.Busy:
            self._fail(Crowded())

    @one_transaction()
    def _store(self, reading: Reading) -> None:
        """Everything that was read and the cursor that says so, or nothing."""
        cursor = leases.held(self.source.pk, self.lease)
        stored, arrived = store(reading, self.source, self.channels, self.now)
        Quarantined.objects.bulk_create(
            [
                Quarantined(run=self.run, reason=reason, payload=payload, at=self.now)
                for reason, payload in reading.broken
            ]
        )
        self._count(reading, stored, arrived)
        self._advance(cursor, reading, stored.fresh)
        events.arrived(arrived.channels)

    def _count(self, reading: Reading, stored: Stored, arrived: Arrivals) -> None:
        self.run.read, self.run.missing, self.run.quarantined = (
            reading.read,
            reading.missing,
            len(reading.broken),
        )
        self.run.fresh, self.run.known, self.run.edited = stored.fresh, stored.known, len(stored.edited)
        self.run.withdrawn, self.run.restored = stored.followed.withdrawn, stored.followed.restored
        self.run.candidates, self.run.blocked, self.run.held = (
            arrived.candidates,
            arrived.blocked,
            arrived.held,
        )

    def _advance(self, cursor: Cursor, reading: Reading, fresh: int) -> None:
        waiting = reading.gap_floor_id is not None
        cursor.newest_id = reading.newest_id
        cursor.gap_floor_id, cursor.gap_until_id = reading.gap_floor_id, reading.gap_until_id
        seconds = next_interval(self.source, cursor, fresh, waiting)
        end = Ending(Outcome.READ, self.now + timedelta(seconds=seconds))
        if reading.failure:
            end = ending(reading.failure, self.source, cursor, self.now)
            self._spare_others(reading.failure, end)
        cursor.interval_seconds, cursor.due_at, cursor.failures = seconds, end.due_at, end.failures
        cursor.save()
        if reading.x_id != self.source.x_id:
            Source.objects.filter(pk=self.source.pk).update(x_id=reading.x_id)
        self._note(end.outcome, str(reading.failure or reading.remark))

    @one_transaction()
    def _fail(self, failure: Failure) -> None:
        """Nothing was stored: the cursor stays, and the source waits or pauses."""
        try:
            cursor = leases.held(self.source.pk, self.lease)
        except leases.LeaseLost:
            self._note(Outcome.FAILED, failure.message)
            return
        end = ending(failure, self.source, cursor, self.now)
        cursor.due_at, cursor.failures = end.due_at, end.failures
        cursor.save(update_fields=["due_at", "failures"])
        self._spare_others(failure, end)
        if end.paused_reason:
            pause_source(self.source, end.paused_reason, by=None, now=self.now)
        if isinstance(failure, Gone) and self.source.kind == Source.Kind.ACCOUNT and self.source.x_id:
            theirs = still_there(int(self.source.x_id))
            followed = operations.withdraw(theirs, cause=failure.cause, now=self.now)
            self.run.withdrawn = followed.withdrawn
        self._note(end.outcome, failure.message)

    def _spare_others(self, failure: Failure, end: Ending) -> None:
        if isinstance(failure, WindowClosed):
            leases.wait_for_window(failure.endpoint, self.source, end.due_at)

    def _note(self, outcome: str, error: str) -> None:
        self.run.outcome, self.run.error = outcome, error
        self.run.ended_at = self.now + timedelta(seconds=time.monotonic() - self.began)
        self.run.save()
