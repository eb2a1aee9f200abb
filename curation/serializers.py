"""What the editorial API takes and gives. Candidate, decision and act ids are integers, tweet ids strings."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from curation.models import Candidate, Decision, Offer, State, Tweet
from regions.serializers import Problem, Strict, WallClock


class CandidateQuery(serializers.Serializer[Any]):
    """Parameters of the candidate list."""

    market = serializers.CharField(help_text="Code of a market you belong to, for example de.")
    category = serializers.CharField(required=False, help_text="Slug of a category; all of them without it.")
    state = serializers.ChoiceField(choices=State.choices, default=State.PENDING)
    q = serializers.CharField(required=False, default="", help_text='Words, "exact words", -without.')
    order = serializers.CharField(required=False, default="best", help_text="best or newest")
    cursor = serializers.CharField(required=False, default="", help_text="`next` of the page before.")


class AlsoBody(Strict):
    """A block to lay with the verb."""

    kind = serializers.ChoiceField(choices=["author", "term", "domain", "hashtag"])
    value = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=200, help_text="Empty: the post's own author."
    )
    scope = serializers.ChoiceField(choices=["channel", "market", "global"], default="channel")


REMARK = "What came otherwise than asked, and what blocks took out."
WINDOW = "With a zone, or as the clocks of the market show it. Missing or null: as it is; of schedule, no bound."


class WishBody(Strict):
    """Fields that a verb may carry; one that it does not is refused."""

    verb = serializers.CharField(
        help_text="approve, pin, unpin, block, reopen, move, schedule, annotate or offer: docs/decisions.md"
    )
    reason = serializers.CharField(
        required=False,
        help_text="block: not_chosen (default), off_topic, duplicate, spam, hate, false, legal, personal or other",
    )
    note = serializers.CharField(
        required=False, allow_blank=True, help_text="Any verb: a line for the log, at most 500 characters."
    )
    until = WallClock(required=False, allow_null=True, help_text="pin: held until then. " + WINDOW)
    go_live_at = WallClock(required=False, allow_null=True, help_text="approve, pin, schedule. " + WINDOW)
    expire_at = WallClock(required=False, allow_null=True, help_text="approve, pin, schedule. " + WINDOW)
    context = serializers.CharField(  # type: ignore[assignment]
        required=False, allow_blank=True, allow_null=True,
        help_text="approve, pin, annotate: the line beside the post, at most 200 characters.",
    )  # fmt: skip
    label = serializers.CharField(  # type: ignore[assignment]
        required=False, allow_blank=True, allow_null=True,
        help_text="approve, pin, annotate: a mark such as Anzeige, at most 40 characters.",
    )  # fmt: skip
    swap = serializers.BooleanField(required=False, help_text="pin: whoever holds the slot gives way.")
    with_similar = serializers.BooleanField(
        required=False, help_text="approve, pin, schedule: also beside a similar one that is live."
    )
    category = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, help_text="move: slug of another category of the market."
    )
    market = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, help_text="offer: code of another market."
    )
    also = AlsoBody(many=True, required=False, help_text="block: what to block beside the post.")


class DecisionBody(WishBody):
    """One decision."""

    version = serializers.IntegerField(required=False, allow_null=True, help_text="The version you saw. Required.")
    slot = serializers.IntegerField(
        required=False, allow_null=True, help_text="approve, pin: 1 to the channel's number of slots."
    )


class Seen(Strict):
    """A candidate and the version of it that was seen."""

    id = serializers.IntegerField()
    version = serializers.IntegerField(required=False, allow_null=True)


class ManyBody(WishBody):
    """One verb on many candidates."""

    candidates = Seen(many=True, allow_empty=False)

    def validate_candidates(self, seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["id"] for one in seen}) < len(seen):
            raise serializers.ValidationError(_("Each candidate only once."))
        return seen


class LinkBody(Strict):
    """A post by its link."""

    market = serializers.CharField(help_text="Code of a market you belong to, for example de.")
    category = serializers.CharField(help_text="Slug of a category of this market.")
    url = serializers.CharField(max_length=500, help_text="https://x.com/name/status/1234567890, or the id alone.")


class AuthorJson(serializers.Serializer[Any]):
    id = serializers.CharField(source="x_id")
    name = serializers.CharField()
    username = serializers.CharField()
    url = serializers.CharField()
    avatar_url = serializers.CharField()
    verified_type = serializers.CharField()


class TweetJson(serializers.ModelSerializer[Tweet]):
    id = serializers.CharField(source="current_id", help_text="X's current id of the post.")
    url = serializers.CharField()
    author = AuthorJson(allow_null=True)
    edited = serializers.BooleanField()
    entities = serializers.SerializerMethodField()
    media = serializers.SerializerMethodField()

    class Meta:
        model = Tweet
        fields = [
            "id",
            "url",
            "text",
            "entities",
            "lang",
            "created_at",
            "edited",
            "sensitive",
            "author",
            "media",
        ]

    def get_entities(self, tweet: Tweet) -> dict[str, Any]:
        return tweet.part("entities", {})

    def get_media(self, tweet: Tweet) -> list[dict[str, Any]]:
        return tweet.part("media", [])


class PinJson(serializers.Serializer[Any]):
    slot = serializers.IntegerField()
    until = serializers.DateTimeField(source="pinned_until", allow_null=True)


class CandidateJson(serializers.ModelSerializer[Candidate]):
    market = serializers.CharField(source="channel.market.code")
    category = serializers.CharField(source="channel.category.slug")
    pin = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    tweet = TweetJson()

    class Meta:
        model = Candidate
        fields = [
            "id", "version", "state", "market", "category", "pin", "go_live_at", "expire_at", "context", "label",
            "rank", "rank_parts", "warnings", "approved_at", "arrived_at", "tweet",
        ]  # fmt: skip

    @extend_schema_field(PinJson(allow_null=True))
    def get_pin(self, candidate: Candidate) -> Any:
        return PinJson(candidate).data if candidate.pinned_at(timezone.now()) else None

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_warnings(self, candidate: Candidate) -> list[str]:
        return candidate.warnings()


class DecisionJson(serializers.ModelSerializer[Decision]):
    act = serializers.IntegerField(source="act_id")
    by = serializers.CharField(source="by.shown_name", default=None, allow_null=True, help_text="null: the system")
    note = serializers.CharField(source="act.note.words", default=None, allow_null=True)

    class Meta:
        model = Decision
        fields = ["id", "act", "verb", "by", "at", "reason", "note", "version"]


class LoggedDecision(DecisionJson):
    """A line of the log."""

    candidate = serializers.IntegerField(source="candidate_id")
    market = serializers.CharField(source="market.code")
    category = serializers.CharField(source="channel.category.slug")
    tweet = serializers.CharField(source="current_id")

    class Meta(DecisionJson.Meta):
        fields = [*DecisionJson.Meta.fields, "candidate", "market", "category", "tweet", "before", "after"]


class OfferJson(serializers.ModelSerializer[Offer]):
    """Where an offered candidate comes from."""

    market = serializers.CharField(source="origin_market.code")
    by = serializers.CharField(source="by.shown_name", default=None, allow_null=True)

    class Meta:
        model = Offer
        fields = ["market", "by", "note", "at"]


class CandidateWithLog(CandidateJson):
    """One candidate with its decisions, oldest first, and the offer that brought it, if one did."""

    decisions = serializers.SerializerMethodField()
    offered = serializers.SerializerMethodField()

    class Meta(CandidateJson.Meta):
        fields = [*CandidateJson.Meta.fields, "offered", "decisions"]

    @extend_schema_field(OfferJson(allow_null=True))
    def get_offered(self, candidate: Candidate) -> Any:
        row = Offer.objects.filter(candidate=candidate).select_related("origin_market", "by").first()
        return OfferJson(row).data if row else None

    @extend_schema_field(DecisionJson(many=True))
    def get_decisions(self, candidate: Candidate) -> Any:
        rows = candidate.decision_set.select_related("by", "act__note").order_by("version")
        return DecisionJson(rows, many=True).data


class CandidatePage(serializers.Serializer[Any]):
    results = CandidateJson(many=True, source="rows")
    next = serializers.CharField(allow_blank=True, help_text="Cursor of the next page, empty after the last.")


class Decided(serializers.Serializer[Any]):
    decision = DecisionJson()
    candidate = CandidateJson()
    remark = serializers.CharField(allow_blank=True, help_text=REMARK + " Mostly empty.")


class Stale(Problem):
    """409 stale_version: who decided what, and the candidate as it stands now."""

    by = serializers.CharField(allow_null=True)
    verb = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    candidate = CandidateJson()


class ResultJson(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.IntegerField()
    candidate = CandidateJson(required=False)
    problem = Problem(required=False)
    remark = serializers.CharField(required=False, help_text=REMARK)


class ManyJson(serializers.Serializer[Any]):
    act = serializers.IntegerField(allow_null=True)
    results = ResultJson(many=True)


class LogPage(serializers.Serializer[Any]):
    results = LoggedDecision(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`since` of the next page.")
