"""Tweets and their authors, as X gave them. Both can be purged; ids, decisions and tombstones stay."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from curation.language import told_language

WORLDWIDE = ("XX", "XY")  # X's country codes for "everywhere" and "copyright"
WITHHELD = "withheld"


def text_hash(text: str) -> str:
    """What a decision stores of the text it saw: SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


class Author(models.Model):
    """An account at X. The key is X's own id."""

    x_id = models.BigIntegerField(primary_key=True)
    username = models.CharField(max_length=50)
    name = models.CharField(max_length=200, blank=True)
    avatar_url = models.URLField(max_length=500, blank=True)
    verified_type = models.CharField(max_length=20, blank=True)
    followers = models.PositiveBigIntegerField(default=0)
    protected = models.BooleanField(default=False)
    withheld_in = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    fetched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["username"], name="author_username"),
            models.Index(OpClass(Upper("username"), name="text_pattern_ops"), name="authors_by_beginning"),
        ]

    def __str__(self) -> str:
        return f"@{self.username}"

    @property
    def url(self) -> str:
        return f"https://x.com/{self.username}"


class ErasedAuthor(models.Model):
    """A tombstone that ingest obeys: the keyed hash of an erased author's id, nothing else."""

    digest = models.CharField(max_length=64, primary_key=True)
    erased_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.digest[:12]


class Tweet(models.Model):
    """One post through all its edits: unique by the first id of its edit history, shown by the last.

    `wire` is the normalised form both dialects become (see curation/x/wire.py), `raw` X's own payload.
    `kept_until`: when retention looks at it again, after it found it in use."""

    class Gone(models.TextChoices):
        DELETED = "deleted", "deleted"
        PROTECTED = "protected", "protected"
        SUSPENDED = "suspended", "suspended"
        ERASED = "erased", "erased"
        UNVERIFIED = "unverified", "unverified"

    first_id = models.BigIntegerField(unique=True)
    current_id = models.BigIntegerField(unique=True)
    author = models.ForeignKey(Author, models.SET_NULL, null=True)
    text = models.TextField(blank=True)
    lang = models.CharField(max_length=8, blank=True)
    lang_guess = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField()
    wire = models.JSONField(default=dict)
    raw = models.JSONField(null=True)
    metrics = models.JSONField(default=dict)
    sensitive = models.BooleanField(default=False)
    withheld_in = ArrayField(models.CharField(max_length=2), default=list, blank=True)
    edited_at = models.DateTimeField(null=True)
    previous_text = models.TextField(blank=True)
    gone_at = models.DateTimeField(null=True)
    gone_cause = models.CharField(max_length=10, blank=True, choices=Gone)
    checked_at = models.DateTimeField(default=timezone.now)
    fetched_at = models.DateTimeField(default=timezone.now)
    purged_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(current_id__gte=F("first_id")), name="tweet_edits_are_newer"),
            models.CheckConstraint(
                condition=Q(purged_at=None) | (Q(text="") & Q(raw=None) & Q(author=None) & Q(previous_text="")),
                name="tweet_purged_is_empty",
            ),
        ]
        indexes = [
            models.Index(fields=["author", "-created_at"], name="tweets_of_an_author"),
            models.Index(fields=["fetched_at"], condition=Q(purged_at=None, kept_until=None), name="tweets_to_purge"),
            models.Index(
                fields=["kept_until"], condition=Q(purged_at=None, kept_until__isnull=False), name="tweets_kept_longer"
            ),
            models.Index(fields=["checked_at"], condition=Q(gone_at=None, purged_at=None), name="tweets_to_check"),
            models.Index(fields=["gone_at"], condition=Q(gone_at__isnull=False), name="tweets_gone_lately"),
        ]

    def __str__(self) -> str:
        return str(self.current_id)

    @property
    def url(self) -> str:
        return f"https://x.com/i/status/{self.current_id}"

    @property
    def edited(self) -> bool:
        return self.current_id != self.first_id

    def repeated(self) -> dict[str, Any]:
        """What its candidates repeat of it, for the indexes of what waits."""
        return {
            "edited": self.edited,
            "sensitive": self.sensitive,
            "author_id": self.author_id,
            "lang": told_language(self.lang, self.lang_guess),
        }

    @property
    def text_hash(self) -> str:
        return text_hash(self.text)

    def withheld_from(self, country: str) -> bool:
        """Whether X withholds the post or its author in a country, given by its two-letter code."""
        codes: list[str] = self.withheld_in + (self.author.withheld_in if self.author else [])
        return any(code in (country, *WORLDWIDE) for code in codes)

    def barred_in(self, country: str) -> str:
        """Why the post may not be shown in a country, one of Gone or WITHHELD. Empty when X shows it there, and
        when nobody asks any more, since retention emptied it."""
        if self.gone_at:
            return self.gone_cause or self.Gone.DELETED
        if self.purged_at:
            return ""
        if self.author is not None and self.author.protected:
            return self.Gone.PROTECTED
        return WITHHELD if self.withheld_from(country) else ""

    def showable_in(self, country: str) -> bool:
        """Whether the post may stand in a feed of a country at all."""
        return not (self.purged_at or self.author is None or self.barred_in(country))

    def part(self, name: str, default: Any = None) -> Any:
        """One part of the normalised form: entities, media, refs, poll."""
        return self.wire.get(name, default)
