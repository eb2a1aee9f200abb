"""Inviting people into a market. No mail is sent: the lead hands the link on, once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from http import HTTPStatus

from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from regions import operations
from regions.models import Invitation, Market, Membership, Role, User
from regions.people import alone_with, lock_people_of
from regions.permissions import may
from regions.problems import Refusal

LASTS = timedelta(days=7)
MOST_OPEN = 100


class TooMany(Refusal):
    code = "too_many_invitations"
    detail = _("So many invitations are open already. Withdraw those that nobody needs.")


class NoLonger(Refusal):
    """The link was used, withdrawn or is too old, or whoever sent it may invite nobody any more."""

    status = HTTPStatus.GONE
    code = "invitation_gone"
    detail = _("This invitation no longer counts. Ask a lead of the market for a new one.")


class HeldAlready(Refusal):
    code = "already_there"
    detail = _("You have this role already, or a higher one. The invitation stays unused.")


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invite(market: Market, role: Role, *, by: User, now: datetime, note: str = "") -> tuple[Invitation, str]:
    """An invitation, and the secret of its link, which is kept nowhere. Raises TooMany."""
    leading = alone_with(market, by)
    if Invitation.objects.open(now).filter(market=market).count() >= MOST_OPEN:
        raise TooMany
    token = secrets.token_urlsafe(32)
    made = Invitation.objects.create(
        market=market, role=role, note=note, digest=digest_of(token), created_by=leading,
        created_at=now, ends_at=now + LASTS,
    )  # fmt: skip
    operations.log_change(made, "invite", by=leading, market=market, after={"role": role, "note": note})
    return made, token


@transaction.atomic
def withdraw(pk: int, market: Market, *, by: User, now: datetime) -> None:
    """Ends an open invitation of a market, whoever made it. Raises Http404 where there is none."""
    leading = alone_with(market, by)
    found = Invitation.objects.open(now).filter(pk=pk, market=market).first()
    if found is None:
        raise Http404
    Invitation.objects.filter(pk=pk).update(withdrawn_at=now)
    operations.log_change(found, "withdraw", by=leading, market=market, before={"role": found.role, "note": found.note})


def invitation_of(token: str, now: datetime) -> Invitation:
    """The open invitation of a link. Raises Http404 for a link that never was, NoLonger for one that was."""
    found = Invitation.objects.select_related("market", "created_by").filter(digest=digest_of(token)).first()
    if found is None or not found.market.active:
        raise Http404
    if not found.is_open(now) or not may_stand(found):
        raise NoLonger
    return found


def may_stand(invitation: Invitation) -> bool:
    """An invitation counts only as long as its author might still give the role."""
    author = invitation.created_by
    return author is not None and may(author, "people.edit", invitation.market)


@transaction.atomic
def accept(token: str, *, by: User, now: datetime) -> Membership:
    """Gives the role of an invitation, once. Raises Http404, NoLonger, HeldAlready."""
    lock_people_of(invitation_of(token, now).market)
    invitation = invitation_of(token, now)
    role = Role(invitation.role)
    held = Membership.objects.filter(user=by, market=invitation.market).first()
    if by.is_superuser or (held is not None and Role(held.role).rank >= role.rank):
        raise HeldAlready
    Invitation.objects.filter(pk=invitation.pk).update(used_at=now, used_by=by)
    operations.log_change(invitation, "accept", by=by, market=invitation.market, after={"role": role, "user": by.pk})
    return operations.give_role(by, invitation.market, role, by=invitation.created_by)
