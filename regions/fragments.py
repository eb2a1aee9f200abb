"""What another room tells of a place: asked by the name of its address, so that no import points up."""

from __future__ import annotations

from copy import copy
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse


def sentences(request: HttpRequest, name: str, *args: str, **query: object) -> list[str]:
    """What a page's part tells (`told` of its TemplateResponse), as the same person would get it."""
    return list(context(request, name, *args, **query)["told"])


def context(request: HttpRequest, name: str, *args: str, **query: object) -> dict[str, Any]:
    """All that a page's part is made of (the context of its TemplateResponse). The part's view checks the right."""
    match = resolve(reverse(name, args=args))
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(urlencode(query, doseq=True))
    return dict(match.func(asked, *match.args, **match.kwargs).context_data)
