"""The editorial API of blocks: the same lists, dry runs and acts as the page's."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from curation import operations
from curation.blocking.entries import checked, ends_of, entry_of
from curation.blocking.lists import BESIDE, KINDS, Listing
from curation.blocking.reach import Trial, try_out
from curation.operations.blocking import Entry, Laid
from regions.models import Block, Market
from regions.permissions import market_for, require, rule
from regions.problems import Refusal
from regions.requests import person
from regions.serializers import Problem, Strict, WallClock, read_body

PROBLEMS = {403: Problem, 404: Problem, 422: Problem}
SCOPE = "market (default), global, or the slug of a category."


class BlockJson(serializers.Serializer[Block]):
    """A block that stands."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Block.Kind.choices)
    value = serializers.CharField()
    named = serializers.CharField(help_text="The same for people: an author's name where it is known.")
    scope = serializers.CharField()
    category = serializers.CharField(source="channel.category.slug", default=None, allow_null=True)
    effect = serializers.ChoiceField(choices=Block.Effect.choices)
    reason = serializers.CharField()
    note = serializers.CharField()
    ends_at = serializers.DateTimeField(allow_null=True)
    block_list = serializers.CharField(source="block_list.name", default=None, allow_null=True)
    by = serializers.CharField(source="created_by.shown_name", default=None, allow_null=True)
    created_at = serializers.DateTimeField()


class LaidJson(BlockJson):
    """A block that was laid or changed just now, and what went with it."""

    withdrawn = serializers.IntegerField(help_text="How many live or scheduled posts it took out at once.")

    @classmethod
    def told(cls, laid: Laid) -> dict[str, Any]:
        return dict(BlockJson(laid.block).data) | {"withdrawn": laid.taken}


class BlockPage(serializers.Serializer[Any]):
    results = BlockJson(many=True)
    next = serializers.CharField(help_text="`cursor` of the next page; empty after the last.")


class BlockQuery(serializers.Serializer[Any]):
    """Parameters of the list."""

    market = serializers.CharField(help_text="Code of a market you belong to, for example de.")
    kind = serializers.ChoiceField(choices=[kind.value for kind in KINDS], required=False, default="")
    q = serializers.CharField(required=False, default="", max_length=200, help_text="Part of a value or a note.")
    cursor = serializers.CharField(required=False, default="", help_text="`next` of the page before.")


class BlockChangeBody(Strict):
    """What of a block can be changed; what is absent stays."""

    effect = serializers.ChoiceField(choices=Block.Effect.choices, required=False)
    reason = serializers.CharField(required=False, max_length=20)
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)
    ends = WallClock(required=False, allow_null=True, help_text="With a zone, or by the market's clock; null: never.")


class BlockBody(BlockChangeBody):
    """A block to be."""

    market = serializers.CharField(max_length=2)
    kind = serializers.ChoiceField(choices=Block.Kind.choices, required=False, help_text="Without it: as it looks.")
    value = serializers.CharField(max_length=200)
    scope = serializers.CharField(required=False, max_length=31, help_text=SCOPE)


class HitJson(serializers.Serializer[Any]):
    candidate = serializers.IntegerField(source="candidate.pk")
    category = serializers.CharField(source="candidate.channel.category.slug")
    market = serializers.CharField(source="candidate.channel.market.code")
    slot = serializers.IntegerField(source="candidate.slot", allow_null=True)
    since = serializers.DateTimeField(source="candidate.live_from", allow_null=True)


class TrialJson(serializers.Serializer[Trial]):
    """What a block would have hit in seven days, and what is live of it."""

    hit = serializers.IntegerField(help_text="1001 for more than 1000.")
    states = serializers.DictField(child=serializers.IntegerField())
    live = HitJson(many=True)
    withdrawn = serializers.SerializerMethodField()
    share = serializers.FloatField(help_text="Of what was read, from 0 to 1.")
    read = serializers.IntegerField()
    wide = serializers.BooleanField(help_text="It would hit a quarter of everything, or more.")
    complete = serializers.SerializerMethodField()

    def get_withdrawn(self, trial: Trial) -> int:
        return len(trial.taken)

    def get_complete(self, trial: Trial) -> bool:
        return not (trial.cut or trial.late or trial.more)


