"""Jobs of feeds."""

from functools import partial

from celery import shared_task

from curation import operations as curation
from curation import shared_clock
from curation.models import Purpose
from curation.tasks import recheck_tweets
from feeds import verifying


@shared_task(name="feeds.tasks.recheck_live")
def recheck_live() -> None:
    """Asks X about what the feeds show, and soon will, and nobody asked about for ten minutes."""
    now = shared_clock.now()
    since = (now - verifying.CHECKED_EVERY).isoformat()
    for market_id, ids in verifying.due(now).items():
        asked = {"market_id": market_id, "tweet_ids": ids, "purpose": Purpose.RECHECK, "since": since}
        recheck_tweets.apply_async(kwargs=asked)


@shared_task(name="feeds.tasks.purge_old")
def purge_old() -> None:
    """Empties what no market needs any more; feeds say what they show."""
    now = shared_clock.now()
    curation.purge_old(now=now, spare=partial(verifying.needed, now))
