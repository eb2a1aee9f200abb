"""Pages for what went wrong: each says what and what to do, with its status, in our look."""

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from regions.models import User
from regions.permissions import PUBLIC, rule
from regions.problems import Refusal
from regions.views import choose_language


class Stale(Refusal):
    status, code, detail = 409, "stale_version", "Ben approved it at 14:02."  # type: ignore[assignment]


@rule(PUBLIC)
def stale(request: HttpRequest) -> HttpResponse:
    raise Stale


@rule(PUBLIC)
def impossible(request: HttpRequest) -> HttpResponse:
    raise Refusal("This cannot be done now.")


@rule(PUBLIC)
def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


handler403 = "regions.views.forbidden"
handler404 = "regions.views.missing"
handler500 = "regions.views.broken"
urlpatterns = [
    path("stale/", stale), path("impossible/", impossible), path("broken/", broken), path("api/v1/stale/", stale),
    path("language/", choose_language, name="choose-language"), path("", broken, name="home"),
    path("accounts/", include("allauth.urls")),
]  # fmt: skip
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def told(response: Any) -> tuple[int, list[str], list[str]]:
    html = response.content.decode()
    heading = re.findall(r'<h1 class="statement">(.*?)</h1>\s*<p>(.*?)</p>', html)
    return response.status_code, [title for title, _ in heading], [sentence for _, sentence in heading]


@pytest.mark.parametrize(
    ("where", "status", "title", "sentence"),
    [
        ("/stale/", 409, "Somebody was faster", "Ben approved it at 14:02."),
        ("/impossible/", 422, "That cannot be done", "This cannot be done now."),
        ("/nowhere/", 404, "Nothing here", "This page does not exist, or not for you."),
        ("/broken/", 500, "That went wrong",
         "Something broke on our side. Nothing you decided before was lost; please try again."),
    ],
)  # fmt: skip
def test_what_went_wrong_is_told(where: str, status: int, title: str, sentence: str) -> None:
    client = Client(raise_request_exception=False)
    assert told(client.get(where)) == (status, [title], [sentence])


def test_a_breakdown_names_its_reference_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    page = Client(raise_request_exception=False).get("/broken/").content.decode()
    reference = re.findall(r"Reference: ([0-9a-f-]{36})<", page)
    told = [one.msg["request_id"] for one in caplog.records if isinstance(one.msg, dict) and "request_id" in one.msg]
    assert reference and set(told) == set(reference)
    assert "Reference" not in Client().get("/nowhere/").content.decode()


@pytest.mark.parametrize("trusted", [True, False])
def test_the_reference_is_nginxs_and_never_a_callers(trusted: bool, settings: Any) -> None:
    settings.DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = trusted
    page = Client(raise_request_exception=False).get("/broken/", headers={"X-Request-ID": "5" * 32})
    assert ("5" * 32 in page.content.decode()) is trusted


def test_a_swap_gets_the_sentence_alone() -> None:
    response = Client().get("/stale/", headers={"HX-Request": "true"})
    assert (response.status_code, response.content.decode()) == (409, "Ben approved it at 14:02.")


def test_a_program_gets_a_problem() -> None:
    response = Client().get("/api/v1/stale/")
    assert (response.status_code, response.json()["code"]) == (409, "stale_version")


def test_a_form_that_no_longer_counts_says_so(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    status, titles, _sentences = told(client.post("/language/", {"language": "de"}))
    assert (status, titles) == (403, ["This form no longer counts"])


def test_without_any_cookie_a_page_that_asks_is_sent_to_the_log_in(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/language/", {"language": "de"}, headers={"HX-Request": "true"})
    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/language/")  # type: ignore[attr-defined]
    client.force_login(anna)
    assert client.post("/language/", {"language": "de"}, headers={"HX-Request": "true"}).status_code == 403