def asked_entry(request: Request) -> Entry:
    """The block that a body asks for, in a market of the caller. Raises Refusals."""
    wish = read_body(BlockBody, request)
    home = market_for(request.user, wish.pop("market"), "block.edit_channel")
    return checked(entry_of(wish, home), person(request), timezone.now())


@extend_schema(
    methods=["GET"], operation_id="blocks_list", parameters=[BlockQuery], responses={200: BlockPage} | PROBLEMS
)
@extend_schema(
    methods=["POST"],
    operation_id="blocks_lay",
    request=BlockBody,
    responses={201: LaidJson, 200: LaidJson} | PROBLEMS,
)
@rule("desk.read")
@api_view(["GET", "POST"])
def blocks(request: Request) -> Response:
    """GET: the blocks that hold in a market, its own before global ones. POST: lays one untried, and withdraws live
    hits at once; the answer tells how many. Send the same body to /api/v1/blocks/try/ first: it tells what would be hit
    and withdrawn, and whether it is too wide, and changes nothing. 200 where one stands that does the same."""
    if request.method == "POST":
        entry = asked_entry(request)
        laid = operations.lay_block(
            entry.name.kind, entry.name.value, by=person(request), channel=entry.channel, market=entry.market,
            effect=entry.effect, reason=entry.reason, note=entry.note, ends_at=entry.ends_at,
        )  # fmt: skip
        return Response(LaidJson.told(laid), status=201 if laid.made else 200)
    asked = BlockQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    want = asked.validated_data
    home = market_for(request.user, want["market"])
    listing = Listing(home, person(request), timezone.now(), want["kind"], want["q"], want["cursor"], every=True)
    rows, following = listing.found
    return Response(BlockPage({"results": rows, "next": following}).data)


@extend_schema(request=BlockBody, responses={200: TrialJson} | PROBLEMS)
@rule("block.edit_channel")
@api_view(["POST"])
def try_block(request: Request) -> Response:
    """A dry run: what a block would have hit, and what it would withdraw. Nothing is changed. Do this before POST to
    /api/v1/blocks/, which asks for nothing more."""
    return Response(TrialJson(try_out(asked_entry(request), timezone.now())).data)


def block_for(request: Request, pk: int) -> tuple[Block, Market | None]:
    """A standing block that the caller may see, and its market. Raises Http404, PermissionDenied."""
    block = Block.objects.filter(pk=pk, lifted_at=None).select_related(*BESIDE).first()
    if block is None:
        raise Http404
    market = block.channel.market if block.channel else block.market
    if market is not None:
        require(request.user, "block.edit_channel", market)
    elif not Market.objects.visible_to(request.user).exists():
        raise Http404
    return block, market


@extend_schema(
    methods=["PATCH"], operation_id="blocks_change", request=BlockChangeBody, responses={200: LaidJson} | PROBLEMS
)
@extend_schema(methods=["DELETE"], operation_id="blocks_lift", responses={204: None} | PROBLEMS)
@rule("block.edit_channel")
@api_view(["PATCH", "DELETE"])
def block(request: Request, pk: int) -> Response:
    """PATCH: another effect, reason, note or end, as a new block in its place. DELETE: lifts it."""
    found, market = block_for(request, pk)
    if request.method == "DELETE":
        operations.lift_block(found, by=person(request))
        return Response(status=204)
    wish = read_body(BlockChangeBody, request)
    if "ends" in wish:
        told = wish.pop("ends")
        if told and not market and told.tzinfo is None:
            raise Refusal(_("Say in which time zone."), field="ends")
        wish["ends_at"] = ends_of(told, market) if market else told
    kept = {name: getattr(found, name) for name in ("effect", "reason", "ends_at", "note")}
    done = operations.change_block(found, by=person(request), **(kept | wish))
    return Response(LaidJson.told(done))


urlpatterns = [
    path("blocks/", blocks, name="api-blocks"),
    path("blocks/try/", try_block, name="api-try-block"),
    path("blocks/<int:pk>/", block, name="api-block"),
]
