"""What X sends is paid for, whatever becomes of it; a reader asks X for nothing more, and killed it owes little."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from curation import operations
from curation.ingest import pauses
from curation.ingest.polling.poll import poll
from curation.ingest.streaming.allotments import IN_FLIGHT, Allotments, Came
from curation.ingest.streaming.keeper import Batch, Keeper
from curation.ingest.streaming.rules import Rulebook, listened
from curation.ingest.streaming.sorting import Sorted
from curation.ledger import budget
from curation.models import BudgetDay, Candidate, Charge, Cursor, Pause, Quarantined, Reservation, Tweet
from curation.x.client import Door
from curation.x.lines import Delivery
from curation.x.outcomes import BadToken
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source
from tests.curation.ingest.listening import Listening, catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM, SEARCH = Source.Kind.STREAM, Source.Kind.SEARCH


def drawn() -> int:
    return sum(BudgetDay.objects.values_list("used", flat=True))


# Whose it is


def test_a_post_of_a_rule_that_is_not_ours_is_charged_all_the_same(
    x: Simulator, source_of: SourceOf, ask: Door
) -> None:
    source_of(STREAM, "from:rathaus")
    with hearing(x, review=60.0):
        ask.add_stream_rules([("from:stadtblatt", "somebody")])
        found = x.post("stadtblatt", "Für wen auch immer.")
        assert eventually(lambda: Quarantined.objects.filter(reason="it matches no rule of ours").exists())
    assert list(Charge.objects.values_list("x_id", "market__code")) == [(int(found), "de")]
    assert x.meter.posts() == 1
    assert 1 <= drawn() <= 1 + IN_FLIGHT


def test_a_post_whose_rule_has_just_gone_is_paid_by_who_had_it(
    ask: Door, source_of: SourceOf, nl_politics: Channel
) -> None:
    source_of(STREAM, "from:stadtblatt")
    source = source_of(STREAM, "from:rathaus", market=None, channel=nl_politics)
    book = Rulebook(ask)
    book.want(listened())
    book.keep_in_step(timezone.now(), look=True)
    number = book.rules["from:rathaus"].id
    Source.objects.filter(pk=source.pk).update(paused_at=timezone.now())
    book.want(listened())
    for look in (False, True):
        book.keep_in_step(timezone.now(), look=look)
        for rule in ((number, ""), (0, f"source:{source.pk}")):
            assert [one.source for one in book.matched(Delivery({}, {}, [rule]))] == [source]
    told = Sorted(book, Allotments()).add([b'{"data":{"id":"17"},"matching_rules":[{"id":%d}]}' % number])
    assert told.came == {nl_politics.market: Came({17})}
    assert (told.batch.pages, told.batch.broken) == ({}, [])


@pytest.mark.parametrize(
    ("line", "posts"),
    [
        (b'{"data":{"id":"12\xff,,]', 1),
        (b'{"data":{"id":"twelve"}}', 1),
        (b'{"data":[{"id":"12"}]}', 1),
        (b'{"notice":{"code":17}}', 0),
        (b'{"errors":[{"title":"operational-disconnect"}]}', 0),
    ],
)
def test_what_may_be_a_post_is_borne_by_who_has_most_left(line: bytes, posts: int, ask: Door) -> None:
    Market.objects.filter(code="nl").update(posts_a_day=100_000)
    Market.objects.exclude(code="nl").update(posts_a_day=30, recheck_reserve=0)
    allotments, now = Allotments(), timezone.now()
    allotments.keep_open(Market.objects.active(), now)
    told = Sorted(Rulebook(ask), allotments).add([line])
    assert told.came == ({Market.objects.get(code="nl"): Came(set(), posts)} if posts else {})


# Nobody asks X from within the stream


def test_what_x_left_out_is_left_to_search_and_the_rest_is_stored(x: Simulator, ask: Door, source_of: SourceOf) -> None:
    source = source_of(STREAM, "from:rathaus")
    original = x.post("stadtblatt", "Das Original.", at=timezone.now() - timedelta(days=1))
    bare = x.retweet("rathaus", original)
    whole = x.post("rathaus", "Ein ganzer Post.")
    page, batch, now = ask.search("from:rathaus"), Batch(), timezone.now()
    Cursor.objects.update(newest_id=int(whole))
    for payload in page.raw:
        includes = {name: told for name, told in page.includes.items() if name != "tweets"}
        batch.add(Delivery(payload, includes), listened())
    asked, began = dict(x.windows.used), time.monotonic()
    x.fail("/2/", slow=30)
    Keeper(timedelta(0)).keep(batch, None, now)
    assert (x.windows.used, time.monotonic() - began < 5, stored()) == (asked, True, {whole})
    floor = Cursor.objects.get().gap_floor_id
    assert floor is not None
    assert floor < int(bare)
    x.mend()
    catch_up(x, ask, source)
    assert stored() == {whole, original}


def test_a_post_that_is_known_to_be_gone_does_not_come_back_by_the_stream(
    x: Simulator, ask: Door, source_of: SourceOf
) -> None:
    """It was deleted after X sent it, and before it was stored."""
    source_of(STREAM, "from:rathaus")
    gone, there = (x.post("rathaus", text, at=timezone.now() - timedelta(seconds=30)) for text in ("Fort.", "Da."))
    page, batch = ask.search("from:rathaus"), Batch()
    for payload in page.raw:
        batch.add(Delivery(payload, page.includes), listened())
    Keeper(timedelta(0)).keep(batch, None, timezone.now())
    assert stored() == {gone, there}
    known = Tweet.objects.filter(current_id=gone).values_list("pk", flat=True)
    operations.withdraw(known, cause="deleted", now=timezone.now())
    Keeper(timedelta(0)).keep(batch, None, timezone.now())
    states = dict(Candidate.objects.values_list("tweet__current_id", "state"))
    assert states == {int(gone): "withdrawn", int(there): "pending"}


# What a killed reader owes


def test_after_a_kill_the_next_leader_counts_what_x_charged_and_little_more(
    x: Simulator, source_of: SourceOf, ask: Door, process: Callable[..., Any]
) -> None:
    source = source_of(STREAM, "from:rathaus")
    for turn in range(2):
        running = process()
        assert eventually(lambda: x.streaming and Cursor.objects.get().newest_id, 20)
        heard = {int(x.post("rathaus", f"Runde {turn}, {n}.")) for n in range(4)}
        assert eventually(lambda heard=heard: Charge.objects.filter(x_id__in=heard).count() == 4)
        x.post("rathaus", "Im Augenblick des Todes.")
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        assert drawn() >= x.meter.posts()
    with hearing(x):
        assert eventually(lambda: Cursor.objects.get().gap_floor_id)
    catch_up(x, ask, source)
    truth = {number for numbers in x.truth().values() for number in numbers}
    assert stored() == truth
    told = budget.balance(Market.objects.get(code="de"), timezone.now())
    assert told.day_charged == x.meter.posts() == len(truth) == 10
    assert told.day_held <= 2 * Allotments().margin(0, timezone.now()) + 10


# Pauses


def test_when_x_turns_everyone_away_the_stream_ends_and_nothing_stays_drawn(
    x: Simulator, source_of: SourceOf, ask: Door
) -> None:
    source, searched = source_of(STREAM, "from:rathaus"), source_of(SEARCH, "lang:nl Rat")
    with hearing(x) as listening:
        assert eventually(lambda: Reservation.objects.filter(settled_at=None).exists())
        x.fail("/2/tweets/search/recent", status=401, times=1)
        poll(searched.pk, now=timezone.now(), ask=ask)
        assert Pause.objects.filter(market=None, ended_at=None, cause="token").exists()
        assert eventually(lambda: not x.streaming and not listening.connected)
        assert eventually(lambda: not Reservation.objects.exclude(in_flight=None).exists())
        assert drawn() <= IN_FLIGHT
        missed = x.post("rathaus", "In der Pause.")
        used = dict(x.windows.used)
        assert not eventually(lambda: x.windows.used != used or listening.connected, 0.5)
        assert pauses.try_again(timezone.now())
        assert eventually(lambda: listening.connected)
        assert eventually(lambda: not Pause.objects.filter(ended_at=None).exists())
    catch_up(x, ask, source)
    assert stored() == {missed}


def test_while_x_does_not_take_rules_allotments_are_seen_to(x: Simulator, source_of: SourceOf) -> None:
    """Their turn comes every few seconds, not when X's rules are asked for again."""
    source = source_of(STREAM, "from:rathaus")
    with hearing(x) as listening:
        assert eventually(lambda: Reservation.objects.filter(settled_at=None).exists())
        x.fail("/2/tweets/search/stream/rules", status=403, times=None)
        listening.streamer.times = replace(listening.streamer.times, barred=90.0)
        assert eventually(lambda: listening.streamer.rules_failed > 0)
        long_ago = timezone.now() - timedelta(minutes=6)
        (held,) = listening.streamer.allotments.by_market.values()
        held.drawn.taken_at = long_ago
        assert eventually(lambda: listening.streamer.allotments.by_market.get(held.market.pk) is not held)
        assert eventually(lambda: Reservation.objects.get(pk=held.drawn.pk).settled_at)
        Source.objects.filter(pk=source.pk).update(paused_at=timezone.now())
        assert eventually(lambda: not listening.streamer.allotments.by_market, 12)


def test_a_second_process_says_that_it_stands_by(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    with capture_logs() as lines, hearing(x), Listening(x):
        assert eventually(lambda: any(line["event"] == "stream_standby" for line in lines))
        time.sleep(0.3)
    told = [(line["event"], line["log_level"]) for line in lines if line["event"] == "stream_standby"]
    assert told == [("stream_standby", "warning")]


def test_trying_again_lets_one_through_and_no_more(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source, other, now = source_of(SEARCH, "lang:nl Rat"), source_of(SEARCH, "lang:de Rat"), timezone.now()
    assert not pauses.try_again(now)
    pauses.take_note(BadToken("Unauthorized"), None, began=now, now=now)
    x.fail("/2/", status=401, times=None)
    assert pauses.try_again(now)
    assert set(Cursor.objects.values_list("due_at", flat=True)) == {now}
    assert (poll(source.pk, now=now, ask=ask) is None, poll(other.pk, now=now, ask=ask)) == (False, None)
    x.mend()
    assert pauses.try_again(now + timedelta(seconds=1))
    Cursor.objects.update(due_at=now)
    assert poll(other.pk, now=now + timedelta(seconds=1), ask=ask) is not None
    assert not Pause.objects.filter(ended_at=None).exists()
