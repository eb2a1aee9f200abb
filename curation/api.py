"""The editorial API: candidates, decisions, bulk, undo, the log. One call to an operation each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from curation import keyset, operations, shared_clock
from curation.access import act_for, candidate_for, channel_of
from curation.blocking import api as blocks_api
from curation.history import onward
from curation.ingest import links
from curation.models import Act, Candidate
from curation.operations.deciding import Many, Result
from curation.serializers import (
    CandidateJson,
    CandidatePage,
    CandidateQuery,
    CandidateWithLog,
    Decided,
    DecisionBody,
    LinkBody,
    LoggedDecision,
    LogPage,
    ManyBody,
    ManyJson,
    Problem,
    Stale,
)
from curation.sourcing import api as sources_api
from regions.numbers import whole
from regions.permissions import market_for, rule
from regions.problems import Refusal
from regions.requests import person
from regions.serializers import read_body

PAGE, LOG_PAGE, LONGEST_KEY = 50, 200, 200
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="Repeat a request safely; kept 7 days.",
)
EXAMPLES: dict[str, dict[str, Any]] = {
    "approve": {"context": "The council decides tonight."},
    "pin": {"slot": 1, "until": "2030-05-01T18:00"},
    "block": {"reason": "spam", "also": [{"kind": "author", "value": "", "scope": "market"}]},
    "move": {"category": "sport"},
    "schedule": {"go_live_at": "2030-05-01T06:00", "expire_at": "2030-05-01T22:00"},
    "annotate": {"label": "Advertisement"},
    "offer": {"market": "nl", "note": "For you too?"},
}
PROBLEMS = {403: Problem, 404: Problem, 422: Problem}


class BadKey(Refusal):
    code = "bad_key"
    detail = gettext_lazy("An Idempotency-Key has 1 to 200 characters.")


def key_of(request: Request) -> str:
    """The request's Idempotency-Key, empty without one."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadKey
    return key


@extend_schema(
    methods=["GET"],
    operation_id="candidates_list",
    parameters=[CandidateQuery],
    responses={200: CandidatePage} | PROBLEMS,
)
@extend_schema(
    methods=["POST"],
    operation_id="candidates_add",
    request=LinkBody,
    responses={201: CandidateJson, 200: CandidateJson, 409: Problem, 503: Problem} | PROBLEMS,
)
@rule("desk.read")
@api_view(["GET", "POST"])
def candidates(request: Request) -> Response:
    """GET: a page of a market's or a channel's candidates. POST: adds a post by its link; what is there already is
    answered with 200. X is asked, and the market pays, only for what is not stored."""
    return add_link(request) if request.method == "POST" else candidate_page(request)


def add_link(request: Request) -> Response:
    wish = read_body(LinkBody, request)
    channel = channel_of(market_for(request.user, wish["market"], "candidate.add"), wish["category"])
    added = links.add(wish["url"], channel, by=person(request), now=shared_clock.now())
    return Response(CandidateJson(added.candidate).data, status=201 if added.made else 200)


def candidate_page(request: Request) -> Response:
    if code := request.query_params.get("market"):
        market_for(request.user, code)  # before all else: of a foreign one nothing is told, not even what is unusable
    asked = CandidateQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    want = asked.validated_data
    market = market_for(request.user, want["market"])
    everywhere = market.channel_set.active().select_related("category")
    channels = [channel_of(market, want["category"])] if "category" in want else everywhere
    rows = Candidate.objects.in_state(want["state"])
    queues = [keyset.Queue(rows.in_channel(one), one, want["q"]) for one in channels]
    page = keyset.page(queues, order=want["order"], cursor=want["cursor"], size=PAGE)
    mark_similar(page.rows)
    return Response(CandidatePage(page).data)


@extend_schema(responses={200: CandidateWithLog} | PROBLEMS)
@rule("desk.read")
@api_view(["GET"])
def candidate(request: Request, pk: int) -> Response:
    """One candidate with its decisions."""
    row = candidate_for(request.user, pk)
    mark_similar([row])
    return Response(CandidateWithLog(row).data)


