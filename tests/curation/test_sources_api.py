"""Sources through the API: the same acts, the same rights, the same refusals."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from curation.models import Cursor, IngestRun
from curation.x.simulator import Simulator
from regions.models import Change, Channel, Source, User
from tests.cast import channel_of
from tests.curation.ingest import conftest

pytestmark = pytest.mark.django_db
x = conftest.x
SOURCES = "/api/v1/sources/"
BODY = {"market": "de", "kind": "account", "value": "@Rathaus", "scope": "channel", "category": "politics"}


@pytest.fixture
def source(de_politics: Channel) -> Source:
    return Source.objects.create(kind="account", value="rathaus", name="Rathaus", channel=de_politics)


def test_one_is_listed_read_changed_and_removed(api: Any, lena: User, de_politics: Channel) -> None:
    client = api(lena)
    made = client.post(SOURCES, BODY | {"trust": 70}, format="json")
    told = made.json()
    assert (made.status_code, told["value"], told["trust"], told["market"], told["category"]) == (
        201, "Rathaus", 70, "de", "politics",
    )  # fmt: skip
    assert (told["health"]["condition"], told["paused"], told["exempt"]) == ("new", False, None)
    one = f"{SOURCES}{told['id']}/"
    changed = client.patch(one, {"name": "Stadt", "auto_approve": True, "seen": told["change"]}, format="json").json()
    assert (changed["name"], changed["auto_approve"], changed["trust"]) == ("Stadt", True, 70)
    late = client.patch(one, {"trust": 1, "seen": told["change"]}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "stale_version")
    paused = client.patch(one, {"paused": True, "reason": "Wahlkampf"}, format="json").json()
    assert (paused["paused"], paused["paused_reason"]) == (True, "Wahlkampf")
    assert client.patch(one, {"paused": False}, format="json").json()["paused"] is False
    assert client.delete(one).status_code == 204
    assert (client.get(one).status_code, Source.ever.get().removed_at is None) == (404, False)
    verbs = list(Change.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["add", "change", "pause", "resume", "remove"]


@pytest.mark.parametrize("leased", [False, True])
def test_a_shorter_longest_time_holds_for_the_next_reading_too(
    api: Any, lena: User, source: Source, leased: bool
) -> None:
    later = timezone.now() + timedelta(hours=20)
    Source.objects.update(most_seconds=86_400)
    Cursor.objects.create(source=source, due_at=later, leased=leased)
    assert api(lena).patch(f"{SOURCES}{source.pk}/", {"most_seconds": 1800}, format="json").status_code == 200
    soon = timezone.now() + timedelta(seconds=1800)
    due_at = Cursor.objects.get().due_at
    assert due_at == later if leased else abs(due_at - soon) < timedelta(seconds=30)


def test_the_list_is_paged_and_narrowed(api: Any, lena: User, source: Source) -> None:
    for n in range(100):
        Source.objects.create(kind="search", value=f"tor {n:03}", market=source.channel.market)  # type: ignore[union-attr]
    Source.objects.create(kind="search", value="fremd", channel=channel_of("nl", "sport"))
    client = api(lena)
    first = client.get(SOURCES, {"market": "de"}).json()
    second = client.get(SOURCES, {"market": "de", "cursor": first["next"]}).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (100, 1, "")
    assert [one["name"] for one in client.get(SOURCES, {"market": "de", "q": "rathaus"}).json()["results"]] == [
        "Rathaus"
    ]
    Source.objects.filter(pk=first["next"]).update(removed_at=timezone.now())
    refused = client.get(SOURCES, {"market": "de", "cursor": first["next"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_cursor"), "and no first page once more"


@pytest.mark.parametrize(
    ("fields", "status", "code", "field"),
    [
        ({"value": "zwei worte"}, 422, "bad_source", "value"),
        ({"kind": "search", "value": "(rat"}, 422, "bad_query", "value"),
        ({"kind": "feed"}, 422, "invalid", "kind"),
        ({"trust": 101}, 422, "invalid", "trust"),
        ({"least_seconds": 60, "most_seconds": 30}, 422, "not_allowed", "most_seconds"),
        ({"auto_approve": True}, 422, "not_allowed", "name"),
        ({"colour": "red"}, 422, "invalid", "colour"),
        ({"category": "weather"}, 422, "not_allowed", "category"),
        ({"value": "@RATHAUS"}, 409, "already_listed", "value"),
        ({"scope": "global", "category": "", "value": "@anders"}, 403, "permission_denied", None),
        ({"market": "nl"}, 404, "not_found", None),
    ],
)
def test_refusals_have_codes(
    api: Any, lena: User, source: Source, fields: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    for address in (SOURCES, SOURCES + "try/"):
        answer = api(lena).post(address, BODY | {"value": "@neu"} | fields, format="json")
        told = answer.json()
        assert (answer.status_code, told["code"], told.get("field")) == (status, code, field)
    assert (Source.objects.count(), IngestRun.objects.exists()) == (1, False)


def test_all_wrong_fields_are_told(api: Any, lena: User) -> None:
    wrong = {"value": "zwei worte", "least_seconds": 60, "most_seconds": 30, "category": "weather"}
    told = api(lena).post(SOURCES, BODY | wrong, format="json").json()
    assert (told["code"], told["field"], sorted(told["errors"])) == (
        "bad_source", "value", ["category", "most_seconds", "value"],
    )  # fmt: skip


def test_a_try_tells_what_would_come(
    api: Any, lena: User, x: Simulator, settings: Settings, de_politics: Channel
) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    x.post("rathaus", "Der Landtag tagt.", lang="de")
    told = api(lena).post(SOURCES + "try/", BODY, format="json").json()
    assert (told["posts"], told["whole"], told["charged"], told["name"]) == (1, True, 3, "Rathaus Lindmark")
    assert (told["a_week_costs"], told["approved"], told["sample"][0]["text"]) == ("0.035", None, "Der Landtag tagt.")
    refused = api(lena).post(SOURCES + "try/", BODY | {"kind": "search", "value": "rat entity:x"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (422, "refused_by_x")
    assert "invalid operator" in refused.json()["words"]
    assert not Source.objects.exists()


def test_who_may_not_may_not(
    api: Any, lena: User, chief: User, anna: User, vera: User, bram: User, eleni: User, guest: User, source: Source
) -> None:
    one, wide = f"{SOURCES}{source.pk}/", Source.objects.create(kind="search", value="tor")
    ways = [
        lambda client: client.get(SOURCES, {"market": "de"}),
        lambda client: client.post(SOURCES, BODY, format="json"),
        lambda client: client.post(SOURCES + "try/", BODY, format="json"),
        lambda client: client.get(one),
        lambda client: client.patch(one, {"trust": 1}, format="json"),
        lambda client: client.delete(one),
    ]
    for user, status in ((anna, 403), (vera, 403), (bram, 404), (eleni, 404), (guest, 404)):
        assert [way(api(user)).status_code for way in ways] == [status] * len(ways)
    assert [way(api()).status_code for way in ways] == [401] * len(ways)
    globe = f"{SOURCES}{wide.pk}/"
    assert [api(user).get(globe).status_code for user in (lena, eleni, anna, guest, chief)] == [200, 200, 403, 404, 200]
    assert [api(user).delete(globe).status_code for user in (lena, anna, guest, chief)] == [403, 403, 404, 204]
    source.refresh_from_db()
    assert (source.trust, source.removed_at, Change.objects.count()) == (50, None, 1)
