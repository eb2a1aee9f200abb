"""From approved to published: numbers, bodies, removals, blocks, holds; and that later never loses to earlier."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from curation import operations as curation
from curation.models import Candidate, Wording
from feeds import files
from feeds.models import Feed, Place, Rendering, Snapshot
from feeds.operations import PublishAfterCommit, publish
from regions.models import Block, Channel, Market, User
from regions.signals import channel_changed
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet
from tests.feeds.conftest import at_the_edge, committed, ids, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def politics() -> Channel:
    return channel_of("de", "politics")


@pytest.fixture
def de(politics: Channel) -> Market:
    return politics.market


def live(channel: Channel, text: str = "", **fields: Any) -> Candidate:
    return make_candidate(channel, text, state="approved", **fields)


def shown(market: Market, category: str | None = "politics", mode: str = "ids") -> list[str]:
    publish(market.pk)
    return ids(published(market.code, category, mode))


def id_of(candidate: Candidate) -> str:
    return str(candidate.tweet.current_id)


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


# --- removals ---------------------------------------------------------------------------------------------------
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


# --- what may not be shown --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "value"),
    [("term", "brücke"), ("author", "@LINDMARK_BOTE"), ("hashtag", "#Lindmark"), ("domain", "bote.example")],
)
def test_a_block_holds_whatever_the_state_says(kind: str, value: str, de: Market, politics: Channel) -> None:
    link = {"start": 0, "end": 1, "url": "u", "expanded_url": "https://www.bote.example/1", "display_url": "d"}
    tags = [{"start": 0, "end": 1, "tag": "lindmark"}]
    tweet = make_tweet(
        "Die BRÜCKE steht", author=make_author("lindmark_bote"), wire={"entities": {"urls": [link], "hashtags": tags}}
    )
    live(politics, tweet=tweet)
    other = live(politics, "Etwas anderes")
    assert len(shown(de)) == 2
    make_block(value, kind, market=de)
    assert shown(de) == shown(de, None) == [id_of(other)]


def test_a_block_of_another_channel_or_market_or_that_only_holds_removes_nothing(de: Market, politics: Channel) -> None:
    live(politics, "Die Brücke steht")
    make_block("brücke", channel=channel_of("de", "sport"))
    make_block("brücke", market=Market.objects.get(code="nl"))
    make_block("brücke", effect=Block.Effect.HOLD)
    assert len(shown(de)) == 1


def test_the_end_of_a_block_is_a_moment_of_change(de: Market, politics: Channel) -> None:
    live(politics, "Die Brücke steht")
    ends = timezone.now() + timedelta(minutes=3)
    make_block("brücke", ends_at=ends)
    assert shown(de) == []
    assert Feed.objects.get(channel=politics).next_change_at == ends


@pytest.mark.parametrize(
    "fields",
    [
        {"gone_at": timezone.now()},
        {"withheld_in": ["DE"]},
        {"withheld_in": ["XX"]},
        {"text": "", "author": None, "purged_at": timezone.now()},
    ],
)
def test_gone_withheld_and_purged_tweets_are_not_shown(fields: dict[str, Any], de: Market, politics: Channel) -> None:
    candidate = live(politics)
    assert shown(de) == [id_of(candidate)]
    for name, value in fields.items():
        setattr(candidate.tweet, name, value)
    candidate.tweet.save()
    assert shown(de) == []


def test_withheld_elsewhere_is_shown_and_a_protected_author_is_not(de: Market, politics: Channel) -> None:
    fine = live(politics, tweet=make_tweet(withheld_in=["GR"]))
    live(politics, tweet=make_tweet(author=make_author(protected=True)))
    assert shown(de) == [id_of(fine)]


def test_barred_ones_leave_no_place_empty_however_many(de: Market, politics: Channel) -> None:
    start = timezone.now() - timedelta(hours=1)
    good = [live(politics, f"Gut {n}", approved_at=start - timedelta(minutes=n)) for n in range(3)]
    for n in range(40):
        live(politics, f"Brücke {n}", approved_at=start + timedelta(seconds=n))
    make_block("brücke")
    assert shown(de) == [id_of(candidate) for candidate in good]


def test_an_inactive_channel_publishes_nothing(de: Market, politics: Channel) -> None:
    live(politics)
    publish(de.pk)
    Channel.objects.filter(pk=politics.pk).update(active=False)
    assert shown(de) == shown(de, None) == []


# --- holds ------------------------------------------------------------------------------------------------------
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


# --- after a commit ---------------------------------------------------------------------------------------------
@committed
def test_an_approval_is_published_with_its_commit(politics: Channel, anna: User) -> None:
    candidate = make_candidate(politics)
    curation.decide("approve", candidate, by=anna, version=1)
    assert ids(at_the_edge("de", "politics")) == ids(at_the_edge("de")) == [id_of(candidate)]
    candidate.refresh_from_db()
    curation.decide("block", candidate, by=anna, version=candidate.version)
    body = at_the_edge("de", "politics")
    assert (ids(body), [gone["id"] for gone in body["removed"]]) == ([], [id_of(candidate)])


@committed
def test_one_transaction_publishes_a_market_once(politics: Channel) -> None:
    with transaction.atomic():
        for category in ("politics", "sport"):
            channel_changed.send(sender=None, channels=[channel_of("de", category).pk])
            live(channel_of("de", category))
        planned = [hook for _sids, hook, *_ in connection.run_on_commit if isinstance(hook, PublishAfterCommit)]
    assert planned == [PublishAfterCommit(politics.market_id)]
    assert set(Snapshot.objects.values_list("number", flat=True)) == {1}


@committed
def test_a_savepoint_that_fails_takes_no_publication_with_it(politics: Channel) -> None:
    with transaction.atomic():
        live(politics)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            channel_changed.send(sender=None, channels=[politics.pk])
            raise ZeroDivisionError
        channel_changed.send(sender=None, channels=[politics.pk])
    assert len(ids(at_the_edge("de", "politics"))) == 1


@committed
def test_an_edge_that_cannot_be_written_loses_no_decision(politics: Channel, anna: User, settings: Any) -> None:
    candidate = make_candidate(politics)
    settings.FEED_ROOT = "/dev/null/feeds"
    curation.decide("approve", candidate, by=anna, version=1)
    assert Candidate.objects.get(pk=candidate.pk).state == "approved"
    assert Snapshot.objects.get(feed__channel=politics).entries[0]["candidate"] == candidate.pk


# --- at once ----------------------------------------------------------------------------------------------------
@contextmanager
def beside(call: Callable[[], Any]) -> Iterator[threading.Thread]:
    """Runs a call in a thread with its own connection."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield thread
    thread.join(10)
    assert not thread.is_alive()


