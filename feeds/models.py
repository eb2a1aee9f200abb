"""What the public sees: feeds, their numbered snapshots, the bytes of the newest, and who reads them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import pgtrigger
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curation.models.acts import append_only
from regions.models import Channel, Market, User

KEY_PATTERN = r"[A-Za-z0-9]{16,64}"


class Mode(models.TextChoices):
    """How much of a post a reader gets: X allows third parties ids only."""

    IDS = "ids", _("ids only")
    FULL = "full", _("full posts")


REVISION_OF_MARKET = Coalesce(
    models.Sum("market__channel__revision", filter=Q(market__active=True, market__channel__active=True)), 0
)
"""What a market's own feed should stand on: the revisions of its active channels. Moves with every flag."""


class FeedQuerySet(models.QuerySet["Feed"]):
    def of_market(self, market: Market) -> FeedQuerySet:
        return self.filter(market=market)

    def locked(self) -> FeedQuerySet:
        """For the publication of a market: its feeds, in the order of their ids, and nobody else until the end."""
        return self.select_for_update().order_by("pk")

    def public(self) -> FeedQuerySet:
        """Those that have been published and may be read, in the order of the markets and channels."""
        return (
            self.filter(Q(channel=None) | Q(channel__active=True), market__active=True, number__gt=0)
            .select_related("market", "channel__category")
            .order_by("market__position", "market_id", F("channel__position").asc(nulls_first=True), "channel_id")
        )

    def at(self, market: str, category: str | None) -> Feed | None:
        """The one at a public address."""
        return self.filter(market__code=market, channel__category__slug=category).first()

    def numbers(self) -> dict[tuple[str, ...], int]:
        """The number of every feed that could be, by its market's code and its category's slug, if it has one."""
        markets = {(code,): 0 for code in Market.objects.values_list("code", flat=True)}
        channels = dict.fromkeys(Channel.objects.values_list("market__code", "category__slug"), 0)
        rows = self.values_list("market__code", "channel__category__slug", "number")
        return markets | channels | {(code, slug) if slug else (code,): number for code, slug, number in rows}

    def due_markets(self, now: datetime) -> set[int]:
        """Markets, by id, whose feeds are behind their channels, their flags or the clock, or missing."""
        behind = Channel.objects.filter(Q(feed=None) | Q(feed__number=0) | ~Q(revision=F("feed__revision")))
        late = self.filter(Q(next_change_at__lte=now) | Q(number=0))
        without = Market.objects.exclude(pk__in=self.filter(channel=None).values("market"))
        flagged = self.filter(channel=None).annotate(sum=REVISION_OF_MARKET).exclude(revision=F("sum"))
        rows = behind.values_list("market").union(
            late.values_list("market"), without.values_list("pk"), flagged.values_list("market")
        )
        return {pk for (pk,) in rows}

    def next_change(self) -> datetime | None:
        """The earliest moment at which time alone changes any feed."""
        return self.aggregate(moment=models.Min("next_change_at"))["moment"]


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
    with_market = models.BooleanField(default=False)  # held as its market was, and released with it

    objects = FeedQuerySet.as_manager()

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

    def held(self, now: datetime) -> bool:
        return bool(self.hold) and not (self.held_until and self.held_until <= now)

    @property
    def set_back(self) -> bool:
        """Whether it is held at an earlier state than it showed when that was done."""
        if self.held_at is None or self.held_since is None:
            return False
        later = Snapshot.objects.filter(feed=self, number__gt=self.held_at.number, at__lte=self.held_since)
        return later.exists()

    @property
    def path(self) -> str:
        """Where it stands below the feeds' address: `de/` or `de/politics/`."""
        return f"{self.market.code}/{self.channel.category.slug}/" if self.channel else f"{self.market.code}/"


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def newest_of(self, feeds: Iterable[Feed]) -> dict[int, Snapshot]:
        """The newest snapshot of each feed, by the feed's id."""
        newest = self.filter(feed__in=feeds, number=F("feed__number"))
        return {snapshot.feed_id: snapshot for snapshot in newest}

    def shown_at(self, moment: datetime) -> Snapshot | None:
        """Of one feed's: what it showed at a moment; None before the first."""
        return self.filter(at__lte=moment).order_by("-at", "-number").first()

    def before(self, number: int | None) -> SnapshotQuerySet:
        """Newest first, those below a number where one is given."""
        return (self if number is None else self.filter(number__lt=number)).order_by("-number")


class Snapshot(models.Model):
    """One numbered state of a feed, never edited. `entries` and `removed` hold ids, order and digests, no words.

    entries: [{"id", "tweet", "candidate", "channel", "slot", "context", "label", "expires_at", "text_hash", "since"}]
    removed: [{"id", "at"}]"""

    feed = models.ForeignKey(Feed, models.PROTECT)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField(default=timezone.now)
    revision = models.PositiveBigIntegerField()
    entries = models.JSONField()
    removed = models.JSONField(default=list)
    checksum = models.CharField(max_length=64)

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        triggers = append_only()
        constraints = [models.UniqueConstraint(fields=["feed", "number"], name="one_snapshot_per_number")]
        indexes = [models.Index(fields=["feed", "-at"], name="snapshots_by_time")]

    def __str__(self) -> str:
        return f"{self.feed_id}#{self.number}"


