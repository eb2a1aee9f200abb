"""How long approvals take to their feeds and how long what is live goes unchecked: noted, read, told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Tweet
from feeds import health, vitals
from feeds.holding import hold, release
from feeds.models import Receipt, Snapshot, Unchecked
from feeds.operations import publish
from feeds.vitals import Way, note, note_receipts, oldest_unchecked, waiting
from regions.models import Channel, Market, Source, User
from tests.cast import channel_of, make_candidate
from tests.feeds.conftest import live

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def receipts() -> dict[int, float | None]:
    return dict(Receipt.objects.values_list("candidate", "seconds"))


def check(candidate: Candidate, at: datetime) -> None:
    Tweet.objects.filter(pk=candidate.tweet_id).update(checked_at=at)


def noted(market: Market, now: datetime, **seconds: float) -> None:
    """Receipts by how many minutes ago they were due, and after how many seconds they were live: _5=2.0."""
    Receipt.objects.bulk_create(
        Receipt(market=market, candidate=place, due=now - int(ago[1:]) * MINUTE, seconds=took)
        for place, (ago, took) in enumerate(seconds.items())
    )


def test_a_receipt_tells_how_long_an_approval_took(de: Market, politics: Channel, now: datetime) -> None:
    slow, planned = live(politics, approved_at=now - 7 * SECOND), live(politics, approved_at=now - 2 * HOUR)
    Candidate.objects.filter(pk=planned.pk).update(go_live_at=now - 3 * SECOND)
    publish(de.pk, now=now)
    publish(de.pk, now=now + MINUTE)
    note_receipts(now + MINUTE)
    assert receipts() == {slow.pk: 7.0, planned.pk: 3.0}


def test_what_is_not_live_yet_has_no_receipt_until_it_is(
    de: Market, politics: Channel, lena: User, now: datetime
) -> None:
    publish(de.pk, now=now - HOUR)
    late = make_candidate(politics)
    operations.approve(late, by=lena, version=1, now=now - 50 * SECOND)
    note_receipts(now)
    assert (receipts(), waiting([de], now)) == ({}, {de.pk: [now - 50 * SECOND]})
    publish(de.pk, now=now)
    note_receipts(now)
    assert (receipts(), waiting([de], now)) == ({late.pk: 50.0}, {})


def test_ten_seconds_are_no_alarm(de: Market, politics: Channel, lena: User, now: datetime) -> None:
    publish(de.pk, now=now - HOUR)
    operations.approve(make_candidate(politics), by=lena, version=1, now=now - 9 * SECOND)
    assert [waiting([de], now), waiting([de], now + 2 * SECOND)] == [{}, {de.pk: [now - 9 * SECOND]}]


def test_what_a_feed_has_no_place_for_is_no_delay(de: Market, politics: Channel, lena: User, now: datetime) -> None:
    """A feed on hold takes approvals in without showing them; shown an hour later they were not slow."""
    publish(de.pk, now=now - 2 * HOUR)
    hold(de, politics, "blank", by=lena, reason="Wir prüfen etwas.", now=now - 2 * HOUR)
    kept = make_candidate(politics)
    operations.approve(kept, by=lena, version=1, now=now - HOUR)
    publish(de.pk, now=now - HOUR)
    note_receipts(now - HOUR + MINUTE)
    assert (receipts(), waiting([de], now - HOUR + MINUTE)) == ({kept.pk: None}, {})
    release(de, politics, by=lena, now=now)
    publish(de.pk, now=now)
    note_receipts(now)
    assert receipts() == {kept.pk: None}


def test_of_what_is_live_the_longest_unchecked_counts(de: Market, politics: Channel, now: datetime) -> None:
    old, young, pending = (
        live(politics, approved_at=now - HOUR),
        live(politics, approved_at=now - HOUR),
        make_candidate(politics),
    )
    publish(de.pk, now=now - 20 * MINUTE)
    for one, ago in ((old, 16), (young, 4), (pending, 300)):
        check(one, now - ago * MINUTE)
    nl = Market.objects.get(code="nl")
    assert oldest_unchecked([de, nl], now) == {de.pk: 16 * 60, nl.pk: 0}


def test_what_just_came_live_has_its_first_check_to_come(de: Market, politics: Channel, now: datetime) -> None:
    """Also where a snapshot is restored: it was approved long ago, and away meanwhile."""
    back = live(politics, approved_at=now - 5 * HOUR)
    check(back, now - 3 * HOUR)
    publish(de.pk, now=now - 14 * MINUTE)
    assert oldest_unchecked([de], now) == {de.pk: 0}
    assert oldest_unchecked([de], now + 2 * MINUTE) == {de.pk: 3 * 3600 + 120}


def test_the_publisher_notes_and_forgets(de: Market, politics: Channel, now: datetime) -> None:
    Unchecked.objects.create(market=de, at=now - vitals.KEPT - MINUTE, seconds=4)
    noted(de, now, _3000=1.0, _60=1.0)
    one = live(politics, approved_at=now - 20 * MINUTE)
    publish(de.pk, now=now - 20 * MINUTE)
    check(one, now - 3 * MINUTE)
    note(now)
    told = dict(Unchecked.objects.filter(market=de).values_list("at", "seconds"))
    assert (told, Receipt.objects.count()) == ({now: 180}, 2)
    assert Unchecked.objects.filter(at=now).count() == Market.objects.active().count()


def test_the_curve_is_of_half_and_of_95_in_each_half_hour(de: Market, now: datetime) -> None:
    now = now.replace(minute=20, second=0, microsecond=0)
    noted(de, now, _1=1.0, _2=2.0, _3=3.0, _25=14.0, _24=None)  # type: ignore[arg-type]
    first = vitals.first_step(now)
    assert vitals.ways_of([de], now) == {
        first + 47 * vitals.STEP: Way(2.0, 2.9),
        first + 46 * vitals.STEP: Way(14.0, 14.0),
    }
    chart = health.ways_chart(vitals.ways_of([de], now), now)
    assert (chart.curve, chart.limit) == ("M97.9 30.0L100.0 85.5", "50.0")
    assert chart.told == (
        "In each half hour of the last 24 hours it took 14 s at most until 95 of 100 approvals were live; "
        "half hours in which the limit of 10 s was broken: 1."
    )
    assert [value for _name, value in chart.rows] == [
        "14 s, half of them within 14 s",
        "2.9 s, half of them within 2.0 s",
    ]


def test_a_gap_in_what_was_noted_is_a_gap_in_the_curve(de: Market, now: datetime) -> None:
    now = now.replace(minute=20, second=0, microsecond=0)
    for ago, age in ((1, 240), (2, 300), (30, 60), (100, 1200)):
        Unchecked.objects.create(market=de, at=now - ago * MINUTE, seconds=age)
    found = vitals.checks_of([de], now)
    assert sorted(found.values()) == [60, 300, 1200]
    chart = health.checks_chart(found, now)
    assert (chart.curve, chart.limit) == ("M93.6 0.0h0M97.9 95.0L100.0 75.0", "25.0")
    assert [value for _name, value in chart.rows] == ["20 min", "1 min", "5 min"]


def test_half_hours_are_named_by_the_clock_where_it_is_set_back(de: Market) -> None:
    now = datetime(2026, 10, 25, 2, 10, tzinfo=UTC)
    for ago in (100, 40):
        Unchecked.objects.create(market=de, at=now - ago * MINUTE, seconds=60 * ago)
    with timezone.override(ZoneInfo("Europe/Berlin")):
        rows = health.checks_chart(vitals.checks_of([de], now), now).rows
    assert list(rows) == [("02:30 CEST", "100 min"), ("02:30 CET", "40 min")]


@pytest.fixture
def told_in(browse: Callable[[User], Any]) -> Callable[..., dict[str, Any]]:
    def told_in(user: User, address: str = "/health/de/") -> dict[str, Any]:
        found: dict[str, Any] = browse(user).get(address).context
        return found

    return told_in


def test_the_sentence_names_each_broken_limit_by_market(
    told_in: Callable[..., Any], chief: User, de: Market, politics: Channel, now: datetime
) -> None:
    sport = channel_of("nl", "sport")
    for channel, ago in ((politics, 16), (sport, 31)):
        one = live(channel, approved_at=now - HOUR)
        publish(channel.market_id, now=now - 40 * MINUTE)
        check(one, now - ago * MINUTE + MINUTE / 2)
    noted(de, now, _5=14.2)
    told = told_in(chief, "/health/")
    assert told["summed_up"].startswith(
        "Approvals took longer than 10 s to the feed in the last hour: DE (14 s). "
        "Live posts were not checked at X for more than 15 min: DE (16 min), NL (31 min)."
    )
    assert [(one.value, one.broken) for one in told["figures"]] == [("14 s", True), ("31 min", True)]


def test_when_no_limit_is_broken_the_feeds_are_fresh(
    told_in: Callable[..., Any], lena: User, de: Market, politics: Channel, now: datetime
) -> None:
    Source.objects.create(kind="account", value="rathaus", market=de)
    noted(de, now, _5=2.1)
    note(now)
    told = told_in(lena)
    assert told["summed_up"] == "All feeds are fresh. DE is read, and its budget lasts."
    assert [(one.value, one.limit, one.broken) for one in told["figures"]] == [
        ("2.1 s", "at most 10 s", False), ("0 min", "at most 15 min", False),
    ]  # fmt: skip
    assert [chart.title for chart in told["charts"]] == [
        "Posts read an hour", "From approval to the feed", "Oldest unchecked live post", "Month's budget DE",
    ]  # fmt: skip


def test_a_feed_on_hold_is_not_fresh(told_in: Callable[..., Any], lena: User, de: Market, politics: Channel) -> None:
    publish(de.pk)
    note(timezone.now())
    hold(de, politics, "blank", by=lena, reason="Wir prüfen etwas.")
    assert told_in(lena)["summed_up"].startswith("On hold: DE (Politics).")


def test_a_publisher_that_went_silent_is_missed(told_in: Callable[..., Any], lena: User, now: datetime) -> None:
    note(now - 4 * MINUTE)
    clock = (now - 4 * MINUTE).astimezone(ZoneInfo("Europe/Berlin")).strftime("%H:%M")
    words = f"The publisher has noted nothing since {clock}: is it running?"
    assert told_in(lena)["summed_up"].startswith(words)
    note(timezone.now())
    assert told_in(lena)["summed_up"].startswith("All feeds are fresh.")


def test_others_are_not_told_of_a_market(told_in: Callable[..., Any], lena: User, now: datetime) -> None:
    noted(Market.objects.get(code="nl"), now, _5=99.0)
    assert next(one.value for one in told_in(lena)["figures"]) == "–"


def test_noting_takes_as_many_queries_for_many_as_for_one(de: Market, politics: Channel, now: datetime) -> None:
    counts = []
    for _round in range(2):
        for _n in range(4):
            live(politics, approved_at=now - MINUTE)
        publish(de.pk, now=now)
        with CaptureQueriesContext(connection) as asked:
            note(now)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert Snapshot.objects.count() and Receipt.objects.count() == 8
