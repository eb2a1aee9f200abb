"""The page of a feed: what it shows, the time machine, freezing, restoring, blanking and releasing by plain forms."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.models import Candidate
from feeds.closure import close
from feeds.holding import BLANK, hold, release
from feeds.models import Closure, Feed
from feeds.notices import lead_of_closure, told_of
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import channel_of, make_block, make_user
from tests.curation.test_desk import text_of
from tests.feeds.conftest import id_of, live, shown

pytestmark = pytest.mark.django_db
PAGE, HOLD, RELEASE = "/feed/de/politics/", "/feed/de/politics/hold/", "/feed/de/politics/release/"


@pytest.fixture
def lena(db: None) -> User:
    """Leads DE."""
    return make_user("lena", {"de": Role.LEAD}, first_name="Lena", last_name="Weiss", language="en")


@pytest.fixture
def anna(db: None) -> User:
    return make_user("anna", {"de": Role.EDITOR}, language="en")


@pytest.fixture
def past(de: Market, politics: Channel) -> list[Candidate]:
    """Three snapshots, an hour ago, forty and twenty minutes ago; each showed one post more."""
    began, made = timezone.now() - timedelta(hours=1), []
    for turn in range(3):
        now = began + timedelta(minutes=20 * turn)
        made.append(live(politics, f"Satz Nummer {turn}.", approved_at=now))
        publish(de.pk, now=now)
    return made


def wall(at: datetime) -> str:
    """By the clocks of Berlin."""
    return at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")


def typed(page: Any, name: str) -> str:
    found = re.search(rf'<input[^>]* name="{name}"[^>]*>', page.content.decode())
    assert found, name
    return (re.search(r'value="([^"]*)"', found[0]) or ["", ""])[1]


def hold_it(client: Any, url: str = HOLD, **sent: str) -> Any:
    """As the form that is shown sends it."""
    asked = client.get(url, {"snapshot": sent.get("snapshot", "current")})
    return client.post(url, {"seen": typed(asked, "seen"), "snapshot": "current", "reason": "Wahl"} | sent)


def test_it_shows_what_the_phones_show_and_every_state_before(browse: Any, anna: User, past: list[Candidate]) -> None:
    told = text_of(browse(anna).get(PAGE))
    assert "3 posts on the phones" in told
    assert "No. 3, since" in told
    assert "All times on this page are those of Europe/Berlin." in told
    positions = [told.index(f"Satz Nummer {turn}.") for turn in (2, 1, 0)]
    assert positions == sorted(positions)
    assert [told.count(words) for words in ("1 came", "the first one", "Freeze…", "Blank…")] == [2, 1, 0, 0]


def test_leads_find_the_doors_and_viewers_the_page(browse: Any, lena: User, vera: User, past: list[Candidate]) -> None:
    told = text_of(browse(lena).get(PAGE))
    assert ("Freeze…" in told, "Blank…" in told, "Release…" in told) == (True, True, False)
    assert browse(vera).get(PAGE).status_code == 200
    assert browse(vera).get(HOLD).status_code == 403
    assert browse(vera).post(RELEASE).status_code == 403


def test_a_moment_is_picked_by_the_markets_clock(browse: Any, anna: User, past: list[Candidate]) -> None:
    anna.time_zone = "America/New_York"
    anna.save()
    second = Feed.objects.get(channel__category__slug="politics", market__code="de").snapshot_set.get(number=2)
    page = browse(anna).get(PAGE, {"at": wall(second.at + timedelta(minutes=5))})
    told = text_of(page)
    assert "the phones showed no. 2, with 2 posts." in told
    assert second.at.astimezone(ZoneInfo("Europe/Berlin")).strftime(", %H:%M:%S") in told
    assert [f"/snapshots/{number}/" in page.content.decode() for number in (3, 2, 1)] == [False, True, True]
    told = text_of(browse(anna).get(PAGE, {"at": wall(second.at - timedelta(days=2))}))
    assert "Nothing was published here yet on" in told


@pytest.mark.parametrize(
    ("at", "words"),
    [("yesterday", "That is no time."), ("2026-03-29T02:30", "skipped"), ("9999-99-99T10:00", "That is no time.")],
)
def test_a_moment_that_is_none_is_refused_and_kept(browse: Any, anna: User, de: Market, at: str, words: str) -> None:
    page = browse(anna).get(PAGE, {"at": at})
    assert (page.status_code, typed(page, "at")) == (422, at)
    assert words in text_of(page)


def test_older_ones_come_by_number(browse: Any, anna: User, de: Market, politics: Channel) -> None:
    began = timezone.now() - timedelta(hours=1)
    for turn in range(27):
        live(politics, f"Satz {turn}.", approved_at=began + timedelta(minutes=turn))
        publish(de.pk, now=began + timedelta(minutes=turn))
    first = browse(anna).get(PAGE).content.decode()
    assert len(re.findall(r"/feed/de/politics/snapshots/\d+/", first)) == 25
    assert "?before=3#machine" in first
    last = browse(anna).get(PAGE, {"before": "3"}).content.decode()
    assert re.findall(r"/feed/de/politics/snapshots/(\d+)/", last) == ["2", "1"]
    assert '#machine">Older' not in last


def test_a_snapshot_tells_what_of_it_could_be_shown_again_and_why_not(
    browse: Any, anna: User, de: Market, politics: Channel
) -> None:
    then = timezone.now() - timedelta(hours=1)
    names = ("bleibt", "wirdblockiert", "wirdgeaendert", "vorbei", "weg", "verboten", "geloescht")
    posts = {name: live(politics, f"Hier steht {name}.", approved_at=then) for name in names}
    Candidate.objects.filter(pk=posts["bleibt"].pk).update(slot=1, context="Seit heute früh.", label="Anzeige")
    publish(de.pk, now=then)
    make_block("wirdblockiert", market=de)
    edited, withheld, purged = (posts[name].tweet for name in ("wirdgeaendert", "verboten", "geloescht"))
    edited.text = "Etwas anderes."
    edited.save()
    withheld.withheld_in = ["DE"]
    withheld.save()
    purged.purged_at, purged.text, purged.author = timezone.now(), "", None
    purged.save()
    Candidate.objects.filter(pk=posts["vorbei"].pk).update(state="pending", approved_at=None)
    Candidate.objects.filter(pk=posts["weg"].pk).update(state="withdrawn", approved_at=None)
    new = live(politics, "Das kam neu dazu.")
    publish(de.pk)
    told = text_of(browse(anna).get(f"{PAGE}snapshots/1/"))
    for words in ("blocked since", "withdrawn since", "edited at X since", "withheld in this country", "for good"):
        assert told.count(words) == 1, words
    assert ("Seit heute früh." in told, "Anzeige" in told) == (True, True)
    assert ("Etwas anderes." in told.split("Restored now")[0], "What was shown is not" in told) == (False, True)
    change = told.split("it would change")[1]
    assert ("2 posts leave, 1 comes, 1 stays." in change, new.tweet.text in change) == (True, True)
    assert "Hier steht vorbei." in change.split("Comes to the phones")[1]
    assert browse(anna).get(f"{PAGE}snapshots/99/").status_code == 404
    assert browse(anna).get(f"{PAGE}snapshots/{2**64}/").status_code == 404


def test_a_lead_freezes_with_a_reason_and_until_when(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    client, until = browse(lena), timezone.now() + timedelta(hours=2)
    assert "Nothing changes at once: 3 posts stay." in text_of(client.get(HOLD))
    told = text_of(client.get(hold_it(client, until=wall(until)).url))
    feed = Feed.objects.get(channel=politics)
    assert (feed.hold, feed.held_by, feed.held_reason) == ("snapshot", lena, "Wahl")
    assert feed.held_until is not None
    assert wall(feed.held_until) == wall(until)
    assert ("Politics is frozen" in told, "Wahl" in told, "ends by itself on" in told) == (True, True, True)
    live(politics, "Später.")
    assert shown(de) == [id_of(one) for one in reversed(past)]


def test_a_snapshot_is_restored_and_the_present_comes_back(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    client = browse(lena)
    ahead = text_of(client.get(HOLD, {"snapshot": "1"}))
    assert "2 posts leave, 0 come, 1 stays." in ahead
    assert "In the market's feed" in ahead
    assert hold_it(client, snapshot="1").status_code == 302
    assert shown(de) == [id_of(past[0])]
    asked = client.get(RELEASE)
    assert "0 posts leave, 2 come, 1 stays." in text_of(asked)
    assert client.post(RELEASE, {"seen": typed(asked, "seen")}).status_code == 302
    assert shown(de) == [id_of(one) for one in reversed(past)]
    assert "is not held" in text_of(client.get(RELEASE))


def test_blank_is_told_as_the_grave_act_it_is(browse: Any, lena: User, de: Market, past: list[Candidate]) -> None:
    client = browse(lena)
    told = text_of(client.get(HOLD, {"snapshot": "blank"}))
    assert "This is a grave act. All 3 posts (Politics) leave every phone at its next look" in told
    assert ("Take 3 posts off the phones" in told, told.count("3 posts leave, 0 come, 0 stay.")) == (True, 1)
    hold_it(client, snapshot="blank")
    assert shown(de) == []
    assert "Politics is blank" in text_of(client.get(PAGE))


def test_a_market_is_held_with_its_channels(browse: Any, lena: User, de: Market, past: list[Candidate]) -> None:
    hold(de, channel_of("de", "sport"), BLANK, reason="Recht", by=lena)
    client = browse(lena)
    told = text_of(client.get("/feed/de/hold/", {"snapshot": "blank"}))
    assert ("Sport is held for itself and stays so." in told, "Politics: 3 leave, 0 come" in told) == (True, True)
    assert hold_it(client, "/feed/de/hold/", snapshot="blank").status_code == 302
    assert (shown(de, None), shown(de)) == ([], [])
    assert "It is held with the whole market" in text_of(client.get(PAGE))
    asked = client.get("/feed/de/release/")
    client.post("/feed/de/release/", {"seen": typed(asked, "seen")})
    assert len(shown(de)) == 3
    assert Feed.objects.get(channel=channel_of("de", "sport")).hold == "blank"


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"reason": " "}, "reason", "Say why"),
        ({"reason": "x" * 201}, "reason", "At most 200"),
        ({"reason": "\u200b\u200b"}, "reason", "Say why"),
        ({"reason": "Wahl\u202e"}, "reason", "cannot be seen"),
        ({"until": "2020-01-01T10:00"}, "until", "past"),
        ({"until": "morgen"}, "until", "no time"),
        ({"until": "2026-03-29T02:30"}, "until", "skipped"),
    ],
)
def test_what_is_refused_stays_typed(
    browse: Any, lena: User, past: list[Candidate], sent: dict[str, str], field: str, words: str
) -> None:
    wish = {"reason": "Wahl am Sonntag", "until": ""} | sent
    page = hold_it(browse(lena), **wish)
    assert page.status_code == 422
    assert {name: typed(page, name) for name in wish} == wish
    assert re.search(
        rf'name="{field}"[^>]*aria-invalid="true"[^>]*aria-describedby="wrong-{field}"', page.content.decode()
    )
    assert words in text_of(page)
    assert not Feed.objects.exclude(hold="").exists()


def test_who_was_faster_is_told_and_nothing_typed_is_lost(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    client, mona = browse(lena), make_user("mona", {"de": Role.LEAD}, first_name="Mona", last_name="Marder")
    seen = typed(client.get(HOLD), "seen")
    hold(de, politics, BLANK, reason="Recht", by=mona)
    until = wall(timezone.now() + timedelta(hours=3))
    wish = {"seen": seen, "snapshot": "1", "reason": "Wahl am Sonntag", "until": until}
    page = client.post(HOLD, wish)
    told = text_of(page)
    assert (page.status_code, Feed.objects.get(channel=politics).held_reason) == (409, "Recht")
    assert ("Somebody held or released this feed meanwhile." in told, "Mona Marder, since" in told) == (True, True)
    kept = {name: typed(page, name) for name in ("snapshot", "reason", "until")}
    assert kept == {name: wish[name] for name in kept}
    assert client.post(HOLD, wish | {"seen": typed(page, "seen")}).status_code == 302
    assert Feed.objects.get(channel=politics).held_by == lena


def test_a_release_meets_what_happened_meanwhile(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    client = browse(lena)
    hold(de, politics, BLANK, reason="Recht", by=lena)
    seen = typed(client.get(RELEASE), "seen")
    hold(de, politics, 1, reason="Wahl", by=lena)
    page = client.post(RELEASE, {"seen": seen})
    assert (page.status_code, Feed.objects.get(channel=politics).held_reason) == (409, "Wahl")
    release(de, politics, by=lena)
    page = client.post(RELEASE, {"seen": typed(page, "seen")})
    assert (page.status_code, "This feed is not held." in text_of(page)) == (409, True)


def test_what_is_asked_wrongly_is_not_found(browse: Any, lena: User, past: list[Candidate]) -> None:
    client = browse(lena)
    for wish in ("x", "-1", "99", str(2**70)):
        assert client.get(HOLD, {"snapshot": wish}).status_code == 404
        assert client.post(HOLD, {"snapshot": wish, "reason": "Wahl"}).status_code == 404
    assert client.get("/feed/de/nothing/").status_code == 404
    assert client.get("/feed/nl/").status_code == 404


def test_what_was_never_published_says_so_and_can_be_blank(browse: Any, lena: User, de: Market) -> None:
    client = browse(lena)
    assert not Feed.objects.exists()
    assert "Nothing was published here yet." in text_of(client.get(PAGE))
    page = client.get(HOLD)
    assert (page.status_code, "It can only be held blank." in text_of(page)) == (422, True)
    assert hold_it(client, snapshot="blank").status_code == 302


def test_hostile_words_stay_words(browse: Any, lena: User, de: Market, politics: Channel) -> None:
    live(politics, "<script>run()</script> & mehr")
    publish(de.pk)
    client = browse(lena)
    hold_it(client, reason="<b>Wahl</b>")
    for url in (PAGE, f"{PAGE}snapshots/1/", RELEASE, HOLD, "/desk/de/"):
        html = client.get(url).content.decode()
        assert ("<script>run()" in html, "<b>Wahl</b>" in html) == (False, False), url


MARKET_PAGES = ("/desk/de/", "/desk/de/politics/", "/lists/de/blocks/", "/lists/de/settings/", "/lists/de/people/",
                "/lists/de/sources/", "/health/de/", "/log/de/", "/feed/de/", "/link/de/", "/erase/de/")  # fmt: skip


def test_what_is_held_stands_on_every_page_of_the_market(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    hold(de, politics, BLANK, reason="Recht prüft", by=lena, until=timezone.now() + timedelta(hours=30))
    client = browse(lena)
    for url in (*MARKET_PAGES, "/", "/health/", "/my/decisions/", "/profile/"):
        html = client.get(url).content.decode()
        banner = html.split('id="notices"')[1].split("</header>")[0]
        assert ("Politics is blank." in banner, "Lena Weiss" in banner, "Recht prüft" in banner) == (True,) * 3, url
        assert 'href="/feed/de/politics/"' in banner, url
    hold(de, None, BLANK, reason="Alles prüfen", by=lena)
    told = text_of(client.get("/desk/de/sport/"))
    assert ("Germany is blank." in told, "Sport is blank" in told) == (True, False)
    assert "The feed is blank. Lena Weiss: Alles prüfen" in text_of(client.get("/live/de/sport/"))
    nl = make_user("nora", {"nl": Role.LEAD}, language="en")
    assert "is blank" not in text_of(browse(nl).get("/health/nl/"))
    release(de, None, by=lena)
    release(de, politics, by=lena)
    assert "is blank" not in text_of(client.get("/health/de/"))


def test_whether_publishing_is_closed_is_asked_once_for_all_that_is_held(
    lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    now = timezone.now()
    for channel in (politics, channel_of("de", "sport")):
        hold(de, channel, BLANK, reason="Wahl", by=lena)
    with CaptureQueriesContext(connection) as asked:
        assert len(told_of(lena, [de], now)) == 2
    assert len([one for one in asked if "feeds_closure" in one["sql"]]) == 1
    close(Closure.Why.RESTORED, now=now)
    assert {str(one.lead) for one in told_of(lena, [de], now)} == {lead_of_closure()}


def test_a_hold_that_ended_by_itself_stands_nowhere(
    browse: Any, lena: User, de: Market, politics: Channel, past: list[Candidate]
) -> None:
    now = timezone.now()
    hold(de, politics, BLANK, reason="Recht", by=lena, until=now - timedelta(minutes=1), now=now - timedelta(hours=1))
    client = browse(lena)
    for url in ("/feed/de/politics/", "/live/de/politics/", "/health/de/"):
        told = text_of(client.get(url))
        assert ("blank." in told, "is blank" in told) == (False, False), url


def test_the_live_column_brings_the_notices_too(browse: Any, lena: User, de: Market, past: list[Candidate]) -> None:
    client = browse(lena)
    empty = client.get("/live/de/politics/", headers={"HX-Request": "true"}).content.decode()
    assert re.search(r'id="notices" hx-swap-oob="true">\s*</div>', empty)
    hold(de, None, BLANK, reason="Recht", by=lena)
    html = client.get("/live/de/politics/", headers={"HX-Request": "true"}).content.decode()
    assert "Germany is blank." in html.split('hx-swap-oob="true"')[1]
