"""What the stream brings becomes tweets and candidates, by the same rules as what is asked for.

A batch is stored source by source, each in a transaction of its own: one for all would take locks of tweets behind
those of candidates. The cursor moves only when the whole batch is stored (curation.ingest.polling.gaps).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from curation import events
from curation.ingest.polling import gaps
from curation.ingest.polling.reading import Reader, Reading
from curation.ingest.polling.runs import set_aside
from curation.ingest.storing.aside import Aside, put_aside
from curation.ingest.storing.store import store
from curation.ingest.streaming.rules import Listened
from curation.models import Cursor, IngestRun, Tweet
from curation.operations.errors import Busy
from curation.operations.record import one_transaction
from curation.x.client import Door, Page
from curation.x.lines import Delivery, shown
from curation.x.outcomes import Unreachable
from curation.x.wire import Unreadable, instant_of_id, read_id
from regions.models import Market

log = structlog.get_logger(__name__)
PATIENCE = 3  # times that a batch is tried when others are at the same rows
MOST_BROKEN = 20  # lines of a batch that are kept; the rest are only counted


@dataclass
class Batch:
    """Posts by source, and what could not be read."""

    pages: dict[int, list[Page]] = field(default_factory=dict)
    sources: dict[int, Listened] = field(default_factory=dict)
    broken: list[Aside] = field(default_factory=list)

    def add(self, delivery: Delivery, matched: Iterable[Listened]) -> None:
        page = Page(raw=[delivery.payload], includes=delivery.includes)
        for one in matched:
            self.sources[one.source.pk] = one
            self.pages.setdefault(one.source.pk, []).append(page)

    def made(self) -> Iterator[datetime]:
        """When the posts were made, by their ids: X sends what was made before them before them, but for late ones."""
        for page in (page for pages in self.pages.values() for page in pages):
            with suppress(Unreadable, AttributeError):
                yield instant_of_id(read_id(page.raw[0].get("id")))

    def set_aside(self, reason: str, line: bytes) -> None:
        self.broken.append(put_aside(reason, shown(line) if len(self.broken) < MOST_BROKEN else ""))


def forget_gone(reading: Reading) -> int:
    """The stream tells of a post when it is made: of one that is known to be gone since it tells nothing. Whether it
    is back, a recheck finds out. Returns how many."""
    gone = Tweet.objects.filter(first_id__in=reading.posts).exclude(gone_at=None).values_list("first_id", flat=True)
    return len([reading.posts.pop(first) for first in gone])


class Mute(Door):
    """A door that asks nobody: what a Reader would look up there is left open."""

    def __init__(self) -> None:
        """It has no address."""

    def tweets(self, ids: Sequence[int | str]) -> Page:
        raise Unreachable("X is not asked from within the stream.")

    def users(self, *, ids: Sequence[int | str] = (), usernames: Sequence[str] = ()) -> Page:
        raise Unreachable("X is not asked from within the stream.")


class Keeper:
    """Stores batches; one run a source and minute, and one a connection for what no source is at fault of."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead
        self.runs: dict[int, IngestRun] = {}

    def keep(self, batch: Batch, connection_run: IngestRun | None, now: datetime) -> None:
        """Everything of the batch, or an error: then nothing may be said to be stored."""
        for pk, pages in batch.pages.items():
            self._keep(batch.sources[pk], pages, now)
        if batch.broken and connection_run:
            self._quarantine(batch.broken, connection_run, now)

    def charge(self, market_id: int, posts: int) -> None:
        """What a settled block cost stands in the market's newest run of the stream."""
        runs = [run for run in self.runs.values() if run.market_id == market_id]
        if posts and runs:
            newest = max(runs, key=lambda run: run.started_at)
            IngestRun.objects.filter(pk=newest.pk).update(charged=F("charged") + posts)

    def _keep(self, one: Listened, pages: list[Page], now: datetime) -> None:
        """What X would have to be asked about is left to search: whoever waits for X here, hears nothing."""
        reader = Reader(one.source, Cursor(), Mute(), now)
        reading = reader.delivered(pages)
        if reader.later:
            log.info("stream_posts_left_to_search", source=str(one.source), count=len(reader.later))
            since = instant_of_id(min(reader.later)) - timedelta(milliseconds=1)
            gaps.open_gaps([one.source.pk], now, self.ahead, heard_at=since)
        reading.missing += forget_gone(reading)
        for tries_left in reversed(range(PATIENCE)):
            try:
                self._store(one, reading, now)
                return
            except Busy:
                if not tries_left:
                    raise

    @one_transaction()
    def _store(self, one: Listened, reading: Reading, now: datetime) -> None:
        stored, arrived = store(reading, one.source, one.channels, now)
        run = self._run_of(one.source.pk, one.market, now)
        told = {
            "read": reading.read,
            "missing": reading.missing,
            "quarantined": len(reading.broken),
            "fresh": stored.fresh,
            "known": stored.known,
            "edited": len(stored.edited),
            "withdrawn": stored.followed.withdrawn,
            "restored": stored.followed.restored,
            "candidates": arrived.candidates,
            "blocked": arrived.blocked,
            "held": arrived.held,
        }
        counts = {name: F(name) + count for name, count in told.items() if count}
        IngestRun.objects.filter(pk=run.pk).update(ended_at=max(now, run.started_at), **counts)
        set_aside(run, reading.broken, now)
        events.arrived(arrived.channels)

    def _run_of(self, source_id: int, market: Market, now: datetime) -> IngestRun:
        """This minute's run; it is never open, so that a killed process leaves none behind."""
        run = self.runs.get(source_id)
        fresh = run is not None and run.started_at.replace(second=0, microsecond=0) == now.replace(
            second=0, microsecond=0
        )
        found = IngestRun.objects.filter(pk=run.pk).first() if run and fresh else None
        if found is None:
            told = {"kind": IngestRun.Kind.STREAM, "outcome": IngestRun.Outcome.READ}
            found = IngestRun.objects.create(source_id=source_id, market=market, started_at=now, ended_at=now, **told)
        self.runs[source_id] = found
        return found

    @one_transaction()
    def _quarantine(self, broken: list[Aside], run: IngestRun, now: datetime) -> None:
        set_aside(run, broken[:MOST_BROKEN], now)
        IngestRun.objects.filter(pk=run.pk).update(quarantined=F("quarantined") + len(broken))
        log.info("stream_lines_set_aside", count=len(broken), reason=broken[0].reason)
