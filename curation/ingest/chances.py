"""When X can be asked at all: an endpoint's window is closed for every source that is read through it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min

from curation.ingest.polling.leases import KINDS
from curation.models import Cursor, RateWindow
from regions.models import Source

NAMES = "usernames"  # the endpoint that tells an account's id by its name, once


def closed_windows(now: datetime) -> dict[str, datetime]:
    """Until when an endpoint's window is closed, by the kinds of sources that it reads and by its own name."""
    closed = RateWindow.objects.filter(remaining__lte=0, reset_at__gt=now).values_list("endpoint", "reset_at")
    found = dict(closed)
    by_kind = {kind.value: until for endpoint, until in found.items() for kind in KINDS.get(endpoint, [])}
    return found | by_kind


def closed_for(source: Source, closed: dict[str, datetime]) -> datetime | None:
    """Until when X cannot be asked for this source; None when it can."""
    unnamed = source.kind == Source.Kind.ACCOUNT and not source.x_id
    untils = [closed.get(source.kind), closed.get(NAMES) if unnamed else None]
    return max((until for until in untils if until), default=None)


def next_chance(now: datetime, but: Source | None = None) -> datetime | None:
    """When some source is due with its window open: `now` when one is. None where no source is read at all.

    Whoever is being read has its chance now, save `but`, who found that it has none."""
    closed = closed_windows(now)
    others = Cursor.objects.filter(source__in=Source.objects.running()).exclude(pk=but.pk if but else None)
    groups = others.values_list("source__kind", "leased").annotate(Min("due_at"))
    chances = [max(now, closed.get(kind, now), now if leased else due) for kind, leased, due in groups]
    own = closed_for(but, closed) if but else None
    return min([*chances, *([own] if own else [])], default=None)
