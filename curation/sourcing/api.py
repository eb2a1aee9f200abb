"""The API of sources: the list, one of them, what it would bring. The rights are those of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from curation import shared_clock
from curation.sourcing import keeping, trying
from curation.sourcing.listing import PAGE, Listing, Row
from curation.sourcing.wishes import LONGEST, LONGEST_NAME, SCOPES, SHORTEST, Wish
from regions.models import Market, Source, User
from regions.permissions import market_for, may, rule
from regions.problems import BadCursor
from regions.requests import person
from regions.serializers import Problem, Strict, read_body

PROBLEMS = {403: Problem, 404: Problem, 422: Problem}
ASKING = PROBLEMS | {409: Problem, 503: Problem}


class SourceQuery(serializers.Serializer[Any]):
    """Parameters of the list."""

    market = serializers.CharField(help_text="Code of a market that you lead.")
    q = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)
    show = serializers.CharField(
        required=False, default="", allow_blank=True, help_text="in-<category>, market, global or troubled."
    )
    cursor = serializers.CharField(required=False, default="", allow_blank=True, help_text="`next` of the page before.")


class SettingsBody(Strict):
    """What can be changed of a source; what is left out stays."""

    value = serializers.CharField(max_length=4096, help_text="A name, a list's number, their addresses, or a query.")
    scope = serializers.ChoiceField(choices=SCOPES)
    category = serializers.CharField(
        allow_blank=True, max_length=31, help_text="Slug: the channel's, or what a wider source is kept to."
    )
    name = serializers.CharField(allow_blank=True, max_length=LONGEST_NAME)
    trust = serializers.IntegerField(min_value=0, max_value=100)
    least_seconds = serializers.IntegerField(min_value=SHORTEST, max_value=LONGEST)
    most_seconds = serializers.IntegerField(min_value=SHORTEST, max_value=LONGEST)
    auto_approve = serializers.BooleanField(help_text="Of a named account alone: what it posts goes live unseen.")


class SourceBody(SettingsBody):
    """A source to list, or to try."""

    market = serializers.CharField(help_text="Code of a market that you lead.")
    kind = serializers.ChoiceField(choices=Source.Kind.choices)

    def get_fields(self) -> dict[str, Any]:
        return optional(super().get_fields(), but=("market", "kind", "value", "scope"))


class TryBody(SourceBody):
    """`source`: one that is listed, compared with what this would change."""

    source = serializers.IntegerField(  # type: ignore[assignment]
        required=False, min_value=1, max_value=2**63 - 1
    )


class SourceChangeBody(SettingsBody):
    """`paused` with a reason stops reading it, without one reads it again."""

    paused = serializers.BooleanField()
    reason = serializers.CharField(max_length=200, allow_blank=True, help_text="Why it is paused.")
    seen = serializers.IntegerField(
        min_value=0, max_value=2**63 - 1, help_text="`change` as you read it: 409 where somebody changed it since."
    )

    def get_fields(self) -> dict[str, Any]:
        return optional(super().get_fields())


def optional(fields: dict[str, Any], but: tuple[str, ...] = ()) -> dict[str, Any]:
    for name, one in fields.items():
        one.required = name in but
    return fields


class HealthJson(serializers.Serializer[Any]):
    """How it fares. `read_in_7_days` counts a post each time that it was read, `new_in_7_days` once, where no other
    source brought it before. `approved_per_100`: of the `decided_in_30_days`, the posts that it brought and that were
    approved, blocked, or lapsed unchosen; null where there are none."""

    condition = serializers.CharField(source="condition.value")
    words = serializers.CharField()
    last = serializers.DateTimeField(allow_null=True)
    next = serializers.DateTimeField(allow_null=True)
    read_in_7_days = serializers.IntegerField(source="week.read")
    new_in_7_days = serializers.IntegerField(source="week.fresh")
    charged_in_7_days = serializers.IntegerField(source="week.charged")
    decided_in_30_days = serializers.IntegerField(source="yielded.decided")
    approved_per_100 = serializers.FloatField(source="approved", allow_null=True)


class SourceJson(serializers.Serializer[Any]):
    """One source in a market's list. Of a global one `market` is null; `exempt` is why this market leaves it out."""

    id = serializers.IntegerField(source="source.pk")
    kind = serializers.CharField(source="source.kind")
    value = serializers.CharField(source="source.value")
    name = serializers.CharField(source="source.name")
    scope = serializers.CharField(source="source.scope")
    market = serializers.SerializerMethodField()
    category = serializers.SerializerMethodField()
    trust = serializers.IntegerField(source="source.trust")
    least_seconds = serializers.IntegerField(source="source.least_seconds")
    most_seconds = serializers.IntegerField(source="source.most_seconds")
    auto_approve = serializers.BooleanField(source="source.auto_approve")
    paused = serializers.BooleanField()
    paused_reason = serializers.CharField(source="source.paused_reason")
    exempt = serializers.CharField(source="exemption.reason", allow_null=True, default=None)
    created_at = serializers.DateTimeField(source="source.created_at")
    health = HealthJson()

    def get_market(self, row: Row) -> str | None:
        market = keeping.market_of(row.source)
        return market.code if market else None

    def get_category(self, row: Row) -> str | None:
        category = row.source.channel.category if row.source.channel else row.source.category
        return category.slug if category else None


