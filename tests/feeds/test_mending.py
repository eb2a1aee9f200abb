"""What the publisher does about files that do not fit the database: behind it, ahead of it, or of no feed."""

from __future__ import annotations

import gzip
import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from feeds import files
from feeds.models import Feed, Place, Rendering
from feeds.operations import mend_edge, publish
from regions.models import Category, Channel, Market
from tests.cast import channel_of, make_candidate
from tests.feeds.conftest import at_the_edge, beside, committed, live

DE = Place("ids", "de", "politics")


def stored(place: Place) -> tuple[int, bytes]:
    return {at: (number, body) for at, number, body in Rendering.objects.bodies()}[place]


def standing(feed_root: Path) -> list[str]:
    """The folders of the politics that stand at the edge, and of the markets."""
    found = [file.parent.relative_to(feed_root) for file in feed_root.glob("*/**/index.json.gz")]
    return sorted(str(folder) for folder in found if folder.name in ("politics", "polity") or len(folder.parts) == 2)


@committed
def test_it_writes_what_is_missing_or_older_and_nothing_else(feed_root: Path) -> None:
    channel = channel_of("de", "politics")
    publish(channel.market_id)
    first = files.path_of(DE).read_bytes()
    make_candidate(channel, state="approved")
    publish(channel.market_id)
    second = files.path_of(DE).read_bytes()
    assert files.mend() == 0
    files.path_of(DE).write_bytes(first)
    os.utime(files.path_of(DE), (files.EPOCH + 1, files.EPOCH + 1))
    files.path_of(Place("full", "de", None)).unlink()
    assert files.mend() == 2
    assert files.path_of(DE).read_bytes() == second
    assert files.read(files.path_of(Place("full", "de", None))) == stored(Place("full", "de", None))


@committed
def test_the_edge_gets_the_catalogue_and_the_problems_once(feed_root: Path) -> None:
    for market in Market.objects.all():
        publish(market.pk)
    assert mend_edge() == 4 + 2 * 25, "the list, three problems, and two documents for readers beside each feed"
    assert mend_edge() == 0
    feeds = json.loads(text(feed_root / "ids/index.json.gz"))["feeds"]
    assert [feed["url"].rpartition("/feeds/")[2] for feed in feeds[:3]] == ["de/", "de/politics/", "de/economy/"]
    assert len(feeds) == 25
    assert json.loads(text(feed_root / "problems/403.json.gz"))["code"] == "unknown_key"
    assert json.loads(text(feed_root / "problems/404.json.gz"))["code"] == "not_found"


def text(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


@committed
def test_the_catalogue_is_read_and_written_by_one_at_a_time(feed_root: Path) -> None:
    publish(Market.objects.get(code="de").pk)
    with ExitStack() as held:
        held.enter_context(files.locked(files.COMMON))
        with beside(mend_edge) as other:
            other.join(0.5)
            assert other.is_alive()
            assert not (feed_root / "ids/index.json.gz").exists()
            publish(Market.objects.get(code="nl").pk)
            held.close()
    assert len(json.loads(text(feed_root / "ids/index.json.gz"))["feeds"]) == 10


@committed
def test_a_slug_that_changed_leaves_no_file_behind(feed_root: Path, politics: Channel) -> None:
    """A post that is blocked later could else be read there for ever."""
    live(politics)
    publish(politics.market_id)
    Category.objects.filter(slug="politics").update(slug="polity")
    assert mend_edge() > 0
    assert standing(feed_root) == ["full/de", "full/de/polity", "ids/de", "ids/de/polity"]
    assert not (feed_root / "ids/de/politics").exists()
    assert mend_edge() == 0


@committed
@pytest.mark.parametrize("number", [1, 0])
def test_files_that_are_ahead_of_the_database_are_left_alone(number: int, politics: Channel) -> None:
    """As after a backup was restored, or with an empty database: readers never go back."""
    live(politics)
    publish(politics.market_id)
    live(politics)
    publish(politics.market_id)
    before = at_the_edge("de", "politics")
    Rendering.objects.all().delete()
    Feed.objects.update(number=number)
    assert mend_edge() == 0
    assert at_the_edge("de", "politics") == before
    assert before["snapshot"] == 2


@committed
def test_a_market_with_a_new_code_leaves_no_file_behind(feed_root: Path, de: Market) -> None:
    publish(de.pk)
    Market.objects.filter(pk=de.pk).update(code="dd")
    mend_edge()
    assert standing(feed_root) == ["full/dd", "full/dd/politics", "ids/dd", "ids/dd/politics"]
    assert not (feed_root / "ids/de").exists()


@committed
@pytest.mark.parametrize("again", [False, True])
def test_an_inactive_channel_has_no_file(again: bool, feed_root: Path, de: Market, politics: Channel) -> None:
    live(politics)
    publish(de.pk)
    Channel.objects.filter(pk=politics.pk).update(active=False)
    if again:
        publish(de.pk)
    mend_edge()
    assert standing(feed_root) == ["full/de", "ids/de"]
    assert mend_edge() == 0
    Channel.objects.filter(pk=politics.pk).update(active=True)
    mend_edge()
    assert files.read(files.path_of(DE)) == stored(DE)


@committed
def test_the_publication_of_an_inactive_channel_writes_no_file(feed_root: Path, de: Market, politics: Channel) -> None:
    Channel.objects.filter(pk=politics.pk).update(active=False)
    publish(de.pk)
    assert standing(feed_root) == ["full/de", "ids/de"]


@committed
def test_an_inactive_market_has_no_file(feed_root: Path, de: Market) -> None:
    publish(de.pk)
    publish(Market.objects.get(code="nl").pk)
    Market.objects.filter(pk=de.pk).update(active=False)
    mend_edge()
    assert standing(feed_root) == ["full/nl", "full/nl/politics", "ids/nl", "ids/nl/politics"]


@committed
def test_what_is_taken_away_is_decided_under_the_lock(feed_root: Path, de: Market, politics: Channel) -> None:
    publish(de.pk)
    Channel.objects.filter(pk=politics.pk).update(active=False)
    with ExitStack() as held:
        held.enter_context(files.locked("de"))
        with beside(files.mend) as other:
            other.join(0.5)
            assert files.path_of(DE).exists()
            Channel.objects.filter(pk=politics.pk).update(active=True)
            held.close()
    assert files.read(files.path_of(DE)) == stored(DE)
