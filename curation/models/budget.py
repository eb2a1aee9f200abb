"""What reading X costs and when it may be asked: the ledger, rate windows, pauses."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from regions.models import Market


class Purpose(models.TextChoices):
    """Rechecks draw on a reserve that ingest cannot touch."""

    INGEST = "ingest", _("ingest")
    RECHECK = "recheck", _("rechecks")


class BudgetDay(models.Model):
    """What a market has drawn on a UTC day, in posts: charged ones and those reserved by calls under way.

    `rechecks` is the part of `used` drawn to recheck. A projection of reservations and charges, always locked."""

    market = models.ForeignKey(Market, models.CASCADE)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)
    rechecks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["market", "day"], name="one_budget_day"),
            models.CheckConstraint(condition=Q(rechecks__lte=F("used")), name="budget_rechecks_are_part_of_used"),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} {self.day}: {self.used}"


class Reservation(models.Model):
    """Posts drawn before X is asked. Settled, it counts what X charged anew; left open by a kill, what was drawn.

    `for_users`: drawn to ask for accounts, which X's count of posts does not tell. `in_flight`: of an allotment, how
    many posts X may have sent that nobody counted yet; null of a call. An allotment's `posts` are what is left of it.
    `run`: the one that ended and left it open; X may have charged it, and its count will tell.
    `twin`: that of the next day, when X may charge the call on either; known to the caller alone."""

    market = models.ForeignKey(Market, models.CASCADE)
    day = models.DateField()
    purpose = models.CharField(max_length=7, choices=Purpose, default=Purpose.INGEST)
    for_users = models.BooleanField(default=False)
    posts = models.PositiveIntegerField()
    in_flight = models.PositiveIntegerField(null=True)
    charged = models.PositiveIntegerField(null=True)
    taken_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    run = models.ForeignKey("curation.IngestRun", models.SET_NULL, null=True, related_name="drawn", db_index=False)

    twin: Reservation | None = None

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(charged=None, settled_at=None) | Q(charged__isnull=False, settled_at__isnull=False),
                name="reservation_is_settled_whole",
            )
        ]
        indexes = [
            models.Index(fields=["market", "day"], condition=Q(settled_at=None), name="open_reservations"),
            models.Index(fields=["taken_at"], name="reservations_by_age"),
            models.Index(fields=["run"], condition=Q(run__isnull=False), name="reservations_of_a_run"),
        ]

    def __str__(self) -> str:
        return f"{self.market_id} {self.day}: {self.posts} for {self.purpose}"


class Charge(models.Model):
    """A resource of X that was paid for on a UTC day: X charges each once a day, and so do we, to the first market."""

    class Kind(models.TextChoices):
        POST = "post", _("post")
        USER = "user", _("account")

    day = models.DateField()
    kind = models.CharField(max_length=4, choices=Kind)
    x_id = models.BigIntegerField()
    market = models.ForeignKey(Market, models.CASCADE)
    purpose = models.CharField(max_length=7, choices=Purpose, default=Purpose.INGEST)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "kind", "x_id"], name="charged_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.x_id}"


class UsageReading(models.Model):
    """What X itself counted of a UTC day (GET /2/usage/tweets) beside what our ledger counted, in posts."""

    day = models.DateField(unique=True)
    by_x = models.PositiveIntegerField()
    by_us = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.day}: {self.by_x} by X, {self.by_us} by us"


class RateWindow(models.Model):
    """An endpoint's window as X last told it, less what workers asked since. Shared by all workers."""

    endpoint = models.CharField(max_length=30, primary_key=True)
    limit = models.PositiveIntegerField()
    remaining = models.IntegerField()
    reset_at = models.DateTimeField()
    told_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.remaining} of {self.limit}"


class Pause(models.Model):
    """X is not asked, for a market or (no market) for everyone: why in words, since when, until when."""

    class Cause(models.TextChoices):
        DAY = "day", _("the day's budget is used up")
        MONTH = "month", _("the month's budget is used up")
        TOKEN = "token", _("X does not accept the token")
        CREDITS = "credits", _("no credits left at X")
        CAP = "cap", _("X's monthly cap is reached")

    market = models.ForeignKey(Market, models.CASCADE, null=True)
    cause = models.CharField(max_length=7, choices=Cause)
    words = models.CharField(max_length=500, blank=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["market", "cause"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="one_pause_per_cause",
            )
        ]

    def __str__(self) -> str:
        return f"{self.market_id or 'all'} {self.cause}"
