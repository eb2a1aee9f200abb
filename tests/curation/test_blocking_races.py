"""A block and something else at the same time: afterwards nothing that it hits is live, or waits unmarked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from curation import operations
from curation.ingest.storing.candidates import offer
from curation.matching import Matcher
from curation.models import Candidate, Enforcement, Hit
from curation.operations.record import lock_channels
from regions.models import Block, BlockList, Channel, ListVersion, Market, Role, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet, make_user
from tests.curation.test_races import at_once
from tests.feeds.conftest import published

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
WAITS = 10.0


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def beside(pool: ThreadPoolExecutor, call: Callable[[], Any]) -> Future[Any]:
    """Runs a call in another connection."""

    def run() -> Any:
        try:
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    return pool.submit(run)


def last_pass() -> None:
    """What others run on this server, such as other tests, was under way too: the job looks until all is over."""
    for _ in range(1200):
        operations.carry_blocks(now=timezone.now())
        if not Enforcement.objects.waiting().exists():
            return
        time.sleep(0.05)


@contextmanager
def under_way(pool: ThreadPoolExecutor, first: Callable[[], Any]) -> Iterator[None]:
    """A transaction elsewhere that has done `first` and commits when the block is left."""
    begun, may_end = threading.Event(), threading.Event()

    def run() -> None:
        with transaction.atomic():
            first()
            begun.set()
            assert may_end.wait(WAITS)

    future = beside(pool, run)
    assert begun.wait(WAITS)
    try:
        yield
    finally:
        may_end.set()
        future.result(WAITS)


def waits_for_a_lock() -> None:
    """Returns when another connection waits."""
    with connection.cursor() as cursor:
        for _ in range(500):
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pg_sleep(0.01) IS NOT NULL"
            )
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")


def people() -> tuple[User, User]:
    return make_user("chief", is_superuser=True), make_user("anna", {"de": Role.EDITOR})


def test_an_approval_that_was_first_is_blocked_by_the_block_that_waited(pool: ThreadPoolExecutor) -> None:
    chief, anna = people()
    row = make_candidate(channel_of("de", "politics"), "Brücke")
    with under_way(pool, partial(operations.approve, row, by=anna, version=1)):
        laying = beside(pool, partial(operations.lay_block, "term", "brücke", by=chief))
        waits_for_a_lock()
    assert laying.result(WAITS).made
    row.refresh_from_db()
    assert (row.state, row.version) == ("blocked", 3)


def test_an_approval_that_waited_for_the_block_is_refused(pool: ThreadPoolExecutor) -> None:
    chief, anna = people()
    row = make_candidate(channel_of("de", "politics"), "Brücke")
    Matcher.of(row.channel.market)
    with under_way(pool, partial(operations.lay_block, "term", "brücke", by=chief)):
        approving = beside(pool, partial(operations.approve, row, by=anna, version=1))
        waits_for_a_lock()
    assert approving.result(WAITS).code == "block_stands"
    row.refresh_from_db()
    assert (row.state, row.version) == ("pending", 1)


def test_whoever_comes_first_nothing_is_live_afterwards() -> None:
    chief, anna = people()
    channel = channel_of("de", "politics")
    for n in range(8):
        row = make_candidate(channel, f"Brücke{n}")
        calls: list[Callable[[], Any]] = [
            partial(operations.approve, row, by=anna, version=1),
            partial(operations.lay_block, "term", f"brücke{n}", by=chief),
            partial(operations.lay_block, "term", f"BRUCKE{n}", by=chief, market=channel.market),
            partial(operations.lay_block, "hashtag", f"weg{n}", by=chief, channel=channel),
        ]
        at_once(calls)
        operations.carry_blocks(now=timezone.now())
        row.refresh_from_db()
        assert (row.state, row.blocked_by_lists) == ("blocked", True)


def test_what_an_ingest_under_way_stores_is_found_by_a_last_pass(pool: ThreadPoolExecutor) -> None:
    """It asked the lists before the block was there, and commits when the job is through: the block is not carried
    until the job has looked once more."""
    chief, _anna = people()
    channel = channel_of("de", "politics")
    earlier = make_candidate(channel, "Brücke zuvor")
    tweet = make_tweet("Brücke", author=make_author())
    with under_way(pool, partial(offer, [tweet.pk], None, [channel], timezone.now())):
        laid = beside(pool, partial(operations.lay_block, "term", "brücke", by=chief)).result(WAITS)
        operations.carry_blocks(now=timezone.now())
        earlier.refresh_from_db()
        assert earlier.state == "blocked"
        assert Enforcement.objects.get().carried_at is None
    stored = Candidate.objects.get(tweet=tweet)
    assert stored.state == "pending", "the ingest could not know of it"
    last_pass()
    stored.refresh_from_db()
    assert (stored.state, stored.blocked_by_lists) == ("blocked", True)
    assert Hit.objects.filter(candidate=stored, block=laid.block).exists()
    assert Enforcement.objects.get().carried_at is not None


def test_what_an_ingest_under_way_blocks_is_given_back_by_a_last_pass(pool: ThreadPoolExecutor) -> None:
    chief, _anna = people()
    channel = channel_of("de", "politics")
    block = operations.lay_block("term", "brücke", by=chief).block
    last_pass()
    tweet = make_tweet("Brücke", author=make_author())
    with under_way(pool, partial(offer, [tweet.pk], None, [channel], timezone.now())):
        beside(pool, partial(operations.lift_block, block, by=chief)).result(WAITS)
        operations.carry_blocks(now=timezone.now())
    assert Candidate.objects.get(tweet=tweet).state == "blocked"
    last_pass()
    assert Candidate.objects.get(tweet=tweet).state == "pending"
    assert not Enforcement.objects.waiting().exists()


def test_two_of_the_same_at_once_lay_one() -> None:
    chief, _anna = people()
    row = make_candidate(channel_of("de", "politics"), "Brücke", state="approved")
    answers = at_once([partial(operations.lay_block, "term", value, by=chief) for value in ("Brücke", "BRUCKE") * 2])
    assert sorted(answer.made for answer in answers) == [False, False, False, True]
    assert Block.objects.count() == 1
    row.refresh_from_db()
    assert (row.state, row.version) == ("blocked", 2)


def test_two_workers_carry_each_candidate_once() -> None:
    chief, _anna = people()
    rows = [make_candidate(channel_of(code, "sport"), f"Brücke {n}") for code in ("de", "nl") for n in range(10)]
    operations.lay_block("term", "brücke", by=chief)
    operations.lay_block("hashtag", "brücke", by=chief)
    at_once([partial(operations.carry_blocks, now=timezone.now())] * 3)
    last_pass()
    found = Candidate.objects.filter(pk__in=[row.pk for row in rows])
    assert set(found.values_list("state", "version")) == {("blocked", 2)}
    assert not Enforcement.objects.waiting().exists()


def test_a_matcher_knows_an_edit_that_commits_after_a_later_one(pool: ThreadPoolExecutor) -> None:
    """By ids and times of the rows alone an edit could hide behind a newer one that was committed before it."""
    market = Market.objects.get(code="de")
    channel = channel_of("de", "politics")
    block, _other = make_block("turm"), make_block("tor")
    tweet = make_tweet("Die Brücke")

    def edited() -> None:
        block.value = "brücke"
        block.save()

    with under_way(pool, edited):
        later = beside(pool, partial(make_block, "weg"))
        waits_for_a_lock()
        assert not Matcher.of(market).blocks(tweet, channel.pk, timezone.now())
    later.result(WAITS)
    assert Matcher.of(market).blocks(tweet, channel.pk, timezone.now())


def test_what_is_rolled_back_is_known_to_no_matcher() -> None:
    market, channel = Market.objects.get(code="de"), channel_of("de", "politics")
    tweet = make_tweet("Die Brücke")

    def blocks() -> bool:
        return Matcher.of(market).blocks(tweet, channel.pk, timezone.now())

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        make_block("brücke")
        assert blocks()
        raise ZeroDivisionError
    assert not blocks()
    make_block("turm")
    assert not blocks(), "the number that was rolled back is not used again"


@pytest.mark.parametrize("edit", ["exempt", "list", "delete", "exempt_list"])
def test_every_edit_of_lists_gives_a_new_version(edit: str) -> None:
    listed = BlockList.objects.create(name="spam")
    block, market = make_block("brücke", block_list=listed), Market.objects.get(code="de")
    before = ListVersion.objects.get().number
    edits: dict[str, Callable[[], Any]] = {
        "exempt": lambda: block.exempt.add(market, through_defaults={"reason": "why"}),
        "list": lambda: BlockList.objects.filter(pk=listed.pk).update(market=market),
        "delete": lambda: block.delete(),
        "exempt_list": lambda: listed.exempt.add(market, through_defaults={"reason": "why"}),
    }
    edits[edit]()
    assert ListVersion.objects.get().number > before


def test_the_channels_of_a_wide_block_are_locked_in_order(pool: ThreadPoolExecutor) -> None:
    """Two blocks that reach the same channels from different ends, and an editor between them: all come through."""
    chief, anna = people()
    rows = [make_candidate(channel, "Brücke") for channel in Channel.objects.filter(market__code="de")]
    also = [{"kind": "term", "value": "brücke", "scope": "global"}]
    answers = at_once(
        [
            partial(operations.block, rows[0], by=chief, version=1, also=also),
            partial(operations.block, rows[3], by=chief, version=1, also=also),
            partial(operations.decide_many, "approve", {row.pk: 1 for row in rows[1:3]}, by=anna),
        ]
    )
    assert not [one for one in answers if isinstance(one, operations.Busy)]
    operations.carry_blocks(now=timezone.now())
    assert set(Candidate.objects.values_list("state", flat=True)) == {"blocked"}
    with transaction.atomic():
        assert len(lock_channels(row.channel_id for row in rows)) == 4


def test_from_its_commit_on_it_is_in_no_feed() -> None:
    """Neither Redis nor the job is needed: the feeds that it reaches are published with the block's commit."""
    chief, _anna = people()
    rows = [make_candidate(channel_of(code, "politics"), "Brücke") for code in ("de", "nl")]
    other = make_candidate(rows[0].channel, "Turm")
    operations.decide_many("approve", {row.pk: 1 for row in (*rows, other)}, by=chief)
    ids = [str(row.tweet.current_id) for row in (*rows, other)]
    before = {entry["id"] for code in ("de", "nl") for entry in published(code)["entries"]}
    assert before == set(ids)
    operations.lay_block("term", "brücke", by=chief)
    after = {entry["id"] for code in ("de", "nl") for entry in published(code)["entries"]}
    assert after == {ids[2]}
    assert [entry["id"] for entry in published("de")["removed"]] == [ids[0]]
