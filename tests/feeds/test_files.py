"""The folder that the edge serves: whole files, never older ones, links that agree with the consumers."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from feeds import files
from feeds.models import Consumer, Mode, Place
from feeds.operations import mend_edge, open_consumer, publish, revoke
from regions.models import Market
from tests.cast import channel_of, make_candidate
from tests.feeds.conftest import at_the_edge, beside, committed

DE = Place("ids", "de", "politics")


def test_the_mtime_tells_the_number(feed_root: Path) -> None:
    file = feed_root / "ids/de/index.json.gz"
    assert files.number_of(file) == -1
    assert files.put(file, 7, b"seven")
    assert (file.stat().st_mtime_ns, files.number_of(file)) == (1_000_000_007 * 10**9, 7)
    assert files.read(file) == (7, b"seven")


@pytest.mark.parametrize("number", [6, 7])
def test_what_is_not_newer_replaces_nothing(number: int, feed_root: Path) -> None:
    file = feed_root / "ids/de/index.json.gz"
    files.put(file, 7, b"seven")
    assert not files.put(file, number, b"other")
    assert file.read_bytes() == b"seven"


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow over `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file_and_nothing_else(feed_root: Path) -> None:
    file = feed_root / "ids/de/index.json.gz"
    files.put(file, 7, b"seven")
    with full_disk(1000), pytest.raises(OSError, match="too large"):
        files.put(file, 8, b"8" * 5000)
    assert files.read(file) == (7, b"seven")
    assert os.listdir(file.parent) == ["index.json.gz"]


@committed
def test_one_file_that_fails_keeps_no_other_back(feed_root: Path) -> None:
    market = Market.objects.get(code="de")
    (feed_root / "full").mkdir(parents=True)
    (feed_root / "full/de").write_text("in the way")
    with pytest.raises(OSError):
        publish(market.pk)
    assert at_the_edge("de", "politics")["snapshot"] == 1
    (feed_root / "full/de").unlink()
    mend_edge()
    assert at_the_edge("de", "politics", "full")["snapshot"] == 1


@committed
def test_a_key_is_a_link_to_the_mode_of_its_consumer(feed_root: Path) -> None:
    whole, short = open_consumer("Widget", by=None), open_consumer("Partner", Mode.IDS, by=None)
    publish(Market.objects.get(code="de").pk)
    assert sorted(path.name for path in files.folder_of(whole.key).iterdir()) == ["de", "gr", "hr", "nl", "ro"]
    assert (files.folder_of(whole.key) / "de").readlink() == Path("../../full/de")
    assert (files.folder_of(short.key) / "de").readlink() == Path("../../ids/de")
    through = files.folder_of(whole.key) / "de/politics/index.json.gz"
    assert through.read_bytes() == files.path_of(Place("full", "de", "politics")).read_bytes()


@committed
def test_revoking_unlinks_the_key_and_keeps_the_files(feed_root: Path) -> None:
    publish(Market.objects.get(code="de").pk)
    consumer = open_consumer("Widget", by=None)
    revoke(consumer, by=None)
    assert consumer.revoked_at is not None
    assert list((feed_root / "consumers").iterdir()) == []
    assert files.path_of(Place("full", "de", "politics")).exists()


@committed
def test_links_are_mended(feed_root: Path) -> None:
    consumer = open_consumer("Widget", by=None)
    (files.folder_of(consumer.key) / "de").unlink()
    (feed_root / "consumers" / ("f" * 32)).mkdir()
    Consumer.objects.update(mode=Mode.IDS)
    Market.objects.filter(code="nl").update(active=False)
    files.link_consumers()
    links = {path.name: str(path.readlink()) for path in files.folder_of(consumer.key).iterdir()}
    assert links == {code: f"../../ids/{code}" for code in ("de", "gr", "ro", "hr")}
    assert [path.name for path in (feed_root / "consumers").iterdir()] == [consumer.key]


@committed
def test_what_is_published_while_one_looks_is_not_ahead(feed_root: Path) -> None:
    politics = channel_of("de", "politics")
    publish(politics.market_id)

    def publishing(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        """Right after the numbers were read."""
        answer = execute(sql, params, many, context)
        if '"feeds_feed"."number"' in sql and not politics.candidate_set.exists():
            with beside(lambda: (make_candidate(politics, "Neu", state="approved"), publish(politics.market_id))):
                pass
        return answer

    with connection.execute_wrapper(publishing):
        assert files.ahead() == set()
    assert at_the_edge("de", "politics")["snapshot"] == 2, "it was published meanwhile"
