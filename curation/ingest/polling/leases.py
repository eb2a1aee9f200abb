"""Who reads a source now: `due_at` of its cursor, moved ahead and `leased`, is the lease of whoever knows its value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from curation import shared_clock
from curation.locks import LANE_LOCK
from curation.models import Cursor
from curation.models.ingest import STREAM_AWAY
from regions.models import Source

LEASE = timedelta(seconds=settings.INGEST_LEASE_SECONDS)
WAITING = LEASE * 2 / 5  # how long a message may lie in the queue before another is sent

PLACES_TAKEN = """
    SELECT count(DISTINCT objid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
SLOW = Q(took_ms__gt=Cursor.SLOW_MS) | Q(failures__gt=0)

KINDS = {
    "timeline": [Source.Kind.ACCOUNT],
    "list": [Source.Kind.LIST],
    "search": [Source.Kind.SEARCH, Source.Kind.STREAM],
}


class LeaseLost(Exception):
    """Somebody else reads this source by now: what was read is not stored."""


def add_missing_cursors() -> None:
    """A cursor for each source that has none yet. A stream rule is polled only when no stream takes it up."""
    now = shared_clock.now()
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
    """The sources longest due, each with its lease; offered again when nobody takes it up within a minute.

    Of slow ones only as many as may be read at once, so that they never take all workers."""
    quick = _first(Cursor.objects.due(now).exclude(SLOW), most)
    room = settings.INGEST_SLOW_AT_ONCE - slow_ones_read()
    slow = _first(Cursor.objects.due(now).filter(SLOW), min(most, room)) if room > 0 else []
    ids = [cursor.pk for cursor in sorted([*quick, *slow], key=lambda cursor: cursor.due_at)[:most]]
    Cursor.objects.filter(pk__in=ids).update(due_at=now + WAITING, leased=False)
    return dict.fromkeys(ids, now + WAITING)


def _first(due: QuerySet[Cursor], most: int) -> list[Cursor]:
    return list(due.select_for_update(skip_locked=True, of=("self",))[:most])


@contextmanager
def lane(cursor: Cursor) -> Iterator[bool]:
    """Whether there is room to read this source now: always for a quick one, for slow ones up to the setting.

    The places are advisory locks of the connection: all workers share them, and who is killed leaves his."""
    if not cursor.slow:
        yield True
        return
    place = next((one for one in range(settings.INGEST_SLOW_AT_ONCE) if _locked(one)), None)
    try:
        yield place is not None
    finally:
        if place is not None:
            _ask("SELECT pg_advisory_unlock(%s, %s)", LANE_LOCK, place)


def is_slow(source_id: int) -> bool:
    return Cursor.objects.filter(SLOW, pk=source_id).exists()


def slow_ones_read() -> int:
    """How many slow sources are read now, by all workers."""
    return int(_ask(PLACES_TAKEN, LANE_LOCK))


def _locked(place: int) -> bool:
    return bool(_ask("SELECT pg_try_advisory_lock(%s, %s)", LANE_LOCK, place))


def _ask(question: str, *values: int) -> Any:
    with connection.cursor() as asked:
        asked.execute(question, values)
        return asked.fetchone()[0]


def take(source_id: int, now: datetime, offered: datetime | None = None) -> datetime | None:
    """The lease for reading a source: of what was offered, else when it is due. None when another has it."""
    free = Cursor.objects.filter(pk=source_id)
    free = free.filter(due_at=offered) if offered else free.filter(due_at__lte=now)
    lease = now + LEASE
    return lease if free.update(due_at=lease, leased=True) else None


def put_off(source_id: int, lease: datetime, until: datetime) -> None:
    """X is not asked now: the source is due again then."""
    Cursor.objects.filter(pk=source_id, due_at=lease).update(due_at=until, leased=False)


def wait_for_window(endpoint: str, reader: Source, until: datetime) -> None:
    """X closed an endpoint until then: the sources read through it wait too, whichever worker would ask.

    Those being read keep their lease; they find the window closed by themselves."""
    early = Cursor.objects.free().filter(source__kind__in=KINDS.get(endpoint, []), due_at__lt=until)
    free = early.exclude(pk=reader.pk).select_for_update(skip_locked=True, of=("self",))
    Cursor.objects.filter(pk__in=[cursor.pk for cursor in free]).update(due_at=until)


def held(source_id: int, lease: datetime) -> Cursor:
    """The cursor, locked until the transaction ends. Raises LeaseLost."""
    cursor = Cursor.objects.select_for_update().filter(pk=source_id, due_at=lease).first()
    if cursor is None:
        raise LeaseLost
    return cursor
