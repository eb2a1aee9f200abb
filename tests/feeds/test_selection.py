from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.selection import ChannelRules, Row, Shown, channel_feed, market_feed, next_change

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULES = ChannelRules(id=1)


def row(pk: int, minutes_ago: float = 10, **fields: object) -> Row:
    told = {"id": pk, "channel": 1, "tweet": pk, "group": pk, "approved_at": NOON - timedelta(minutes=minutes_ago)}
    return Row(**told | fields)  # type: ignore[arg-type]


def ids(rows: list[Row], rules: ChannelRules = RULES, now: datetime = NOON) -> list[int]:
    return [shown.row.id for shown in channel_feed(rules, rows, now)]


def test_pins_lead_by_slot_then_the_rest_newest_first() -> None:
    rows = [row(1, 50), row(2, 40, slot=3), row(3, 30), row(4, 20, slot=1)]
    assert channel_feed(RULES, rows, NOON) == [
        Shown(rows[3], 1),
        Shown(rows[1], 3),
        Shown(rows[2], None),
        Shown(rows[0], None),
    ]


def test_going_live_later_counts_as_newer() -> None:
    rows = [row(1, 60, go_live_at=NOON - timedelta(minutes=1)), row(2, 30)]
    assert ids(rows) == [1, 2]


def test_outside_its_window_nothing_is_shown_not_even_a_pin() -> None:
    early, late = NOON + timedelta(seconds=1), NOON
    assert ids([row(1, go_live_at=early), row(2, expire_at=late), row(3, slot=1, expire_at=late), row(4)]) == [4]


def test_clocks_that_differ_keep_no_approval_back() -> None:
    """The desk that approved is on another machine, whose clock runs ahead of the publisher's."""
    assert ids([row(1, -3), row(2, 10)]) == [1, 2]


def test_a_pin_that_ended_takes_its_place_in_time() -> None:
    rows = [row(1, 50, slot=1, pinned_until=NOON), row(2, 40)]
    assert channel_feed(RULES, rows, NOON) == [Shown(rows[1], None), Shown(rows[0], None)]


def test_keep_older_fills_to_the_minimum_with_the_newest_of_the_old() -> None:
    rows = [row(1, 10), row(2, 3000), row(3, 2000), row(4, 4000)]
    assert ids(rows) == [1, 3, 2]


def test_keep_older_never_overrides_expire_at() -> None:
    assert ids([row(1, 3000, expire_at=NOON - timedelta(minutes=1)), row(2, 3000)]) == [2]


def test_a_full_feed_keeps_no_older_ones() -> None:
    assert ids([row(1), row(2, 11), row(3, 12), row(4, 3000)]) == [1, 2, 3]


def test_hide_shows_nothing_below_the_minimum() -> None:
    hiding = replace(RULES, keeps_older=False)
    assert ids([row(1), row(2), row(3, 3000)], hiding) == []
    assert ids([row(1), row(2, 11), row(3, 12)], hiding) == [1, 2, 3]


def test_a_pin_outlasts_the_age_limit() -> None:
    assert ids([row(1, 3000, slot=1)], replace(RULES, minimum=0)) == [1]
    assert ids([row(1, 3000)], replace(RULES, minimum=0)) == []


def test_the_first_approved_of_a_group_shows() -> None:
    assert ids([row(1, 10, group=1), row(2, 20, group=1)]) == [2]


def test_with_similar_stands_beside_it() -> None:
    assert ids([row(1, 10, group=1, with_similar=True), row(2, 20, group=1)]) == [1, 2]


def test_one_that_fell_off_the_end_makes_nobody_wait() -> None:
    rows = [row(1, 40, group=1), row(2, 30), row(3, 20), row(4, 10, group=1)]
    assert ids(rows, replace(RULES, length=2)) == [4, 3]


def test_one_that_is_too_old_makes_nobody_wait() -> None:
    assert ids([row(1, 3000, group=1), row(2, 10, group=1)]) == [2]


