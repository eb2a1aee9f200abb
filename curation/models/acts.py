"""Acts and decisions: who did what, append-only. Words stand in rows beside them that can be erased."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curation.models.candidates import Candidate, digest
from regions.models import Channel, Market, User

KEPT = "OLD.at > now() - interval '24 months'"


def append_only(kept: str = KEPT) -> list[pgtrigger.Trigger]:
    """Triggers that refuse UPDATE and TRUNCATE always, and DELETE of rows that are `kept`: by default for 24 months."""
    return [
        pgtrigger.Protect(name="refuse_update", operation=pgtrigger.Update),
        pgtrigger.Protect(name="refuse_delete", operation=pgtrigger.Delete, condition=pgtrigger.Condition(kept)),
        pgtrigger.Trigger(
            name="refuse_truncate",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'Cannot empty table %', TG_TABLE_NAME;",
        ),
    ]


class Verb(models.TextChoices):
    APPROVE = "approve", _("approve")
    PIN = "pin", _("pin")
    UNPIN = "unpin", _("unpin")
    BLOCK = "block", _("block")
    REOPEN = "reopen", _("reopen")
    MOVE = "move", _("move")
    SCHEDULE = "schedule", _("schedule")
    ANNOTATE = "annotate", _("annotate")
    OFFER = "offer", _("offer")
    HOLD = "hold", _("hold")
    LIFT = "lift", _("lift")
    EDIT = "edit", _("edit")
    WITHDRAW = "withdraw", _("withdraw")
    RESTORE = "restore", _("restore")
    LAPSE = "lapse", _("lapse")
    UNDO = "undo", _("undo")


class Act(models.Model):
    """One request of one person, or of the system (no person): one or many decisions."""

    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False)  # acts_of_a_person begins with it
    verb = models.CharField(max_length=8, choices=Verb)
    at = models.DateTimeField(default=timezone.now)
    undoes = models.ForeignKey("self", models.PROTECT, null=True, related_name="undone_by")

    class Meta:
        triggers = append_only()
        indexes = [models.Index(fields=["by", "-at"], name="acts_of_a_person")]

    def __str__(self) -> str:
        return f"{self.verb} {self.pk}"


class DecisionQuerySet(models.QuerySet["Decision"]):
    def of_market(self, market: Market) -> DecisionQuerySet:
        return self.filter(market=market).select_related("by", "market", "channel__category")

    def after(self, pk: int) -> DecisionQuerySet:
        """The log from a decision on, oldest first."""
        return self.filter(pk__gt=pk).order_by("pk")


class Decision(models.Model):
    """One verb on one candidate. `before` and `after` are the candidate's standing, the fields that verbs change.

    Its foreign keys have no index of their own where one named below begins with them: each costs every decision."""

    act = models.ForeignKey(Act, models.PROTECT, db_index=False)
    candidate = models.ForeignKey(Candidate, models.PROTECT, db_index=False)
    channel = models.ForeignKey(Channel, models.PROTECT)
    market = models.ForeignKey(Market, models.PROTECT, db_index=False)
    verb = models.CharField(max_length=8, choices=Verb)
    by = models.ForeignKey(User, models.PROTECT, null=True, db_index=False)
    at = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=20, blank=True)
    version = models.PositiveIntegerField()
    current_id = models.BigIntegerField()
    text_hash = models.CharField(max_length=64)
    before = models.JSONField()
    after = models.JSONField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        triggers = append_only()
        constraints = [models.UniqueConstraint(fields=["candidate", "version"], name="one_decision_per_version")]
        indexes = [
            models.Index(fields=["market", "-id"], name="log_of_a_market"),
            models.Index(fields=["act"], name="decisions_of_an_act"),
            models.Index(fields=["by", "-at", "-id"], name="log_of_a_person"),
            models.Index(fields=["market", "-at", "-id"], name="log_by_time"),
            # The mass of lapses stays out: it is found by time as well.
            models.Index(fields=["market", "verb", "-at", "-id"], condition=~Q(verb="lapse"), name="log_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.candidate_id} v{self.version}"


class Note(models.Model):
    """What someone wrote beside an act. Erasable."""

    act = models.OneToOneField(Act, models.CASCADE)
    words = models.CharField(max_length=500)

    def __str__(self) -> str:
        return self.words


class WordingQuerySet(models.QuerySet["Wording"]):
    def keep(self, words: str) -> str:
        """The digest under which the words stand; empty for no words."""
        if words:
            Wording.objects.bulk_create([Wording(digest=digest(words), words=words)], ignore_conflicts=True)
        return digest(words)

    def read(self, digests: Any) -> dict[str, str]:
        """Words by digest; erased ones are missing."""
        return dict(self.filter(digest__in=[d for d in digests if d]).values_list("digest", "words"))


class Wording(models.Model):
    """An editor's words (context or label) by their SHA-256: log and snapshots hold the digest. Erasable."""

    digest = models.CharField(max_length=64, primary_key=True)
    words = models.CharField(max_length=200)

    objects = WordingQuerySet.as_manager()

    def __str__(self) -> str:
        return self.words


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    def outlived(self, now: datetime) -> IdempotencyKeyQuerySet:
        """Those that need not be kept any more."""
        return self.filter(created_at__lt=now - timedelta(days=7))


class IdempotencyKey(models.Model):
    """A request that succeeded: repeated with the same key and body it gives the same act. Kept 7 days."""

    user = models.ForeignKey(User, models.CASCADE, db_index=False)  # one_use_of_a_key begins with it
    key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    act = models.ForeignKey(Act, models.CASCADE, null=True)
    refusals = models.JSONField(default=dict)
    remarks = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    created_at = models.DateTimeField(default=timezone.now)

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_use_of_a_key")]
        indexes = [models.Index(fields=["created_at"], name="keys_by_age")]

    def __str__(self) -> str:
        return self.key


class Seal(models.Model):
    """A link of a market's hash chain over its decisions, from `first_id` to `last_id`. Kept for ever.

    `digests` holds 40 bytes for each decision: its id (8, big-endian) and the SHA-256 of its canonical form. So the
    chain can be recomputed when decisions went with age, and what was tampered with has an id. `form` is the version
    of the canonical form (curation.sealed)."""

    market = models.ForeignKey(Market, models.PROTECT, db_index=False)  # one_seal_per_number begins with it
    number = models.PositiveBigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    form = models.PositiveSmallIntegerField()
    digests = models.BinaryField()
    head = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        triggers = append_only(kept="true")
        constraints = [
            models.UniqueConstraint(fields=["market", "number"], name="one_seal_per_number"),
            models.CheckConstraint(condition=Q(last_id__gte=models.F("first_id")), name="seal_spans_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.market_id}/{self.number} {self.head[:12]}"
