"""What tests of feeds share."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from curation.models import Candidate
from feeds import files
from feeds.models import Place, Rendering
from feeds.operations import publish
from regions.models import Channel, Market
from tests.cast import channel_of, make_candidate

Body = dict[str, Any]
committed = pytest.mark.django_db(transaction=True, serialized_rollback=True)
"""For tests that need real commits: hooks, files, threads. The markets are put back for the next one."""


def at_the_edge(market: str, category: str | None = None, mode: str = "ids") -> Body:
    """What the file of a feed says."""
    return opened(files.read(files.path_of(Place(mode, market, category))))


def published(market: str, category: str | None = None, mode: str = "ids") -> Body:
    """What the database has of a feed, active or not."""
    rows = {place: (number, body) for place, number, body in Rendering.objects.bodies()}
    return opened(rows.get(Place(mode, market, category)))


def opened(found: tuple[int, bytes] | None) -> Body:
    assert found is not None
    body: Body = json.loads(gzip.decompress(found[1]))
    assert body["snapshot"] == found[0]
    return body


def ids(body: Body) -> list[str]:
    return [entry["id"] for entry in body["entries"]]


@pytest.fixture
def feed_root(settings: Any, plain_settings: None) -> Path:
    return Path(settings.FEED_ROOT)


@pytest.fixture
def politics() -> Channel:
    return channel_of("de", "politics")


@pytest.fixture
def de(politics: Channel) -> Market:
    return politics.market


def live(channel: Channel, text: str = "", **fields: Any) -> Candidate:
    return make_candidate(channel, text, state="approved", **fields)


def shown(market: Market, category: str | None = "politics", mode: str = "ids") -> list[str]:
    publish(market.pk)
    return ids(published(market.code, category, mode))


def id_of(candidate: Candidate) -> str:
    return str(candidate.tweet.current_id)


@contextmanager
def beside(call: Callable[[], Any]) -> Iterator[threading.Thread]:
    """Runs a call in a thread with its own connection."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(10)
    assert not thread.is_alive()


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_for_a_waiting_lock() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would stay as it was
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.02)
    raise AssertionError("nobody waits for a lock")
