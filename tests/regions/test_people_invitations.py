"""Invitations: a lead's link lets one person into the lead's market, once."""

from __future__ import annotations

import io
import logging
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from structlog.stdlib import ProcessorFormatter

from regions import invitations
from regions.models import Change, Invitation, Market, Membership, Role, User
from tests.cast import make_user

pytestmark = pytest.mark.django_db
INVITE = "/lists/de/people/invite/"
NEWCOMER = {"first_name": "Nora", "last_name": "Nacht", "username": "nora"}
NEWCOMER |= {"password1": "a-long-word-of-hers", "password2": "a-long-word-of-hers"}


@pytest.fixture(autouse=True)
def nobody_tried_before() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def link_of(response: Any) -> str:
    found = re.search(r"http://testserver(/invitation/[\w-]{43}/)", response.content.decode())
    assert found
    return found[1]


@pytest.fixture
def link(browse: Any, lena: User) -> str:
    """An invitation as editor of DE."""
    return link_of(browse(lena).post(INVITE, {"role": "editor", "note": "Nora from the night desk"}))


def roles(user: User) -> dict[str, str]:
    return dict(Membership.objects.filter(user=user).values_list("market__code", "role"))


def test_the_link_is_shown_once_and_kept_nowhere(browse: Any, lena: User) -> None:
    client = browse(lena)
    made = client.post(INVITE, {"role": "lead", "note": "Nora"})
    link = link_of(made)
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    token = link.split("/")[2]
    row = Invitation.objects.get()
    assert (row.role, row.created_by, row.ends_at - row.created_at) == ("lead", lena, timedelta(days=7))
    assert token not in str(Invitation.objects.values().get()) + str(list(Change.objects.values()))
    html = client.get("/lists/de/people/").content.decode()
    assert (token in html, "Nora" in html) == (False, True)


def test_a_stranger_makes_an_account_and_is_logged_in(link: str, lena: User) -> None:
    client = Client()
    assert client.get(link).status_code == 200
    assert client.post(link, NEWCOMER).url == "/desk/de/"
    assert client.get("/desk/de/").status_code == 200
    nora = User.objects.get(username="nora")
    assert (nora.shown_name, nora.check_password("a-long-word-of-hers"), nora.is_superuser, roles(nora)) == (
        "Nora Nacht", True, False, {"de": "editor"},
    )  # fmt: skip
    row = Invitation.objects.get()
    assert (row.used_by, row.used_at is not None) == (nora, True)
    told = Change.objects.order_by("pk").values_list("verb", "by__username", "market__code")
    assert list(told) == [("invite", "lena", "de"), ("accept", "nora", "de"), ("give_role", "lena", "de")]


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"username": "LENA"}, "username"),
     ({"password1": "nora", "password2": "nora"}, "password2"),
     ({"password2": "another-long-word"}, "password2"),
     ({"password1": "12345678", "password2": "12345678"}, "password2"),
     ({"first_name": ""}, "first_name"), ({"last_name": "Na\u202echt"}, "last_name")],
)  # fmt: skip
def test_what_a_stranger_types_is_checked(link: str, changed: dict[str, str], field: str) -> None:
    response = Client().post(link, NEWCOMER | changed)
    assert (response.status_code, list(response.context["told"]["form"].errors)) == (422, [field])
    assert not User.objects.filter(username="nora").exists()
    assert Invitation.objects.get().used_at is None


def test_it_counts_once(link: str) -> None:
    Client().post(link, NEWCOMER)
    second = Client()
    assert second.get(link).status_code == 410
    assert second.post(link, NEWCOMER | {"username": "nele"}).status_code == 410
    assert not User.objects.filter(username="nele").exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_two_who_accept_at_once_one_does() -> None:
    lena = make_user("lena", {"de": Role.LEAD})
    market = Market.objects.get(code="de")
    _made, token = invitations.invite(market, Role.LEAD, by=lena, now=timezone.now())
    people = [make_user(name) for name in ("nora", "nele")]
    start, outcomes = threading.Barrier(2), list[str]()

    def accept(user: User) -> None:
        start.wait()
        try:
            invitations.accept(token, by=user, now=timezone.now())
            outcomes.append("accepted")
        except invitations.NoLonger:
            outcomes.append("too late")
        finally:
            connection.close()

    both = [threading.Thread(target=accept, args=[user]) for user in people]
    [one.start() for one in both]
    [one.join() for one in both]
    assert sorted(outcomes) == ["accepted", "too late"]
    assert Membership.objects.filter(user__in=people).count() == 1


