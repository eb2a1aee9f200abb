"""What the tests of X's pitfalls read with: the real door, over a real socket."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from curation.ingest.polling.poll import poll
from curation.models import Cursor, IngestRun
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.wire import Includes, Post, read_post
from regions.models import Source
from tests.canned import Canned

ID = 2_000_000_000_000_000_000
TIMELINE, SEARCH = "/2/users/5001/tweets", "/2/tweets/search/recent"


def door_to(x: Canned | Simulator) -> Door:
    return Door(x.base_url, x.token, read_seconds=2)


def first_of(x: Canned) -> Post:
    """The first post of the timeline as we understand it."""
    found = door_to(x).timeline("5001")
    return read_post(found.raw[0], Includes(found.includes))


def read(source: Source, x: Canned | Simulator, at: datetime | None = None) -> IngestRun:
    """Reads a source as if it were due."""
    at = at or timezone.now()
    Cursor.objects.filter(pk=source.pk).update(due_at=at)
    run = poll(source.pk, now=at, ask=door_to(x))
    assert run is not None
    return run
