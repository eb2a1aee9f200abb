"""From a due source to candidates: lease, read, store in one transaction, say how it went."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from curation import events, operations, shared_clock
from curation.ingest import pauses
from curation.ingest.pauses import payer
from curation.ingest.polling import gaps, leases
from curation.ingest.polling.reading import Reader, Reading
from curation.ingest.polling.runs import Crowded, Ending, Outcome, close_stopped, ending, next_interval, say, set_aside
from curation.ingest.storing.candidates import Arrivals
from curation.ingest.storing.store import store
from curation.ingest.storing.tweets import Stored, still_there
from curation.ledger.metered import Metered
from curation.models import Cursor, IngestRun
from curation.operations.record import one_transaction
from curation.shared_clock import clock_from
from curation.x.client import Door, door
from curation.x.outcomes import Failure, Gone, Unreachable, WindowClosed
from regions.models import Channel, Market, Source
from regions.operations import pause_source

log = structlog.get_logger(__name__)


def poll(
    source_id: int, *, now: datetime | None = None, offered: datetime | None = None, ask: Door | None = None
) -> IngestRun | None:
    """Reads a source once, stores what it tells, and lets its rule approve. None when not due, paused, gone, or read
    by another.

    `offered` is the lease of leases.offer_due; without it the source must be due. `ask` is the door to X."""
    now = now or shared_clock.now()
    lease = leases.take(source_id, now, offered)
    source = Source.objects.running().select_related("channel__market", "cursor").filter(pk=source_id).first()
    if lease is None or source is None:
        return None
    market = payer(source)
    with leases.lane(source.cursor) as free:
        until = _not_before(source, market, now) if free else now
        if until is not None or market is None:
            leases.put_off(source_id, lease, until or now)
            return None
        meter = Metered(ask or door(), market, now=clock_from(now))
        run = Pass(source, lease, now, meter).run_whole()
    say(run, source)
    with suppress(operations.Busy):  # the next reading finds what is left
        operations.approve_by_rule(source, now=now)
    return run


def _not_before(source: Source, market: Market | None, now: datetime) -> datetime | None:
    """When to look again at a source for which X is not asked now: it feeds no channel, or reading is paused."""
    if market is None:
        return now + timedelta(seconds=source.most_seconds)
    barred = pauses.barred(source, now)
    if barred:
        return barred
    paused = pauses.admit(market, now)
    return paused.until if paused else None


class Pass:
    """One reading of one source on the account of its market. No transaction is open while X is asked."""

    def __init__(self, source: Source, lease: datetime, now: datetime, ask: Metered) -> None:
        self.source, self.lease, self.now, self.ask = source, lease, now, ask
        self.channels: list[Channel] = list(source.channels())
        self.failure: Failure | None = None
        close_stopped(source, now)
        self.run = IngestRun.objects.create(source=source, market=ask.market, started_at=now)

    def run_whole(self) -> IngestRun:
        try:
            self._read()
        except leases.LeaseLost:
            self._note(Outcome.FAILED, "Another worker took over.")
        answered = bool(self.run.read or self.ask.charged)
        pauses.take_note(self.failure, self.ask.market, began=self.now, now=self.ask.now(), answered=answered)
        return self.run

    def _read(self) -> None:
        try:
            self.before = Cursor.objects.select_related("source").get(pk=self.source.pk)
            reading = Reader(self.source, self.before, self.ask, self.now).result()
            self.failure = reading.failure
            self._store(reading)
        except leases.LeaseLost:
            raise
        except Failure as failure:
            self._give_up(failure)
        except operations.Busy:
            self._give_up(Crowded())
        except Exception as error:
            log.exception("ingest failed", source=self.source.pk)
            self._give_up(Unreachable(f"A fault on our side: {type(error).__name__}."))

    def _give_up(self, failure: Failure) -> None:
        self.failure = failure
        try:
            self._fail(failure)
        except operations.Busy:
            self._fail(Crowded())

    @one_transaction()
    def _store(self, reading: Reading) -> None:
        """Everything that was read and the cursor that says so, or nothing."""
        cursor = leases.held(self.source.pk, self.lease)
        stored, arrived = store(reading, self.source, self.channels, self.now)
        set_aside(self.run, reading.broken, self.now)
        self._count(reading, stored, arrived)
        self._advance(cursor, reading, arrived.candidates - arrived.blocked)
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

    def _advance(self, cursor: Cursor, reading: Reading, useful: int) -> None:
        streamed = self.before.is_streamed(self.now)
        gaps.keep(cursor, self.before, reading, streamed=streamed)
        cursor.interval_seconds = next_interval(self.source, cursor, useful)
        waiting = cursor.gap_floor_id is not None
        seconds = self.source.least_seconds if waiting else 0 if streamed else cursor.interval_seconds
        end = Ending(Outcome.READ, self.now + timedelta(seconds=seconds))
        if reading.failure:
            end = ending(reading.failure, self.source, cursor, self.now)
            self._spare_others(reading.failure, end)
        cursor.due_at, cursor.failures, cursor.took_ms = end.due_at, end.failures, self._took_ms()
        cursor.leased = False
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
            self._note(ending(failure, self.source, Cursor(), self.now).outcome, failure.message)
            return
        end = ending(failure, self.source, cursor, self.now)
        cursor.due_at, cursor.failures, cursor.took_ms = end.due_at, end.failures, self._took_ms()
        cursor.leased = False
        cursor.save(update_fields=["due_at", "leased", "failures", "took_ms"])
        self._spare_others(failure, end)
        if end.paused_reason and not cursor.is_streamed(self.now):
            pause_source(self.source, end.paused_reason, by=None, now=self.now)
        if isinstance(failure, Gone) and self.source.kind == Source.Kind.ACCOUNT and self.source.x_id:
            theirs = still_there(int(self.source.x_id))
            followed = operations.withdraw(theirs, cause=failure.cause, now=self.now)
            self.run.withdrawn = followed.withdrawn
        self._note(end.outcome, failure.message)

    def _spare_others(self, failure: Failure, end: Ending) -> None:
        if isinstance(failure, WindowClosed):
            leases.wait_for_window(failure.endpoint, self.source, end.due_at)

    def _took_ms(self) -> int:
        return int((self.ask.now() - self.now).total_seconds() * 1000)

    def _note(self, outcome: str, error: str) -> None:
        self.run.outcome, self.run.error = outcome, error
        self.run.ended_at = self.ask.now()
        self.ask.tell(self.run)
        self.run.save()
