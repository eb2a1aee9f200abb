"""The log of lists and settings."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from regions.models.people import User
from regions.models.places import Market


class Change(models.Model):
    """What someone changed in a list or a setting: before and after."""

    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    market = models.ForeignKey(Market, models.SET_NULL, null=True)
    noun = models.CharField(max_length=30)
    noun_id = models.BigIntegerField()
    verb = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["market", "-at"], name="changes_of_a_market")]

    def __str__(self) -> str:
        return f"{self.verb} {self.noun} {self.noun_id}"
