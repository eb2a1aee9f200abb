"""What tests of feeds share."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from feeds import files
from feeds.models import Place, Rendering

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
