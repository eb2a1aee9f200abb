"""Settings that empty a feed, a queue or the store are told before they are saved, and asked once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation import operations
from curation.models import Candidate
from feeds import holding
from feeds.models import Snapshot
from feeds.operations import publish
from regions.models import Channel, Source, User
from regions.operations import add_source
from tests.cast import channel_of, make_candidate, make_tweet
from tests.regions.test_settings_pages import MARKET, POLITICS, sent

pytestmark = pytest.mark.django_db
LEAVING = "/leaving/de/politics/"


@pytest.fixture
def lead(browse: Any, lena: User) -> Client:
    client: Client = browse(lena)
    return client


def live(channel: Channel, hours_ago: list[float], **fields: Any) -> list[Candidate]:
    now = timezone.now()
    whens = [now - timedelta(hours=hours) for hours in hours_ago]
    return [make_candidate(channel, state="approved", approved_at=when, **fields) for when in whens]


ENDING = [
    ({"live_hours": 1}, 2, "2 of 3 live posts leave the phones at once."),
    ({"feed_length": 2, "minimum_fill": 0}, 1, "1 of 3 live posts leaves the phones at once."),
    ({"fallback": "hide", "minimum_fill": 4}, 3, "3 of 3 live posts leave the phones at once."),
]


@pytest.mark.parametrize(("typed", "n", "told"), ENDING, ids=["hours", "length", "hide"])
def test_what_leaves_the_phones_is_told_and_asked(
    lead: Client, de_politics: Channel, typed: dict[str, Any], n: int, told: str
) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(minimum_fill=0)
    live(de_politics, [0.5, 3, 5])
    publish(de_politics.market_id)
    de_politics.refresh_from_db()
    form = sent(de_politics, **typed)
    asked = lead.post(POLITICS, form)
    assert (asked.status_code, asked.context["told"]) == (422, [told])
    page = asked.content.decode()
    assert f"Save and take {n} off</button>" in page
    assert "Nothing was saved yet." in page
    stands = Channel.objects.get(pk=de_politics.pk)
    assert (stands.live_hours, stands.feed_length, stands.fallback) == (24, 10, "keep_older")
    assert lead.post(POLITICS, form | {"agreed": asked.context["agreed"]}).status_code == 302
    publish(de_politics.market_id)
    newest = Snapshot.objects.filter(feed__channel=de_politics).latest("number")
    assert len(newest.entries) == 3 - n


def test_who_agrees_agrees_to_what_was_told_and_no_more(lead: Client, de_politics: Channel) -> None:
    live(de_politics, [0.5, 3])
    form = sent(de_politics, live_hours=2, minimum_fill=0)
    agreed = lead.post(POLITICS, form).context["agreed"]
    assert lead.post(POLITICS, form | {"feed_length": 1, "agreed": agreed}).status_code == 422
    live(de_politics, [4])
    assert lead.post(POLITICS, form | {"agreed": agreed}).status_code == 422
    assert lead.post(POLITICS, form | {"agreed": "on"}).status_code == 422
    assert Channel.objects.get(pk=de_politics.pk).live_hours == 24


def test_nothing_is_asked_where_nothing_leaves(lead: Client, de_politics: Channel) -> None:
    live(de_politics, [0.5, 3])
    assert lead.post(POLITICS, sent(de_politics, live_hours=4, feed_length=3)).status_code == 302
    assert Channel.objects.get(pk=de_politics.pk).live_hours == 4


def test_a_shorter_feed_of_the_market_counts_its_own_feed(lead: Client, de_politics: Channel) -> None:
    live(de_politics, [1, 2])
    live(channel_of("de", "sport"), [3])
    asked = lead.post(MARKET, sent(de_politics.market, feed_length=2))
    assert (asked.status_code, asked.context["told"]) == (422, ["1 of 3 live posts leaves the phones at once."])


def test_what_waits_longer_than_it_may_then_lapses(lead: Client, de_politics: Channel) -> None:
    then = timezone.now() - timedelta(hours=5)
    for _ in range(2):
        make_candidate(de_politics, pending_since=then)
    make_candidate(de_politics)
    form = sent(de_politics, pending_hours=4)
    asked = lead.post(POLITICS, form)
    assert asked.context["told"] == ["2 waiting posts leave the queue within minutes."]
    assert asked.context["button"] == "Save and let 2 lapse"
    lead.post(POLITICS, form | {"agreed": asked.context["agreed"]})
    assert operations.lapse_old(now=timezone.now()) == 2


def test_texts_that_a_shorter_term_deletes_are_counted_as_they_are_purged(lead: Client, de_politics: Channel) -> None:
    now = timezone.now()
    for state, days, others in (
        ("blocked", 10, []), ("lapsed", 10, []), ("approved", 10, []),  # these three go
        ("pending", 10, []), ("blocked", 3, []), ("blocked", 10, ["gr"]), ("blocked", 40, []),
    ):  # fmt: skip
        then = now - timedelta(days=days)
        tweet = make_tweet(fetched_at=then, created_at=then)
        told = {"approved_at": then} if state == "approved" else {}
        make_candidate(de_politics, tweet=tweet, state=state, **told)
        for code in others:
            make_candidate(channel_of(code, "politics"), tweet=tweet, state="blocked")
    make_candidate(de_politics, tweet=make_tweet(fetched_at=now - timedelta(days=10)), state="approved", slot=1,
                   approved_at=now - timedelta(days=10))  # fmt: skip
    operations.purge_old(now=now)  # the one that is over anyway
    form = sent(de_politics.market, retention_days=7)
    asked = lead.post(MARKET, form)
    assert asked.context["told"] == ["The texts of 3 posts are deleted for good, within hours or days."]
    assert asked.context["button"] == "Save and delete 3 texts"
    assert lead.post(MARKET, form | {"agreed": asked.context["agreed"]}).status_code == 302
    assert operations.purge_old(now=now) == 3


def test_a_second_pair_of_eyes_stops_what_goes_live_by_itself(lead: Client, lena: User, de_politics: Channel) -> None:
    add_source("account", "stadt_lindmark", by=lena, channel=de_politics, auto_approve=True)
    add_source("account", "verein_lindmark", by=lena, channel=channel_of("de", "sport"), auto_approve=True)
    asked = lead.post(POLITICS, sent(de_politics, second_pair="on"))
    told = "1 source approves by itself: its posts wait for two people from now on."
    assert (asked.status_code, asked.context["told"]) == (422, [told])
    Source.objects.all().delete()
    assert lead.post(POLITICS, sent(de_politics, second_pair="on")).status_code == 302


def test_the_end_of_the_form_follows_what_is_typed(lead: Client, de_politics: Channel) -> None:
    live(de_politics, [0.5, 3])
    part = lead.get(LEAVING, sent(de_politics, live_hours=2, minimum_fill=0)).content.decode()
    assert "1 of 2 live posts leaves the phones at once." in part
    assert "Save and take 1 off</button>" in part
    for typed in ({}, {"live_hours": "x"}, {"feed_length": 1}):  # the last is refused: fewer than the fewest
        part = lead.get(LEAVING, sent(de_politics, **typed)).content.decode()
        assert "finding" not in part
        assert ">Save</button>" in part
    assert lead.get(LEAVING).status_code == 200


def test_a_held_feed_loses_nothing(lead: Client, lena: User, de_politics: Channel) -> None:
    live(de_politics, [0.5, 3])
    publish(de_politics.market_id)
    holding.hold(de_politics.market, de_politics, holding.CURRENT, reason="Wahltag", by=lena)
    assert lead.post(POLITICS, sent(de_politics, live_hours=2, minimum_fill=0)).status_code == 302
