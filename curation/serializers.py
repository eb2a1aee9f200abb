"""What the editorial API takes and gives. Candidate, decision and act ids are integers, tweet ids strings."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from curation.models import Candidate, Decision, State, Tweet


class Strict(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a misspelt one is told instead of ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in sorted(unknown)})
        return super().to_internal_value(data)


class CandidateQuery(serializers.Serializer[Any]):
    """Parameters of the candidate list."""

    market = serializers.CharField(help_text="Code of a market you belong to, for example de.")
    category = serializers.CharField(required=False, help_text="Slug of a category; all of them without it.")
    state = serializers.ChoiceField(choices=State.choices, default=State.PENDING)
    q = serializers.CharField(required=False, default="", help_text='Words, "exact words", -without.')
    order = serializers.CharField(required=False, default="best", help_text="best or newest")
    cursor = serializers.CharField(required=False, default="", help_text="`next` of the page before.")


class WishBody(Strict):
    """Fields that a verb may carry."""

    verb = serializers.CharField(help_text="approve, pin, unpin, block or reopen")
    reason = serializers.CharField(required=False, help_text="block: not_chosen (default), off_topic, spam, …")
    note = serializers.CharField(required=False, allow_blank=True)
    until = serializers.DateTimeField(required=False, allow_null=True, help_text="pin: held until then")
    go_live_at = serializers.DateTimeField(required=False, allow_null=True)
    expire_at = serializers.DateTimeField(required=False, allow_null=True)
    context = serializers.CharField(required=False, allow_blank=True, allow_null=True)  # type: ignore[assignment]
    label = serializers.CharField(required=False, allow_blank=True, allow_null=True)  # type: ignore[assignment]
    swap = serializers.BooleanField(required=False)
    with_similar = serializers.BooleanField(required=False)


class DecisionBody(WishBody):
    """One decision."""

    version = serializers.IntegerField(required=False, allow_null=True, help_text="The version you saw. Required.")
    slot = serializers.IntegerField(required=False, allow_null=True)


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
        return PinJson(candidate).data if candidate.pinned else None

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_warnings(self, candidate: Candidate) -> list[str]:
        return candidate.warnings()


class DecisionJson(serializers.ModelSerializer[Decision]):
    act = serializers.IntegerField(source="act_id")
    by = serializers.CharField(source="by.shown_name", default=None, allow_null=True, help_text="null: the system")

    class Meta:
        model = Decision
        fields = ["id", "act", "verb", "by", "at", "reason", "version"]


class LoggedDecision(DecisionJson):
    """A line of the log."""

    candidate = serializers.IntegerField(source="candidate_id")
    market = serializers.CharField(source="market.code")
    category = serializers.CharField(source="channel.category.slug")
    tweet = serializers.CharField(source="current_id")

    class Meta(DecisionJson.Meta):
        fields = [*DecisionJson.Meta.fields, "candidate", "market", "category", "tweet", "before", "after"]


class CandidateWithLog(CandidateJson):
    """One candidate with its decisions, oldest first."""

    decisions = serializers.SerializerMethodField()

    class Meta(CandidateJson.Meta):
        fields = [*CandidateJson.Meta.fields, "decisions"]

    @extend_schema_field(DecisionJson(many=True))
    def get_decisions(self, candidate: Candidate) -> Any:
        rows = candidate.decision_set.select_related("by").order_by("version")
        return DecisionJson(rows, many=True).data


class CandidatePage(serializers.Serializer[Any]):
    results = CandidateJson(many=True, source="rows")
    next = serializers.CharField(allow_blank=True, help_text="Cursor of the next page, empty after the last.")


class Decided(serializers.Serializer[Any]):
    decision = DecisionJson()
    candidate = CandidateJson()


class Problem(serializers.Serializer[Any]):
    """problem+json. `code` is stable; some codes carry more fields."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


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
    remark = serializers.CharField(required=False, help_text="What came otherwise than asked.")


class ManyJson(serializers.Serializer[Any]):
    act = serializers.IntegerField(allow_null=True)
    results = ResultJson(many=True)


class LogPage(serializers.Serializer[Any]):
    results = LoggedDecision(many=True)
    next = serializers.IntegerField(allow_null=True, help_text="`since` of the next page.")