class OneSourceJson(SourceJson):
    """With the id of its newest change, for `seen`."""

    change = serializers.SerializerMethodField()

    def get_change(self, row: Row) -> int:
        return keeping.newest_change(row.source)


class SourcePage(serializers.Serializer[Any]):
    results = SourceJson(many=True)
    next = serializers.CharField(allow_blank=True)


class SampleJson(serializers.Serializer[Any]):
    name = serializers.CharField()
    text = serializers.CharField()
    at = serializers.DateTimeField()
    points = serializers.IntegerField()
    known = serializers.BooleanField()


class TriedJson(serializers.Serializer[Any]):
    """What the last `hours` would have brought. `whole` is false where there is more than was read; `a_week_costs` in
    dollars; `approved`: how many of `posts` would be approved, null where nothing tells; `by_itself`: how many of these
    with nobody looking, null without `auto_approve`."""

    posts = serializers.IntegerField()
    hours = serializers.FloatField()
    whole = serializers.BooleanField()
    a_day = serializers.IntegerField()
    known = serializers.IntegerField()
    approved = serializers.FloatField(source="expected", allow_null=True)
    by_itself = serializers.IntegerField(allow_null=True)
    a_week_costs = serializers.SerializerMethodField()
    charged = serializers.IntegerField()
    name = serializers.CharField()
    sample = SampleJson(many=True)

    @extend_schema_field(serializers.CharField())
    def get_a_week_costs(self, told: trying.Tried) -> str:
        return str(told.a_week_costs)


@extend_schema(
    methods=["GET"], operation_id="sources_list", parameters=[SourceQuery], responses={200: SourcePage} | PROBLEMS
)
@extend_schema(
    methods=["POST"],
    operation_id="sources_add",
    request=SourceBody,
    responses={201: OneSourceJson, 409: Problem} | PROBLEMS,
)
@rule("source.edit")
@api_view(["GET", "POST"])
def sources(request: Request) -> Response:
    """GET: the sources that feed a market, with how they fare. POST: lists one."""
    return listed(request) if request.method == "GET" else added(request)


def listed(request: Request) -> Response:
    asked = SourceQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    want = asked.validated_data
    listing = Listing(market_for(request.user, want["market"], "source.edit"), person(request), shared_clock.now())
    found = listing.shown(want["show"], want["q"])
    begin = after(found, want["cursor"])
    rows = found[begin : begin + PAGE]
    more = str(rows[-1].source.pk) if begin + PAGE < len(found) else ""
    return Response(SourcePage({"results": rows, "next": more}).data)


def after(found: Sequence[Row], cursor: str) -> int:
    """Where the next page begins. Raises BadCursor where its last one is not in the list any more."""
    if not cursor:
        return 0
    places = [place for place, row in enumerate(found, 1) if str(row.source.pk) == cursor]
    if not places:
        raise BadCursor(field="cursor")
    return places[0]


