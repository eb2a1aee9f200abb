"""The editorial API of people: the memberships of a market, for its leads. The pages' operations, one call each."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from regions import people
from regions.models import Membership, Role
from regions.numbers import BIGGEST, whole
from regions.permissions import market_for, rule
from regions.problems import BadCursor
from regions.requests import person
from regions.serializers import Problem, Strict, read_body

PAGE = 100


class MembershipJson(serializers.Serializer[Membership]):
    """A person's role in a market."""

    id = serializers.IntegerField()
    market = serializers.CharField(source="market.code")
    username = serializers.CharField(source="user.username")
    name = serializers.CharField(source="user.shown_name")
    email = serializers.CharField(source="user.email")
    role = serializers.ChoiceField(choices=Role.choices)
    from_group = serializers.BooleanField(help_text="It came from a group of the company account.")
    since = serializers.DateTimeField(source="created_at")
    last_login = serializers.DateTimeField(source="user.last_login", allow_null=True)
    second_step = serializers.BooleanField()


class MembershipPage(serializers.Serializer[Any]):
    results = MembershipJson(many=True)
    next = serializers.CharField(help_text="`cursor` of the next page; empty after the last.")


class MembershipQuery(serializers.Serializer[Any]):
    """Parameters of the list."""

    market = serializers.CharField(help_text="Code of a market that you lead, for example de.")
    cursor = serializers.CharField(required=False, default="", help_text="`next` of the page before.")


class RoleBody(Strict):
    role = serializers.ChoiceField(choices=Role.choices)


class MembershipBody(RoleBody):
    market = serializers.CharField(max_length=2)
    username = serializers.CharField(max_length=150, help_text="The log-in name of somebody who can log in.")


PROBLEMS = {403: Problem, 404: Problem, 422: Problem}


def told(pk: int) -> dict[str, Any]:
    return dict(MembershipJson(Membership.objects.with_people().get(pk=pk)).data)


@extend_schema(
    methods=["GET"],
    operation_id="memberships_list",
    parameters=[MembershipQuery],
    responses={200: MembershipPage} | PROBLEMS,
)
@extend_schema(
    methods=["POST"],
    operation_id="memberships_give",
    request=MembershipBody,
    responses={201: MembershipJson, 200: MembershipJson} | PROBLEMS,
)
@rule("people.edit")
@api_view(["GET", "POST"])
def memberships(request: Request) -> Response:
    """GET: the people of a market, in the order of their ids. POST: gives a role to somebody who can log in; 200 where
    they had one."""
    if request.method == "POST":
        wish = read_body(MembershipBody, request)
        market = market_for(request.user, wish["market"], "people.edit")
        user = people.person_named(wish["username"])
        held, made = people.give(user, market, Role(wish["role"]), by=person(request))
        return Response(told(held.pk), status=201 if made else 200)
    asked = MembershipQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    market = market_for(request.user, asked.validated_data["market"], "people.edit")
    after = after_of(asked.validated_data["cursor"])
    rows = list(Membership.objects.in_market(market).with_people().filter(pk__gt=after).order_by("pk")[: PAGE + 1])
    following = str(rows[PAGE - 1].pk) if len(rows) > PAGE else ""
    return Response(MembershipPage({"results": rows[:PAGE], "next": following}).data)


def after_of(cursor: str) -> int:
    after = whole(cursor or "0")
    if after is None:
        raise BadCursor(field="cursor")
    return after


@extend_schema(
    methods=["PATCH"],
    operation_id="memberships_change",
    request=RoleBody,
    responses={200: MembershipJson} | PROBLEMS,
)
@extend_schema(methods=["DELETE"], operation_id="memberships_take", responses={204: None} | PROBLEMS)
@rule("people.edit")
@api_view(["PATCH", "DELETE"])
def membership(request: Request, pk: int) -> Response:
    """PATCH: changes a role. DELETE: takes it; it works at the person's next request."""
    held = people.membership_for(person(request), min(pk, BIGGEST))
    if request.method == "DELETE":
        people.take(held, by=person(request))
        return Response(status=204)
    role = Role(read_body(RoleBody, request)["role"])
    given, _made = people.give(held.user, held.market, role, by=person(request))
    return Response(told(given.pk))


urlpatterns = [
    path("memberships/", memberships, name="api-memberships"),
    path("memberships/<int:pk>/", membership, name="api-membership"),
]
