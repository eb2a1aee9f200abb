"""The two dialects of the API: which words a request may use, and how an answer is renamed.

Inside, everything is said in the tweet dialect (X's OpenAPI document to 2.166); an answer in
the post dialect (2.167) is renamed at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

MEDIA_FIELDS = [
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "non_public_metrics",
    "organic_metrics",
    "preview_image_url",
    "promoted_metrics",
    "public_metrics",
    "type",
    "url",
    "variants",
    "width",
]
POLL_FIELDS = ["duration_minutes", "end_datetime", "id", "options", "voting_status"]
PLACE_FIELDS = ["contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type"]
USAGE_FIELDS = [
    "cap_reset_day",
    "daily_client_app_usage",
    "daily_project_usage",
    "project_cap",
    "project_id",
    "project_usage",
]

JOB_FIELDS = [
    "created_at",
    "download_expires_at",
    "download_url",
    "id",
    "name",
    "resumable",
    "status",
    "type",
    "upload_expires_at",
    "upload_url",
]

TO_POST = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "referenced_tweets.id": "referenced_posts",
    "note_tweet": "note_post",
    "tweets": "posts",
    "retweet_count": "repost_count",
    "tweet_count": "post_count",
    "pinned_tweet_id": "pinned_post_id",
    "most_recent_tweet_id": "most_recent_post_id",
    "affiliation.user_id": "affiliation",
}
TO_TWEET = {new: old for old, new in TO_POST.items() if old != "referenced_tweets"}
RENAMED_VALUES = ("resource_type", "scope", "parameter")


@dataclass(frozen=True)
class Dialect:
    """`fields` maps a *.fields parameter to the words the document allows."""

    name: str
    post_fields: str
    problems: str
    version: str
    fields: Mapping[str, list[str]]
    post_expansions: list[str]
    user_expansions: list[str]

    def inward(self, word: str) -> str:
        """A request's word in the tweet dialect."""
        return word if self.name == "tweet" else TO_TWEET.get(word, word)

    def outward(self, body: Any) -> Any:
        """An answer's body in this dialect."""
        return body if self.name == "tweet" else renamed(body)


def renamed(body: Any) -> Any:
    if isinstance(body, list):
        return [renamed(entry) for entry in body]
    if not isinstance(body, dict):
        return body
    return {TO_POST.get(key, key): _renamed_value(key, value) for key, value in body.items()}


def _renamed_value(key: str, value: Any) -> Any:
    if key in RENAMED_VALUES and isinstance(value, str):
        return "post" if value == "tweet" else TO_POST.get(value, value)
    return renamed(value)


TWEET = Dialect(
    name="tweet",
    post_fields="tweet.fields",
    problems="https://api.twitter.com/2/problems/",
    version="2.159",
    fields={
        "tweet.fields": [
            "article",
            "attachments",
            "author_id",
            "card_uri",
            "community_id",
            "context_annotations",
            "conversation_id",
            "created_at",
            "display_text_range",
            "edit_controls",
            "edit_history_tweet_ids",
            "entities",
            "geo",
            "id",
            "in_reply_to_user_id",
            "lang",
            "media_metadata",
            "non_public_metrics",
            "note_tweet",
            "organic_metrics",
            "possibly_sensitive",
            "promoted_metrics",
            "public_metrics",
            "referenced_tweets",
            "reply_settings",
            "scopes",
            "source",
            "suggested_source_links",
            "suggested_source_links_with_counts",
            "text",
            "withheld",
        ],
        "user.fields": [
            "affiliation",
            "confirmed_email",
            "connection_status",
            "created_at",
            "description",
            "entities",
            "id",
            "is_identity_verified",
            "location",
            "most_recent_tweet_id",
            "name",
            "parody",
            "pinned_tweet_id",
            "profile_banner_url",
            "profile_image_url",
            "protected",
            "public_metrics",
            "receives_your_dm",
            "subscription",
            "subscription_type",
            "url",
            "username",
            "verified",
            "verified_followers_count",
            "verified_type",
            "withheld",
        ],
        "list.fields": [
            "created_at",
            "description",
            "follower_count",
            "id",
            "member_count",
            "name",
            "owner_id",
            "private",
        ],
        "media.fields": MEDIA_FIELDS,
        "poll.fields": POLL_FIELDS,
        "place.fields": PLACE_FIELDS,
        "usage.fields": USAGE_FIELDS,
        "compliance_job.fields": JOB_FIELDS,
    },
    post_expansions=[
        "article.cover_media",
        "article.media_entities",
        "attachments.media_keys",
        "attachments.media_source_tweet",
        "attachments.poll_ids",
        "author_id",
        "edit_history_tweet_ids",
        "entities.mentions.username",
        "geo.place_id",
        "in_reply_to_user_id",
        "entities.note.mentions.username",
        "referenced_tweets.id",
        "referenced_tweets.id.attachments.media_keys",
        "referenced_tweets.id.author_id",
    ],
    user_expansions=["affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"],
)

