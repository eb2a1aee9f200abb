"""Jobs. Each takes ids, makes one call, and is safe to run twice."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from curation import operations
from curation.ingest import leases, poll
from curation.models import IdempotencyKey

MOST_AT_ONCE = 100


@shared_task(name="curation.tasks.poll_due_sources")
def poll_due_sources() -> None:
    """Rings for every source that is due. By the lease in it, a repeated message does nothing."""
    leases.add_missing_cursors()
    for source_id, offered in leases.offer_due(timezone.now(), MOST_AT_ONCE).items():
        poll_source.delay(source_id=source_id, offered=offered.isoformat())


@shared_task(name="curation.tasks.poll_source", ignore_result=True)
def poll_source(*, source_id: int, offered: str | None = None) -> None:
    """Reads one source, if nobody else does."""
    poll(source_id, offered=datetime.fromisoformat(offered) if offered else None)


@shared_task(name="curation.tasks.lapse_old_candidates")
def lapse_old_candidates() -> None:
    """Old candidates leave the queue."""
    operations.lapse_old(now=timezone.now())


@shared_task(name="curation.tasks.forget_old_keys")
def forget_old_keys() -> None:
    """Idempotency keys are kept seven days."""
    IdempotencyKey.objects.outlived(timezone.now()).delete()
