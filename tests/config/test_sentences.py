"""Whatever the API refuses is told in the reader's language: by Django REST framework's sentences too."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation
from rest_framework import exceptions, serializers

import curation.serializers
import feeds.editorial
import regions.serializers
from regions.models import Channel, User
from regions.sentences import OF_FIELDS, OF_REQUESTS
from tests.cast import make_candidate

ROOMS = (regions.serializers, curation.serializers, feeds.editorial)
LANGUAGES = [code for code, _name in settings.LANGUAGES]
HOLES = re.compile(r"\{\w+(?::\w+)?\}")


def classes(room: ModuleType) -> Iterator[type[serializers.BaseSerializer[Any]]]:
    for _name, found in inspect.getmembers(room, inspect.isclass):
        if issubclass(found, serializers.BaseSerializer) and found.__module__ == room.__name__:
            yield found


def said_by(field: Any) -> Iterator[str]:
    """Every sentence of a field, of what is within it, and of its own validators, as it stands in the source."""
    yield from map(str, field.error_messages.values())
    yield from (str(told.message) for told in field.validators if type(told).__name__.startswith("Prohibit"))
    for one in getattr(field, "fields", {}).values():
        yield from said_by(one)
    if (child := getattr(field, "child", None)) is not None:
        yield from said_by(child)


def reachable() -> set[str]:
    with translation.override(None):
        of_fields = {told for room in ROOMS for one in classes(room) for told in said_by(one())}
        raised = [exceptions.APIException, *exceptions.APIException.__subclasses__()]
        return of_fields | {str(error.default_detail) for error in raised}


def catalogue(language: str) -> Catalog:
    folder = Path(settings.LOCALE_PATHS[0]) / translation.to_locale(language)
    with (folder / "LC_MESSAGES/django.po").open("rb") as text:
        return read_po(text)


def test_the_sentences_are_found() -> None:
    assert {"This field is required.", "Not found.", "This list may not be empty."} <= reachable()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_has_a_translation_of_our_own(language: str) -> None:
    ours = catalogue(language)
    missing, broken = [], []
    for sentence in sorted({*reachable(), *OF_FIELDS, *OF_REQUESTS}):
        found = ours.get(sentence)
        if found is None or not found.string or found.fuzzy:
            missing.append(sentence)
        elif sorted(HOLES.findall(str(found.string))) != sorted(HOLES.findall(sentence)):
            broken.append(sentence)
    assert (missing, broken) == ([], [])


def test_they_are_marked_for_the_collector() -> None:
    assert reachable() - {*OF_FIELDS, *OF_REQUESTS} == set()


HR: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"verb": "approve", "version": 1, "expire_at": "sutra"}, "expire_at", "Datum i vrijeme nisu u ispravnom obliku."),
    ({"version": 1}, "verb", "Ovo polje je obavezno."),
    ({"verb": "approve", "version": "prva"}, "version", "Očekuje se cijeli broj."),
)


@pytest.mark.django_db
@pytest.mark.parametrize(("sent", "field", "sentence"), HR)
def test_croatian_readers_are_told_in_croatian(
    sent: dict[str, Any], field: str, sentence: str, api: Any, anna: User, de_politics: Channel
) -> None:
    address = f"/api/v1/candidates/{make_candidate(de_politics).pk}/decisions/"
    answer = api(anna).post(address, sent, format="json", headers={"Accept-Language": "hr"})
    told = answer.json()["errors"][field]
    assert (answer.status_code, [one[: len(sentence)] for one in told]) == (422, [sentence])


@pytest.mark.django_db
def test_a_body_that_is_no_json_is_told_in_it_too(api: Any, anna: User, de_politics: Channel) -> None:
    address = f"/api/v1/candidates/{make_candidate(de_politics).pk}/decisions/"
    told = [
        api(anna).post(address, body, content_type="application/json", headers={"Accept-Language": language})
        for language, body in (("hr", '{"verb":\n x'), ("en", '{"verb":\n x'), ("en", b"\xff"))
    ]
    assert [(answer.status_code, answer.json()["detail"]) for answer in told] == [
        (400, "Tijelo zahtjeva nije ispravan JSON: redak 2, stupac 2."),
        (400, "The body is not valid JSON: line 2, column 2."),
        (400, "The body is not valid JSON."),
    ]