class OctetLength(models.Func):
    """How many bytes, which PostgreSQL knows without reading them."""

    function = "octet_length"
    output_field = models.IntegerField()


class Place(NamedTuple):
    """Where a rendering stands among the public addresses; `category` is None for a market's feed."""

    mode: str
    market: str
    category: str | None


class RenderingQuerySet(models.QuerySet["Rendering"]):
    def public(self) -> RenderingQuerySet:
        return self.filter(feed__in=Feed.objects.public().values("pk"))

    def standing(self) -> list[tuple[Place, tuple[int, int]]]:
        """Place of each, with the number and size of its body."""
        rows = self.annotate(size=OctetLength("body")).values_list("number", "size", *AT)
        return [(Place(*at), (number, size)) for number, size, *at in rows]

    def of(self, market: str) -> list[tuple[Place, int, bytes]]:
        """The bodies of the market of a code."""
        return self.filter(feed__market__code=market).bodies()

    def bodies(self) -> list[tuple[Place, int, bytes]]:
        """Place, number and gzipped bytes of each."""
        rows = self.values_list("number", "body", *AT)
        return [(Place(*at), number, bytes(body)) for number, body, *at in rows]

    def read_by(self, key: str | None, market: str, category: str | None) -> tuple[int, bytes] | None:
        """Number and gzipped bytes of a public feed: ids without a key, else in the mode of the key's consumer.

        One call of a function of ours (migration 0005), whose plan PostgreSQL keeps: making one took four times as
        long as the reading."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT number, body FROM feeds_read(%s, %s, %s)", [key, market, category])
            row = cursor.fetchone()
        return (row[0], bytes(row[1])) if row else None


AT = ("mode", "feed__market__code", "feed__channel__category__slug")


class Rendering(models.Model):
    """The bytes of a feed's newest snapshot in one mode, gzipped. `body_hash` leaves out number and time."""

    feed = models.ForeignKey(Feed, models.CASCADE)
    mode = models.CharField(max_length=4, choices=Mode)
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    body = models.BinaryField()
    body_hash = models.CharField(max_length=64)

    objects = RenderingQuerySet.as_manager()

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


class ConsumerQuerySet(models.QuerySet["Consumer"]):
    def active(self) -> ConsumerQuerySet:
        return self.filter(revoked_at=None)


class Consumer(models.Model):
    """A product that reads the feed. Its key identifies it and is no secret, so it is stored plainly."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    key = models.CharField(
        _("key"), max_length=64, unique=True, default=new_key, validators=[RegexValidator(f"^{KEY_PATTERN}$")]
    )
    mode = models.CharField(_("mode"), max_length=4, choices=Mode, default=Mode.FULL)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = ConsumerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(key__regex=f"^{KEY_PATTERN}$"), name="consumer_key_fits_a_path"),
        ]

    def __str__(self) -> str:
        return self.name


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def shown(self) -> ReceiptQuerySet:
        return self.filter(seconds__isnull=False)


class Receipt(models.Model):
    """That the feed of a channel took in an approval that was due: after how many seconds the first snapshot showed
    it, None where the feed had no place for it then (held, or similar to what is live). Kept for two days."""

    market = models.ForeignKey(Market, models.CASCADE, db_index=False)  # few markets, and all are asked for at once
    candidate = models.BigIntegerField()
    due = models.DateTimeField()
    seconds = models.FloatField(null=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["candidate", "due"], name="one_receipt_per_approval")]
        indexes = [models.Index(fields=["due"], name="receipts_by_time")]

    def __str__(self) -> str:
        return f"{self.candidate} after {self.seconds} s"


class Unchecked(models.Model):
    """For how many seconds nobody had asked X about the live post of a market that was checked longest ago, as the
    publisher found it, minute by minute. Kept for two days."""

    market = models.ForeignKey(Market, models.CASCADE, db_index=False)
    at = models.DateTimeField()
    seconds = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="unchecked_by_time")]

    def __str__(self) -> str:
        return f"{self.market_id}: {self.seconds} s"


class ClosureQuerySet(models.QuerySet["Closure"]):
    def standing(self) -> ClosureQuerySet:
        return self.filter(ended_at=None)


class Closure(models.Model):
    """Nothing is published: the database lacks what was decided after its backup, or lost its last commits. Ends by
    `manage.py reopen_feeds` alone."""

    class Why(models.TextChoices):
        RESTORED = "restored", _("the database was restored from a backup")
        EDGE_AHEAD = "edge_ahead", _("the phones were already given newer feeds than this database knows")

    at = models.DateTimeField()
    why = models.CharField(max_length=10, choices=Why)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ClosureQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["at"], condition=Q(ended_at=None), name="standing_closures")]

    def __str__(self) -> str:
        return f"{self.why} {self.at:%F %T}"
