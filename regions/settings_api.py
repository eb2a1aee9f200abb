"""The editorial API of settings: a market's and its channels', for its leads. The pages' operation and bounds."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from regions import tunable
from regions.adjusting import adjust, changing
from regions.models import Channel, Market
from regions.permissions import market_for, rule
from regions.requests import person
from regions.serializers import Strict, read_body
from regions.tunable import ASKED_FOR, HEAVIEST, OF_CHANNEL, OF_MARKET, PARTS, Kind, Setting
from regions.views.settings import leaving


class WeightsJson(Strict):
    """Points by part of the rank, 0 to 100; parts that are left out are inherited."""

    def get_fields(self) -> dict[str, Any]:
        return {
            name: serializers.FloatField(required=False, min_value=0, max_value=HEAVIEST, help_text=str(PARTS[name][1]))
            for name in PARTS
        }


def field_of(setting: Setting) -> serializers.Field[Any, Any, Any, Any]:
    told: dict[str, Any] = {"required": False, "help_text": str(setting.help)}
    match setting.kind:
        case Kind.FLAG:
            return serializers.BooleanField(**told)
        case Kind.CHOICE:
            return serializers.ChoiceField(choices=Channel.Fallback.choices, **told)
        case Kind.REASONS:
            reasons = serializers.ChoiceField(choices=ASKED_FOR)
            return serializers.ListField(child=reasons, max_length=len(ASKED_FOR), **told)
        case Kind.WEIGHTS:
            return WeightsJson(**told)
    return serializers.IntegerField(min_value=setting.least, max_value=setting.most, **told)


class MarketSettings(Strict):
    """The settings of a market. Weights are its own; what they leave out is as usual."""

    def get_fields(self) -> dict[str, Any]:
        return {setting.name: field_of(setting) for setting in OF_MARKET}


class ChannelSettings(Strict):
    """The settings of a channel. Weights are its own; what they leave out is the market's."""

    def get_fields(self) -> dict[str, Any]:
        return {setting.name: field_of(setting) for setting in OF_CHANNEL}


class MarketBody(MarketSettings):
    """What is to be set: fields of their own, or in `settings` as a GET answers them. `seen` holds values that were
    read before: 409 `overtaken` where they changed since."""

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {name: MarketSettings(required=False) for name in ("settings", "seen")}


class ChannelBody(ChannelSettings):
    """What is to be set: fields of their own, or in `settings` as a GET answers them. `seen` holds values that were
    read before: 409 `overtaken` where they changed since."""

    def get_fields(self) -> dict[str, Any]:
        return super().get_fields() | {name: ChannelSettings(required=False) for name in ("settings", "seen")}


class LeavesJson(serializers.Serializer[Any]):
    """What a PATCH did at once, in posts."""

    phones = serializers.IntegerField(help_text="Live ones that left the feed.")
    queue = serializers.IntegerField(help_text="Waiting ones that lapse within minutes.")
    texts = serializers.IntegerField(help_text="Whose texts are deleted for good, within hours or days.")


class MarketJson(serializers.Serializer[Any]):
    market = serializers.CharField()
    name = serializers.CharField()
    settings = MarketSettings()
    leaves = LeavesJson(required=False, help_text="Of a PATCH alone.")


class ChannelJson(serializers.Serializer[Any]):
    market = serializers.CharField()
    category = serializers.CharField()
    name = serializers.CharField()
    settings = ChannelSettings()
    leaves = LeavesJson(required=False, help_text="Of a PATCH alone.")


class ChannelPage(serializers.Serializer[Any]):
    results = ChannelJson(many=True)
    next = serializers.CharField(help_text="Empty: a market's channels stand on one page.")


class ChannelQuery(serializers.Serializer[Any]):
    market = serializers.CharField(help_text="Code of a market that you lead, for example de.")


class SettingsProblem(serializers.Serializer[Any]):
    """problem+json. 409 `overtaken`: `now` holds what is set, `changed` who set it and when."""

    code = serializers.CharField()
    detail = serializers.CharField()
    now = serializers.DictField(required=False)
    changed = serializers.DictField(required=False)


PROBLEMS: dict[int, Any] = dict.fromkeys((403, 404, 422), SettingsProblem)
CHANGED = PROBLEMS | {409: SettingsProblem}


def told(place: Market | Channel) -> dict[str, Any]:
    if isinstance(place, Market):
        return {"market": place.code, "name": place.name, "settings": tunable.values_of(place)}
    named = {"market": place.market.code, "category": place.category.slug, "name": place.category.name}
    return named | {"settings": tunable.values_of(place)}


@extend_schema(operation_id="channels_list", parameters=[ChannelQuery], responses={200: ChannelPage} | PROBLEMS)
@rule("settings.edit")
@api_view(["GET"])
def channels(request: Request) -> Response:
    """The channels of a market with their settings, in their order."""
    asked = ChannelQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    market = market_for(request.user, asked.validated_data["market"], "settings.edit")
    rows = market.channel_set.active().select_related("market", "category")
    return Response({"results": [told(row) for row in rows], "next": ""})


@extend_schema(methods=["GET"], responses={200: ChannelJson} | PROBLEMS)
@extend_schema(
    methods=["PATCH"],
    request=ChannelBody,
    responses={200: ChannelJson} | CHANGED,
    examples=[OpenApiExample("slots", value={"slots": 4, "seen": {"slots": 3}}, request_only=True)],
)
@rule("settings.edit")
@api_view(["GET", "PATCH"])
def channel(request: Request, market: str, category: str) -> Response:
    """One channel's settings. PATCH sets those that are given; the feed follows at once."""
    home = market_for(request.user, market, "settings.edit")
    found = home.channel_set.active().filter(category__slug=category).select_related("market", "category").first()
    if found is None:
        raise Http404
    return answered(request, found, ChannelBody)


@extend_schema(methods=["GET"], responses={200: MarketJson} | PROBLEMS)
@extend_schema(
    methods=["PATCH"],
    request=MarketBody,
    responses={200: MarketJson} | CHANGED,
    examples=[OpenApiExample("budget", value={"posts_a_day": 20000}, request_only=True)],
)
@rule("settings.edit")
@api_view(["GET", "PATCH"])
def market_settings(request: Request, market: str) -> Response:
    """A market's own settings: budget, feed, retention, rank. PATCH sets those that are given."""
    return answered(request, market_for(request.user, market, "settings.edit"), MarketBody)


def answered(request: Request, place: Market | Channel, body: type[Strict]) -> Response:
    if request.method != "PATCH":
        return Response(told(place))
    wanted = read_body(body, request)
    seen = wanted.pop("seen", {})
    wanted = wanted.pop("settings", {}) | wanted
    leaves = leaving(request._request, place, changing(place, wanted, seen))["leaves"]
    return Response(told(adjust(place, wanted, seen=seen, by=person(request))) | {"leaves": leaves})


urlpatterns = [
    path("channels/", channels, name="api-channels"),
    path("channels/<slug:market>/<slug:category>/", channel, name="api-channel"),
    path("markets/<slug:market>/", market_settings, name="api-market"),
]
