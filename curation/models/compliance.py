"""Batch compliance: lists of our posts that X goes through, and tells which of them we may not keep."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from curation.models.ingest import IngestRun


class ComplianceJob(models.Model):
    """A list that was handed to X; `x_id` is X's number for it. `run` tells what came of it, once it is there."""

    x_id = models.BigIntegerField(unique=True)
    asked = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    run = models.OneToOneField(IngestRun, models.SET_NULL, null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(ended_at=None), name="compliance_jobs_open")]

    def __str__(self) -> str:
        return str(self.x_id)
