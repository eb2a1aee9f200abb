"""Holding and releasing feeds: freeze, restore, blank; of a channel and of a market."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from curation.models import Candidate
from feeds.holding import BLANK, CURRENT, BadHold, NoSuchSnapshot, NotHeld, NothingPublished, hold, release
from feeds.models import Feed
from feeds.operations import publish
from regions.models import Change, Channel, Market, Role, User
from tests.cast import channel_of, make_block, make_user
from tests.feeds.conftest import id_of, ids, live, published, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def lena() -> User:
    return make_user("lena", {"de": Role.LEAD})


def numbers(market: Market) -> dict[str, int]:
    return {feed.path: feed.number for feed in Feed.objects.filter(market=market)}


def test_a_frozen_channel_stands_still_until_it_is_released(de: Market, politics: Channel, lena: User) -> None:
    first = live(politics, "a")
    publish(de.pk)
    hold(de, politics, CURRENT, reason="Wahl", by=lena)
    second = live(politics, "b", approved_at=timezone.now())
    assert (shown(de), shown(de, None)) == ([id_of(first)], [id_of(first)])
    release(de, politics, by=lena)
    assert shown(de) == [id_of(second), id_of(first)]


def test_a_frozen_market_stands_still_with_its_channels(de: Market, politics: Channel, lena: User) -> None:
    first = live(politics, "a")
    publish(de.pk)
    hold(de, None, CURRENT, reason="Wahl", by=lena)
    live(politics, "b")
    live(channel_of("de", "sport"), "c")
    assert [shown(de, category) for category in (None, "politics", "sport")] == [[id_of(first)], [id_of(first)], []]
    release(de, None, by=lena)
    assert (len(shown(de, None)), len(shown(de)), len(shown(de, "sport"))) == (3, 2, 1)


def test_a_market_is_brought_back_to_a_moment(de: Market, politics: Channel, lena: User) -> None:
    sport, began = channel_of("de", "sport"), timezone.now()
    early = live(politics, "a", approved_at=began - timedelta(minutes=9))
    publish(de.pk, now=began)
    then = numbers(de)["de/"]
    late = [live(channel, "b", approved_at=began) for channel in (politics, sport)]
    publish(de.pk, now=began + timedelta(minutes=1))
    hold(de, None, then, reason="Zurück", by=lena)
    assert [shown(de, category) for category in (None, "politics", "sport")] == [[id_of(early)], [id_of(early)], []]
    assert {id_of(one) for one in late}.isdisjoint(shown(de, None))


def test_a_channel_held_for_itself_stays_so_in_and_after_a_hold_of_its_market(
    de: Market, politics: Channel, lena: User
) -> None:
    live(politics, "a")
    other = live(channel_of("de", "sport"), "b")
    publish(de.pk)
    hold(de, politics, BLANK, reason="Recht", by=lena)
    held = hold(de, None, numbers(de)["de/"], reason="Wahl", by=lena)
    assert "de/politics/" not in {feed.path for feed in held}
    assert (shown(de), shown(de, None)) == ([], [id_of(other)])
    release(de, None, by=lena)
    assert (shown(de), shown(de, None)) == ([], [id_of(other)])
    assert Feed.objects.get(channel=politics).held_reason == "Recht"


def test_a_hold_ends_by_itself(de: Market, politics: Channel, lena: User) -> None:
    first, now = live(politics, "a"), timezone.now()
    publish(de.pk)
    hold(de, politics, BLANK, reason="Wahl", by=lena, until=now + timedelta(minutes=5), now=now)
    assert shown(de) == []
    publish(de.pk, now=now + timedelta(minutes=5))
    assert ids(published("de", "politics")) == [id_of(first)]


def test_who_why_and_until_when_are_told_and_logged(de: Market, politics: Channel, lena: User) -> None:
    live(politics, "a")
    publish(de.pk)
    number, now = numbers(de)["de/politics/"], timezone.now()
    hold(de, politics, CURRENT, reason=" Wahl ", by=lena, until=now + timedelta(hours=1), now=now)
    feed = Feed.objects.get(channel=politics)
    told = (feed.hold, feed.held_by, feed.held_since, feed.held_until, feed.held_reason, feed.with_market)
    assert told == ("snapshot", lena, now, now + timedelta(hours=1), "Wahl", False)
    release(de, politics, by=lena)
    logged = Change.objects.filter(noun="feed").order_by("pk").values_list("verb", "by", "before", "after")
    state = {"feed": "de/politics/", "hold": "snapshot", "snapshot": number, "reason": "Wahl"}
    state |= {"until": (now + timedelta(hours=1)).isoformat()}
    assert list(logged) == [("hold", lena.pk, {}, state), ("release", lena.pk, state, {"feed": "de/politics/"})]


@pytest.mark.parametrize(
    ("at", "wish", "refusal", "field"),
    [
        (CURRENT, {"reason": " "}, BadHold, "reason"),
        (CURRENT, {"reason": "x" * 201}, BadHold, "reason"),
        (CURRENT, {"reason": "a\nb"}, BadHold, "reason"),
        (CURRENT, {"reason": "a\u202eb"}, BadHold, "reason"),
        (CURRENT, {"until": timezone.now() - timedelta(seconds=1)}, BadHold, "until"),
        (9, {}, NoSuchSnapshot, "snapshot"),
    ],
)
def test_bad_orders_change_nothing(
    at: Any, wish: dict[str, Any], refusal: type[Exception], field: str, de: Market, politics: Channel, lena: User
) -> None:
    live(politics)
    publish(de.pk)
    before = Channel.objects.get(pk=politics.pk).revision
    with pytest.raises(refusal) as raised:
        hold(de, politics, at, **{"reason": "Wahl", "by": lena} | wish)
    assert raised.value.field == field  # type: ignore[attr-defined]
    assert (Feed.objects.exclude(hold="").count(), Channel.objects.get(pk=politics.pk).revision) == (0, before)


def test_what_was_never_published_can_only_be_blank(de: Market, politics: Channel, lena: User) -> None:
    Feed.objects.create(market=de, channel=politics)
    with pytest.raises(NothingPublished):
        hold(de, politics, CURRENT, reason="Wahl", by=lena)
    assert hold(de, politics, BLANK, reason="Wahl", by=lena) == [Feed.objects.get(channel=politics, hold="blank")]


def test_a_feed_that_was_never_made_can_be_blank_too(de: Market, politics: Channel, lena: User) -> None:
    assert not Feed.objects.exists()
    with pytest.raises(NothingPublished):
        hold(de, politics, CURRENT, reason="Wahl", by=lena)
    hold(de, politics, BLANK, reason="Wahl", by=lena)
    live(politics)
    assert shown(de) == []


def test_what_is_not_held_is_not_released(de: Market, politics: Channel, lena: User) -> None:
    publish(de.pk)
    with pytest.raises(NotHeld):
        release(de, politics, by=lena)
    assert not Change.objects.filter(noun="feed").exists()


def test_at_random_old_snapshots_it_shows_the_old_entries_but_what_is_lost(
    de: Market, politics: Channel, lena: User
) -> None:
    """A plain reading of what happened since, beside the real one."""
    chance, began = Random(5), timezone.now() - timedelta(minutes=40)
    candidates: list[Candidate] = []
    old: dict[int, list[str]] = {}
    for turn in range(20):
        now = began + timedelta(minutes=turn)
        candidates.append(live(politics, f"Wort{turn} steht hier.", approved_at=now))
        if turn % 3 == 2:
            Candidate.objects.filter(pk=chance.choice(candidates).pk).update(state="pending", approved_at=None)
        publish(de.pk, now=now)
        old[numbers(de)["de/politics/"]] = ids(published("de", "politics"))
    blocked, withdrawn, edited, withheld = chance.sample(candidates, 4)
    make_block(f"Wort{candidates.index(blocked)}", market=de)
    Candidate.objects.filter(pk=withdrawn.pk).update(state="withdrawn", approved_at=None)
    edited.tweet.text = "Anders."
    edited.tweet.save()
    withheld.tweet.withheld_in = ["DE"]
    withheld.tweet.save()
    lost = {id_of(one) for one in (blocked, withdrawn, edited, withheld)}
    for number in chance.sample(sorted(old), 12):
        hold(de, politics, number, reason="Probe", by=lena)
        assert shown(de) == [one for one in old[number] if one not in lost]
    release(de, politics, by=lena)
    assert set(shown(de)) & lost == {id_of(edited)} & set(old[max(old)])