def mark_similar(rows: Iterable[Candidate]) -> None:
    """Lets rows warn of similar ones that are live."""
    known = list(rows)
    waiting = Candidate.objects.live_beside(known, timezone.now())
    for row in known:
        row.similar_live = row.pk in waiting


@extend_schema(
    request=DecisionBody,
    parameters=[KEY],
    responses={201: Decided, 409: Stale} | PROBLEMS,
    examples=[
        OpenApiExample(verb, value={"verb": verb, "version": 1} | carried, request_only=True)
        for verb, carried in EXAMPLES.items()
    ],
)
@rule("candidate.decide")
@api_view(["POST"])
def decisions_of_candidate(request: Request, pk: int) -> Response:
    """Decides about one candidate."""
    row = candidate_for(request.user, pk, "candidate.decide")
    wish = read_body(DecisionBody, request)
    verb, version = wish.pop("verb"), wish.pop("version", None)
    try:
        done = operations.decide(verb, row, by=person(request), version=version, key=key_of(request), **wish)
    except operations.StaleVersion as stale:
        stale.more["candidate"] = CandidateJson(stale.candidate).data
        raise
    mark_similar([done.candidate])
    return Response(Decided(done).data, status=201)


@extend_schema(
    methods=["GET"],
    parameters=onward.PARAMETERS,
    responses={200: LogPage} | PROBLEMS,
)
@extend_schema(methods=["POST"], request=ManyBody, parameters=[KEY], responses={200: ManyJson} | PROBLEMS)
@rule("desk.read")
@api_view(["GET", "POST"])
def decisions(request: Request) -> Response:
    """GET: a market's log, oldest first; who does not lead the market reads their own decisions and the system's.

    POST: one verb on up to 200 candidates, each answered for itself."""
    return decide_many(request) if request.method == "POST" else log(request)


def decide_many(request: Request) -> Response:
    wish = read_body(ManyBody, request)
    seen = {one["id"]: one.get("version") for one in wish.pop("candidates")}
    many = operations.decide_many(wish.pop("verb"), seen, by=person(request), key=key_of(request), **wish)
    return Response(many_json(many))


def log(request: Request) -> Response:
    market = market_for(request.user, request.query_params.get("market", ""))
    since = whole(request.query_params.get("since", "0"))
    if since is None:
        raise Refusal(_("The id of a decision."), field="since")
    rows, more = onward.read_on(request.query_params, market, person(request), since, LOG_PAGE)
    return Response({"results": LoggedDecision(rows, many=True).data, "next": more})


@extend_schema(request=None, parameters=[KEY], responses={201: ManyJson, 409: Problem} | PROBLEMS)
@rule("candidate.decide")
@api_view(["POST"])
def undo(request: Request, pk: int) -> Response:
    """Takes a whole act back."""
    act: Act = act_for(request.user, pk, "candidate.decide")
    try:
        many = operations.undo(act, by=person(request), key=key_of(request))
    except operations.StaleVersion as stale:
        stale.more["candidate"] = CandidateJson(stale.candidate).data
        raise
    return Response(many_json(many), status=201)


def many_json(many: Many) -> dict[str, Any]:
    mark_similar(result.candidate for result in many.results if result.candidate)
    return {
        "act": many.act.pk if many.act else None,
        "results": [result_json(result) for result in many.results],
    }


def result_json(result: Result) -> dict[str, Any]:
    told: dict[str, Any] = {"id": result.id, "status": 201 if result.status == 200 else int(result.status)}
    if result.problem is not None:
        told["problem"] = result.problem
    if result.remark:
        told["remark"] = result.remark
    if result.candidate is not None and result.status != 404 and result.status != 403:
        told["candidate"] = CandidateJson(result.candidate).data
    return told


urlpatterns = [
    path("candidates/", candidates, name="api-candidates"),
    path("candidates/<int:pk>/", candidate, name="api-candidate"),
    path("candidates/<int:pk>/decisions/", decisions_of_candidate, name="api-candidate-decisions"),
    path("decisions/", decisions, name="api-decisions"),
    path("acts/<int:pk>/undo/", undo, name="api-undo"),
    *sources_api.urlpatterns,
    *blocks_api.urlpatterns,
]
