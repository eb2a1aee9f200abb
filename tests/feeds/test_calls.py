"""What of the feeds calls for somebody: for the home page, and for a queue that is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.models import Candidate, State
from feeds.calls import Call, calls_of, lasting
from feeds.holding import hold
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import channel_of, make_candidate, make_user
from tests.curation.test_desk import HTMX, text_of


@pytest.fixture
def mila(db: None) -> User:
    """Edits DE and NL."""
    return make_user("mila", {"de": Role.EDITOR, "nl": Role.EDITOR}, language="en", time_zone="UTC")


@pytest.fixture
def full(db: None) -> datetime:
    """Every feed of DE and NL has two entries, of at least one."""
    Channel.objects.update(minimum_fill=1)
    for channel in Channel.objects.filter(market__code__in=("de", "nl")):
        for _ in range(2):
            make_candidate(channel, state=State.APPROVED)
    for market in Market.objects.filter(code__in=("de", "nl")):
        publish(market.pk)
    return timezone.now()


def called(now: datetime, *codes: str) -> list[Call]:
    return [call for part in calls_of(Market.objects.filter(code__in=codes), now) for call in part.calls]


def test_full_feeds_call_for_nobody(full: datetime) -> None:
    told = calls_of(Market.objects.filter(code__in=("de", "nl")), full)
    assert [(part.market.code, part.calls, part.well) for part in told] == [("de", [], 4), ("nl", [], 4)]


def test_a_thin_feed_calls_the_emptiest_first(full: datetime) -> None:
    Channel.objects.filter(market__code="nl", category__slug="politics").update(minimum_fill=3)
    Channel.objects.filter(market__code="nl", category__slug="sport").update(minimum_fill=5)
    Candidate.objects.filter(channel=channel_of("nl", "sport")).update(state=State.BLOCKED, approved_at=None)
    publish(Market.objects.get(code="nl").pk)
    told = called(full, "de", "nl")
    assert [(call.channel and call.channel.category.slug, call.live, call.thin) for call in told] == [
        ("sport", 0, True),
        ("politics", 2, True),
    ]
    assert [part.market.code for part in calls_of(Market.objects.filter(code__in=("de", "nl")), full)] == ["nl", "de"]


def test_an_approval_that_is_not_live_calls_after_ten_seconds(full: datetime) -> None:
    since = full - timedelta(seconds=9)
    make_candidate(channel_of("de", "sport"), state=State.APPROVED, approved_at=since)
    assert called(full, "de") == []
    (call,) = called(full + timedelta(seconds=2), "de")
    assert (call.channel, call.late, call.since) == (channel_of("de", "sport"), 1, since)
    publish(Market.objects.get(code="de").pk)
    assert called(full + timedelta(seconds=30), "de") == []


def test_a_feed_on_hold_calls_and_what_waits_behind_it_does_not(full: datetime, lena: User) -> None:
    de, sport = Market.objects.get(code="de"), channel_of("de", "sport")
    hold(de, sport, "blank", reason="Recht", by=lena)
    make_candidate(sport, state=State.APPROVED, approved_at=full - timedelta(minutes=5))
    assert [(call.channel, call.late) for call in called(full, "de")] == [(sport, 0)]
    hold(de, None, "current", reason="Wahl", by=lena)
    told = called(timezone.now(), "de")
    assert [(call.channel, bool(call.held)) for call in told] == [(None, True), (sport, True)]


def test_the_fragment_tells_only_of_ones_own_markets(browse: Any, mila: User, full: datetime) -> None:
    told = text_of(browse(mila).get("/calls/", headers=HTMX))
    assert "all 4 feeds are full and live" in told
    assert [code in told for code in ("DE", "NL", "GR")] == [True, True, False]
    Channel.objects.filter(market__code="nl", category__slug="sport").update(minimum_fill=5)
    html = browse(mila).get("/calls/", headers=HTMX).content.decode()
    assert 'href="/desk/nl/sport/"' in html
    assert "<html" not in html
    assert "<html" in browse(mila).get("/calls/").content.decode()
    assert browse().get("/calls/").status_code == 302


def test_it_asks_a_steady_number_of_questions(full: datetime) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            called(full + timedelta(minutes=1), "de", "nl")
        return len(queries)

    few = asked()
    for channel in Channel.objects.filter(market__code__in=("de", "nl")):
        make_candidate(channel, state=State.APPROVED)
    late = asked()
    assert late - few == 8  # one for each channel that waits
    for channel in Channel.objects.filter(market__code__in=("de", "nl")):
        make_candidate(channel, state=State.APPROVED)
    assert asked() == late


def test_until_when_no_entry_ends(browse: Any, mila: User, full: datetime) -> None:
    sport, de = channel_of("de", "sport"), Market.objects.get(code="de")
    first, second = Candidate.objects.filter(channel=sport).order_by("pk")
    end = full + timedelta(hours=2)
    Candidate.objects.filter(pk=first.pk).update(expire_at=end)
    assert (lasting(de, sport, full).live, lasting(de, sport, full).until) == (2, end)
    assert lasting(de, None, full).until == end
    told = text_of(browse(mila).get("/resting/de/sport/", headers=HTMX)).strip()
    local = timezone.localtime(end, timezone.get_fixed_timezone(0))
    assert told == f"2 posts are live, none of them ends before {local:%H:%M}."
    Candidate.objects.filter(pk=first.pk).update(expire_at=None, slot=1)
    assert second.approved_at is not None
    assert lasting(de, sport, full).until == second.approved_at + timedelta(hours=sport.live_hours)
    told = text_of(browse(mila).get("/resting/de/sport/", headers=HTMX)).strip()
    assert told == "2 posts are live, none of them ends within 23 h."
    Candidate.objects.filter(pk=second.pk).update(slot=2)
    assert lasting(de, sport, full).until is None
    assert text_of(browse(mila).get("/resting/de/sport/", headers=HTMX)).strip() == (
        "2 posts are live, none of them ends by itself."
    )
    assert browse(mila).get("/resting/gr/sport/").status_code == 404
    Candidate.objects.filter(channel=sport).update(state=State.BLOCKED, slot=None, approved_at=None)
    assert "Nothing is live here." in text_of(browse(mila).get("/resting/de/sport/"))
