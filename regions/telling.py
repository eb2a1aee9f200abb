"""The log of a market's people, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from regions.models import Change, Role, User


@dataclass(frozen=True)
class Told:
    """One change as leads read it."""

    sentence: str
    by: str
    at: datetime


def told_of(changes: Iterable[Change]) -> list[Told]:
    rows = list(changes)
    ids = {one.before.get("user") or one.after.get("user") for one in rows}
    names = {person.pk: person.shown_name for person in User.objects.filter(pk__in=ids - {None})}
    return [Told(sentence_of(one, names), by_of(one), one.at) for one in rows]


def by_of(change: Change) -> str:
    """Who did it: a person; the company account, by its groups; else the system, or somebody who is gone."""
    if change.by:
        return change.by.shown_name
    return _("the company account") if {**change.before, **change.after}.get("group") else _("the system")


def sentence_of(change: Change, names: dict[int, str]) -> str:
    """Who became what. People who are gone are told as such."""
    before, after = change.before, change.after
    told = {
        "person": names.get(before.get("user") or after.get("user") or 0, _("somebody who is gone")),
        "role": label(after.get("role") or before.get("role")),
        "was": label(before.get("role")),
        "note": after.get("note") or before.get("note") or "",
    }
    sentences = {
        "give_role": _("%(person)s: %(role)s, was %(was)s") if before.get("role") else _("%(person)s: %(role)s"),
        "take_role": _("%(person)s: no role any more, was %(was)s"),
        "invite": _("Invitation as %(role)s %(note)s"),
        "withdraw": _("Invitation as %(role)s withdrawn %(note)s"),
        "accept": _("%(person)s accepted an invitation as %(role)s"),
    }
    return (sentences.get(change.verb, change.verb) % told).strip()


def label(role: str | None) -> str:
    return str(Role(role).label) if role in Role.values else ""
