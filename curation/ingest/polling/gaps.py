"""How far a stream rule was heard: what is open between is left to search, whatever was killed when.

A cursor's `newest_id` says: all up to it is stored, but for the gap (gap_floor_id < id < gap_until_id). The stream
moves it behind the last sign of life; who connects anew opens the gap from there to the moment of connecting.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Greatest

from curation.ingest.polling.reading import AHEAD, Reading
from curation.models import Cursor
from curation.operations.record import one_transaction
from curation.x.wire import id_at


@one_transaction()
def open_gaps(source_ids: Iterable[int], at: datetime, ahead: timedelta, *, heard_at: datetime | None = None) -> None:
    """These rules work from `at` on, or `ahead` later: what came since they were heard last is open.

    `heard_at`: they may have been deaf since then, though the cursor went on. A new source begins with `at`. Nothing is
    believed to be heard up to a time that has not come."""
    until = id_at(at + ahead)
    doubted = [id_at(heard_at)] if heard_at else []
    for cursor in Cursor.objects.select_for_update().filter(pk__in=set(source_ids)).order_by("pk"):
        if cursor.newest_id is None:
            cursor.newest_id = id_at(at)
        else:
            known = [cursor.newest_id] + ([cursor.gap_floor_id] if cursor.gap_floor_id is not None else [])
            believed = [id_at(at - AHEAD)] if cursor.newest_id > until else []  # a clock was wrong
            cursor.gap_floor_id = min(known + doubted + believed)
            cursor.gap_until_id = max(until, cursor.gap_until_id or 0)
        cursor.save(update_fields=["newest_id", "gap_floor_id", "gap_until_id"])


@transaction.atomic
def heard_up_to(source_ids: Iterable[int], moment: datetime) -> None:
    """All that these rules matched before the moment is stored. Cursors in use are moved the next time."""
    mark = id_at(moment)
    behind = Cursor.objects.filter(pk__in=set(source_ids), newest_id__lt=mark).order_by("pk")
    free = behind.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Cursor.objects.filter(pk__in=list(free)).update(newest_id=Greatest("newest_id", mark))


def keep(cursor: Cursor, before: Cursor, reading: Reading, *, streamed: bool) -> None:
    """What was read, put into the cursor as it is now. The stream may have moved it, and opened the gap anew, since
    the reading began at `before`; nobody else can."""
    floor, until = reading.gap_floor_id, reading.gap_until_id
    if (cursor.gap_floor_id, cursor.gap_until_id) != (before.gap_floor_id, before.gap_until_id):
        reached = before.gap_until_id if streamed else reading.newest_id
        floor, until = _still_open(cursor, reached if reading.gap_floor_id is None else None)
    known = [number for number in (cursor.newest_id, reading.newest_id) if number is not None]
    cursor.newest_id = max(known, default=None)
    cursor.gap_floor_id, cursor.gap_until_id = floor, until


def _still_open(cursor: Cursor, reached: int | None) -> tuple[int | None, int | None]:
    """The gap as the stream opened it, without what was read to the end meanwhile."""
    floor, until = cursor.gap_floor_id, cursor.gap_until_id
    if floor is None or until is None or reached is None:
        return floor, until
    floor = max(floor, reached - 1)
    return (floor, until) if floor + 1 < until else (None, None)
