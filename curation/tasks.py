"""Jobs. Each takes ids, makes one call, and is safe to run twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from celery import shared_task
from django.conf import settings

from curation import operations, shared_clock
from curation.ingest import pauses
from curation.ingest.disbelief import disbelieve
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.rechecking import compliance, waiting
from curation.ingest.rechecking.rechecks import close_killed, recheck
from curation.ingest.tidying import tidy
from curation.ledger.usage import reconcile
from curation.models import IdempotencyKey
from curation.x.client import door
from curation.x.outcomes import Failure
from regions.models import Market

MOST_AT_ONCE = 100


@shared_task(name="curation.tasks.poll_due_sources")
def poll_due_sources() -> None:
    """Rings for every source that is due. By the lease in it, a repeated message does nothing."""
    now = shared_clock.now()
    leases.add_missing_cursors()
    pauses.resume(now)
    ring()
    disbelieve(now)


def ring() -> None:
    for source_id, offered in leases.offer_due(shared_clock.now(), MOST_AT_ONCE).items():
        poll_source.delay(source_id=source_id, offered=offered.isoformat())


@shared_task(name="curation.tasks.poll_source", ignore_result=True)
def poll_source(*, source_id: int, offered: str | None = None) -> None:
    """Reads one source, if nobody else does. The place that a slow one leaves is taken at once."""
    was_slow = leases.is_slow(source_id)
    run = poll(source_id, offered=datetime.fromisoformat(offered) if offered else None)
    if was_slow and run is not None:
        ring()


@shared_task(name="curation.tasks.reconcile_usage", ignore_result=True)
def reconcile_usage() -> None:
    """Our count beside X's. What X does not tell now it tells in an hour."""
    with suppress(Failure):
        reconcile(door(), shared_clock.now())


@shared_task(name="curation.tasks.tidy_ingest")
def tidy_ingest() -> None:
    """Old runs, charges and payloads set aside go."""
    tidy(shared_clock.now())


@shared_task(name="curation.tasks.lapse_old_candidates")
def lapse_old_candidates() -> None:
    """Old candidates leave the queue."""
    operations.lapse_old(now=shared_clock.now())


@shared_task(name="curation.tasks.carry_blocks", ignore_result=True)
def carry_blocks() -> None:
    """Blocks whose time has come end; what was laid or lifted is carried to what waits."""
    operations.end_blocks(now=shared_clock.now())
    operations.carry_blocks(now=shared_clock.now())


@shared_task(name="curation.tasks.forget_old_keys")
def forget_old_keys() -> None:
    """Idempotency keys are kept seven days."""
    IdempotencyKey.objects.outlived(shared_clock.now()).delete()


@shared_task(name="curation.tasks.recheck_pending")
def recheck_pending() -> None:
    """Asks X about what waits, by age and budget, and whether what was gone is back."""
    close_killed(shared_clock.now())
    for one in waiting.rounds(shared_clock.now()):
        asked = vars(one) | {"since": one.since.isoformat()}
        recheck_tweets.apply_async(kwargs=asked, queue="ingest")


@shared_task(name="curation.tasks.recheck_tweets", ignore_result=True)
def recheck_tweets(*, market_id: int, tweet_ids: list[int], purpose: str, since: str) -> None:
    """Asks X about tweets that were not checked since, on a market's account."""
    market = Market.objects.filter(pk=market_id).first()
    if market is not None:
        recheck(tweet_ids, market=market, purpose=purpose, since=datetime.fromisoformat(since))


@shared_task(name="curation.tasks.batch_compliance")
def batch_compliance() -> None:
    """Has X go through all our posts once a day, where that is switched on."""
    if settings.X_BATCH_COMPLIANCE:
        compliance.advance(shared_clock.now())
