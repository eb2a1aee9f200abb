"""Settings for programs: the pages' bounds, rights and refusals."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from regions import tunable
from regions.models import Change, Channel, Market, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db
POLITICS, DE = "/api/v1/channels/de/politics/", "/api/v1/markets/de/"


@pytest.fixture
def lead(api: Any, lena: User) -> APIClient:
    client: APIClient = api(lena)
    return client


def test_a_markets_channels_with_their_settings(lead: APIClient, de_politics: Channel) -> None:
    told = lead.get("/api/v1/channels/?market=de").json()
    assert [one["category"] for one in told["results"]] == ["politics", "economy", "sport", "celebrity"]
    assert (told["results"][0]["settings"], told["next"]) == (tunable.values_of(de_politics), "")
    assert lead.get(POLITICS).json() == told["results"][0]
    assert lead.get("/api/v1/channels/").json()["field"] == "market"


def test_some_are_set_and_the_rest_stays(lead: APIClient, lena: User) -> None:
    sent = {"slots": 4, "reasons": ["spam"], "rank_weights": {"author": 3.5}, "second_pair": True}
    answer = lead.patch(POLITICS, sent, format="json")
    assert answer.status_code == 200, answer.json()
    settings = answer.json()["settings"]
    assert {name: settings[name] for name in sent} == sent
    assert settings["live_hours"] == 24
    assert Change.objects.get().by == lena
    assert lead.patch(DE, {"posts_a_day": 9000}, format="json").json()["settings"]["posts_a_day"] == 9000
    assert Market.objects.get(code="de").posts_a_day == 9000


def test_settings_can_be_sent_as_they_are_read(lead: APIClient, de_politics: Channel) -> None:
    read = lead.get(POLITICS).json()["settings"]
    answer = lead.patch(POLITICS, {"settings": read | {"slots": 4}, "seen": read}, format="json")
    assert (answer.status_code, answer.json()["settings"]) == (200, read | {"slots": 4})
    told = lead.patch(POLITICS, {"settings": {"slots": 11}}, format="json").json()
    assert (told["code"], told["field"]) == ("invalid", "settings.slots")


def test_the_answer_tells_what_left(lead: APIClient, de_politics: Channel) -> None:
    now = timezone.now()
    for hours in (1, 3, 5):
        make_candidate(de_politics, state="approved", approved_at=now - timedelta(hours=hours))
    make_candidate(de_politics, pending_since=now - timedelta(hours=9))
    sent = {"live_hours": 2, "minimum_fill": 0, "pending_hours": 8, "reasons": ["spam"], "second_pair": True}
    sent |= {"rank_weights": {"author": 3.5}}
    told = lead.patch(POLITICS, sent, format="json").json()
    assert told["leaves"] == {"phones": 2, "queue": 1, "texts": 0}
    assert "leaves" not in lead.get(POLITICS).json()
    assert lead.patch(POLITICS, {"slots": 4}, format="json").json()["leaves"] == dict.fromkeys(told["leaves"], 0)


@pytest.mark.parametrize(
    ("path", "sent", "field"),
    [
        (POLITICS, {"slots": 11}, "slots"),
        (POLITICS, {"slots": None}, "slots"),
        (POLITICS, {"slots": "x"}, "slots"),
        (POLITICS, {"reasons": ["not_chosen"]}, "reasons.0"),
        (POLITICS, {"rank_weights": {"author": 101}}, "rank_weights.author"),
        (POLITICS, {"rank_weights": {"charm": 1}}, "rank_weights.charm"),
        (POLITICS, {"fallback": "panic"}, "fallback"),
        (POLITICS, {"minimum_fill": 11}, "minimum_fill"),
        (POLITICS, {"revision": 1}, "revision"),
        (DE, {"recheck_reserve": 20_001}, "recheck_reserve"),
        (DE, {"retention_days": 0}, "retention_days"),
        (DE, {"code": "fr"}, "code"),
    ],
)
def test_the_same_bounds(lead: APIClient, path: str, sent: dict[str, Any], field: str) -> None:
    answer = lead.patch(path, sent, format="json")
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (422, "invalid", field)
    assert not Change.objects.exists()


def test_who_was_faster_is_told(lead: APIClient, api: Any, chief: User, de_politics: Channel) -> None:
    api(chief).patch(POLITICS, {"slots": 7}, format="json")
    answer = lead.patch(POLITICS, {"slots": 5, "seen": {"slots": 3}}, format="json")
    told = answer.json()
    assert (answer.status_code, told["code"], told["now"]) == (409, "overtaken", {"slots": 7})
    assert told["changed"]["slots"]["by"] == "chief"
    assert lead.patch(POLITICS, {"slots": 5, "seen": {"slots": 7}}, format="json").status_code == 200
    assert Channel.objects.get(pk=de_politics.pk).slots == 5


@pytest.mark.parametrize("path", ["/api/v1/channels/?market=de", POLITICS, DE])
def test_rights_are_those_of_the_pages(
    api: Any, anna: User, eleni: User, guest: User, chief: User, path: str, de_politics: Channel
) -> None:
    for person, status in ((anna, 403), (eleni, 404), (guest, 404), (chief, 200), (None, 401)):
        assert api(person).get(path).status_code == status
        if status != 200 and "?" not in path:
            assert api(person).patch(path, {"feed_length": 9}, format="json").status_code == status
    assert not Change.objects.exists()


def test_no_such_place(lead: APIClient) -> None:
    for path in ("/api/v1/channels/de/weather/", "/api/v1/channels/xx/politics/", "/api/v1/markets/xx/"):
        assert lead.get(path).status_code == 404