def added(request: Request) -> Response:
    wish = read_body(SourceBody, request)
    home = market_for(request.user, wish.pop("market"), "source.edit")
    made = keeping.add(wished(wish), home, by=person(request))
    return Response(shown(made, home, request), status=201)


@extend_schema(methods=["GET"], operation_id="sources_read", responses={200: OneSourceJson} | PROBLEMS)
@extend_schema(
    methods=["PATCH"],
    operation_id="sources_change",
    request=SourceChangeBody,
    responses={200: OneSourceJson, 409: Problem} | PROBLEMS,
)
@extend_schema(methods=["DELETE"], operation_id="sources_remove", responses={204: None} | PROBLEMS)
@rule("source.edit")
@api_view(["GET", "PATCH", "DELETE"])
def source(request: Request, pk: int) -> Response:
    """One source. PATCH changes it, pauses it, or reads it again. DELETE takes it off the list; what it brought and
    its runs stay."""
    by, now = person(request), shared_clock.now()
    home = home_of(by, pk)
    known = keeping.source_for(by, home, pk, change=request.method != "GET")
    if request.method == "DELETE":
        keeping.remove(known, by=by, now=now)
        return Response(status=204)
    if request.method == "PATCH":
        wish = read_body(SourceChangeBody, request)
        paused, reason, seen = wish.pop("paused", None), wish.pop("reason", ""), wish.pop("seen", None)
        if wish or seen is not None:
            keeping.change(known, wished(wish, known), home, by=by, now=now, seen=seen)
        if paused is not None:
            keeping.pause(known, reason, by=by, now=now) if paused else keeping.resume(known, by=by, now=now)
    return Response(shown(known, home, request))


@extend_schema(operation_id="sources_try", request=TryBody, responses={200: TriedJson} | ASKING)
@rule("source.edit")
@api_view(["POST"])
def try_source(request: Request) -> Response:
    """Asks X what a source would have brought in the last 24 hours, at most 200 posts, on the market's account.
    Nothing is stored."""
    wish = read_body(TryBody, request)
    by, home = person(request), market_for(request.user, wish.pop("market"), "source.edit")
    pk = wish.pop("source", None)
    known = keeping.source_for(by, home, pk, change=True) if pk else None
    listing = Listing(home, by, shared_clock.now())
    wanted = listing.ground.understood(wished(wish), known)
    own = listing.own_first(wanted)
    told = trying.try_source(wanted, home, own, by=by, now=listing.now, per_hundred=listing.per_hundred(own))
    return Response(TriedJson(told).data)


def wished(given: dict[str, Any], known: Source | None = None) -> Wish:
    """The wish of a body; what it leaves out is as it stands, else by default."""
    if known is None:
        return Wish(**given)
    category = known.channel.category if known.channel else known.category
    told = {name: getattr(known, name) for name in ("kind", "value", "scope", "name", "trust")}
    told |= {name: getattr(known, name) for name in ("least_seconds", "most_seconds", "auto_approve")}
    return Wish(**told | {"category": category.slug if category else ""} | given)


def home_of(by: User, pk: int) -> Market:
    """The market through which someone works on a source: its own, of a global one the first that they lead."""
    known = Source.objects.select_related("market", "channel__market").filter(pk=pk).first()
    if known is None:
        raise Http404
    own = keeping.market_of(known)
    if own is not None:
        return own
    markets = list(Market.objects.visible_to(by))
    led = [market for market in markets if may(by, "source.edit", market)]
    if not markets:
        raise Http404
    return (led or markets)[0]


def shown(source: Source, home: Market, request: Request) -> dict[str, Any]:
    row = Listing(home, person(request), shared_clock.now()).row_of(source)
    return dict(OneSourceJson(row).data)


urlpatterns = [
    path("sources/", sources, name="api-sources"),
    path("sources/try/", try_source, name="api-try-source"),
    path("sources/<int:pk>/", source, name="api-source"),
]
