"""The editorial API of feeds, for members of a market: the time machine, holding and releasing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from curation.access import channel_of
from curation.models import Wording
from feeds import holding
from feeds.edition import Edition, Left
from feeds.models import Feed, Snapshot
from regions.clocks import instant
from regions.models import Market
from regions.permissions import market_for, rule
from regions.requests import person
from regions.serializers import Problem, Strict, WallClock, read_body

PAGE = 50
PROBLEMS = {403: Problem, 404: Problem, 422: Problem}


class SnapshotQuery(serializers.Serializer[Any]):
    """Parameters of the list of snapshots."""

    before = serializers.IntegerField(
        required=False, min_value=1, max_value=2**62, help_text="`next` of the page before."
    )
    at = WallClock(
        required=False,
        help_text="The one that was shown then, and those before it. Without a zone: the market's wall clock.",
    )


class SnapshotJson(serializers.ModelSerializer[Snapshot]):
    """A numbered state of a feed."""

    entries = serializers.SerializerMethodField(help_text="How many posts it showed.")
    removed = serializers.SerializerMethodField(help_text="How many it told to take away.")

    class Meta:
        model = Snapshot
        fields = ["number", "at", "entries", "removed"]

    def get_entries(self, snapshot: Snapshot) -> int:
        return len(snapshot.entries)

    def get_removed(self, snapshot: Snapshot) -> int:
        return len(snapshot.removed)


class SnapshotPage(serializers.Serializer[Any]):
    results = SnapshotJson(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`before` of the next page, null after the last.")


class LeftJson(serializers.Serializer[Any]):
    """An entry of a snapshot, as it stands today."""

    id = serializers.CharField(help_text="X's id of the post as it was shown.")
    candidate = serializers.IntegerField()
    slot = serializers.IntegerField(allow_null=True)
    context = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    expires_at = serializers.DateTimeField(allow_null=True)
    text = serializers.CharField(allow_null=True, help_text="Null where it is not what was shown any more.")
    lost = serializers.CharField(
        allow_null=True,
        help_text="Why a restored feed would leave it out: blocked, withdrawn, edited, withheld or purged.",
    )


class SnapshotWhole(SnapshotJson):
    """A snapshot with its entries, in their order."""

    entries = serializers.SerializerMethodField()

    @extend_schema_field(LeftJson(many=True))
    def get_entries(self, snapshot: Snapshot) -> Any:
        return self.context["entries"]


class HoldJson(serializers.ModelSerializer[Feed]):
    """How a feed is held; `hold` is empty for one that is not."""

    feed = serializers.CharField(source="path")
    snapshot = serializers.IntegerField(source="held_at.number", default=None, allow_null=True)
    by = serializers.CharField(source="held_by.shown_name", default=None, allow_null=True)
    since = serializers.DateTimeField(source="held_since", allow_null=True)
    until = serializers.DateTimeField(source="held_until", allow_null=True)
    reason = serializers.CharField(source="held_reason", allow_blank=True)

    class Meta:
        model = Feed
        fields = ["feed", "hold", "snapshot", "by", "since", "until", "reason", "with_market"]


class Held(serializers.Serializer[Any]):
    feeds = HoldJson(many=True)


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "enum": ["current", "blank"]}]})
class SnapshotField(serializers.Field[Any, Any, Any, Any]):
    """The number of a snapshot, "current" or "blank"."""

    def to_internal_value(self, given: Any) -> int | str:
        if given in (holding.CURRENT, holding.BLANK):
            return str(given)
        if isinstance(given, int) and not isinstance(given, bool) and 0 < given < 2**63:
            return given
        raise serializers.ValidationError(_('The number of a snapshot, "current" or "blank".'))

    def to_representation(self, held: Any) -> Any:
        return held


class PlaceBody(Strict):
    category = serializers.CharField(
        required=False, allow_null=True, help_text="Slug of a category; without it the whole market."
    )


class HoldBody(PlaceBody):
    """What to hold, at what, why and until when."""

    snapshot = SnapshotField()
    until = WallClock(required=False, allow_null=True, help_text="Without a zone: the market's wall clock.")
    reason = serializers.CharField(help_text="Everyone of the market reads it.")


def feed_for(request: Request, market: str, category: str | None) -> Feed:
    """A feed of one's market, through the permission."""
    home = market_for(request.user, market)
    feed = Feed.objects.filter(market=home, channel__category__slug=category).first() if category else None
    feed = feed if category else Feed.objects.filter(market=home, channel=None).first()
    if feed is None:
        raise Http404
    return feed


