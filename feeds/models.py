"""What the public sees: feeds, their numbered snapshots, the bytes of the newest, and who reads them."""

from __future__ import annotations

import secrets

import pgtrigger
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curation.models.acts import append_only
from regions.models import Channel, Market, User

KEY_PATTERN = r"[A-Za-z0-9]{16,64}"


class Mode(models.TextChoices):
    """How much of a post a reader gets: X allows third parties ids only."""

    IDS = "ids", _("ids only")
    FULL = "full", _("full posts")


class Feed(models.Model):
    """A published document: one for each channel, one for each market (no channel)."""

    class Hold(models.TextChoices):
        NONE = "", _("not held")
        SNAPSHOT = "snapshot", _("held at a snapshot")
        BLANK = "blank", _("blank")

    market = models.ForeignKey(Market, models.CASCADE)
    channel = models.OneToOneField(Channel, models.CASCADE, null=True, blank=True)
    number = models.PositiveBigIntegerField(default=0)
    revision = models.PositiveBigIntegerField(default=0)
    next_change_at = models.DateTimeField(null=True, blank=True)
    hold = models.CharField(max_length=8, choices=Hold, default=Hold.NONE, blank=True)
    held_at = models.ForeignKey("feeds.Snapshot", models.PROTECT, null=True, blank=True, related_name="+")
    held_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    held_since = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    held_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["market"], condition=Q(channel=None), name="one_market_feed"),
            models.CheckConstraint(
                condition=Q(hold="snapshot", held_at__isnull=False) | ~Q(hold="snapshot") & Q(held_at=None),
                name="feed_held_at_a_snapshot",
            ),
            models.CheckConstraint(condition=Q(hold="") | ~Q(held_reason=""), name="feed_held_for_a_reason"),
        ]
        indexes = [
            models.Index(
                fields=["next_change_at"], condition=Q(next_change_at__isnull=False), name="feeds_by_next_change"
            )
        ]

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """Where it stands below the feeds' address: `de/` or `de/politics/`."""
        return f"{self.market.code}/{self.channel.category.slug}/" if self.channel else f"{self.market.code}/"


class Snapshot(models.Model):
    """One numbered state of a feed, never edited. `entries` and `removed` hold ids, order and digests, no words.

    entries: [{"id", "tweet", "candidate", "channel", "slot", "context", "label", "expires_at", "text_hash"}]
    removed: [{"id", "at"}]"""

    feed = models.ForeignKey(Feed, models.PROTECT)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveBigIntegerField()
    entries = models.JSONField()
    removed = models.JSONField(default=list)
    checksum = models.CharField(max_length=64)

    class Meta:
        triggers = append_only()
        constraints = [models.UniqueConstraint(fields=["feed", "number"], name="one_snapshot_per_number")]
        indexes = [models.Index(fields=["feed", "-at"], name="snapshots_by_time")]

    def __str__(self) -> str:
        return f"{self.feed_id}#{self.number}"


class Rendering(models.Model):
    """The bytes of a feed's newest snapshot in one mode, gzipped. `body_hash` leaves out number and time."""

    feed = models.ForeignKey(Feed, models.CASCADE)
    mode = models.CharField(max_length=4, choices=Mode)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    body = models.BinaryField()
    body_hash = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "mode"], name="one_rendering_per_mode")]
        triggers = [
            pgtrigger.Protect(
                name="never_going_back",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition("NEW.number < OLD.number"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.feed_id}#{self.number} {self.mode}"


def new_key() -> str:
    return secrets.token_hex(16)


class Consumer(models.Model):
    """A product that reads the feed. Its key identifies it and is no secret, so it is stored plainly."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    key = models.CharField(
        _("key"), max_length=64, unique=True, default=new_key, validators=[RegexValidator(f"^{KEY_PATTERN}$")]
    )
    mode = models.CharField(_("mode"), max_length=4, choices=Mode, default=Mode.FULL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(key__regex=f"^{KEY_PATTERN}$"), name="consumer_key_fits_a_path"),
        ]

    def __str__(self) -> str:
        return self.name