def test_it_ends_after_seven_days(link: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        response = Client().post(link, NEWCOMER)
    assert (response.status_code, "no longer counts" in response.content.decode()) == (410, True)
    assert not User.objects.filter(username="nora").exists()


def test_any_lead_of_the_market_withdraws_it(browse: Any, link: str, eleni: User, anna: User) -> None:
    url = f"/lists/de/people/invitations/{Invitation.objects.get().pk}/"
    elsewhere = url.replace("/de/", "/gr/")
    assert [browse(eleni).post(url).status_code, browse(eleni).post(elsewhere).status_code] == [404, 404]
    assert browse(anna).post(url).status_code == 403
    assert Client().get(link).status_code == 200
    other = browse(make_user("leo", {"de": Role.LEAD}))
    assert [other.post(url).status_code, other.post(url).status_code] == [302, 404]
    assert Client().post(link, NEWCOMER).status_code == 410


def test_it_counts_only_as_long_as_its_author_leads(link: str, lena: User) -> None:
    Membership.objects.filter(user=lena).update(role="editor")
    assert Client().post(link, NEWCOMER).status_code == 410
    assert not User.objects.filter(username="nora").exists()


def test_who_is_logged_in_takes_it_after_a_press(browse: Any, link: str, bram: User) -> None:
    client = browse(bram)
    assert client.get(link).status_code == 200
    assert roles(bram) == {"nl": "editor"}
    assert client.post(link).url == "/desk/de/"
    assert roles(bram) == {"nl": "editor", "de": "editor"}


def test_nobody_is_lowered_by_one(browse: Any, link: str, lena: User, chief: User) -> None:
    for user in (lena, chief):
        assert browse(user).post(link).status_code == 422
    assert (roles(lena), Invitation.objects.get().used_at) == ({"de": "lead"}, None)


@pytest.mark.parametrize("role", ["chief", "", "superuser"])
def test_nothing_above_a_lead_is_given(browse: Any, lena: User, role: str) -> None:
    assert browse(lena).post(INVITE, {"role": role, "market": "nl", "is_superuser": "1"}).status_code == 422
    assert Invitation.objects.count() == 0


def test_only_leads_invite_and_only_into_their_market(browse: Any, lena: User, anna: User, eleni: User) -> None:
    sent = {"role": "viewer"}
    asked = [browse(anna).post(INVITE, sent), browse(eleni).post(INVITE, sent),
             browse(lena).post("/lists/nl/people/invite/", sent)]  # fmt: skip
    assert [answer.status_code for answer in asked] == [403, 404, 404]
    assert Invitation.objects.count() == 0


def test_a_market_has_a_bounded_number_of_them(browse: Any, lena: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_OPEN", 1)
    client = browse(lena)
    assert [client.post(INVITE, {"role": "viewer"}).status_code for _ in range(2)] == [201, 422]


def test_it_speaks_the_markets_language_until_somebody_chose_one(link: str) -> None:
    client = Client(headers={"Accept-Language": "en"})
    assert '<html lang="de"' in client.get(link).content.decode()
    client.post("/language/", {"language": "hr", "next": link})
    assert '<html lang="hr"' in client.get(link).content.decode()
    client.post(link, NEWCOMER)
    assert User.objects.get(username="nora").language == "hr"


def test_no_log_holds_the_link(link: str) -> None:
    lines = io.StringIO()
    handlers = [one for one in logging.getLogger().handlers if isinstance(one.formatter, ProcessorFormatter)]
    before = [one.setStream(lines) for one in handlers if isinstance(one, logging.StreamHandler)]
    Client().post(link, NEWCOMER)
    Client().get(link)
    Client().get(f"{link}more/")
    Client().get("/accounts/2fa/webauthn/login/x/", {"next": link})
    for one, stream in zip(handlers, before, strict=True):
        one.setStream(stream)  # type: ignore[attr-defined]
    assert lines.getvalue().count("nvitation") >= 3
    assert link.split("/")[2] not in lines.getvalue()


def test_guessing_is_slowed_down(db: None) -> None:
    client = Client()
    answers = [client.get(f"/invitation/{n:043d}/").status_code for n in range(32)]
    assert (answers[0], answers[-1]) == (404, 429)


def test_where_only_the_company_account_counts_no_password_is_made(link: str, settings: Settings) -> None:
    settings.OIDC_ISSUER, settings.OIDC_ONLY = "https://id.example", True
    client = Client()
    html = client.get(link).content.decode()
    assert ('type="password"' in html, f"/accounts/company/?next={link}" in html) == (False, True)
    client.post(link, NEWCOMER)
    assert not User.objects.filter(username="nora").exists()
