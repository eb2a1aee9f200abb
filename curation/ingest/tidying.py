"""What polling leaves behind and nobody needs for ever."""

from __future__ import annotations

from datetime import datetime, timedelta

from curation.ledger import budget
from curation.models import IngestRun, Pause, Quarantined

RUNS_KEPT = timedelta(days=90)
QUARANTINE_KEPT = timedelta(days=14)
AT_ONCE = 5_000


def tidy(now: datetime) -> None:
    """Old runs, payloads set aside, ended pauses, charges and reservations go, some thousands at a time."""
    while _first_gone(Quarantined, "at", now - QUARANTINE_KEPT) == AT_ONCE:
        pass
    while _first_gone(IngestRun, "started_at", now - RUNS_KEPT) == AT_ONCE:
        pass
    Pause.objects.filter(ended_at__lt=now - RUNS_KEPT).delete()
    budget.tidy(now)


def _first_gone(model: type[IngestRun] | type[Quarantined], time: str, before: datetime) -> int:
    """How many of the first rows were old enough to go. Ids rise with time: no other index is needed."""
    first = model._default_manager.order_by("pk").values_list("pk", time)[:AT_ONCE]
    old = [pk for pk, at in first if at < before]
    model._default_manager.filter(pk__in=old).delete()
    return len(old)
