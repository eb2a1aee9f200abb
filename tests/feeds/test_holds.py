"""Feeds that stand still: at a snapshot, or blank."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.models import Candidate
from feeds.models import Feed, Snapshot
from feeds.operations import publish
from regions.models import Channel, Market
from tests.feeds.conftest import id_of, ids, live, published, shown

pytestmark = pytest.mark.django_db


def test_a_held_feed_shows_its_snapshot_without_what_may_not_be_shown(de: Market, politics: Channel) -> None:
    kept, blocked, edited = (
        live(politics, text, expire_at=timezone.now() + timedelta(hours=1)) for text in ("a", "b", "c")
    )
    publish(de.pk)
    held_at = Snapshot.objects.get(feed__channel=politics)
    Feed.objects.filter(channel=politics).update(hold="snapshot", held_at=held_at, held_reason="Wahl")
    live(politics, "later")
    Candidate.objects.filter(pk=kept.pk).update(state="pending")
    Candidate.objects.filter(pk=blocked.pk).update(state="blocked")
    edited.tweet.text = "c!"
    edited.tweet.save()
    assert shown(de) == shown(de, None) == [id_of(kept)]
    assert published("de", "politics")["entries"][0]["expires_at"] is None


def test_a_blank_feed_is_empty_until_its_time_is_over(de: Market, politics: Channel) -> None:
    candidate = live(politics)
    until = timezone.now() + timedelta(minutes=5)
    publish(de.pk)
    Feed.objects.filter(channel=politics).update(hold="blank", held_reason="Wahl", held_until=until)
    assert shown(de) == []
    assert Feed.objects.get(channel=politics).next_change_at == until
    publish(de.pk, now=until)
    assert ids(published("de", "politics")) == [id_of(candidate)]


def test_a_held_market_leaves_the_words_of_its_channels_alone(de: Market, politics: Channel) -> None:
    candidate = live(politics, context="Gestern")
    publish(de.pk)
    held_at = Snapshot.objects.get(feed__market=de, feed__channel=None)
    Feed.objects.filter(market=de, channel=None).update(hold="snapshot", held_at=held_at, held_reason="Wahl")
    Candidate.objects.filter(pk=candidate.pk).update(context="Heute")
    publish(de.pk)
    told = [published("de", category)["entries"][0]["context"] for category in (None, "politics")]
    assert told == ["Gestern", "Heute"]
