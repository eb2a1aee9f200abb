"""Jobs. Each takes ids, makes one call, and is safe to run twice."""

from __future__ import annotations

from datetime import datetime

from celery import shared_task
from django.utils import timezone

from curation import operations
from curation.ingest import leases, poll, waiting
from curation.ingest.rechecks import recheck
from curation.models import IdempotencyKey
from regions.models import Market

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


@shared_task(name="curation.tasks.recheck_pending")
def recheck_pending() -> None:
    """Asks X about what waits, by age and budget, and whether what was gone is back."""
    for one in waiting.rounds(timezone.now()):
        asked = vars(one) | {"since": one.since.isoformat()}
        recheck_tweets.apply_async(kwargs=asked, queue="ingest", expires=110)


@shared_task(name="curation.tasks.recheck_tweets", ignore_result=True)
def recheck_tweets(*, market_id: int, tweet_ids: list[int], purpose: str, since: str) -> None:
    """Asks X about tweets that were not checked since, on a market's account."""
    market = Market.objects.filter(pk=market_id).first()
    if market is not None:
        recheck(tweet_ids, market=market, purpose=purpose, since=datetime.fromisoformat(since))
