"""The log read on from a decision, oldest first, with the filters of the pages: what programs ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from curation.history.asked import Asked, LogForm
from curation.history.reading import LOOKED
from curation.models import Decision
from curation.models.acts import DecisionQuerySet
from regions.models import Market, User
from regions.permissions import may
from regions.problems import Refusal

SLACK = 1000  # decisions among which the first of a day is sought: ids follow the times only nearly
NO = ("0", "false", "no")
PARAMETERS = [
    OpenApiParameter("market", OpenApiTypes.STR, required=True),
    OpenApiParameter("since", OpenApiTypes.INT, description="Decisions after this id."),
    OpenApiParameter("who", OpenApiTypes.STR, description="Log-in name of a person who decided here."),
    OpenApiParameter("verb", OpenApiTypes.STR),
    OpenApiParameter("category", OpenApiTypes.STR, description="Slug."),
    OpenApiParameter("reason", OpenApiTypes.STR, description="A reason of block, or a cause of withdraw."),
    OpenApiParameter("from", OpenApiTypes.DATE, description="First day, on the market's wall clock."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="Last day, included."),
    OpenApiParameter("post", OpenApiTypes.STR, description="A post's id or link."),
    OpenApiParameter("act", OpenApiTypes.INT),
    OpenApiParameter("system", OpenApiTypes.BOOL, description="false: people's decisions alone."),
]


def read_on(
    sent: Mapping[str, str], market: Market, user: User, since: int, size: int
) -> tuple[list[Decision], int | None]:
    """At most `size` decisions after the id `since`, and the `since` of the next page; None after the last.

    Filters that fit little may leave a page short or empty: then `next` tells where to read on. Who does not lead the
    market reads their own decisions and the system's. Raises Refusal for what cannot be asked, with its field."""
    asked = asked_by(sent, market, user)
    begin = max(since, first_of(market, asked.since) - 1 if asked.since else 0)
    ahead = Decision.objects.of_market(market).after(begin).values("pk")[:LOOKED]
    seen = ahead.aggregate(n=Count("pk"), end=Max("pk"))
    rows = visible(asked.rows(), market, user).filter(pk__gt=begin, pk__lte=seen["end"] or begin).order_by("pk")
    found = list(rows.select_related("by", "market", "channel__category", "act__note")[: size + 1])
    if len(found) > size:
        return found[:size], found[size - 1].pk
    return found, seen["end"] if seen["n"] == LOOKED else None


def asked_by(sent: Mapping[str, str], market: Market, user: User) -> Asked:
    form = LogForm(sent, [market], zone=market.time_zone)
    for field, sentence in form.refused:
        raise Refusal(sentence, field=field)
    asked = form.asked()
    if asked.by not in (None, user) and not may(user, "log.read", market):
        raise PermissionDenied(_("Only leads read what others decided."))
    return replace(asked, system=sent.get("system", "").lower() not in NO)


def visible(rows: DecisionQuerySet, market: Market, user: User) -> DecisionQuerySet:
    return rows if may(user, "log.read", market) else rows.filter(Q(by=user) | Q(by=None))


def first_of(market: Market, since: datetime) -> int:
    """The id at which the decisions of an instant begin; one past all where there are none."""
    first = Decision.objects.filter(market=market, at__gte=since).order_by("at", "id")[:SLACK]
    return first.aggregate(first=Min("pk"))["first"] or 2**63 - 1
