"""What a clock that was wrong has left behind: times further ahead than any plan of ours. Nobody waits for them, since
that might take a day: such a source is due now, such a post is asked about at the next turn.

The clock is PostgreSQL's (curation.shared_clock), so this is rare: the machine's own was off, and PostgreSQL's with it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from curation.ingest.chances import next_chance
from curation.ingest.polling.leases import LEASE
from curation.ingest.polling.runs import LONGEST_WINDOW
from curation.ingest.rechecking.waiting import ASKED_AGAIN, MISSED
from curation.models import Cursor, Pause, RateWindow, Tweet

log = structlog.get_logger(__name__)
SLACK = timedelta(minutes=1)
MOST = 5_000  # posts a turn


def disbelieve(now: datetime) -> None:
    """Puts right what is planned or was seen in a future that is none of ours, and says so in the log."""
    told = {"sources": _sources(now), "windows": _windows(now), "pauses": _pauses(now), "posts": _posts(now)}
    if any(told.values()):
        words = "Times lay further ahead than anything is planned: a clock was wrong. They were put right."
        log.warning("wrong_clock_mended", words=words, **told)


def _sources(now: datetime) -> int:
    """Leases longer than one, and readings later than a source's longest interval; but not what waits for a pause."""
    late = Q(leased=True, due_at__gt=now + LEASE + SLACK) | Q(leased=False, due_at__gt=now + LONGEST_WINDOW + SLACK)
    pauses = Pause.objects.filter(ended_at=None).values("until")
    rows = Cursor.objects.filter(late).exclude(leased=False, due_at__in=pauses).select_related("source")
    wrong = [row for row in rows if row.leased or row.due_at > now + SLACK + timedelta(seconds=row.source.most_seconds)]
    return sum(
        Cursor.objects.filter(pk=row.pk, due_at=row.due_at, leased=row.leased).update(due_at=now, leased=False)
        for row in wrong
    )


def _pauses(now: datetime) -> int:
    """Of everyone: the next is let through within the quarter of an hour, or as soon as some source can be asked."""
    late = Pause.objects.filter(market=None, ended_at=None, until__gt=now + LONGEST_WINDOW + SLACK)
    if not late.exists():
        return 0
    chance = next_chance(now) or now
    return late.filter(until__gt=chance + SLACK).update(until=chance)


def _windows(now: datetime) -> int:
    """Of X's none is longer than an hour: it is asked, and tells how many requests are left."""
    return RateWindow.objects.filter(reset_at__gt=now + LONGEST_WINDOW + SLACK).delete()[0]


def _posts(now: datetime) -> int:
    """Checked in the future is not checked: those that stand or wait, and those that were gone lately."""
    ahead = Tweet.objects.filter(checked_at__gt=now + SLACK).select_for_update(skip_locked=True)
    there, gone = ahead.filter(gone_at=None, purged_at=None), ahead.filter(gone_at__gt=now - MISSED)
    with transaction.atomic():
        wrong = [pk for some in (there, gone) for pk in some.values_list("pk", flat=True)[:MOST]]
        return Tweet.objects.filter(pk__in=wrong).update(checked_at=now - ASKED_AGAIN) if wrong else 0
