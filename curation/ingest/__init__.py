"""From a due source to candidates: lease, read, store in one transaction, say how it went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from curation import events, operations
from curation.ingest import leases
from curation.ingest.candidates import Arrivals, offer
from curation.ingest.reading import Reader, Reading
from curation.ingest.runs import Crowded, Ending, Outcome, close_stopped, ending, next_interval, payer, say
from curation.ingest.tweets import Stored, erased, mark_gone, store_people, store_tweets
from curation.models import Cursor, IngestRun, Quarantined
from curation.operations.record import lock_channels, one_transaction
from curation.x.client import Door, door
from curation.x.outcomes import Failure, Gone, Unreachable, WindowClosed
from curation.x.wire import Person, Post
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
        stored, arrived = self._carefully(reading)
        Quarantined.objects.bulk_create(
            [
                Quarantined(run=self.run, reason=reason, payload=payload, at=self.now)
                for reason, payload in reading.broken
            ]
        )
        self._count(reading, stored, arrived)
        self._advance(cursor, reading, stored.fresh)
        events.arrived(arrived.channels)

    def _carefully(self, reading: Reading) -> tuple[Stored, Arrivals]:
        """All posts at once; when the database refuses one, each by itself and that one set aside."""
        spared = erased({post.author_id for post in reading.posts.values()})
        posts = [post for post in reading.posts.values() if post.author_id not in spared]
        try:
            with transaction.atomic():
                return self._together(posts, reading)
        except (DataError, IntegrityError):
            return self._one_by_one(posts, reading)

    def _together(self, posts: list[Post], reading: Reading) -> tuple[Stored, Arrivals]:
        stored = store_tweets(posts, reading.people, self.now)
        self._lock_and_decide(stored)
        arrived = offer(stored.tweets.values(), self.source, self.channels, self.now)
        settle()
        return stored, arrived

    def _lock_and_decide(self, stored: Stored) -> None:
        """Every channel that changes is locked here, once: so the pass crosses no other and no editor.

        New candidates change no channel: editors go on deciding while they are stored."""
        touched = stored.channels_to_touch()
        lock_channels(touched | stored.channels_to_edit())
        operations.touch(touched)
        if stored.edited:
            operations.edit(stored.edited, now=self.now)

    def _one_by_one(self, posts: list[Post], reading: Reading) -> tuple[Stored, Arrivals]:
        """In the same order of locks as together: all authors, all posts, the channels, then the candidates."""
        stored, arrived = Stored(), Arrivals()
        wanted = {post.author_id for post in posts}
        authors = {x_id: person for x_id, person in sorted(reading.people.items()) if x_id in wanted}
        refused = {x_id for x_id, person in authors.items() if not self._author_stored(person, stored)}
        by_first_id = {post.first_id: post for post in posts}
        for _first, post in sorted(by_first_id.items()):
            with self._set_aside_if_refused(post, reading):
                if post.author_id in refused:
                    raise DataError
                one = store_tweets([post], {}, self.now)
                settle()
                stored.add(one)
        self._lock_and_decide(stored)
        for first, tweet in stored.tweets.items():
            with self._set_aside_if_refused(by_first_id[first], reading):
                its = offer([tweet], self.source, self.channels, self.now)
                settle()
                arrived.add(its)
        return stored, arrived

    def _author_stored(self, person: Person, stored: Stored) -> bool:
        try:
            with transaction.atomic():
                stored.authors |= store_people([person], self.now)
        except (DataError, IntegrityError):
            return False
        return True

    @contextmanager
    def _set_aside_if_refused(self, post: Post, reading: Reading) -> Iterator[None]:
        try:
            with transaction.atomic():
                yield
        except (DataError, IntegrityError) as error:
            reading.set_aside(f"the database refuses it: {type(error).__name__}", post.raw)

    def _count(self, reading: Reading, stored: Stored, arrived: Arrivals) -> None:
        self.run.read, self.run.missing, self.run.quarantined = (
            reading.read,
            reading.missing,
            len(reading.broken),
        )
        self.run.fresh, self.run.known, self.run.edited = stored.fresh, stored.known, len(stored.edited)
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
            concerned = mark_gone(int(self.source.x_id), failure.cause, self.now)
            operations.withdraw(concerned, cause=failure.cause, now=self.now)
        self._note(end.outcome, failure.message)

    def _spare_others(self, failure: Failure, end: Ending) -> None:
        if isinstance(failure, WindowClosed):
            leases.wait_for_window(failure.endpoint, self.source, end.due_at)

    def _note(self, outcome: str, error: str) -> None:
        self.run.outcome, self.run.error = outcome, error
        self.run.ended_at = self.now + timedelta(seconds=time.monotonic() - self.began)
        self.run.save()


def settle() -> None:
    """Constraints that wait for the commit are looked at now, while a refusal can still be traced to its post."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
