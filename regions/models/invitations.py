"""Invitations: how strangers come in while sign-up is closed."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from regions.models.people import Role, User
from regions.models.places import Market


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self, now: datetime) -> InvitationQuerySet:
        """Those that somebody may still accept."""
        return self.filter(used_at=None, withdrawn_at=None, ends_at__gt=now)


class Invitation(models.Model):
    """A role in a market for whoever holds the link, once. The link's secret is kept as its SHA-256 digest alone."""

    market = models.ForeignKey(Market, models.CASCADE, verbose_name=_("market"))
    role = models.CharField(_("role"), max_length=6, choices=Role)
    note = models.CharField(_("for whom"), max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(_("ends"))
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.market.code} {self.role}"

    def is_open(self, now: datetime) -> bool:
        return self.used_at is None and self.withdrawn_at is None and self.ends_at > now
