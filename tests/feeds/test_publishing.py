"""From approved to published: numbers, bodies and removals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.models import Candidate, Wording
from feeds.models import Feed, Snapshot
from feeds.operations import publish
from feeds.rendering import as_json
from regions.models import Channel, Market
from tests.cast import make_author, make_tweet
from tests.feeds.conftest import id_of, ids, live, published

pytestmark = pytest.mark.django_db


def test_the_first_publication_numbers_every_feed_one(de: Market) -> None:
    snapshots = publish(de.pk)
    assert [snapshot.number for snapshot in snapshots] == [1] * 5
    assert published("de") == {
        "version": 1,
        "market": "de",
        "category": None,
        "language": "de",
        "snapshot": 1,
        "published_at": published("de")["published_at"],
        "ttl": 60,
        "entries": [],
        "removed": [],
    }


def test_a_stranger_reads_ids_and_the_editors_words_only(de: Market, politics: Channel) -> None:
    until = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    candidate = live(politics, context="Der Beschluss von gestern", label="Anzeige", expire_at=until, slot=2)
    publish(de.pk)
    assert published("de", "politics")["entries"] == [
        {
            "id": id_of(candidate),
            "url": f"https://x.com/i/status/{id_of(candidate)}",
            "category": "politics",
            "pinned": True,
            "context": "Der Beschluss von gestern",
            "label": "Anzeige",
            "expires_at": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    ]


def test_the_full_mode_adds_the_post_as_x_gave_it(de: Market, politics: Channel) -> None:
    medium = {
        "type": "photo",
        "url": "https://p.example/1.jpg",
        "preview_url": None,
        "width": 4,
        "height": 3,
        "alt": "x",
    }
    link = {"start": 0, "end": 5, "url": "u", "expanded_url": "e", "display_url": "d"}
    author = make_author("lindmark_bote", name="Lindmark Bote", verified_type="business")
    wire = {"entities": {"urls": [link]}, "media": [medium | {"kept_to_ourselves": 1}]}
    tweet = make_tweet("Brücke &amp; Straße <b>", author=author, wire=wire)
    live(politics, tweet=tweet)
    publish(de.pk)
    [entry] = published("de", "politics", "full")["entries"]
    assert entry["text"] == "Brücke &amp; Straße <b>"
    assert entry["entities"] == {"urls": [link], "hashtags": [], "mentions": [], "cashtags": []}
    assert entry["media"] == [medium]
    assert entry["edited"] is False
    assert entry["author"] == {
        "id": str(author.x_id),
        "name": "Lindmark Bote",
        "username": "lindmark_bote",
        "url": "https://x.com/lindmark_bote",
        "avatar_url": None,
        "verified_type": "business",
    }


def test_nothing_changed_makes_no_snapshot(de: Market, politics: Channel) -> None:
    live(politics)
    publish(de.pk)
    assert publish(de.pk) == []
    assert Snapshot.objects.count() == 5


def test_a_new_avatar_makes_a_snapshot_and_both_modes_carry_its_number(de: Market, politics: Channel) -> None:
    candidate = live(politics)
    publish(de.pk)
    author = candidate.tweet.author
    assert author is not None
    author.avatar_url = "https://p.example/new.jpg"
    author.save()
    assert {snapshot.feed.path for snapshot in publish(de.pk)} == {"de/", "de/politics/"}
    assert published("de", "politics", "full")["entries"][0]["author"]["avatar_url"] == "https://p.example/new.jpg"
    assert [published("de", "politics", mode)["snapshot"] for mode in ("ids", "full")] == [2, 2]


def test_snapshots_hold_digests_and_no_words(de: Market, politics: Channel) -> None:
    candidate = live(politics, context="Kurz gesagt")
    publish(de.pk)
    [entry] = Snapshot.objects.get(feed__channel=politics).entries
    assert "Kurz" not in str(entry)
    assert Wording.objects.read([entry["context"]]) == {entry["context"]: "Kurz gesagt"}
    assert (entry["candidate"], entry["text_hash"]) == (candidate.pk, candidate.tweet.text_hash)


def test_the_market_feed_stands_on_the_sum_of_revisions(de: Market, politics: Channel) -> None:
    Channel.objects.filter(market=de).update(revision=3)
    publish(de.pk)
    assert Feed.objects.get(market=de, channel=None).revision == 12
    assert Feed.objects.get(channel=politics).revision == 3


def test_what_leaves_is_listed_as_removed_until_it_is_back_or_a_day_has_passed(de: Market, politics: Channel) -> None:
    candidate = live(politics)
    now = timezone.now()
    publish(de.pk, now=now)
    Candidate.objects.filter(pk=candidate.pk).update(state="pending")
    publish(de.pk, now=now + timedelta(seconds=1))
    left = now + timedelta(seconds=1)
    gone = [{"id": id_of(candidate), "at": left.strftime("%Y-%m-%dT%H:%M:%SZ")}]
    assert published("de", "politics")["removed"] == published("de")["removed"] == gone
    Candidate.objects.filter(pk=candidate.pk).update(state="approved")
    publish(de.pk, now=now + timedelta(seconds=2))
    assert published("de", "politics")["removed"] == []
    Candidate.objects.filter(pk=candidate.pk).update(state="pending")
    publish(de.pk, now=now + timedelta(seconds=3))
    due = Feed.objects.get(channel=politics).next_change_at
    assert due is not None and due - now < timedelta(hours=24, seconds=4)
    publish(de.pk, now=due)
    assert published("de", "politics")["removed"] == []


def test_what_left_is_published_once(de: Market, politics: Channel) -> None:
    """The list of what left is read back from the last snapshot."""
    live(politics, "bleibt")
    gone = live(politics, "geht")
    publish(de.pk)
    Candidate.objects.filter(pk=gone.pk).update(state="blocked", approved_at=None)
    assert len(publish(de.pk)) == 2
    assert publish(de.pk) == []


def test_an_edited_tweet_is_removed_by_the_id_it_was_published_under(de: Market, politics: Channel) -> None:
    candidate = live(politics)
    publish(de.pk)
    old = id_of(candidate)
    tweet = candidate.tweet
    tweet.current_id += 1
    tweet.text = "Anders"
    tweet.save()
    publish(de.pk)
    body = published("de", "politics", "full")
    assert (ids(body), body["entries"][0]["edited"]) == ([id_of(candidate)], True)
    assert [gone["id"] for gone in body["removed"]] == [old]


def test_a_clock_set_back_by_a_day_stops_no_publication(de: Market, politics: Channel) -> None:
    now = timezone.now()
    first = live(politics, approved_at=now - timedelta(days=1, minutes=5))
    publish(de.pk, now=now)
    before = published("de", "politics")
    second = live(politics, approved_at=now - timedelta(days=1))
    publish(de.pk, now=now - timedelta(days=1))
    body = published("de", "politics")
    assert (ids(body), body["snapshot"] > before["snapshot"]) == ([id_of(second), id_of(first)], True)
    Candidate.objects.filter(pk=second.pk).update(state="blocked")
    publish(de.pk, now=now - timedelta(hours=23))
    body = published("de", "politics")
    assert (ids(body), [gone["id"] for gone in body["removed"]]) == ([id_of(first)], [id_of(second)])


def test_half_a_letter_is_replaced_and_the_feed_still_read() -> None:
    assert as_json({"text": "Brücke \ud83d"}) == '{"text":"Brücke \ufffd"}'
    assert as_json({"text": "\U0001f309"}) == '{"text":"\U0001f309"}'
