"""Coming in, going out, the language, and the pages for errors."""

import re
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from regions import views
from regions.models import User

LOG_IN = "/accounts/login/"


def test_the_log_in_page_is_ours(browse: Any, db: None) -> None:
    html = browse().get(LOG_IN, headers={"Accept-Language": "de"}).content.decode()
    assert re.findall(r"<h1[^>]*>([^<]+)</h1>", html) == ["Anmelden"]
    assert re.findall(r'<button name="language" value="(\w\w)"', html) == ["de", "nl", "el", "ro", "hr", "en"]


def test_a_password_opens_the_desk(browse: Any, anna: User) -> None:
    client = browse()
    response = client.post(LOG_IN, {"login": "anna", "password": "anna", "next": "/desk/de/politics/"})
    assert (response.status_code, response.url) == (302, "/desk/de/politics/")
    assert client.get("/desk/de/").status_code == 200


def test_a_wrong_password_says_so_and_keeps_the_name(browse: Any, anna: User) -> None:
    response = browse().post(LOG_IN, {"login": "anna", "password": "guess"})
    assert response.status_code == 200
    html = response.content.decode()
    assert 'role="alert"' in html
    assert 'value="anna"' in html
    assert "guess" not in html


def test_log_out_is_an_act_not_a_look(browse: Any, anna: User) -> None:
    client = browse(anna)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.get("/desk/de/").status_code == 200
    assert client.post("/accounts/logout/").url == LOG_IN
    assert client.get("/desk/de/").status_code == 302


def test_the_chosen_language_stays_with_the_person(browse: Any, anna: User) -> None:
    client = browse(anna)
    client.post("/language/", {"language": "de", "next": "/desk/de/"})
    assert '<html lang="de"' in client.get("/desk/de/").content.decode()
    anna.refresh_from_db()
    assert anna.language == "de"


def test_an_unknown_page_looks_like_ours(browse: Any, db: None) -> None:
    response = browse().get("/nowhere/", headers={"Accept-Language": "de"})
    assert response.status_code == 404
    assert '<h1 class="statement">Hier ist nichts</h1>' in response.content.decode()


def test_a_forbidden_act_says_so(browse: Any, vera: User, db: None) -> None:
    response = browse(vera).post("/desk/de/decisions/", headers={"Accept-Language": "en"})
    assert response.status_code == 403
    assert "You do not have the right to do this." in response.content.decode()


def test_the_page_for_breakdowns_asks_the_database_nothing(rf: RequestFactory) -> None:
    """Without the `db` mark any query here fails the test."""
    response = views.broken(rf.get("/desk/de/"))
    assert response.status_code == 500
    assert "Nothing you decided before was lost" in response.content.decode()


@pytest.mark.parametrize("path", [LOG_IN, "/nowhere/", "/desk/de/"])
def test_pages_run_only_our_scripts(browse: Any, anna: User, path: str) -> None:
    policy = browse(anna).get(path)["Content-Security-Policy"]
    told = dict(part.strip().split(" ", 1) for part in policy.split(";") if " " in part.strip())
    assert (told["script-src"], told["style-src"], told["default-src"]) == ("'self'", "'self'", "'none'")


def test_a_forged_form_is_refused(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/desk/de/decisions/", {"verb": "block", "candidate": "1:1"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [("/api/v1/candidates/?market=de", {}, 503), ("/desk/de/", {}, 503), ("/desk/de/", {"HX-Request": "true"}, 500)],
)
def test_without_a_database_one_is_told_to_come_again(
    browse: Any, anna: User, path: str, headers: dict[str, str], status: int
) -> None:
    def gone(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    client = browse(anna)
    client.raise_request_exception = False
    with connection.execute_wrapper(gone):
        response = client.get(path, headers=headers)
    assert (response.status_code, response.headers.get("Retry-After")) == (status, "5")
    assert ("unavailable" in response.content.decode()) == path.startswith("/api/")
    assert client.get(path).status_code == 200
