"""The wall clock of a market: what people type, as instants, through both changes of the clocks."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils.timezone import override

from regions.clocks import BadTime, instant, market_time
from regions.models import Market

pytestmark = pytest.mark.django_db


def market(code: str) -> Market:
    return Market.objects.get(code=code)


@pytest.mark.parametrize(
    ("code", "told", "meant"),
    [
        ("de", "2026-01-15T12:00", "2026-01-15T11:00"),
        ("de", "2026-07-15T12:00", "2026-07-15T10:00"),
        ("ro", "2026-07-15T12:00", "2026-07-15T09:00"),
        ("gr", "2026-01-15T12:00:30", "2026-01-15T10:00:30"),
        # the last moments before the clocks are set forward, and the first after it
        ("de", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("de", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("ro", "2026-03-29T02:59:59", "2026-03-29T00:59:59"),
        ("gr", "2026-03-29T04:00", "2026-03-29T01:00"),
        # an hour that comes twice: the first
        ("de", "2026-10-25T02:00", "2026-10-25T00:00"),
        ("de", "2026-10-25T02:59:59", "2026-10-25T00:59:59"),
        ("de", "2026-10-25T03:00", "2026-10-25T02:00"),
        ("ro", "2026-10-25T03:30", "2026-10-25T00:30"),
        ("gr", "2026-10-25T03:30", "2026-10-25T00:30"),
        ("gr", "2026-10-25T04:00", "2026-10-25T02:00"),
    ],
)
def test_a_wall_clock_time_is_an_instant_of_its_market(code: str, told: str, meant: str) -> None:
    assert instant(market(code), datetime.fromisoformat(told)) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("de", "2026-03-29T02:00"),
        ("de", "2026-03-29T02:59:59.999999"),
        ("nl", "2026-03-29T02:30"),
        ("ro", "2026-03-29T03:00"),
        ("gr", "2026-03-29T03:59"),
    ],
)
def test_an_hour_that_is_skipped_is_refused_with_a_sentence(code: str, told: str) -> None:
    with pytest.raises(BadTime) as refused:
        instant(market(code), datetime.fromisoformat(told), field="go_live_at")
    assert (refused.value.code, refused.value.status, refused.value.field) == ("bad_window", 422, "go_live_at")
    assert told[11:16] in str(refused.value.detail) and market(code).time_zone in str(refused.value.detail)


def test_the_second_of_two_hours_is_never_meant() -> None:
    told = datetime(2026, 10, 25, 2, 30, fold=1)
    assert instant(market("de"), told) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("told", ["2026-03-29T02:30+01:00", "2026-10-25T02:30+01:00", "2026-03-29T01:30Z"])
def test_a_time_with_a_zone_is_that_moment(told: str) -> None:
    assert instant(market("de"), datetime.fromisoformat(told)) == datetime.fromisoformat(told)
    assert instant(market("de"), datetime.fromisoformat(told)).tzinfo is UTC


@pytest.mark.parametrize(
    "told",
    [
        datetime.max,
        datetime.min,
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=12))),
    ],
)
def test_the_edge_of_the_calendar_is_refused_or_an_instant(told: datetime) -> None:
    try:
        assert instant(market("de"), told).tzinfo is UTC
    except BadTime as refused:
        assert refused.code == "bad_window"


def test_what_no_calendar_holds_is_refused() -> None:
    for told in (datetime.max.replace(tzinfo=timezone(-timedelta(hours=12))), datetime.min):
        with pytest.raises(BadTime):
            instant(market("de"), told)


@pytest.mark.parametrize(
    ("code", "own", "at", "told"),
    [
        ("gr", "Europe/Berlin", "2027-10-31T00:30", "Oct. 31, 2027, 03:30 EEST"),
        ("gr", "Europe/Berlin", "2027-10-31T01:30", "Oct. 31, 2027, 03:30 EET"),
        ("gr", "Europe/Berlin", "2026-11-24T05:00", "November 24, 07:00 EET"),
        ("gr", "Europe/Bucharest", "2026-11-24T05:00", "November 24, 07:00"),
        ("gr", "Europe/Athens", "2027-10-31T01:30", "Oct. 31, 2027, 03:30 EET"),
        ("de", "Europe/Amsterdam", "2026-12-31T23:30", "Jan. 1, 2027, 00:30"),
        ("de", "America/New_York", "2026-12-31T23:30", "Jan. 1, 2027, 00:30 CET"),
    ],
)
def test_what_a_markets_clocks_show_is_told_by_them(code: str, own: str, at: str, told: str) -> None:
    """Shown by one's own without a word, it looked as if another time had been saved."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    with time_machine.travel("2026-11-23T12:00:00Z", tick=False), override(ZoneInfo(own)):
        assert market_time(moment, market(code)) == told


@time_machine.travel("2026-11-23T22:30:00Z", tick=False)
def test_today_is_the_markets_too() -> None:
    with override(ZoneInfo("Europe/Berlin")):
        assert market_time(datetime(2026, 11, 24, 5, tzinfo=UTC), market("gr"), brief=True) == "07:00 EET"
