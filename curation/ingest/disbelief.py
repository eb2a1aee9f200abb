"""What a clock that was wrong has left behind: times further ahead than any plan of ours. Nobody waits for them, since
that might take a day: such a source is due now, such a post is asked about at the next turn.

The clock is PostgreSQL's (curation.shared_clock), so this is rare: the machine's own was off, and PostgreSQL's with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Max, Q

from curation.ingest import pauses
from curation.ingest.chances import next_chance
from curation.ingest.polling.leases import LEASE
from curation.ingest.polling.reading import AHEAD, SEARCHABLE
from curation.ingest.polling.runs import LONGEST_WINDOW
from curation.ingest.rechecking.waiting import ASKED_AGAIN, MISSED
from curation.models import ComplianceJob, Cursor, Pause, RateWindow, Tweet
from curation.models.ingest import INDEXED
from curation.x.stream import Times
from curation.x.wire import id_at
from regions.models import Source

log = structlog.get_logger(__name__)
SLACK = timedelta(minutes=1)
LATE = int(Times.late * 1000)  # milliseconds by which a post may come after its time
MOST = 5_000  # posts a turn


def disbelieve(now: datetime) -> None:
    """Puts right what is planned or was seen in a future that is none of ours, and says so in the log."""
    told = {
        "windows": _windows(now),
        "sources": _sources(now),
        "pauses": _pauses(now),
        "streams": _streams(now),
        "posts": _posts(now),
        "jobs": _jobs(now),
    }
    if any(told.values()):
        words = "Times lay further ahead than anything is planned: a clock was wrong. They were put right."
        log.warning("wrong_clock_mended", words=words, **told)


def _sources(now: datetime) -> int:
    """Leases longer than one, and readings later than a source's longest interval; but not what waits for a market's
    pause. One of everyone ends with what it put off, below."""
    late = Q(leased=True, due_at__gt=now + LEASE + SLACK) | Q(leased=False, due_at__gt=now + LONGEST_WINDOW + SLACK)
    waited_for = Pause.objects.filter(ended_at=None).exclude(market=None).values("until")
    rows = Cursor.objects.filter(late).exclude(leased=False, due_at__in=waited_for).select_related("source")
    wrong = [row for row in rows if row.leased or row.due_at > now + SLACK + timedelta(seconds=row.source.most_seconds)]
    return sum(
        Cursor.objects.filter(pk=row.pk, due_at=row.due_at, leased=row.leased).update(due_at=now, leased=False)
        for row in wrong
    )


def _pauses(now: datetime) -> int:
    """Of everyone: the next is let through within the quarter of an hour, or as soon as some source can be asked. One
    that begins in the future would not end by what X answers before: the next is let through now."""
    begun = pauses.begun_by(now + SLACK, now)
    late = Pause.objects.filter(market=None, ended_at=None, until__gt=now + LONGEST_WINDOW + SLACK)
    if not late.exists():
        return begun
    chance = next_chance(now) or now
    return begun + late.filter(until__gt=chance + SLACK).update(until=chance)


def _windows(now: datetime) -> int:
    """Of X's none is longer than an hour: it is asked, and tells how many requests are left."""
    return RateWindow.objects.filter(reset_at__gt=now + LONGEST_WINDOW + SLACK).delete()[0]


def _streams(now: datetime) -> int:
    """What the stream has heard up to, and its gaps, end before now: what came since the newest post that is stored
    is open, so that it is searched for."""
    ahead = Q(newest_id__gt=id_at(now + AHEAD)) | Q(gap_until_id__gt=id_at(now + AHEAD))
    wrong = Cursor.objects.filter(ahead, source__kind=Source.Kind.STREAM).order_by("pk")
    with transaction.atomic():
        rows = list(wrong.select_for_update(skip_locked=True, of=("self",)).select_related("source"))
        for cursor in rows:
            known = [cursor.gap_floor_id] if cursor.gap_floor_id is not None else []
            floor = min([_stored_up_to(cursor.source, now), *known])
            Cursor.objects.filter(pk=cursor.pk).update(
                newest_id=floor, gap_floor_id=floor, gap_until_id=id_at(now + INDEXED)
            )
    return len(rows)


def _stored_up_to(source: Source, now: datetime) -> int:
    """Up to where what a rule matches is surely stored: its newest post, else where its reading may have begun."""
    stored = Tweet.objects.filter(candidate__source=source, first_id__lte=id_at(now))
    newest = stored.aggregate(newest=Max("first_id"))["newest"]
    begun = id_at(max(source.created_at, now - SEARCHABLE) if source.created_at <= now else now - SEARCHABLE)
    return max(newest - (LATE << 22), begun) if newest else begun


def _posts(now: datetime) -> int:
    """Checked in the future is not checked: those that stand or wait, and those that were gone lately. Gone in the
    future is gone now, so that one which X shows again comes back."""
    ahead = Tweet.objects.filter(checked_at__gt=now + SLACK).select_for_update(skip_locked=True)
    there, gone = ahead.filter(gone_at=None, purged_at=None), ahead.filter(gone_at__gt=now - MISSED)
    later = Tweet.objects.filter(gone_at__gt=now + SLACK).select_for_update(skip_locked=True)
    with transaction.atomic():
        wrong = {pk for some in (there, gone) for pk in some.values_list("pk", flat=True)[:MOST]}
        if wrong:
            Tweet.objects.filter(pk__in=wrong).update(checked_at=now - ASKED_AGAIN)
        too_late = list(later.values_list("pk", flat=True)[:MOST])
        if too_late:
            Tweet.objects.filter(pk__in=too_late).update(gone_at=now)
    return len(wrong.union(too_late))


def _jobs(now: datetime) -> int:
    """Batch compliance handed in tomorrow: the next is handed in a day from now."""
    return ComplianceJob.objects.filter(created_at__gt=now + SLACK).update(created_at=now)
