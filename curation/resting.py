"""What a queue that is read says: which source is read next and what it usually brings, and what was done today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation.ingest.chances import closed_for, closed_windows
from curation.models import Cursor, Decision, IngestRun, Verb
from curation.queue import Place
from regions.models import Source

MOST, RUNS = 4, 50
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Reading:
    """A source and when it is read next. `usual`: how many new posts most readings bring that bring any; `braked`:
    until when X does not let us read it, where that is later than it is due."""

    source: Source
    at: datetime
    usual: tuple[int, int] | None
    braked: datetime | None

    @property
    def brings(self) -> str:
        """As in "usually 4 to 6"."""
        if self.usual is None:
            return ""
        least, most = self.usual
        if least == most:
            return _("usually %(n)d") % {"n": most}
        return _("usually %(least)d to %(most)d") % {"least": least, "most": most}


def next_readings(place: Place, now: datetime) -> list[Reading]:
    """Of the sources that feed the place, those read next. What the stream brings has no time."""
    cursors = Cursor.objects.filter(source__in=feeding(place)).exclude(source__kind=Source.Kind.STREAM)
    closed = closed_windows(now)
    found = []
    for cursor in cursors.select_related("source").order_by("due_at")[: 4 * MOST]:
        due, shut = max(cursor.due_at, now), closed_for(cursor.source, closed)
        braked = shut if shut and shut > due else None
        found.append((max(due, braked or due), cursor.source, braked))
    first = sorted(found, key=lambda one: one[0])[:MOST]
    return [Reading(source, at, usually(source, now), braked) for at, source, braked in first]


def feeding(place: Place) -> Any:
    """The running sources of the place's channels: their own, their market's, global ones that are not exempted."""
    categories = [channel.category_id for channel in place.shown]
    own = Q(channel__in=[channel.pk for channel in place.shown])
    theirs = Q(market=place.market) | Q(market=None, channel=None) & ~Q(exempt=place.market)
    return Source.objects.running().filter(own | theirs & (Q(category=None) | Q(category__in=categories))).distinct()


def usually(source: Source, now: datetime) -> tuple[int, int] | None:
    """The middle half of what its last readings of a week brought, of those that brought something."""
    runs = IngestRun.objects.filter(source=source, started_at__gte=now - WEEK).order_by("-started_at")
    brought = sorted(fresh for fresh in runs.values_list("fresh", flat=True)[:RUNS] if fresh)
    if not brought:
        return None
    return brought[len(brought) // 4], brought[(3 * len(brought)) // 4]


def done_today(place: Place, now: datetime) -> str:
    """As in "61 approved, 148 blocked, 3 taken back, by 4 people"; empty where nothing was done. Of all together,
    never of one: the day is that of the active zone."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Decision.objects.filter(market=place.market, at__gte=midnight, by__isnull=False)
    rows = rows.filter(channel__in=[channel.pk for channel in place.shown])
    counts = rows.aggregate(
        approved=Count("pk", filter=Q(verb__in=(Verb.APPROVE, Verb.PIN, Verb.SCHEDULE), after__state="approved")),
        blocked=Count("pk", filter=Q(verb=Verb.BLOCK)),
        back=Count("pk", filter=Q(verb=Verb.UNDO)),
        people=Count(F("by"), distinct=True),
    )
    told = [
        (counts["approved"], _("%(n)s approved")),
        (counts["blocked"], _("%(n)s blocked")),
        (counts["back"], _("%(n)s taken back")),
    ]
    parts: Sequence[str] = [words % {"n": n} for n, words in told if n]
    if not parts:
        return ""
    people = ngettext("by one person", "by %(n)d people", counts["people"]) % {"n": counts["people"]}
    return ", ".join([*parts, people])


def rest_of(place: Place, now: datetime) -> dict[str, Any]:
    """For the page of a queue where nothing waits."""
    return {"readings": next_readings(place, now), "today": done_today(place, now)}