@committed
def test_a_block_committed_while_a_publication_waits_is_in_it(de: Market, politics: Channel) -> None:
    """Promise 1: had it read before it locked, it would publish what the block took away."""
    live(politics, "Die Brücke steht")
    publish(de.pk)
    Rendering.objects.all().delete()
    make_candidate(politics, "anderes", state="approved")
    started, commit = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            list(Feed.objects.of_market(de).locked())
            started.set()
            commit.wait(10)

    with beside(first):
        assert started.wait(10)
        with beside(lambda: publish(de.pk)):
            wait_for_a_waiting_lock()
            make_block("brücke")
            commit.set()
    texts = [entry["text"] for entry in at_the_edge("de", "politics", "full")["entries"]]
    assert texts == ["anderes"]


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def wait_for_a_waiting_lock() -> None:
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        threading.Event().wait(0.02)
    raise AssertionError("nobody waits for a lock")


@committed
def test_of_200_publications_at_once_no_file_ever_goes_back(de: Market, politics: Channel) -> None:
    candidate = live(politics)
    publish(de.pk)
    place, seen, over = Place("ids", "de", "politics"), [], threading.Event()

    def change(number: int) -> None:
        try:
            Candidate.objects.filter(pk=candidate.pk).update(context=f"Nummer {number}")
            publish(de.pk)
        finally:
            connection.close()

    def watch() -> None:
        while not over.is_set():
            seen.append(at_the_edge("de", "politics")["snapshot"])

    with ThreadPoolExecutor(8) as writers, ThreadPoolExecutor(1) as reader:
        watching = reader.submit(watch)
        try:
            list(writers.map(change, range(200)))
        finally:
            over.set()
        watching.result()
    assert seen == sorted(seen)
    newest = Rendering.objects.get(mode="ids", feed__channel=politics)
    assert files.read(files.path_of(place)) == (newest.number, bytes(newest.body))
    numbers = list(Snapshot.objects.filter(feed__channel=politics).order_by("id").values_list("number", flat=True))
    assert numbers == list(range(1, newest.number + 1))
    assert newest.number > 50
