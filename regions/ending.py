"""Ends ways in: every one that a backup brought back, since who has logged out or lost a token since is not known; and
all of a person who is to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.db.models import Exists, OuterRef
from knox.models import AuthToken

from regions import operations
from regions.models import Invitation, User


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


def forget_ended_sessions() -> None:
    """Browser and address of sessions that are there no more."""
    UserSession.objects.filter(~Exists(Session.objects.filter(session_key=OuterRef("session_key")))).delete()


@transaction.atomic
def forget(person: User) -> str:
    """Takes roles, ways in, name and address of somebody who leaves. What they did stays in the logs, under the log-in
    name that is given back."""
    for membership in person.membership_set.select_related("market"):
        operations.take_role(membership, by=None)
    keys = UserSession.objects.filter(user=person).values("session_key")
    Session.objects.filter(session_key__in=keys).delete()
    for told in User._meta.related_objects:
        if told.on_delete is models.CASCADE and told.related_model is not LogEntry:
            told.related_model._base_manager.filter(**{told.field.name: person}).delete()
    blank = User(username=f"left-{person.pk}", is_active=False)
    blank.set_unusable_password()
    kept = {"id", "date_joined"}
    for field in User._meta.concrete_fields:
        if field.name not in kept:
            setattr(person, field.name, getattr(blank, field.name))
    person.save()
    person.groups.clear()
    person.user_permissions.clear()
    operations.rename_in_admin([person], person.username)
    return person.username
