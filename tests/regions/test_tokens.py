"""Programs are answered in the language of the token's person, unless they ask for another."""

import pytest
from django.utils import translation
from knox.models import AuthToken
from rest_framework.test import APIClient

from regions.models import Channel, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db


def detail(user: User, path: str = "/api/v1/decisions/?market=de&since=x", **headers: str) -> tuple[str, str]:
    """The sentence of a refusal, and the language the answer names."""
    token = AuthToken.objects.create(user)[1]
    answer = APIClient().get(path, headers={"Authorization": f"Token {token}"} | headers)
    translation.deactivate()
    return answer.json()["detail"], answer["Content-Language"]


def speaks(anna: User, language: str) -> User:
    anna.language = language
    anna.save()
    return anna


@pytest.mark.parametrize(
    ("own", "asked", "language"),
    [
        ("de", {}, "de"),
        ("de", {"Accept-Language": "*"}, "de"),
        ("de", {"Accept-Language": "nl, de;q=0.5"}, "nl"),
        ("de", {"Accept-Language": "en"}, "en"),
        ("", {}, "en"),
        ("", {"Accept-Language": "hr"}, "hr"),
    ],
)
def test_own_language_unless_another_is_asked_for(own: str, asked: dict[str, str], language: str, anna: User) -> None:
    with translation.override(language):
        sentence = translation.gettext("The id of a decision.")
    assert detail(speaks(anna, own), **asked) == (sentence, language)


def test_what_drf_refuses_is_told_in_it_too(anna: User, de_politics: Channel) -> None:
    """Before a view is asked: a foreign row, a method that is none."""
    pk = make_candidate(de_politics).pk
    token = AuthToken.objects.create(speaks(anna, "de"))[1]
    answer = APIClient().delete(f"/api/v1/candidates/{pk}/", headers={"Authorization": f"Token {token}"})
    assert (answer.status_code, answer["Content-Language"]) == (405, "de")


def test_the_next_request_is_not_answered_in_it(anna: User) -> None:
    token = AuthToken.objects.create(speaks(anna, "de"))[1]
    APIClient().get("/api/v1/candidates/1/", headers={"Authorization": f"Token {token}"})
    assert APIClient().get("/api/v1/candidates/1/")["Content-Language"] == "en"


@pytest.mark.parametrize("sent", ["Token", "Token a b", "Token \xff", "Token nobodys"])
def test_what_is_no_token_is_refused(sent: str, db: None) -> None:
    answer = APIClient().get("/api/v1/candidates/1/", headers={"Authorization": sent})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_the_schema_knows_tokens(db: None) -> None:
    schemes = APIClient().get("/api/v1/schema/", {"format": "json"}).json()["components"]["securitySchemes"]
    assert "knoxApiToken" in schemes
