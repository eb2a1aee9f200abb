"""What tests of feeds share."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feeds import files
from feeds.models import Place

Body = dict[str, Any]


def at_the_edge(market: str, category: str | None = None, mode: str = "ids") -> Body:
    """What the file of a feed says."""
    found = files.read(files.path_of(Place(mode, market, category)))
    assert found is not None
    body: Body = json.loads(gzip.decompress(found[1]))
    assert body["snapshot"] == found[0]
    return body


def ids(body: Body) -> list[str]:
    return [entry["id"] for entry in body["entries"]]


@pytest.fixture
def edge() -> Callable[..., Body]:
    """Reads a feed's file: edge("de", "politics", "full")."""
    return at_the_edge


@pytest.fixture
def feed_root(settings: Any, plain_settings: None) -> Path:
    return Path(settings.FEED_ROOT)
