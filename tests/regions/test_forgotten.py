"""Somebody who decided and leaves is forgotten, and the log is not."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken

from curation import operations
from curation.models import Decision
from curation.operations import seal, verify_log
from regions.models import Change, Channel, Membership, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db


def test_name_address_and_ways_in_go_and_decisions_stay(
    browse: Any, anna: User, chief: User, de_politics: Channel
) -> None:
    candidate, page = make_candidate(de_politics), browse(anna)
    operations.approve(candidate, by=anna, version=candidate.version)
    seal(now=timezone.now())
    anna.email = "anna@amsel.example"
    anna.save()
    EmailAddress.objects.create(user=anna, email=anna.email)
    Authenticator.objects.create(user=anna, type="totp", data={})
    AuthToken.objects.create(anna)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=chief, content_type=kind, object_id=anna.pk, object_repr="anna", action_flag=CHANGE)
    done = LogEntry.objects.create(user=anna, object_repr="DE", action_flag=CHANGE)
    assert page.get("/desk/de/").status_code == 200
    told = StringIO()
    call_command("forget_person", "anna", yes=True, stdout=told)
    name = f"left-{anna.pk}"
    assert told.getvalue().splitlines()[-1] == f"Forgotten: the logs name them {name}."
    after = User.objects.get(pk=anna.pk)
    assert (after.username, after.email, after.get_full_name(), after.is_active) == (name, "", "", False)
    assert not after.has_usable_password()
    kept = [one for one in (EmailAddress, Authenticator, AuthToken, Membership) if one.objects.filter(user=anna)]
    assert kept == []
    assert LogEntry.objects.get(object_id=anna.pk).object_repr == name
    assert LogEntry.objects.filter(pk=done.pk).exists(), "what they did as a chief stays"
    assert page.get("/desk/de/").status_code == 302
    assert Change.objects.filter(verb="take_role", before__user=anna.pk).count() == 1
    assert Decision.objects.get(verb="approve").by == after
    assert verify_log(de_politics.market, None, now=timezone.now()).found == 0
    assert name in browse(chief).get("/log/de/").content.decode()


def test_browser_and_address_go_with_the_session(anna: User) -> None:
    """What is over is removed by the night's clearsessions; who is logged in stays so."""
    for name, days in {"over": -1, "open": 1}.items():
        Session.objects.create(session_key=name, session_data="", expire_date=timezone.now() + timedelta(days=days))
        UserSession.objects.create(user=anna, session_key=name, ip="192.0.2.1", user_agent="Firefox")
    call_command("clearsessions")
    for model in (Session, UserSession):
        assert [one.session_key for one in model.objects.all()] == ["open"]


def test_it_asks_and_knows_whom(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="Nobody has this log-in name"):
        call_command("forget_person", "nobody", yes=True)
    monkeypatch.setattr("builtins.input", lambda _prompt: "y")
    with pytest.raises(CommandError, match=r"Nobody was forgotten\. Only yes in full counts"):
        call_command("forget_person", "anna", stdout=StringIO())
    monkeypatch.undo()
    monkeypatch.setattr("sys.stdin", StringIO())
    with pytest.raises(CommandError, match=r"needs a terminal.*--yes"):
        call_command("forget_person", "anna", stdout=StringIO())
    assert User.objects.get(pk=anna.pk).is_active
