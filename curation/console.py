"""What stands around every page of a market: the bar at the top and the rail at the left.

Pages of every room ask the template's `console` for them, so that no room below needs to know what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from curation.notices import Notice, notices_of
from curation.places import clock_of, frame, place_for
from curation.queue import markets_of
from regions.models import Market
from regions.permissions import may


@dataclass(frozen=True)
class Door:
    """A page that the rail leads to: its route, the right that opens it, its name. `routes`: more of the same page."""

    route: str
    right: str
    name: str | Promise
    routes: tuple[str, ...] = ()


SECTIONS: tuple[tuple[str | Promise, tuple[Door, ...]], ...] = (
    (
        _("Lists"),
        (
            Door("sources", "source.edit", _("Sources"), ("new-source", "source", "bring-sources")),
            Door(
                "blocks",
                "desk.read",
                _("Blocks"),
                ("new-block", "block", "block-list", "bring-blocks", "lift-blocks", "new-block-list"),
            ),
            Door("people", "people.edit", _("People"), ("bring-people", "change-person", "invite")),
            Door("market-settings", "settings.edit", _("Settings"), ("channel-settings", "budget-forecast")),
        ),
    ),
    (
        _("Operations"),
        (
            Door(
                "market-feed",
                "desk.read",
                _("Feed"),
                (
                    *("channel-feed", "market-snapshot", "channel-snapshot"),
                    *("hold-market", "hold-channel", "release-market", "release-channel"),
                ),
            ),
            Door("market-health", "desk.read", _("Health")),
            Door("market-log", "log.read", _("Log")),
        ),
    ),
)


@dataclass(frozen=True)
class Way:
    """A door as the rail shows it to someone."""

    address: str
    name: str | Promise
    here: bool


def sections_of(user: Any, market: Market, route: str = "") -> list[tuple[str | Promise, list[Way]]]:
    """What a market has besides its desk, as far as a person may go there; `route` is the page they are at."""
    rows = [(name, list(_ways(doors, user, market, route))) for name, doors in SECTIONS]
    return [(name, ways) for name, ways in rows if ways]


def _ways(doors: Iterable[Door], user: Any, market: Market, route: str) -> Iterable[Way]:
    for door in doors:
        if may(user, door.right, market):
            yield Way(reverse(door.route, args=[market.code]), door.name, route in (door.route, *door.routes))


class Console:
    """The surroundings of a request's page, made when they are asked for."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @property
    def code(self) -> str:
        """The market of the page, by its address; empty where it has none."""
        match = self.request.resolver_match
        return str(match.kwargs.get("market") or "") if match else ""

    @cached_property
    def around(self) -> dict[str, Any]:
        request: Any = self.request
        if not self.code:
            return {"markets": markets_of(request.user)}
        place = place_for(request.user, self.code)
        told = {"may_add": "candidate.add", "may_erase": "author.erase"}
        rights = {name: may(request.user, right, place.market) for name, right in told.items()}
        return frame(request, place) | rights | {"still": True, "addresses": None}

    @cached_property
    def market(self) -> Market | None:
        """The page's market, where one may see it."""
        return Market.objects.visible_to(self.request.user).filter(code=self.code).first() if self.code else None

    @cached_property
    def sections(self) -> list[tuple[str | Promise, list[Way]]]:
        """What the rail leads to besides the desk, as far as one may go there."""
        match: Any = self.request.resolver_match
        return sections_of(self.request.user, self.market, match.url_name) if self.market else []

    @cached_property
    def notices(self) -> list[Notice]:
        """What stands at the top: of the page's market, or of all of one's own where it is of none."""
        user: Any = self.request.user
        if not user.is_authenticated:
            return []
        markets = [self.market] if self.market else [] if self.code else list(Market.objects.visible_to(user))
        return notices_of(user, markets, timezone.now())

    @property
    def top(self) -> SafeString:
        return self._shown("curation/_top.html")

    @property
    def rail(self) -> str:
        return self._shown("curation/_rail.html") if self.code else ""

    def _shown(self, name: str) -> SafeString:
        request: Any = self.request
        with clock_of(request.user, self.market):
            return render_to_string(name, self.around, request)


def console(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `console` in every template."""
    return {"console": Console(request)}
