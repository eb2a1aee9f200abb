"""Whoever may not enter a route is refused by every method, and nothing changes by it: every route there is, those of
libraries and of the admin too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from regions.models import Channel, Market, User
from regions.permissions import may
from regions.rights import RIGHTS
from tests.cast import make_candidate
from tests.config.test_matrix import is_ours
from tests.config.test_rules import ROUTES, rule_of
from tests.states import digest

pytestmark = pytest.mark.django_db
COMMON, RARE = ["GET", "POST", "PUT", "DELETE"], ["PATCH", "HEAD", "OPTIONS"]
OUTSIDE, FOREIGN, BELOW = {302, 401, 403}, {404}, {403}
UNDECIDED = {403, 404, 405, 422}  # the market is known from what is sent, which is not complete here


def addresses(pk: int) -> Iterator[tuple[str, str, URLPattern]]:
    """(rule, address, pattern) of every route, its slots filled with what there is in DE."""
    for name, pattern in ROUTES:
        parts = full(pattern)
        told = re.sub(r"\(\?P<(\w+)>[^)]*\)", "x", parts).replace("^", "").replace("$", "")
        told = told.replace("<slug:market>", "de").replace("<market>", "de").replace("<slug:category>", "politics")
        told = re.sub(r"<int:\w+>", str(pk), told)
        yield rule_of(name, pattern) or "", "/" + re.sub(r"<(?:\w+:)?\w+>", "x", told).replace("\\", ""), pattern


def full(pattern: URLPattern) -> str:
    return next(address for address, entry in PATHS if entry is pattern)


def paths(resolver: Any, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        address = before + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield address, entry
        else:
            yield from paths(entry, address)


PATHS = list(paths(get_resolver()))


def refusals(rule: str, person: User | None, pattern: URLPattern, market: Market) -> set[int]:
    """The statuses that refuse a person, empty where they may enter."""
    if rule == "public":
        return set()
    if person is None:
        return OUTSIDE
    if rule == "chief":
        return set() if person.is_superuser else BELOW
    if rule not in RIGHTS or may(person, rule, market):
        return set()
    if "market>" not in full(pattern):
        return UNDECIDED
    return BELOW if may(person, "desk.read", market) else FOREIGN


@pytest.fixture
def people(guest: User, vera: User, anna: User, lena: User, eleni: User, chief: User) -> list[User | None]:
    return [None, guest, vera, anna, lena, eleni, chief]


def refused(people: list[User | None], methods: list[str], market: Market, pk: int) -> tuple[int, list[Any]]:
    """How many were asked for, and what was not refused as it must be."""
    clients = {person and person.pk: Client(raise_request_exception=False) for person in people}
    for person in people:
        if person is not None:
            clients[person.pk].force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    asked, wrong = 0, []
    for rule, address, pattern in addresses(pk):
        library = not is_ours(pattern.callback)
        for person in people[::4] if library else people:
            expected = refusals(rule, person, pattern, market)
            for method in (methods[:2] if library else methods) if expected else []:
                asked += 1
                client = clients[person and person.pk]
                status = client.generic(method, address, QUERY_STRING="market=de").status_code
                more = {200} if method == "OPTIONS" and hasattr(pattern.callback, "cls") else set()
                if status not in expected | more:
                    wrong.append((rule, method, address, person and person.username, status))
    return asked, wrong


@pytest.mark.parametrize("methods", [COMMON, pytest.param(RARE, marks=pytest.mark.soak)], ids=["common", "rare"])
def test_every_method_of_every_route_is_refused_to_whoever_may_not(
    people: list[User | None], methods: list[str], de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    before = digest()
    asked, wrong = refused(people, methods, de_politics.market, candidate.pk)
    assert wrong == []
    assert asked > 1000
    assert digest() == before