def listing(query: QueryDict, feed: Feed) -> Response:
    asked = SnapshotQuery(data=query)
    asked.is_valid(raise_exception=True)
    want = asked.validated_data
    rows = feed.snapshot_set.before(want.get("before"))
    if at := want.get("at"):
        shown = feed.snapshot_set.shown_at(instant(feed.market, at, field="at"))
        rows = rows.filter(number__lte=shown.number) if shown else rows.none()
    page = list(rows[: PAGE + 1])
    following = page[PAGE - 1].number if len(page) > PAGE else None
    return Response(SnapshotPage({"results": page[:PAGE], "next": following}).data)


def whole(feed: Feed, number: int) -> Response:
    found = feed.snapshot_set.filter(number=number).first() if number < 2**63 else None
    if found is None:
        raise Http404
    return Response(SnapshotWhole(found, context={"entries": entries_of(found, feed.market, timezone.now())}).data)


@extend_schema(operation_id="market_snapshots", parameters=[SnapshotQuery], responses={200: SnapshotPage} | PROBLEMS)
@rule("desk.read")
@api_view(["GET"])
def market_snapshots(request: Request, market: str) -> Response:
    """What a market's feed showed, newest first."""
    return listing(request.query_params, feed_for(request, market, None))


@extend_schema(operation_id="channel_snapshots", parameters=[SnapshotQuery], responses={200: SnapshotPage} | PROBLEMS)
@rule("desk.read")
@api_view(["GET"])
def channel_snapshots(request: Request, market: str, category: str) -> Response:
    """What a channel's feed showed, newest first."""
    return listing(request.query_params, feed_for(request, market, category))


@extend_schema(operation_id="market_snapshot", responses={200: SnapshotWhole} | PROBLEMS)
@rule("desk.read")
@api_view(["GET"])
def market_snapshot(request: Request, market: str, number: int) -> Response:
    """One snapshot with its entries: what of it could still be shown, and what not, and why."""
    return whole(feed_for(request, market, None), number)


@extend_schema(operation_id="channel_snapshot", responses={200: SnapshotWhole} | PROBLEMS)
@rule("desk.read")
@api_view(["GET"])
def channel_snapshot(request: Request, market: str, category: str, number: int) -> Response:
    """The same of a channel's feed."""
    return whole(feed_for(request, market, category), number)


def entries_of(found: Snapshot, market: Market, now: datetime) -> list[dict[str, Any]]:
    channels = list(market.channel_set.select_related("market", "category").order_by("pk"))
    left = Edition(market, channels, [], now).left_of(found)
    words = Wording.objects.read({one.entry[word] for one in left for word in ("context", "label")})
    return [dict(LeftJson(line_of(one, words)).data) for one in left]


def line_of(left: Left, words: dict[str, str]) -> dict[str, Any]:
    """An entry as LeftJson shows it; erased words are missing, and a text that was edited since."""
    entry, candidate = left.entry, left.candidate
    same = candidate is not None and candidate.tweet.text_hash == entry["text_hash"]
    return entry | {
        "context": words.get(entry["context"]) or None,
        "label": words.get(entry["label"]) or None,
        "text": candidate.tweet.text if candidate and same else None,
        "expires_at": datetime.fromisoformat(entry["expires_at"]) if entry["expires_at"] else None,
        "lost": left.lost or None,
    }


@extend_schema(request=HoldBody, responses={200: Held} | PROBLEMS)
@rule("feed.hold")
@api_view(["POST"])
def hold(request: Request, market: str) -> Response:
    """Freezes, restores or blanks a channel's feed, or the market's with all its channels, until it is released."""
    home = market_for(request.user, market, "feed.hold")
    wish = read_body(HoldBody, request)
    until = instant(home, wish["until"], field="until") if wish.get("until") else None
    channel = channel_of(home, slug) if (slug := wish.get("category")) else None
    feeds = holding.hold(home, channel, wish["snapshot"], reason=wish["reason"], by=person(request), until=until)
    return Response(Held({"feeds": feeds}).data)


@extend_schema(request=PlaceBody, responses={200: Held, 409: Problem} | PROBLEMS)
@rule("feed.hold")
@api_view(["POST"])
def release(request: Request, market: str) -> Response:
    """Lets a held feed show the present again."""
    home = market_for(request.user, market, "feed.hold")
    slug = read_body(PlaceBody, request).get("category")
    channel = channel_of(home, slug) if slug else None
    return Response(Held({"feeds": holding.release(home, channel, by=person(request))}).data)


urlpatterns = [
    path("feeds/<slug:market>/hold/", hold, name="hold"),
    path("feeds/<slug:market>/release/", release, name="release"),
    path("feeds/<slug:market>/snapshots/", market_snapshots, name="snapshots-of-market"),
    path("feeds/<slug:market>/snapshots/<int:number>/", market_snapshot, name="snapshot-of-market"),
    path("feeds/<slug:market>/<slug:category>/snapshots/", channel_snapshots, name="snapshots-of-channel"),
    path("feeds/<slug:market>/<slug:category>/snapshots/<int:number>/", channel_snapshot, name="snapshot-of-channel"),
]
