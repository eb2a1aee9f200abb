"""The editorial API of feeds: what was shown when, holding and releasing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from curation.models import Candidate
from feeds.models import Feed
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import make_user
from tests.feeds.conftest import id_of, ids, live, published, shown

pytestmark = pytest.mark.django_db
POLITICS = "/api/v1/feeds/de/politics/snapshots/"


@pytest.fixture
def lena() -> User:
    return make_user("lena", {"de": Role.LEAD})


def test_it_tells_what_a_channel_showed_at_a_moment(api: Any, anna: User, de: Market, politics: Channel) -> None:
    began = timezone.now() - timedelta(hours=1)
    for minute in range(3):
        live(politics, f"Satz {minute}", approved_at=began)
        publish(de.pk, now=began + timedelta(minutes=minute))
    listed = api(anna).get(POLITICS).json()
    assert [(row["number"], row["entries"]) for row in listed["results"]] == [(3, 3), (2, 2), (1, 1)]
    then = (began + timedelta(minutes=1, seconds=30)).isoformat()
    assert [row["number"] for row in api(anna).get(POLITICS, {"at": then}).json()["results"]] == [2, 1]
    assert [row["number"] for row in api(anna).get(POLITICS, {"before": 2}).json()["results"]] == [1]
    before = (began - timedelta(seconds=1)).isoformat()
    assert api(anna).get(POLITICS, {"at": before}).json() == {"results": [], "next": None}


def test_a_time_without_a_zone_is_the_markets_wall_clock(api: Any, anna: User, de: Market, politics: Channel) -> None:
    live(politics)
    publish(de.pk)
    now = timezone.now()
    answers = []
    for minutes in (-5, 5):
        wall = (now + timedelta(minutes=minutes)).astimezone(zone_of(de)).replace(tzinfo=None)
        answers.append(len(api(anna).get(POLITICS, {"at": wall.isoformat()}).json()["results"]))
    assert answers == [0, 1]
    skipped = api(anna).get(POLITICS, {"at": "2026-03-29T02:30:00"})
    assert (skipped.status_code, skipped.json()["field"]) == (422, "at")


def zone_of(market: Market) -> Any:
    return ZoneInfo(market.time_zone)


def test_pages_of_fifty_follow_each_other(api: Any, anna: User, de: Market, politics: Channel) -> None:
    began = timezone.now() - timedelta(hours=2)
    for minute in range(52):
        live(politics, f"Satz {minute}", approved_at=began)
        Channel.objects.filter(pk=politics.pk).update(feed_length=100)
        publish(de.pk, now=began + timedelta(minutes=minute))
    first = api(anna).get(POLITICS).json()
    second = api(anna).get(POLITICS, {"before": first["next"]}).json()
    told = [row["number"] for page in (first, second) for row in page["results"]]
    assert (told, second["next"]) == (list(range(52, 0, -1)), None)


def test_a_snapshot_says_what_of_it_is_lost_and_why(api: Any, anna: User, de: Market, politics: Channel) -> None:
    kept, blocked, edited = (live(politics, text, context=f"Zu {text}") for text in ("a", "b", "c"))
    publish(de.pk)
    Candidate.objects.filter(pk=blocked.pk).update(state="blocked", approved_at=None)
    edited.tweet.text = "c!"
    edited.tweet.save()
    whole = api(anna).get(f"{POLITICS}1/").json()
    told = {row["id"]: (row["text"], row["context"], row["lost"]) for row in whole["entries"]}
    assert told == {
        id_of(kept): ("a", "Zu a", None),
        id_of(blocked): ("b", "Zu b", "blocked"),
        id_of(edited): (None, "Zu c", "edited"),
    }


def test_a_lead_holds_and_releases(api: Any, lena: User, de: Market, politics: Channel) -> None:
    first = live(politics, "a")
    publish(de.pk)
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    wish = {"category": "politics", "snapshot": 1, "until": until, "reason": "Wahl"}
    held = api(lena).post("/api/v1/feeds/de/hold/", wish, format="json")
    told = held.json()["feeds"]
    assert (held.status_code, [(row["feed"], row["snapshot"], row["by"], row["reason"]) for row in told]) == (
        200,
        [("de/politics/", 1, lena.shown_name, "Wahl")],
    )
    live(politics, "b")
    assert shown(de) == [id_of(first)]
    released = api(lena).post("/api/v1/feeds/de/release/", {"category": "politics"}, format="json")
    assert (released.status_code, released.json()["feeds"][0]["hold"], len(shown(de))) == (200, "", 2)
    again = api(lena).post("/api/v1/feeds/de/release/", {"category": "politics"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "not_held")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"snapshot": "yesterday"}, "errors"),
        ({"snapshot": True}, "errors"),
        ({"snapshot": 0}, "errors"),
        ({"snapshot": 2**63}, "errors"),
        ({}, "errors"),
        ({"snapshot": 77}, "no_such_snapshot"),
        ({"snapshot": "current", "category": "weather"}, "not_allowed"),
        ({"snapshot": "current", "until": "2026-03-29T02:30:00"}, "bad_window"),
        ({"snapshot": "current", "slot": 1}, "errors"),
    ],
)
def test_bad_orders_are_refused(
    wish: dict[str, Any], told: str, api: Any, lena: User, de: Market, politics: Channel
) -> None:
    live(politics)
    publish(de.pk)
    answer = api(lena).post("/api/v1/feeds/de/hold/", {"reason": "Wahl"} | wish, format="json")
    assert (answer.status_code, told in answer.json() or answer.json()["code"] == told) == (422, True)
    assert not Feed.objects.exclude(hold="").exists()


def test_an_editor_may_look_and_not_hold_and_a_stranger_neither(
    api: Any, anna: User, bram: User, de: Market, politics: Channel
) -> None:
    live(politics)
    publish(de.pk)
    wish = {"snapshot": "blank", "reason": "Wahl"}
    answers = [
        api(person).post("/api/v1/feeds/de/hold/", wish, format="json").status_code for person in (anna, bram)
    ] + [api(person).get(POLITICS).status_code for person in (anna, bram)]
    assert (answers, ids(published("de", "politics")) != []) == ([403, 404, 200, 404], True)


def test_what_is_not_there_is_not_found(api: Any, anna: User, de: Market, politics: Channel) -> None:
    publish(de.pk)
    missing = ("de/weather/snapshots/", "de/politics/snapshots/99/", "xx/snapshots/", f"de/snapshots/{2**64}/")
    assert [api(anna).get(f"/api/v1/feeds/{one}").status_code for one in missing] == [404] * 4
