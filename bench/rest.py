"""What the feed is measured against: the same posts by a plain DRF ListAPIView, as one writes it."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework import generics, permissions, serializers

from curation.models import Author, Candidate, State, Tweet
from feeds.rendering import ENTITIES, MEDIA
from regions.permissions import PUBLIC

POSTS = 20


class AuthorSerializer(serializers.ModelSerializer[Author]):
    id = serializers.CharField(source="x_id")

    class Meta:
        model = Author
        fields = ("id", "name", "username", "url", "avatar_url", "verified_type")


class TweetSerializer(serializers.ModelSerializer[Tweet]):
    id = serializers.CharField(source="current_id")
    entities = serializers.SerializerMethodField()
    media = serializers.SerializerMethodField()
    author = AuthorSerializer()

    class Meta:
        model = Tweet
        fields = ("id", "url", "text", "entities", "lang", "created_at", "edited", "author", "media")

    def get_entities(self, tweet: Tweet) -> dict[str, Any]:
        return {kind: tweet.part("entities", {}).get(kind, []) for kind in ENTITIES}

    def get_media(self, tweet: Tweet) -> list[dict[str, Any]]:
        return [{key: medium.get(key) for key in MEDIA} for medium in tweet.part("media", [])]


class EntrySerializer(serializers.ModelSerializer[Candidate]):
    category = serializers.CharField(source="channel.category.slug")
    pinned = serializers.SerializerMethodField()
    tweet = TweetSerializer()

    class Meta:
        model = Candidate
        fields = ("category", "pinned", "context", "label", "expire_at", "tweet")

    def get_pinned(self, candidate: Candidate) -> bool:
        return candidate.slot is not None


class Entries(generics.ListAPIView[Candidate]):
    rule = PUBLIC
    authentication_classes = ()
    permission_classes = (permissions.AllowAny,)
    serializer_class = EntrySerializer

    def get_queryset(self) -> Any:
        found = Candidate.objects.filter(channel__market__code="de", channel__category__slug="politics")
        related = found.select_related("tweet__author", "channel__category")
        return related.filter(state=State.APPROVED).order_by("-approved_at")[:POSTS]


urlpatterns = [path("entries/", Entries.as_view())]