def test_market_feed_goes_by_slot_then_channel_then_time_and_shows_a_tweet_once() -> None:
    politics, sport = ChannelRules(id=1, position=0), ChannelRules(id=2, position=1)
    first = [Shown(row(1, 50, slot=1, tweet=77), 1), Shown(row(2, 40), None)]
    second = [
        Shown(row(3, 90, slot=1), 1),
        Shown(row(4, 80, slot=2), 2),
        Shown(row(5, 10), None),
        Shown(row(6, 5, tweet=77), None),
    ]
    shown = market_feed(20, [(sport, second), (politics, first)])
    assert [entry.row.id for entry in shown] == [1, 3, 4, 5, 2]
    assert [entry.row.id for entry in market_feed(2, [(sport, second), (politics, first)])] == [1, 3]


# --- properties -------------------------------------------------------------------------------------------------
minutes = st.integers(-200, 200).map(lambda number: NOON + timedelta(minutes=number))
maybe = st.none() | minutes
rules = st.builds(
    ChannelRules,
    id=st.just(1),
    length=st.integers(1, 5),
    lasts=st.integers(1, 150).map(lambda number: timedelta(minutes=number)),
    minimum=st.integers(0, 6),
    keeps_older=st.booleans(),
)


@st.composite
def many_rows(draw: st.DrawFn) -> list[Row]:
    size = draw(st.integers(0, 9))
    slots = draw(st.permutations([*range(1, 4), *[None] * 6]))
    return [
        Row(
            id=pk,
            channel=1,
            tweet=pk,
            group=draw(st.integers(0, 3)) or pk + 10,
            approved_at=draw(minutes.filter(lambda at: at <= NOON)),
            go_live_at=draw(maybe),
            expire_at=draw(maybe),
            slot=slots[pk],
            pinned_until=draw(maybe) if slots[pk] else None,
            with_similar=draw(st.booleans()),
        )
        for pk in range(size)
    ]


@given(rules, many_rows(), minutes)
def test_whatever_is_shown_may_be_shown(rules: ChannelRules, rows: list[Row], now: datetime) -> None:
    shown = channel_feed(rules, rows, now)
    assert len(shown) <= rules.length
    for entry in shown:
        assert entry.row.in_window(now)
        assert entry.slot == entry.row.slot_at(now)
        if entry.slot is None and not rules.keeps_older:
            assert entry.row.lasts_until(rules) > now
    for group in {entry.row.group for entry in shown}:
        beside = [entry.row for entry in shown if entry.row.group == group and not entry.row.with_similar]
        assert len(beside) <= 1


@given(rules, many_rows(), minutes)
def test_the_order_of_reading_changes_nothing(rules: ChannelRules, rows: list[Row], now: datetime) -> None:
    assert channel_feed(rules, rows, now) == channel_feed(rules, rows[::-1], now)


@given(rules, many_rows(), minutes, st.data())
def test_nothing_changes_before_the_next_change(
    rules: ChannelRules, rows: list[Row], now: datetime, data: st.DataObject
) -> None:
    until = next_change(rules, rows, now) or now + timedelta(days=9)
    later = data.draw(
        st.datetimes(now.replace(tzinfo=None), until.replace(tzinfo=None)).map(lambda at: at.replace(tzinfo=UTC))
    )
    if later < until:
        assert channel_feed(rules, rows, later) == channel_feed(rules, rows, now)


@given(rules, many_rows(), minutes)
def test_no_place_stays_empty_while_someone_fresh_and_alone_waits(
    rules: ChannelRules, rows: list[Row], now: datetime
) -> None:
    shown = channel_feed(replace(rules, keeps_older=True), rows, now)
    groups, there = {entry.row.group for entry in shown}, {entry.row.id for entry in shown}
    if len(shown) < rules.length:
        for row in rows:
            fresh = row.in_window(now) and (row.slot_at(now) or row.lasts_until(rules) > now)
            assert not fresh or row.id in there or row.group in groups
