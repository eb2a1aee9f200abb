"""Who reads a source now: `due_at` of its cursor, moved ahead, is the lease of whoever knows its value."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from curation.models import Cursor, IngestRun
from curation.models.ingest import STREAM_AWAY
from regions.models import Source

LEASE = timedelta(seconds=150)  # longer than a task may run
WAITING = timedelta(seconds=60)  # how long a message may lie in the queue before another is sent

KINDS = {
    "timeline": [Source.Kind.ACCOUNT],
    "list": [Source.Kind.LIST],
    "search": [Source.Kind.SEARCH, Source.Kind.STREAM],
}


class LeaseLost(Exception):
    """Somebody else reads this source by now: what was read is not stored."""


def add_missing_cursors() -> None:
    """A cursor for each source that has none yet. A stream rule is polled only when no stream takes it up."""
    now = timezone.now()
    first = {Source.Kind.STREAM: now + STREAM_AWAY}
    new = Source.objects.filter(cursor=None)
    Cursor.objects.bulk_create(
        [
            Cursor(source=one, interval_seconds=one.least_seconds, due_at=first.get(Source.Kind(one.kind), now))
            for one in new
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def offer_due(now: datetime, most: int) -> dict[int, datetime]:
    """The sources longest due, each with its lease; offered again when nobody takes it up within a minute."""
    due = Cursor.objects.due(now).select_for_update(skip_locked=True, of=("self",))[:most]
    ids = [cursor.pk for cursor in due]
    Cursor.objects.filter(pk__in=ids).update(due_at=now + WAITING)
    return dict.fromkeys(ids, now + WAITING)


def take(source_id: int, now: datetime, offered: datetime | None = None) -> datetime | None:
    """The lease for reading a source: of what was offered, else when it is due. None when another has it."""
    free = Cursor.objects.filter(pk=source_id)
    free = free.filter(due_at=offered) if offered else free.filter(due_at__lte=now)
    lease = now + LEASE
    return lease if free.update(due_at=lease) else None


def put_off(source: Source, lease: datetime, now: datetime) -> None:
    """A source that feeds no channel costs nothing: X is not asked."""
    later = now + timedelta(seconds=source.most_seconds)
    Cursor.objects.filter(pk=source.pk, due_at=lease).update(due_at=later)


def wait_for_window(endpoint: str, reader: Source, until: datetime) -> None:
    """X closed an endpoint until then: the sources read through it wait too, whichever worker would ask.

    Those being read keep their lease; they find the window closed by themselves."""
    running = IngestRun.objects.filter(source=OuterRef("pk"), outcome=IngestRun.Outcome.RUNNING)
    early = Cursor.objects.filter(~Exists(running), source__kind__in=KINDS.get(endpoint, []), due_at__lt=until)
    free = early.exclude(pk=reader.pk).select_for_update(skip_locked=True, of=("self",))
    Cursor.objects.filter(pk__in=[cursor.pk for cursor in free]).update(due_at=until)


def held(source_id: int, lease: datetime) -> Cursor:
    """The cursor, locked until the transaction ends. Raises LeaseLost."""
    cursor = Cursor.objects.select_for_update().filter(pk=source_id, due_at=lease).first()
    if cursor is None:
        raise LeaseLost
    return cursor
