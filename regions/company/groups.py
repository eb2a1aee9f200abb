"""Groups of the company account as roles here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from regions.models import Market, Membership, Role, User
from regions.operations import log_change
from regions.people import lock_people_of


def roles_of(groups: Iterable[str]) -> dict[str, Role]:
    """The highest role that groups give in each market: {"de": Role.LEAD}."""
    held, roles = set(groups), dict[str, Role]()
    for group, market, role in settings.OIDC_ROLES:
        if group in held and (market not in roles or Role(role).rank > roles[market].rank):
            roles[market] = Role(role)
    return roles


@transaction.atomic
def follow(user: User, roles: dict[str, Role]) -> None:
    """Gives a person what their groups give, and takes what groups gave and give no more. What somebody gave by hand
    stays; where both gave a role the higher one counts."""
    theirs = Market.objects.filter(membership__user=user, membership__from_group=True)
    for market in (Market.objects.active().filter(code__in=roles) | theirs).distinct().order_by("pk"):
        lock_people_of(market)
        held = Membership.objects.filter(user=user, market=market).first()
        settle(user, market, held, roles.get(market.code) if market.active else None)


def settle(user: User, market: Market, held: Membership | None, wanted: Role | None) -> None:
    """Brings one membership in line with what groups give in its market."""
    by_hand = None if held is None else (held.by_hand if held.from_group else held.role)
    counts = wanted is not None and (not by_hand or wanted.rank > Role(by_hand).rank)
    after: dict[str, Any] = {"role": by_hand, "from_group": False, "by_hand": ""}
    if counts:
        after = {"role": wanted, "from_group": True, "by_hand": by_hand or ""}
    before = {"role": held.role, "user": user.pk} if held else {}
    gone = before | {"group": True}
    if held is not None and not after["role"]:
        log_change(held, "take_role", by=None, market=market, before=gone)
        held.delete()
    elif after["role"] and (held is None or any(getattr(held, name) != told for name, told in after.items())):
        made, _new = Membership.objects.update_or_create(user=user, market=market, defaults=after)
        if held is None or held.role != after["role"]:
            told = {"role": str(after["role"]), "user": user.pk, "group": True}
            log_change(made, "give_role", by=None, market=market, before=before, after=told)
