"""What a database needs that was brought back, before anything starts on it: it knows nothing of what was blocked,
revoked, erased and purged since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from curation import operations as curation
from curation.erasure_file import ErasureFile
from curation.models import Candidate
from feeds import closure, verifying
from feeds.models import Closure
from regions.ending import Ended, end_all


@dataclass(frozen=True)
class Aftermath:
    """`erasures`: None where the file ERASURE_LOG is missing or empty, as it never is from the first erasure on.
    `purged`: texts whose term was over."""

    ended: Ended
    erasures: curation.Replay | None
    purged: int


def make_safe(*, now: datetime) -> Aftermath:
    """Publishing is closed first, so that nothing that follows is published. Safe to repeat."""
    with transaction.atomic():
        close_anew(now)
        ended = end_all(now=now)
    file = ErasureFile(settings.ERASURE_LOG)
    replayed = curation.replay_erasures(file, now=now)
    purged = 0
    while further := curation.purge_old(now=now, spare=partial(verifying.needed, now)):
        purged += further
    return Aftermath(ended, replayed if file.size() else None, purged)


def close_anew(now: datetime) -> None:
    """From now, whatever stood before: what was approved while publishing was closed may have been blocked since too.
    Clocks may differ: no approval of the backup is later."""
    latest = Candidate.objects.approved().aggregate(at=Max("approved_at"))["at"]
    at = max(now, latest + timedelta(milliseconds=1)) if latest else now
    Closure.objects.standing().update(ended_at=now)
    closure.close(Closure.Why.RESTORED, now=at)
