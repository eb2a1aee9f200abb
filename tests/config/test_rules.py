"""Every route carries a rule; what has none is closed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, path

from curation.config.rules import RULES_OF_LIBRARIES
from regions.permissions import RULES, rule
from regions.rights import RIGHTS


def routes(
    resolver: Any, spaces: tuple[str, ...] = (), names: tuple[str, ...] = ()
) -> Iterator[tuple[str, URLPattern]]:
    """(name with its namespace, pattern) of every route."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry, spaces + ((entry.namespace,) if entry.namespace else ()))
        else:
            yield ":".join((*spaces, entry.name or "")), entry


def rule_of(name: str, pattern: URLPattern) -> str | None:
    view = pattern.callback
    own = getattr(view, "rule", None) or getattr(getattr(view, "cls", None), "rule", None)
    return own or RULES_OF_LIBRARIES.get(name) or RULES_OF_LIBRARIES.get(name.split(":")[0] if ":" in name else "")


ROUTES = list(routes(get_resolver()))


@pytest.mark.parametrize(("name", "pattern"), ROUTES, ids=[f"{n} {p.pattern}" for n, p in ROUTES])
def test_every_route_has_a_rule(name: str, pattern: URLPattern) -> None:
    assert rule_of(name, pattern) in RULES


@pytest.mark.parametrize(("name", "pattern"), ROUTES, ids=[f"{n} {p.pattern}" for n, p in ROUTES])
def test_a_right_is_asked_where_a_market_is_named(name: str, pattern: URLPattern) -> None:
    """A route with a market is either public (the feed) or guarded by a right in that market."""
    if "market>" in str(pattern.pattern):
        assert rule_of(name, pattern) in {"public", *RIGHTS}


def test_the_rules_of_libraries_name_real_routes() -> None:
    known = {name for name, _pattern in ROUTES} | {name.split(":")[0] for name, _pattern in ROUTES if ":" in name}
    assert set(RULES_OF_LIBRARIES) <= known


def unruled(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


@rule("public")
def open_to_all(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


urlpatterns = [path("unruled/", unruled), path("open/", open_to_all)]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_route_without_a_rule_is_closed(browse: Any, chief: Any, rf: RequestFactory) -> None:
    assert browse(chief).get("/open/").status_code == 200
    assert browse(chief).get("/unruled/").status_code == 403
    assert browse().get("/unruled/").status_code == 403


def test_only_public_routes_go_around_the_rules() -> None:
    """The feed is answered before sessions and rules; nothing else may be."""
    bare = {rule_of(name, pattern) for name, pattern in ROUTES if getattr(pattern.callback, "bare", False)}
    assert bare == {"public"}
