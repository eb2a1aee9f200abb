"""How people are told what holds a feed: frozen, set back, blank, closed, thin; and which moment the machine means."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from curation.models import Candidate
from feeds import closure
from feeds.holding import BLANK, CURRENT, hold
from feeds.models import Closure, Feed, Snapshot
from feeds.operations import publish
from regions.models import Channel, Market, User
from tests.cast import make_block
from tests.curation.test_desk import text_of
from tests.feeds import test_feed_page as stage
from tests.feeds.conftest import live
from tests.feeds.test_feed_page import HOLD, PAGE, RELEASE, hold_it, wall

pytestmark = pytest.mark.django_db
lena, past = stage.lena, stage.past
TOLD = (PAGE, "/desk/de/politics/", "/live/de/politics/", "/calls/", "/health/de/")


def clock(at: datetime) -> str:
    """By the clocks of Berlin; with the day in the first hour after midnight, when it is yesterday's."""
    here, today = (moment.astimezone(ZoneInfo("Europe/Berlin")) for moment in (at, timezone.now()))
    return f"{here:%H:%M}" if here.date() == today.date() else f"{here:%B %-d, %H:%M}"


def told(client: Any, *urls: str) -> str:
    return " ".join(text_of(client.get(url)) for url in urls)


def at_number(number: int) -> Snapshot:
    return Snapshot.objects.get(number=number, feed__channel__category__slug="politics", feed__market__code="de")


def test_a_restored_feed_says_so_everywhere(browse: Any, lena: User, politics: Channel, past: list[Candidate]) -> None:
    client, back = browse(lena), f"is set back to {clock(at_number(1).at)}"
    done = text_of(client.get(hold_it(client, snapshot="1").url))
    assert f"Done. Politics {back}." in done
    publish(politics.market_id)
    page = told(client, PAGE)
    assert page.count(f"Politics {back}") == 2, "banner and heading"
    assert ("It is set back to no. 1 of" in page, "The phones show what stood then" in page) == (True, True)
    assert f"The feed {back}." in told(client, "/live/de/politics/")
    assert f"set back to {clock(at_number(1).at)}" in told(client, "/calls/")
    assert "frozen" not in told(client, *TOLD)


def test_a_frozen_feed_stays_frozen_when_something_leaves_it(
    browse: Any, lena: User, politics: Channel, past: list[Candidate]
) -> None:
    client = browse(lena)
    assert "Politics is frozen." in told(client, hold_it(client).url)
    make_block("nummer 1", market=politics.market)
    publish(politics.market_id)
    assert Feed.objects.get(channel=politics).number == 4
    assert told(client, PAGE).count("Politics is frozen") == 2
    assert "set back" not in told(client, *TOLD)


def test_the_day_is_told_where_it_is_another(browse: Any, lena: User, de: Market, politics: Channel) -> None:
    then = timezone.now() - timedelta(days=3)
    for turn in range(2):
        live(politics, f"Satz {turn}.", approved_at=then + timedelta(hours=turn))
        publish(de.pk, now=then + timedelta(hours=turn))
    hold(de, politics, 1, reason="Wahl", by=lena)
    page = told(browse(lena), PAGE)
    assert f"is set back to {then.astimezone(ZoneInfo('Europe/Berlin')):%B %-d, %H:%M}" in page


def test_closed_nobody_is_told_what_phones_show(
    browse: Any, lena: User, politics: Channel, past: list[Candidate]
) -> None:
    client, late = browse(lena), timezone.now() - timedelta(minutes=5)
    live(politics, "Später freigegeben.", approved_at=late)
    before = told(client, PAGE, "/live/de/politics/")
    assert ("on the phones now" in before, "live since" in before) == (True, True)
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    seen = told(client, PAGE, "/live/de/politics/", f"{PAGE}snapshots/3/", "/feed/de/", "/calls/")
    for words in ("on the phones now", "On the phones now", "live since", "not live yet", "on its way", "posts on the"):
        assert words not in seen, words
    assert "Restore it…" not in told(client, f"{PAGE}snapshots/2/")
    assert "full and live" not in told(client, "/calls/")
    asked = told(client, f"{HOLD}?snapshot=blank")
    assert asked.count("decisions go out once it is reopened") == 2, "banner and page"
    done = text_of(client.get(hold_it(client, snapshot="blank").url))
    assert "Politics is blank. The phones keep what they have; decisions go out once it is reopened." in done
    assert ("follow at once" in done, "of it stands on any phone" in done) == (False, False)


def test_a_restore_that_is_refused_says_why_and_is_not_offered(
    browse: Any, lena: User, politics: Channel, past: list[Candidate]
) -> None:
    client, now = browse(lena), timezone.now()
    assert "Restore it…" in told(client, f"{PAGE}snapshots/1/")
    Closure.objects.create(at=now, why=Closure.Why.RESTORED, ended_at=now)
    page, why = told(client, f"{PAGE}snapshots/1/"), "This is from before the database was restored"
    assert (why in page, "Restore it…" in page) == (True, False)
    asked = client.get(HOLD, {"snapshot": "1"})
    assert (asked.status_code, why in text_of(asked), "Restore this state" in text_of(asked)) == (422, True, False)
    sent = client.post(HOLD, {"snapshot": "1", "reason": "Wahl"})
    assert (sent.status_code, text_of(sent).count(why)) == (422, 1)


@pytest.mark.parametrize(("at", "thin", "doors"), [("", True, True), (CURRENT, True, False), (BLANK, False, False)])
def test_who_is_asked_to_fill_a_feed_can(
    browse: Any, lena: User, de: Market, politics: Channel, at: str, *, thin: bool, doors: bool
) -> None:
    Channel.objects.filter(market=de).update(minimum_fill=0)
    Channel.objects.filter(pk=politics.pk).update(minimum_fill=3)
    live(politics)
    publish(de.pk)
    if at:
        hold(de, politics, at, reason="Wahl", by=lena)
        publish(de.pk)
    for url in (PAGE, "/live/de/politics/", "/feed/de/"):
        page = told(browse(lena), url)
        assert ("of at least 3" in page, "Approve what waits" in page) == (thin, doors), url


def test_a_moment_of_another_year_says_which_and_one_to_come_is_refused(
    browse: Any, lena: User, past: list[Candidate]
) -> None:
    client, now = browse(lena), timezone.now()
    page = told(client, f"{PAGE}?at={now.year - 1}-03-14T14:30")
    assert f"Nothing was published here yet on March 14, {now.year - 1}, 14:30." in page
    assert ("No. 1" in page, "No. 2" in page) == (True, False), "the first one stands below"
    came = client.get(PAGE, {"at": wall(now + timedelta(minutes=2))})
    assert (came.status_code, "That is still to come." in text_of(came)) == (422, True)
    assert client.get(PAGE, {"at": wall(now)}).status_code == 200


def test_the_same_posts_say_what_changed(browse: Any, lena: User, past: list[Candidate], politics: Channel) -> None:
    Candidate.objects.filter(pk=past[0].pk).update(expire_at=timezone.now() + timedelta(hours=1))
    publish(politics.market_id)
    author = past[1].tweet.author
    assert author
    author.name = "Anders Genannt"
    author.save()
    publish(politics.market_id)
    page = told(browse(lena), PAGE)
    assert page.count("order, pins, words or ends") == 1
    assert page.count("author, picture or what left before") == 1
    assert RELEASE not in page
