"""The one permission function, and the rule that every route carries. Refused by default.

In one's own market without the right: 403. Another market answers as if it did not exist: 404."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from regions.models import Market
from regions.rights import RIGHTS

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC, SIGNED_IN, CHIEF = "public", "signed in", "chief"
RULES = {PUBLIC, SIGNED_IN, CHIEF, *RIGHTS}


def may(user: Any, right: str, market: Market | None) -> bool:
    """Whether a person holds a right of `regions.rights.RIGHTS` in a market."""
    return bool(user.is_authenticated and user.has_perm(right, market))


def require(user: Any, right: str, market: Market) -> None:
    """Raises Http404 outside one's markets, PermissionDenied inside them without the right."""
    if not may(user, "desk.read", market):
        raise Http404
    if not may(user, right, market):
        raise PermissionDenied


def market_for(user: Any, code: str, right: str = "desk.read") -> Market:
    """The market of a code, through the permission."""
    market = None if "\0" in code else Market.objects.active().filter(code=code).first()
    if market is None:
        raise Http404
    require(user, right, market)
    return market


def rule(name: str) -> Callable[[View], View]:
    """Marks a view with the rule that guards it: a right, or public, signed in, chief.

    A right is checked against the route's `market` where it has one, else by the view through the row it fetches."""
    if name not in RULES:
        raise ValueError(f"no such rule: {name}")

    def mark(view: View) -> View:
        marked: Any
        for marked in filter(None, (view, getattr(view, "cls", None))):
            marked.rule = name
        return view

    return mark


def passes(user: Any, name: str, route: dict[str, Any]) -> bool:
    """Whether a person may enter a route. Raises Http404 for a foreign market."""
    if name == PUBLIC:
        return True
    if not user.is_authenticated:
        return False
    if name == CHIEF:
        return bool(user.is_active and user.is_superuser)
    if name in RIGHTS and "market" in route:
        market_for(user, route["market"], name)
    return True


class RulePermission(BasePermission):
    """The same for DRF, which knows the person of a token. A view without a rule is closed."""

    def has_permission(self, request: Request, view: Any) -> bool:
        name = getattr(view, "rule", None)
        return name is not None and passes(request.user, name, view.kwargs)
