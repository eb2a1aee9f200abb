"""Since when a post stands in its feed without a break, as the desk's live column tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Candidate
from feeds import closure, reopening
from feeds.holding import BLANK, CURRENT, hold, release
from feeds.live import board
from feeds.models import Closure, Feed, Snapshot
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import channel_of, make_candidate, make_user
from tests.feeds.conftest import committed, live

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def began() -> datetime:
    return timezone.now() - timedelta(minutes=30)


@pytest.fixture
def lena() -> User:
    return make_user("lena", {"de": Role.LEAD})


def since(channel: Channel, now: datetime, *, market: bool = False) -> dict[int, datetime | None]:
    """What the live column of a channel, or of its market, says of each of its lines."""
    told = board(channel.market, None if market else channel, now)
    return {line.candidate.pk: line.since for line in told.lines}


def short(channel: Channel) -> Channel:
    """With room for one post."""
    channel.feed_length, channel.minimum_fill = 1, 0
    channel.save()
    return channel


def test_what_stays_keeps_its_time(de: Market, politics: Channel, began: datetime) -> None:
    first = live(politics, "a", approved_at=began)
    publish(de.pk, now=began)
    second = live(politics, "b", approved_at=began + MINUTE)
    publish(de.pk, now=began + 2 * MINUTE)
    told = {first.pk: began, second.pk: began + 2 * MINUTE}
    assert since(politics, began + 3 * MINUTE) == told
    assert since(politics, began + 3 * MINUTE, market=True) == told


def test_displaced_and_back_it_begins_anew(
    de: Market, politics: Channel, lena: User, anna: User, began: datetime
) -> None:
    short(politics)
    old, new = live(politics, "a", approved_at=began - MINUTE), make_candidate(politics, "b")
    publish(de.pk, now=began)
    operations.decide("approve", new, by=anna, version=1, now=began)
    publish(de.pk, now=began + MINUTE)
    assert since(politics, began + MINUTE) == {new.pk: began + MINUTE}
    operations.decide("block", new, by=lena, version=2, now=began + 2 * MINUTE)
    publish(de.pk, now=began + 2 * MINUTE)
    assert since(politics, began + 3 * MINUTE) == {old.pk: began + 2 * MINUTE}
    assert since(politics, began + 3 * MINUTE, market=True) == {old.pk: began + 2 * MINUTE}


def test_lapsed_and_returned_it_begins_anew(de: Market, politics: Channel, began: datetime) -> None:
    end = began + MINUTE
    post = live(politics, "a", approved_at=began - MINUTE, expire_at=end)
    publish(de.pk, now=began)
    publish(de.pk, now=end)
    Candidate.objects.filter(pk=post.pk).update(expire_at=None)
    publish(de.pk, now=end + MINUTE)
    assert since(politics, end + MINUTE) == {post.pk: end + MINUTE}


def test_the_market_shows_a_post_on_when_another_of_its_channels_has_it(
    de: Market, politics: Channel, lena: User, began: datetime
) -> None:
    """Who reads the market's feed has it all the time."""
    one = live(politics, "a", approved_at=began - 2 * MINUTE)
    other = live(channel_of("de", "sport"), tweet=one.tweet, approved_at=began - MINUTE)
    publish(de.pk, now=began)
    shown = next(iter(since(politics, began, market=True)))
    gone, left = (one, other) if shown == one.pk else (other, one)
    operations.decide("block", gone, by=lena, version=1, now=began + MINUTE)
    publish(de.pk, now=began + MINUTE)
    assert since(politics, began + MINUTE, market=True) == {left.pk: began}


