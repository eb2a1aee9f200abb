"""Whether anything is published at all. Closed, nobody writes to the edge, and Django serves what stands there."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from feeds import files
from feeds.models import Closure, Feed, Rendering

log = structlog.get_logger(__name__)


def stands() -> bool:
    return Closure.objects.standing().exists()


def close(why: Closure.Why, *, now: datetime) -> bool:
    """From the commit on nothing is published; whether it was open before.

    The feeds are locked as a publication locks them, so that none goes on after it; whether the edge is ahead is asked
    again behind that lock, since a reopening may have gone before. The bytes of this database are older than those at
    the edge: they are forgotten, else Django would serve them."""
    with transaction.atomic():
        list(Feed.objects.locked().values_list("pk"))
        if stands() or (why == Closure.Why.EDGE_AHEAD and not files.ahead()):
            return False
        Closure.objects.create(at=now, why=why)
        Rendering.objects.all().delete()
    log.error("publishing_closed", why=str(why))
    return True


def ended() -> datetime | None:
    """When it ended last: what was shown before may since have been blocked, and nobody knows."""
    return Closure.objects.exclude(ended_at=None).order_by("-ended_at").values_list("ended_at", flat=True).first()
