"""What leads do with the people of their market. One at a time: whoever lost their role meanwhile does nothing more.

Nobody lowers or removes themself, so a market keeps a lead unless a chief takes the last one."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from regions import operations
from regions.models import Market, Membership, Role, User
from regions.permissions import market_for, require
from regions.problems import Refusal

NAMES = 200  # log-in names looked up in one statement


class OwnRole(Refusal):
    code = "own_role"
    detail = gettext_lazy("Nobody lowers or takes their own role. Another lead of the market can, or the chief.")


class LastLead(Refusal):
    code = "last_lead"

    def __init__(self, market: Market) -> None:
        told = _("You are the only lead of %(market)s. Make somebody else lead; they, or the chief, can take it then.")
        super().__init__(told % {"market": market.name})


class NoSuchPerson(Refusal):
    code = "no_such_person"
    detail = gettext_lazy("Nobody who may log in has this log-in name. Invite them.")


def person_named(username: str) -> User:
    """Who has a log-in name, whatever its case where only one has it so. Raises NoSuchPerson."""
    person = people_named([username]).get(username)
    if person is None:
        raise NoSuchPerson(field="username")
    return person


def people_named(names: Iterable[str]) -> dict[str, User]:
    """Those of the names that are log-in names of people who may log in."""
    asked = list(dict.fromkeys(names))
    active = User.objects.filter(is_active=True)
    found: dict[str, User] = {}
    for first in range(0, len(asked), NAMES):
        part = asked[first : first + NAMES]
        found |= {person.username: person for person in active.filter(username__in=part)}
    for name in asked if len(asked) <= NAMES else []:
        same = list(active.filter(username__iexact=name)[:2]) if name not in found else []
        found |= {name: same[0]} if len(same) == 1 else {}
    return found


def membership_for(user: User, pk: int) -> Membership:
    """A membership that someone may change, through the permission. Raises Http404, PermissionDenied."""
    found = Membership.objects.select_related("market", "user").filter(pk=pk, market__active=True).first()
    if found is None:
        raise Http404
    require(user, "people.edit", found.market)
    return found


@transaction.atomic
def give(user: User, market: Market, role: Role, *, by: User) -> tuple[Membership, bool]:
    """Makes someone viewer, editor or lead; true where they had no role before.

    Raises OwnRole or LastLead where `by` would lower themself."""
    return _given(user, market, role, alone_with(market, by))


def _given(user: User, market: Market, role: Role, leading: User) -> tuple[Membership, bool]:
    held = Membership.objects.filter(user=user, market=market).first()
    if held is not None and role.rank < Role(held.role).rank:
        refuse_own(held, leading)
    return operations.give_role(user, market, role, by=leading), held is None


@transaction.atomic
def take(membership: Membership, *, by: User) -> None:
    """Ends a membership; it works at the person's next request. Raises OwnRole, LastLead; Http404 once it is gone."""
    leading = alone_with(membership.market, by)
    held = Membership.objects.select_related("market").filter(pk=membership.pk).first()
    if held is None:
        raise Http404
    refuse_own(held, leading)
    operations.take_role(held, by=leading)


@transaction.atomic
def give_many(entries: Iterable[tuple[User, Role]], market: Market, *, by: User) -> int:
    """The roles of a sheet, all or none; how many."""
    leading = alone_with(market, by)
    return len([_given(user, market, role, leading) for user, role in entries])


def alone_with(market: Market, by: User) -> User:
    """Locks a market's people until the transaction ends, and reads anew who acts: they may have lost their role
    to the one before. Raises Http404, PermissionDenied."""
    lock_people_of(market)
    acting = User.objects.filter(pk=by.pk).first()
    if acting is None:
        raise PermissionDenied
    market_for(acting, market.code, "people.edit")
    return acting


def lock_people_of(market: Market) -> None:
    """Whoever else changes the market's people waits until this transaction ends."""
    list(Market.objects.select_for_update(no_key=True).filter(pk=market.pk).values("pk"))


def refuse_own(held: Membership, by: User) -> None:
    if held.user_id != by.pk or by.is_superuser:
        return
    others = Membership.objects.filter(market=held.market, role=Role.LEAD, user__is_active=True).exclude(pk=held.pk)
    raise OwnRole if others.exists() else LastLead(held.market)
