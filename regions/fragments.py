"""What another room tells of a place: asked by the name of its address, so that no import points up."""

from __future__ import annotations

from copy import copy
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import resolve, reverse

from regions.requests import PageRequest


def sentences(request: PageRequest, name: str, *args: str, **query: object) -> list[str]:
    """What a page's part tells (`told` of its TemplateResponse), as the same person would get it. The part's view
    checks their right."""
    match = resolve(reverse(name, args=args))
    asked = copy(request)
    asked.method, asked.GET = "GET", QueryDict(urlencode(query))
    return list(match.func(asked, *match.args, **match.kwargs).context_data["told"])
