"""Batch compliance, an option: X goes through a list of all our posts and tells which of them are gone.

What it tells has the same outcome as a recheck. Results (X_API, section "Shapes"): JSON lines, affected ids only,
{"id", "action": "delete", "reason": "deleted" | "protected" | "suspended" | "deactivated" | "scrub_geo" | "bounced"}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

import structlog
from django.conf import settings

from curation import operations
from curation.ingest import pauses
from curation.ingest.polling.runs import Crowded, say
from curation.ingest.rechecking.rechecks import outcome_of
from curation.ingest.storing.aside import Aside, put_aside, rows_of
from curation.models import ComplianceJob, IngestRun, Pause, Quarantined, Tweet
from curation.operations.record import one_transaction
from curation.x.client import Page, door
from curation.x.compliance import Storage
from curation.x.outcomes import Failure, Unreachable
from curation.x.wire import Unreadable, read_id

log = structlog.get_logger(__name__)
MOST_IDS = 1_000_000  # of our newest posts
BATCH = 500
MOST_ASIDE = 100
EVERY = timedelta(hours=24)
KEPT_BY_X = timedelta(days=7)
CAUSES = {
    "deleted": Tweet.Gone.DELETED,
    "deactivated": Tweet.Gone.DELETED,
    "bounced": Tweet.Gone.DELETED,
    "protected": Tweet.Gone.PROTECTED,
    "suspended": Tweet.Gone.SUSPENDED,
}
NO_MATTER = {"scrub_geo"}  # places are neither asked for nor kept
UNDER_WAY = {"created", "in_progress"}
Outcome = IngestRun.Outcome


class Asks(Protocol):
    """The part of the door that compliance needs."""

    def begin_compliance_job(self, name: str) -> Page: ...

    def compliance_job(self, number: int) -> Page: ...


def storage() -> Storage:
    """The storage hosts of the settings."""
    return Storage(settings.X_COMPLIANCE_HOSTS)


def advance(now: datetime) -> None:
    """Takes up the result of what was handed in; else hands in a list once a day. Raises nothing for what X does.

    In a pause of everyone nothing is asked: the one try of a quarter of an hour is for those who read posts."""
    if Pause.objects.filter(market=None, ended_at=None).exists():
        return
    kept_by_x = ComplianceJob.objects.filter(ended_at=None, created_at__gt=now - KEPT_BY_X)
    waiting = kept_by_x.order_by("created_at").first()
    if waiting:
        collect(waiting, now)
    elif not ComplianceJob.objects.filter(created_at__gt=now - EVERY).exists():
        hand_in(now)


def hand_in(now: datetime, *, ask: Asks | None = None, store: Storage | None = None) -> ComplianceJob | None:
    """Gives X the list of our posts; None, and a run that says why, where that failed."""
    ids = list(there().order_by("-first_id").values_list("current_id", flat=True)[:MOST_IDS])
    if not ids:
        return None
    try:
        job = job_of((ask or door()).begin_compliance_job(f"tickerdesk {now:%Y-%m-%d %H:%M}"))
        (store or storage()).put(job.get("upload_url"), ids)
        return ComplianceJob.objects.create(x_id=read_id(job.get("id")), asked=len(ids), created_at=now)
    except (Failure, Unreadable) as trouble:
        run = IngestRun.objects.create(kind=IngestRun.Kind.COMPLIANCE, started_at=now)
        _end(run, trouble if isinstance(trouble, Failure) else Unreachable("X's job has no id."), now)
    return None


def collect(
    job: ComplianceJob, now: datetime, *, ask: Asks | None = None, store: Storage | None = None
) -> IngestRun | None:
    """Takes up the result of a job and follows it; None while X is at it. What failed is tried again."""
    run = IngestRun(kind=IngestRun.Kind.COMPLIANCE, started_at=now)
    failure: Failure | None = None
    try:
        told = job_of((ask or door()).compliance_job(job.x_id))
        if told.get("status") in UNDER_WAY:
            return None
        run.save()
        if told.get("status") == "complete":
            Collecting(run, now, job.created_at).follow((store or storage()).lines(told.get("download_url")))
        else:
            failure = Unreachable("X gave the compliance job up.")
        ComplianceJob.objects.filter(pk=job.pk).update(ended_at=now, run=run)
    except Failure as trouble:
        failure = trouble
    except operations.Busy:
        failure = Crowded()
    _end(run, failure, now)
    return run


def there() -> Any:
    """Posts whose text we hold, and which X showed so far."""
    return Tweet.objects.filter(gone_at=None, purged_at=None)


def job_of(page: Page) -> dict[str, Any]:
    """The one job of an answer; without one X does not know it, which is like having given it up."""
    return page.raw[0] if page.raw and isinstance(page.raw[0], dict) else {}


class Collecting:
    """One result being followed, in batches. `since`: when X was given the list; what was checked later is newer."""

    def __init__(self, run: IngestRun, now: datetime, since: datetime) -> None:
        self.run, self.now, self.since = run, now, since
        self.aside: list[Aside] = []

    def follow(self, lines: Iterator[bytes]) -> None:
        for batch in in_batches(self._read(lines), BATCH):
            self._withdraw(dict(batch))
        Quarantined.objects.bulk_create(rows_of(self.run, self.aside, self.now))
        self.run.quarantined = len(self.aside)

    @one_transaction()
    def _withdraw(self, causes: dict[int, str]) -> None:
        rows = there().filter(current_id__in=causes, checked_at__lt=self.since)
        found = dict(rows.order_by("first_id").select_for_update(of=("self",)).values_list("pk", "current_id"))
        gone = {pk: causes[number] for pk, number in found.items()}
        self.run.withdrawn += operations.obey((), gone=gone, now=self.now).withdrawn

    def _read(self, lines: Iterator[bytes]) -> Iterator[tuple[int, str]]:
        """Id and cause of each line that means a withdrawal; what cannot be read is set aside."""
        for line in lines:
            if not line.strip():
                continue
            self.run.read += 1
            try:
                told = json.loads(line)
                if not isinstance(told, dict) or told.get("action") != "delete":
                    raise Unreadable("it does not say delete")
                number, reason = read_id(told.get("id")), told.get("reason")
                if reason in CAUSES:
                    yield number, CAUSES[reason]
                elif reason not in NO_MATTER:
                    raise Unreadable("its reason is not known")
            except (ValueError, RecursionError) as wrong:
                reason = wrong.reason if isinstance(wrong, Unreadable) else "it is no JSON"
                if len(self.aside) < MOST_ASIDE:
                    self.aside.append(put_aside(reason, line.decode(errors="replace")))


def in_batches(pairs: Iterator[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    while batch := list(islice(pairs, size)):
        yield batch


def _end(run: IngestRun, failure: Failure | None, now: datetime) -> None:
    run.outcome, run.error, run.ended_at = outcome_of(failure), str(failure or ""), now
    run.save()
    if failure:  # a success cost no posts: it does not tell whether X lets us read some
        pauses.take_note(failure, None, began=now, now=now)
    say(run)
