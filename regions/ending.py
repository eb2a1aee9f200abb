"""Ends every way in that a backup brought back: who has logged out or lost a token since is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from knox.models import AuthToken

from regions.models import Invitation


@dataclass(frozen=True)
class Ended:
    """How many sessions and invitations, and of whom tokens, by username."""

    sessions: int
    invitations: int
    tokens: list[str]


@transaction.atomic
def end_all(*, now: datetime) -> Ended:
    """Passwords, passkeys and roles stay."""
    sessions = Session.objects.count()
    Session.objects.all().delete()
    UserSession.objects.all().delete()
    people = sorted(AuthToken.objects.values_list("user__username", flat=True).distinct())
    AuthToken.objects.all().delete()
    invitations = Invitation.objects.open(now).update(withdrawn_at=now)
    return Ended(sessions, invitations, people)
