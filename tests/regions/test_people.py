"""The people of a market: their lead gives, changes and takes roles, by page, sheet and API."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import Http404
from knox.models import AuthToken
from rest_framework.test import APIClient

from regions import operations, people
from regions.company.groups import follow
from regions.models import Change, Market, Membership, Role, User
from tests.cast import make_candidate, make_user

pytestmark = pytest.mark.django_db
PAGE, API = "/lists/de/people/", "/api/v1/memberships/"


def role_of(user: User, market: str = "de") -> str | None:
    return Membership.objects.filter(user=user, market__code=market).values_list("role", flat=True).first()


def held(user: User, market: str = "de") -> Membership:
    return Membership.objects.get(user=user, market__code=market)


def names(client: Any, query: str = "") -> list[str]:
    return [row.user.username for row in client.get(PAGE + query).context["rows"]]


def test_the_list_tells_who_may_do_what(browse: Any, lena: User, anna: User, vera: User, bram: User) -> None:
    Authenticator.objects.create(user=anna, type="totp", data={})
    User.objects.filter(pk=anna.pk).update(email="anna@desk.example")
    response = browse(lena).get(PAGE)
    html = response.content.decode()
    assert [(row.user.username, row.role, row.second_step) for row in response.context["rows"]] == [
        ("anna", "editor", True), ("lena", "lead", False), ("vera", "viewer", False),
    ]  # fmt: skip
    assert "anna@desk.example" in html
    assert "bram" not in html
    assert [(tab["name"], tab["count"]) for tab in response.context["tabs"]] == [
        ("All", 3), ("lead", 1), ("editor", 1), ("viewer", 1),
    ]  # fmt: skip


def test_tabs_and_search_narrow_it(browse: Any, lena: User, anna: User, ben: User, vera: User) -> None:
    client = browse(lena)
    assert names(client, "?show=editor") == ["anna", "ben"]
    assert names(client, "?q=ams") == ["anna"]
    assert names(client, "?q=ANNA amsel&show=lead") == []
    assert names(client, "?q=%00&show=nothing&person=x&after=%00") == ["anna", "ben", "lena", "vera"]
    fragment = client.get(PAGE + "?q=ben", headers={"HX-Request": "true", "HX-Target": "found"}).content.decode()
    assert ("<html" in fragment, "Ben Buche" in fragment) == (False, True)


def test_a_long_list_goes_on(browse: Any, lena: User, monkeypatch: pytest.MonkeyPatch, anna: User, vera: User) -> None:
    monkeypatch.setattr("regions.views.people.PAGE", 2)
    client = browse(lena)
    first = client.get(PAGE)
    assert [row.user.username for row in first.context["rows"]] == ["anna", "lena"]
    assert names(client, f"?{first.context['more']}") == ["vera"]


def test_a_lead_gives_changes_and_takes(browse: Any, lena: User, guest: User) -> None:
    client = browse(lena)
    assert client.post(PAGE, {"username": " guest ", "role": "viewer"}).url == PAGE
    assert role_of(guest) == "viewer"
    url = f"{PAGE}{held(guest).pk}/"
    assert client.post(url, {"role": "editor"}).url == PAGE
    assert role_of(guest) == "editor"
    assert client.post(url, {"take": "yes"}).url == PAGE
    assert role_of(guest) is None
    told = Change.objects.filter(noun="membership").order_by("pk").values_list("verb", "by", "before", "after")
    assert list(told) == [
        ("give_role", lena.pk, {}, {"role": "viewer", "user": guest.pk}),
        ("give_role", lena.pk, {"role": "viewer"}, {"role": "editor", "user": guest.pk}),
        ("take_role", lena.pk, {"role": "editor", "user": guest.pk}, {}),
    ]
    sentences = [line.sentence for line in client.get(PAGE).context["changes"]]
    assert sentences == ["guest: no role any more, was editor", "guest: editor, was viewer", "guest: viewer"]


def test_giving_a_lower_role_is_asked_first(browse: Any, lena: User, anna: User, vera: User) -> None:
    client = browse(lena)
    sent = {"username": "anna", "role": "viewer"}
    asked = client.post(PAGE, sent)
    assert (asked.status_code, asked.context["lowers"], role_of(anna)) == (422, held(anna), "editor")
    page = asked.content.decode()
    assert "Anna Amsel is editor here. This role is lower: nothing was changed yet." in page
    assert f'name="lowers" value="{anna.pk}:editor"' in page
    assert client.post(PAGE, sent | {"lowers": f"{vera.pk}:viewer"}).status_code == 422
    assert client.post(PAGE, sent | {"lowers": f"{anna.pk}:editor"}).url == PAGE
    assert role_of(anna) == "viewer"
    assert "was editor." in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"username": "anna", "role": "lead"}).url == PAGE  # to raise is what was asked for
    assert role_of(anna) == "lead"


def test_a_change_of_the_system_is_not_the_company_accounts(browse: Any, lena: User, guest: User) -> None:
    operations.give_role(guest, Market.objects.get(code="de"), Role.VIEWER, by=None)
    assert browse(lena).get(PAGE).context["changes"][0].by == "the system"
    follow(guest, {"de": Role.EDITOR})
    assert browse(lena).get(PAGE).context["changes"][0].by == "the company account"
    follow(guest, {})
    assert [one.by for one in browse(lena).get(PAGE).context["changes"]][:2] == ["the company account"] * 2


@pytest.mark.parametrize(
    ("sent", "field"),
    [({"username": "nobody", "role": "viewer"}, "username"), ({"username": "guest", "role": "chief"}, "role"),
     ({"username": "", "role": "lead"}, "username"), ({"username": "gu\0est", "role": "lead"}, "username")],
)  # fmt: skip
def test_what_cannot_be_given_is_told_at_its_field(
    browse: Any, lena: User, guest: User, sent: dict[str, str], field: str
) -> None:
    response = browse(lena).post(PAGE, sent)
    assert (response.status_code, list(response.context["give"].errors)) == (422, [field])
    assert response.content.decode().count('aria-invalid="true"') == 1
    assert Membership.objects.count() == 1


def test_who_may_not_log_in_is_given_nothing(browse: Any, lena: User, guest: User) -> None:
    User.objects.filter(pk=guest.pk).update(is_active=False)
    assert browse(lena).post(PAGE, {"username": "guest", "role": "lead"}).status_code == 422


def test_nobody_lowers_or_takes_their_own_role(browse: Any, lena: User, api: Any) -> None:
    make_user("leo", {"de": Role.LEAD})
    url = f"{PAGE}{held(lena).pk}/"
    for sent in ({"role": "editor"}, {"take": "yes"}):
        response = browse(lena).post(url, sent)
        assert (response.status_code, response.context["refusal"].code) == (422, "own_role")
    assert api(lena).delete(f"{API}{held(lena).pk}/").json()["code"] == "own_role"
    assert role_of(lena) == "lead"
    assert Change.objects.count() == 0


def test_the_last_lead_is_told_what_to_do_first(browse: Any, lena: User, chief: User) -> None:
    url = f"{PAGE}{held(lena).pk}/"
    response = browse(lena).post(url, {"take": "yes"})
    assert (response.status_code, response.context["refusal"].code) == (422, "last_lead")
    assert "You are the only lead of Germany." in response.content.decode()
    assert browse(chief).post(url, {"take": "yes"}).status_code == 302
    assert role_of(lena) is None


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_leads_who_remove_each_other_one_stays() -> None:
    lena, leo = make_user("lena", {"de": Role.LEAD}), make_user("leo", {"de": Role.LEAD})
    rows = {lena.pk: held(leo), leo.pk: held(lena)}
    start, outcomes = threading.Barrier(2), list[str]()

    def remove(by: User) -> None:
        start.wait()
        try:
            people.take(rows[by.pk], by=by)
            outcomes.append("took")
        except Http404:
            outcomes.append("no lead any more")
        finally:
            connection.close()

    for _ in range(5):
        both = [threading.Thread(target=remove, args=[by]) for by in (lena, leo)]
        [one.start() for one in both]
        [one.join() for one in both]
        assert sorted(outcomes) == ["no lead any more", "took"]
        assert Membership.objects.filter(market__code="de", role=Role.LEAD).count() == 1
        outcomes.clear()
        for by, row in ((lena, held_again(leo)), (leo, held_again(lena))):
            rows[by.pk] = row


def held_again(user: User) -> Membership:
    return Membership.objects.get_or_create(
        user=user, market=Market.objects.get(code="de"), defaults={"role": Role.LEAD}
    )[0]


def test_a_lead_of_another_market_finds_nothing(browse: Any, eleni: User, anna: User, api: Any) -> None:
    url = f"{PAGE}{held(anna).pk}/"
    elsewhere = f"/lists/gr/people/{held(anna).pk}/"
    page = browse(eleni)
    asked = [page.get(PAGE), page.post(url, {"take": "y"}), page.post(elsewhere, {"take": "y"}),
             api(eleni).delete(f"{API}{held(anna).pk}/"), api(eleni).get(API, {"market": "de"}),
             api(eleni).post(API, {"market": "de", "username": "eleni", "role": "lead"}, format="json")]  # fmt: skip
    assert [answer.status_code for answer in asked] == [404] * 6
    assert (role_of(anna), role_of(eleni)) == ("editor", None)


def test_in_ones_own_market_without_the_right(browse: Any, anna: User, vera: User, api: Any) -> None:
    assert browse(anna).get(PAGE).status_code == 403
    assert api(anna).get(API, {"market": "de"}).status_code == 403
    assert api(vera).patch(f"{API}{held(vera).pk}/", {"role": "lead"}, format="json").status_code == 403
    assert role_of(vera) == "viewer"


def test_the_list_goes_out_and_comes_in_again(browse: Any, lena: User, anna: User, guest: User) -> None:
    client = browse(lena)
    out = client.get(f"{PAGE}sheet.csv")
    assert out["Content-Disposition"] == 'attachment; filename="tickerdesk-people-de.csv"'
    assert out.content.decode("utf-8-sig").splitlines() == ["username,role", "anna,editor", "lena,lead"]
    again = client.post(f"{PAGE}bring/", {"file": SimpleUploadedFile("people.csv", out.content)})
    assert (len(again.context["known"]), again.context["new"], again.context["wrong"]) == (2, [], [])


def test_a_sheet_is_shown_before_anything_is_given(browse: Any, lena: User, anna: User, guest: User) -> None:
    client = browse(lena)
    text = "username;role\nguest;editor\nanna;LEAD\nlena;viewer\nnobody;viewer\nguest;lead\nanna;chief\n"
    shown = client.post(f"{PAGE}bring/", {"text": text})
    assert [(row.words, row.warning) for row in shown.context["new"]] == [
        ("guest · editor", ""), ("anna · lead", "Raised: was editor until now."),
    ]  # fmt: skip
    lower = client.post(f"{PAGE}bring/", {"text": "username;role\nanna;viewer"})
    assert [row.warning for row in lower.context["new"]] == ["Lowered: was editor until now."]
    assert "Lowered: was editor until now." in lower.content.decode()
    assert [(row.row.line, str(row.refusal)[:16]) for row in shown.context["wrong"]] == [
        (4, "Nobody lowers or"), (5, "Nobody who may l"), (6, "This person stan"), (7, "The role is view"),
    ]  # fmt: skip
    assert client.post(f"{PAGE}bring/", {"text": text, "take": "yes"}).status_code == 422
    assert (role_of(guest), role_of(anna)) == (None, "editor")
    assert client.post(f"{PAGE}bring/", {"text": text, "take": "yes", "leave_out": "on"}).url == PAGE
    assert (role_of(guest), role_of(anna), role_of(lena)) == ("editor", "lead", "lead")


def test_the_api_gives_changes_lists_and_takes(api: Any, lena: User, guest: User, anna: User) -> None:
    client = api(lena)
    made = client.post(API, {"market": "de", "username": "guest", "role": "viewer"}, format="json")
    assert (made.status_code, made.json()["role"], made.json()["second_step"]) == (201, "viewer", False)
    again = client.post(API, {"market": "de", "username": "guest", "role": "viewer"}, format="json")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    url = f"{API}{made.json()['id']}/"
    assert client.patch(url, {"role": "lead"}, format="json").json()["role"] == "lead"
    listed = client.get(API, {"market": "de"}).json()
    assert sorted((one["username"], one["role"]) for one in listed["results"]) == [
        ("anna", "editor"), ("guest", "lead"), ("lena", "lead"),
    ]  # fmt: skip
    assert listed["next"] == ""
    assert client.delete(url).status_code == 204
    assert client.delete(url).status_code == 404
    assert role_of(guest) is None


@pytest.mark.parametrize(
    ("call", "code"),
    [(lambda c: c.post(API, {"market": "de", "username": "nobody", "role": "lead"}, format="json"), "no_such_person"),
     (lambda c: c.post(API, {"market": "de", "username": "lena", "role": "boss"}, format="json"), "invalid"),
     (lambda c: c.post(API, {"market": "de", "user": "lena", "role": "lead"}, format="json"), "invalid"),
     (lambda c: c.get(API), "invalid"), (lambda c: c.get(API, {"market": "de", "cursor": "x"}), "bad_cursor"),
     (lambda c: c.get(API, {"market": "de", "cursor": "9" * 19}), "bad_cursor")],
)  # fmt: skip
def test_the_api_says_what_is_wrong(api: Any, lena: User, call: Callable[[Any], Any], code: str) -> None:
    answer = call(api(lena))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_api_pages_by_id(api: Any, lena: User, anna: User, vera: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regions.people_api.PAGE", 2)
    first = api(lena).get(API, {"market": "de"}).json()
    second = api(lena).get(API, {"market": "de", "cursor": first["next"]}).json()
    told = [one["username"] for one in first["results"] + second["results"]]
    assert (sorted(told), second["next"]) == (["anna", "lena", "vera"], "")


def test_the_api_lists_a_markets_own_people_alone(api: Any, lena: User, anna: User, bram: User, eleni: User) -> None:
    told = api(lena).get(API, {"market": "de"}).json()
    assert ({one["username"] for one in told["results"]}, told["next"]) == ({"anna", "lena"}, "")


def test_a_removed_role_ends_every_door_at_the_next_request(
    browse: Any, lena: User, anna: User, de_politics: Any
) -> None:
    """Page, fragment, form and token; the stream's test is in tests/curation/test_events.py."""
    candidate = make_candidate(de_politics)
    page, token = browse(anna), APIClient()
    token.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(anna)[1]}")
    decide = {"verb": "approve", "version": 1}
    row = f"/desk/de/politics/candidates/{candidate.pk}/"
    doors: list[Callable[[], Any]] = [
        lambda: page.get("/desk/de/politics/"),
        lambda: page.get(f"/desk/de/politics/candidates/{candidate.pk}/panel/block/", headers={"HX-Request": "true"}),
        lambda: page.get("/desk/de/politics/", headers={"HX-Request": "true", "HX-Target": "rows"}),
        lambda: token.get("/api/v1/candidates/", {"market": "de"}),
        lambda: token.get(f"/api/v1/candidates/{candidate.pk}/"),
    ]
    assert [door().status_code for door in doors] == [200] * 5
    browse(lena).post(f"{PAGE}{held(anna).pk}/", {"take": "yes"})
    assert [door().status_code for door in doors] == [404, 404, 404, 404, 404]
    assert page.post(row, decide).status_code == 404
    assert token.post(f"/api/v1/candidates/{candidate.pk}/decisions/", decide, format="json").status_code == 404
    candidate.refresh_from_db()
    assert (candidate.state, candidate.version) == ("pending", 1)
