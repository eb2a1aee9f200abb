"""Feeds below their minimum: who is told how many of how many, and what the fallback does meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import events
from feeds.calls import calls_of
from feeds.edition import Edition, Fill
from feeds.holding import hold
from feeds.models import Feed
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import make_block, make_user
from tests.curation.test_desk import HTMX, text_of
from tests.feeds.conftest import live, shown

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def mila(db: None) -> User:
    return make_user("mila", {"de": Role.EDITOR, "nl": Role.EDITOR}, language="en", time_zone="UTC")


def fill_of(channel: Channel, now: datetime | None = None) -> Fill:
    channel.refresh_from_db()
    feeds = Feed.objects.filter(market=channel.market).select_related("held_at")
    return Edition(channel.market, [channel], feeds, now or timezone.now()).fill_of(channel.pk)


def one_fresh_two_old(channel: Channel) -> None:
    live(channel, "Frisch.")
    for text in ("Gestern.", "Vorgestern."):
        live(channel, text, approved_at=timezone.now() - 2 * DAY)


def test_older_ones_are_kept_and_told(browse: Any, mila: User, de: Market, politics: Channel) -> None:
    one_fresh_two_old(politics)
    assert len(shown(de)) == 3
    fill = fill_of(politics)
    assert (fill.live, fill.fresh, fill.least, fill.thin, fill.older, fill.hidden) == (3, 1, 3, True, 2, False)
    told = text_of(browse(mila).get("/live/de/politics/"))
    assert "Thin: 1 of at least 3. Meanwhile 2 older ones are kept." in told
    assert "Politics runs thin: 1 of at least 3." in text_of(browse(mila).get("/live/de/"))
    assert "Politics 1 of 3, 2 older kept" in text_of(browse(mila).get("/calls/", headers=HTMX))


def test_what_is_hidden_is_told(browse: Any, mila: User, de: Market, politics: Channel) -> None:
    Channel.objects.filter(pk=politics.pk).update(fallback=Channel.Fallback.HIDE)
    one_fresh_two_old(politics)
    live(politics, "Auch frisch, aber verboten.")
    make_block("verboten", market=de)
    assert shown(de) == []
    fill = fill_of(politics)
    assert (fill.live, fill.fresh, fill.thin, fill.older, fill.hidden) == (0, 1, True, 0, True)
    html = browse(mila).get("/live/de/politics/")
    assert "Thin: 1 of at least 3. So nothing of it is shown until there are enough." in text_of(html)
    assert 'href="/link/de/?category=politics"' in html.content.decode()
    assert "Politics 1 of 3, nothing shown" in text_of(browse(mila).get("/calls/", headers=HTMX))


def test_enough_fresh_ones_call_for_nobody(de: Market, politics: Channel) -> None:
    for text in ("a", "b", "c"):
        live(politics, text)
    assert fill_of(politics) == Fill(3, 3, 3, keeps_older=True, held=False)
    assert not fill_of(politics).thin


def test_a_held_feed_has_no_fallback(de: Market, politics: Channel) -> None:
    one_fresh_two_old(politics)
    publish(de.pk)
    hold(de, politics, "current", reason="Wahl", by=make_user("lena", {"de": Role.LEAD}))
    fill = fill_of(politics)
    assert (fill.live, fill.fresh, fill.thin, fill.older, fill.hidden) == (3, 3, False, 0, False)


def test_a_viewer_is_told_without_the_doors(browse: Any, vera: User, politics: Channel) -> None:
    vera.language = "en"
    vera.save()
    told = text_of(browse(vera).get("/live/de/politics/"))
    assert ("Thin: 0 of at least 3." in told, "Add by link" in told) == (True, False)


def test_desks_hear_when_time_alone_made_it_thin(monkeypatch: Any, de: Market, politics: Channel) -> None:
    """The oldest one stays as an older one: the same bytes, no new snapshot, and yet it runs thin."""
    heard: list[str] = []
    monkeypatch.setattr(events.doorbell(), "ring", heard.extend)
    now = timezone.now()
    for minutes in (0, 5, 10):
        live(politics, f"Satz {minutes}", approved_at=now - timedelta(hours=politics.live_hours, minutes=-minutes - 1))
    publish(de.pk, now=now)
    feed, before = Feed.objects.get(channel=politics), len(heard)
    assert feed.next_change_at is not None
    assert not fill_of(politics, now).thin
    assert publish(de.pk, now=feed.next_change_at) == []
    assert fill_of(politics, feed.next_change_at).thin
    assert [one for one in heard[before:] if '"event": "feed"' in one] != []
    assert publish(de.pk, now=feed.next_change_at) == []
    assert len(heard) == before + 1


def test_a_channel_that_was_closed_while_it_was_held_breaks_no_call(
    de: Market, politics: Channel, browse: Any, mila: User
) -> None:
    live(politics, "a")
    publish(de.pk)
    hold(de, None, "current", reason="Wahl", by=make_user("lena", {"de": Role.LEAD}))
    Channel.objects.filter(pk=politics.pk).update(active=False)
    (told,) = calls_of(Market.objects.filter(code="de"), timezone.now())
    assert told.calls[0].held is not None
    assert browse(mila).get("/resting/de/sport/").status_code == 200
    assert browse(mila).get("/resting/de/").status_code == 200