POST = Dialect(
    name="post",
    post_fields="post.fields",
    problems="https://api.x.com/2/problems/",
    version="2.167",
    fields={
        "post.fields": [
            "article",
            "article_title",
            "attachments",
            "card_uri",
            "community_id",
            "context_annotations",
            "conversation_id",
            "created_at",
            "display_text_range",
            "edit_controls",
            "entities",
            "geo",
            "id",
            "lang",
            "matched_media_notes",
            "media_metadata",
            "non_public_metrics",
            "note_post",
            "note_request_suggestions",
            "organic_metrics",
            "paid_partnership",
            "possibly_sensitive",
            "promoted_metrics",
            "public_metrics",
            "reply_settings",
            "scopes",
            "source",
            "suggested_source_links",
            "suggested_source_links_with_counts",
            "text",
            "withheld",
        ],
        "user.fields": [
            "confirmed_email",
            "connection_status",
            "created_at",
            "description",
            "entities",
            "id",
            "is_identity_verified",
            "location",
            "name",
            "parody",
            "profile_banner_url",
            "profile_image_url",
            "protected",
            "public_metrics",
            "receives_your_dm",
            "subscribes_to_you",
            "subscription",
            "subscription_type",
            "url",
            "username",
            "verified",
            "verified_followers_count",
            "verified_type",
            "withheld",
        ],
        "list.fields": [
            "created_at",
            "description",
            "follower_count",
            "id",
            "member_count",
            "name",
            "private",
        ],
        "media.fields": MEDIA_FIELDS,
        "poll.fields": POLL_FIELDS,
        "place.fields": PLACE_FIELDS,
        "usage.fields": USAGE_FIELDS,
        "compliance_job.fields": JOB_FIELDS,
    },
    post_expansions=[
        "article.cover_media",
        "article.media_entities",
        "attachments.media_keys",
        "attachments.media_source_tweet",
        "attachments.poll_ids",
        "author_id",
        "edit_history_post_ids",
        "entities.mentions.username",
        "geo.place_id",
        "in_reply_to_user_id",
        "referenced_posts",
        "username",
    ],
    user_expansions=["affiliation", "most_recent_post_id", "pinned_post_id"],
)

# The stream takes tweet.fields in both documents, the newer with three words more.
STREAM_ONLY = ["matched_media_notes", "note_request_suggestions", "paid_partnership"]
STREAM = replace(TWEET, fields={**TWEET.fields, "tweet.fields": [*TWEET.fields["tweet.fields"], *STREAM_ONLY]})


def words_of(dialect: Dialect) -> set[str]:
    return {*dialect.post_expansions, *dialect.user_expansions, *dialect.fields["user.fields"]}


POST_ONLY = words_of(POST) - words_of(TWEET)


def dialect_of(parameters: Mapping[str, list[str]]) -> Dialect:
    """The dialect a request speaks: its own *.fields parameter says it, else a word only one has."""
    if "tweet.fields" in parameters:
        return TWEET
    told = ("expansions", "user.fields")
    words = {word for name in told for value in parameters.get(name, []) for word in value.split(",")}
    return POST if "post.fields" in parameters or words & POST_ONLY else TWEET
