"""How far each source was read, what each reading brought, and what could not be understood."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curation.models.budget import Reservation
from curation.x.wire import id_at
from regions.models import Market, Source, User

STREAM_AWAY = timedelta(seconds=150)  # without a sign of life; then stream rules are searched for
INDEXED = timedelta(seconds=10)  # after which X's search finds a post


class CursorQuerySet(models.QuerySet["Cursor"]):
    def due(self, now: datetime) -> CursorQuerySet:
        """Those to be polled: what the stream brings is not, but for what it missed."""
        missed = Q(gap_until_id__lte=id_at(now - INDEXED))
        away = Q(newest_id=None) | Q(newest_id__lt=id_at(now - STREAM_AWAY))
        polled = self.filter(~Q(source__kind=Source.Kind.STREAM) | missed | away)
        return polled.filter(due_at__lte=now, source__in=Source.objects.running()).order_by("due_at")

    def free(self) -> CursorQuerySet:
        """Those that nobody reads: only their `due_at` may be moved, since that of the others is a lease."""
        return self.filter(leased=False)


class Cursor(models.Model):
    """How far a source was read. Advances only in the transaction that stores what it covers."""

    source = models.OneToOneField(Source, models.CASCADE, primary_key=True)
    newest_id = models.BigIntegerField(null=True)
    gap_until_id = models.BigIntegerField(null=True)
    gap_floor_id = models.BigIntegerField(null=True)
    interval_seconds = models.PositiveIntegerField(default=60)
    due_at = models.DateTimeField(default=timezone.now)
    leased = models.BooleanField(default=False)
    failures = models.PositiveSmallIntegerField(default=0)
    took_ms = models.PositiveIntegerField(default=0)

    SLOW_MS = 5_000

    objects = CursorQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="cursors_by_due_time")]

    def __str__(self) -> str:
        return f"{self.source_id} up to {self.newest_id}"

    @property
    def slow(self) -> bool:
        """Whether it may keep a worker waiting: its last reading took long or failed."""
        return self.took_ms > self.SLOW_MS or self.failures > 0

    def stream_is_away(self, now: datetime) -> bool:
        """Whether nobody reads this source's stream rule: its reader moves `newest_id` every few seconds."""
        return self.newest_id is None or self.newest_id < id_at(now - STREAM_AWAY)

    def is_streamed(self, now: datetime) -> bool:
        """Whether the stream brings what is new, and only its gaps are searched."""
        return self.source.kind == Source.Kind.STREAM and not self.stream_is_away(now)


class IngestRun(models.Model):
    """One time that X was asked, for a source or to recheck: counts by outcome, cost, and the error in plain words.

    A link by hand that was known already asks nothing and costs nothing; `added` is the candidate that it made."""

    class Kind(models.TextChoices):
        POLL = "poll", _("reading")
        STREAM = "stream", _("stream")
        RECHECK = "recheck", _("recheck")
        LINK = "link", _("added by hand")
        TRY = "try", _("source tried")
        COMPLIANCE = "compliance", _("batch compliance")

    class Outcome(models.TextChoices):
        RUNNING = "running", _("running")
        READ = "read", _("read")
        WAITING = "waiting", _("waiting for X's window")
        BUDGET = "budget", _("waiting for budget")
        REFUSED = "refused", _("refused by X")
        FAILED = "failed", _("failed")

    kind = models.CharField(max_length=10, choices=Kind, default=Kind.POLL)
    source = models.ForeignKey(Source, models.CASCADE, null=True)
    market = models.ForeignKey(Market, models.CASCADE, null=True)
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    added = models.ForeignKey("curation.Candidate", models.SET_NULL, null=True, related_name="links")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.RUNNING)
    read = models.PositiveIntegerField(default=0)
    fresh = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    edited = models.PositiveIntegerField(default=0)
    candidates = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    charged = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["source", "-started_at"], name="runs_of_a_source"),
            models.Index(fields=["market", "-started_at"], name="runs_of_a_market"),
            models.Index(fields=["started_at"], condition=Q(outcome="running"), name="runs_left_open"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="run_ends_after_its_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source_id or ''} {self.outcome}"

    @property
    def uncertain(self) -> int:
        """Posts that it drew and nobody settled: X may have charged them."""
        open_ones = Reservation.objects.filter(run=self, settled_at=None)
        return int(open_ones.aggregate(posts=Sum("posts"))["posts"] or 0)


class Quarantined(models.Model):
    """A payload that could not be understood, with the reason. It never stops the rest.

    `beside`: what X sent with it and what belongs to it (authors, media, polls, posts it refers to), in X's form; None
    where that was not kept, so that it cannot be made into a post."""

    run = models.ForeignKey(IngestRun, models.CASCADE, related_name="set_aside")
    reason = models.CharField(max_length=300)
    payload = models.JSONField()
    beside = models.JSONField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["at"], name="set_aside_by_age")]

    def __str__(self) -> str:
        return self.reason
