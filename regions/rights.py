"""What each right asks for. Rights are checked by `regions.permissions`, nowhere else."""

from collections.abc import Callable

import rules

from regions.models import Market, Role, User

ORDER = [Role.VIEWER, Role.EDITOR, Role.LEAD]


def at_least(role: Role) -> Callable[[User, Market | None], bool]:
    """Predicate: the person holds `role` or more in the market; without a market, in any."""

    @rules.predicate(name=f"is_{role}")
    def holds(user: User, market: Market | None) -> bool:
        if market is None:
            return False
        held = user.role_in(market.pk)
        return held is not None and ORDER.index(Role(held)) >= ORDER.index(role)

    return holds


@rules.predicate
def is_chief(user: User, _market: Market | None) -> bool:
    """Chiefs hold every right; this one is theirs alone."""
    return user.is_active and user.is_superuser


RIGHTS: dict[str, Callable[[User, Market | None], bool]] = {
    "desk.read": at_least(Role.VIEWER),
    "candidate.decide": at_least(Role.EDITOR),
    "candidate.add": at_least(Role.EDITOR),
    "block.edit_channel": at_least(Role.EDITOR),
    "block.edit_market": at_least(Role.LEAD),
    "block.edit_global": is_chief,
    "source.edit": at_least(Role.LEAD),
    "source.edit_global": is_chief,
    "people.edit": at_least(Role.LEAD),
    "settings.edit": at_least(Role.LEAD),
    "feed.hold": at_least(Role.LEAD),
    "act.undo_of_others": at_least(Role.LEAD),
    "author.erase": at_least(Role.LEAD),
    "log.read": at_least(Role.LEAD),
    "log.export": at_least(Role.LEAD),
}

for name, predicate in RIGHTS.items():
    rules.set_perm(name, predicate) if rules.perm_exists(name) else rules.add_perm(name, predicate)
