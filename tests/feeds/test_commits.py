"""Publications after a commit and at once: later never loses to earlier."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from curation import operations as curation
from curation.models import Candidate
from feeds import files
from feeds.models import Feed, Place, Rendering, Snapshot
from feeds.operations import PublishAfterCommit, publish
from regions.models import Channel, Market, User
from regions.signals import channel_changed
from tests.cast import channel_of, make_block, make_candidate
from tests.feeds.conftest import at_the_edge, beside, committed, id_of, ids, live, wait_for_a_waiting_lock


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


DROP = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s"


@committed
def test_a_publication_that_loses_its_connection_leaves_the_next_statement_a_new_one(politics: Channel) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [lost] = cursor.fetchone()

    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute(DROP, [lost])

    def drop_beside() -> None:
        with beside(drop):
            pass

    with transaction.atomic():
        candidate = live(politics)
        transaction.on_commit(drop_beside)
        channel_changed.send(sender=None, channels=[politics.pk])
    assert Candidate.objects.get(pk=candidate.pk).state == "approved"
    assert not Snapshot.objects.exists()
    assert len(publish(politics.market_id)) == 5
