"""nginx over a folder of feeds, once for each file of tests; each test fills the folder anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feeds.operations import mend_edge, publish
from regions.models import Channel, Market
from tests.cast import channel_of, make_candidate
from tests.edge.nginx import Edge, NoNginx, installed, nginx


@pytest.fixture(scope="session")
def nginx_here() -> None:
    try:
        installed()
    except NoNginx as why:
        pytest.skip(f"the edge is not tried: {why}")


@pytest.fixture(scope="module")
def feeds_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture(scope="module")
def edge(nginx_here: None, feeds_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with nginx(tmp_path_factory.mktemp("nginx"), feeds_folder) as running:
        yield running


@pytest.fixture
def feed_root(feeds_folder: Path, settings: Any, plain_settings: None) -> Path:
    """The folder that nginx serves, empty."""
    for one in feeds_folder.iterdir():
        shutil.rmtree(one)
    settings.FEED_ROOT = feeds_folder
    return feeds_folder


@pytest.fixture
def politics(db: None, feed_root: Path) -> Channel:
    """Live posts in DE and NL, all at the edge."""
    channel = channel_of("de", "politics")
    make_candidate(channel, "Die Brücke steht", state="approved", context="Baubeginn im Mai")
    make_candidate(channel_of("nl", "sport"), "De brug staat", state="approved")
    for market in Market.objects.filter(code__in=["de", "nl"]):
        publish(market.pk)
    mend_edge()
    return channel
