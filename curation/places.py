"""What the desk's pages and fragments are made of: the place, the frame around it, the way back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import Exists, Max, OuterRef
from django.http import Http404
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from curation.forms import BackForm, FilterForm
from curation.intake import reading_of
from curation.models import Act, Candidate, Decision, State, Verb
from curation.narrowing import query_of
from curation.operations.undoing import UNDOABLE_FOR, untouched
from curation.queue import CountedChannel, CountedMarket, Place, markets_of
from regions.clocks import zone_of
from regions.models import Market, User
from regions.permissions import market_for
from regions.requests import PageRequest

MOST_CHANGES = 200


def place_for(user: Any, market: str, category: str = "") -> Place:
    """A market's desk, or one of its channels'. Raises Http404 where there is none, or none for this person."""
    home = market_for(user, market)
    channels = list(home.channel_set.filter(active=True).select_related("category", "market"))
    if not category:
        return Place(home, channels)
    for channel in channels:
        if channel.category.slug == category:
            return Place(home, channels, channel)
    raise Http404


def standing(request: PageRequest, place: Place) -> Place:
    """Of the same market the desk that one looks at, as its rows are drawn; else the place itself."""
    try:
        found = resolve(urlsplit(request.htmx.current_url or "").path)
    except Resolver404:
        return place
    if found.url_name not in ("desk", "market-desk") or found.kwargs["market"] != place.market.code:
        return place
    slug = found.kwargs.get("category")
    return Place(place.market, place.channels, next((one for one in place.channels if one.category.slug == slug), None))


@contextmanager
def clock_of(user: Any, market: Market | None) -> Iterator[None]:
    """Times shown within are the person's own, else the market's."""
    with timezone.override(zone_of(user, market)):
        yield


def addresses(place: Place) -> dict[str, str]:
    """Of the desk itself, what changed on it, and what arrived; and of what it shows of the feed."""
    market = place.market.code
    if place.channel is None:
        names = {
            "desk": "market-desk",
            "changes": "market-changes",
            "arrivals": "market-arrivals",
            "live": "market-live",
            "phone": "market-phone",
            "resting": "market-resting",
        }
        return {noun: reverse(name, args=[market]) for noun, name in names.items()}
    nouns = ("desk", "changes", "arrivals", "live", "phone", "resting")
    return {noun: reverse(noun, args=[market, place.category]) for noun in nouns}


def frame(request: PageRequest, place: Place) -> dict[str, Any]:
    """What stands around the queue: markets and channels with their counts, the addresses, the filters."""
    asked = FilterForm(request.GET).asked()
    markets = markets_of(request.user)
    here = next(counted for counted in markets if counted.noun == place.market)
    own: CountedMarket | CountedChannel = next((part for part in here.channels if part.noun == place.channel), here)
    return {
        "place": place,
        "markets": markets,
        "here": here,
        "own": own,
        "asked": asked,
        "query": query_of(asked),
        "kept": query_of(asked, order=""),
        "addresses": addresses(place),
        **reading_of(request.user, [place.market], timezone.now()),
        "events_url": f"{settings.EVENTS_URL}?{urlencode({'market': place.market.code})}",
    }


def horizon(place: Place) -> dict[str, int]:
    """How far everything is seen by who reads on from now: the newest decision of the market, the newest candidate.

    Both become visible in the order of their ids, decisions in each market and candidates in all (operations and
    ingest hold a lock for it), so that nothing older follows. To be asked before the rows are read."""
    newest = Decision.objects.filter(market=place.market).order_by("-id").values_list("id", flat=True).first()
    return {
        "decision": newest or 0,
        "candidate": Candidate.objects.aggregate(newest=Max("id"))["newest"] or 0,
    }


@dataclass(frozen=True)
class News:
    """What was decided at a place: the candidates, those of them that became pending again, and the last decision.

    `more` where there is more than was read at once: the page then asks on from `last`."""

    decided: set[int]
    back: set[int]
    last: int
    more: bool


def news(place: Place, since: int, most: int = MOST_CHANGES) -> News:
    """The decisions of the place's channels after one, oldest first."""
    newest = horizon(place)["decision"]
    log = Decision.objects.filter(market=place.market, channel__in=[channel.pk for channel in place.shown]).after(since)
    rows = list(log.values_list("id", "candidate", "before__state")[: most + 1])
    more, rows = len(rows) > most, rows[:most]
    back = {candidate for _pk, candidate, before in rows if before != State.PENDING}
    return News({candidate for _pk, candidate, _before in rows}, back, rows[-1][0] if more else newest, more)


def last_act(user: User, market: Market) -> Act | None:
    """One's newest act in a market of which something can still be taken back."""
    mine = Act.objects.filter(by=user, at__gt=timezone.now() - UNDOABLE_FOR).exclude(verb=Verb.UNDO)
    return mine.filter(*_can_be_taken_back(market.pk)).order_by("-at").first()


@lru_cache(maxsize=64)
def _can_be_taken_back(market: int) -> tuple[Any, Any]:
    """Conditions of acts, put together once for a market. Joined instead, all acts of the day would be sorted."""
    here = untouched(Decision.objects.filter(act=OuterRef("pk"), market=market))
    return ~Exists(Act.objects.filter(undoes=OuterRef("pk"))), Exists(here)


def way_back(request: PageRequest, place: Place) -> str:
    """Where a plain form returns to: what it names, else the page it came from, if it is one of ours."""
    for asked in (BackForm(request.POST).asked(), request.headers.get("Referer", "")):
        if url_has_allowed_host_and_scheme(asked, {request.get_host()}, request.is_secure()):
            return asked
    return addresses(place)["desk"]


def new_key() -> str:
    """An Idempotency-Key for one rendered form."""
    return uuid.uuid4().hex
