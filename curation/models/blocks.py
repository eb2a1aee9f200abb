"""What blocks do to candidates, and what of it is still to be done."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from curation.models.acts import Act, Verb
from regions.models import Block, BlockList, Market


class EnforcementQuerySet(models.QuerySet["Enforcement"]):
    def waiting(self) -> EnforcementQuerySet:
        """Those that the job has not carried to every candidate yet, oldest first."""
        return self.filter(carried_at=None).order_by("pk")


class Enforcement(models.Model):
    """A block, or a list of them, that holds from an act on (verb block) or holds no more (verb lift): everywhere in
    its scope, or in one market that was exempted.

    What is live is changed in the act's own transaction; the rest by a job, which notes here how far it came (`place`)
    and when it was through (`carried_at`). Its decisions belong to the act, by nobody. `horizon`: the id of a
    transaction after the act's; only a pass that begins when all before it have ended finds everything."""

    act = models.ForeignKey(Act, models.PROTECT)
    verb = models.CharField(max_length=8, choices=[(Verb.BLOCK, Verb.BLOCK.label), (Verb.LIFT, Verb.LIFT.label)])
    block = models.ForeignKey(Block, models.CASCADE, null=True)
    block_list = models.ForeignKey(BlockList, models.CASCADE, null=True)
    market = models.ForeignKey(Market, models.CASCADE, null=True)
    at = models.DateTimeField()
    horizon = models.BigIntegerField(null=True)
    place: Any = models.JSONField(null=True)
    carried_at = models.DateTimeField(null=True)

    objects = EnforcementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(block=None, block_list__isnull=False) | Q(block__isnull=False, block_list=None),
                name="enforcement_of_a_block_or_a_list",
            )
        ]
        indexes = [models.Index(fields=["id"], condition=Q(carried_at=None), name="enforcements_to_carry")]

    def __str__(self) -> str:
        return f"{self.verb} {self.block or self.block_list}"