def test_frozen_it_keeps_its_time_and_blank_it_loses_it(
    de: Market, politics: Channel, lena: User, began: datetime
) -> None:
    post = live(politics, "a", approved_at=began)
    publish(de.pk, now=began)
    hold(de, politics, CURRENT, reason="Wahl", by=lena, now=began + MINUTE)
    late = live(politics, "b", approved_at=began + MINUTE)
    publish(de.pk, now=began + MINUTE)
    assert since(politics, began + MINUTE) == {post.pk: began}
    release(de, politics, by=lena, now=began + 2 * MINUTE)
    publish(de.pk, now=began + 2 * MINUTE)
    assert since(politics, began + 2 * MINUTE) == {late.pk: began + 2 * MINUTE, post.pk: began}
    hold(de, politics, BLANK, reason="Wahl", by=lena, now=began + 3 * MINUTE)
    publish(de.pk, now=began + 3 * MINUTE)
    release(de, politics, by=lena, now=began + 4 * MINUTE)
    publish(de.pk, now=began + 4 * MINUTE)
    assert set(since(politics, began + 4 * MINUTE).values()) == {began + 4 * MINUTE}


def test_set_back_only_what_enters_begins_anew(de: Market, politics: Channel, lena: User, began: datetime) -> None:
    ends, stays = live(politics, "a", approved_at=began), live(politics, "b", approved_at=began)
    publish(de.pk, now=began)
    number = Feed.objects.get(channel=politics).number
    Candidate.objects.filter(pk=ends.pk).update(expire_at=began + MINUTE)
    publish(de.pk, now=began + 2 * MINUTE)
    assert since(politics, began + 2 * MINUTE) == {stays.pk: began}
    hold(de, politics, number, reason="Wahl", by=lena, now=began + 3 * MINUTE)
    publish(de.pk, now=began + 3 * MINUTE)
    assert since(politics, began + 3 * MINUTE) == {stays.pk: began, ends.pk: began + 3 * MINUTE}


@committed
def test_after_a_reopening_all_begin_anew(politics: Channel, feed_root: Path, began: datetime) -> None:
    """What stood between the backup and its return, no snapshot tells."""
    post = live(politics, "a", approved_at=began)
    publish(politics.market_id, now=began)
    closure.close(Closure.Why.RESTORED, now=began + MINUTE)
    planned = reopening.plan()
    assert planned
    reopening.reopen(planned, now=began + 2 * MINUTE)
    publish(politics.market_id, now=began + 3 * MINUTE)
    assert since(politics, began + 3 * MINUTE) == {post.pk: began + 3 * MINUTE}


def untold(feed: Feed, at: datetime) -> None:
    """The newest snapshot once more, as it was kept before its entries told since when they stand."""
    last = feed.snapshot_set.get(number=feed.number)
    entries = [{name: told for name, told in entry.items() if name != "since"} for entry in last.entries]
    kept = {"revision": last.revision, "removed": last.removed, "checksum": last.checksum}
    Snapshot.objects.create(feed=feed, number=feed.number + 1, at=at, entries=entries, **kept)
    Feed.objects.filter(pk=feed.pk).update(number=feed.number + 1)


def test_snapshots_of_earlier_versions_tell_the_first_since_the_approval(
    de: Market, politics: Channel, anna: User, lena: User, began: datetime
) -> None:
    kept, back = make_candidate(politics, "a"), make_candidate(politics, "b")
    for one in (kept, back):
        operations.decide("approve", one, by=anna, version=1, now=began)
    publish(de.pk, now=began)
    blocked = operations.decide("block", back, by=lena, version=2, now=began + MINUTE)
    publish(de.pk, now=began + MINUTE)
    operations.undo(blocked.act, by=lena, now=began + 2 * MINUTE)
    publish(de.pk, now=began + 2 * MINUTE)
    untold(Feed.objects.get(channel=politics), began + 3 * MINUTE)
    told = {kept.pk: began, back.pk: began + 2 * MINUTE}
    assert since(politics, began + 3 * MINUTE) == told
    late = live(politics, "c", approved_at=began + 4 * MINUTE)
    publish(de.pk, now=began + 4 * MINUTE)
    assert since(politics, began + 4 * MINUTE) == told | {late.pk: began + 4 * MINUTE}
    assert all("since" in entry for entry in Feed.objects.get(channel=politics).snapshot_set.latest("number").entries)
