"""Changing settings: only what somebody changed, and never silently over what another changed meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from regions import tunable
from regions.models import Change, Channel, Market, User
from regions.operations import save_change
from regions.problems import Refusal

Place = Market | Channel


class Overtaken(Refusal):
    """Somebody changed the same since it was shown. `now` is what stands, by field; `last` the change of it."""

    status = HTTPStatus.CONFLICT
    code = "overtaken"
    detail = _("Somebody else changed this meanwhile.")

    def __init__(self, now: dict[str, Any], last: dict[str, Change]) -> None:
        self.now, self.last = now, last
        told = {name: told_change(change) for name, change in last.items()}
        super().__init__(field=next(iter(now)), now=now, changed=told)


class OutOfBounds(Refusal):
    """What cannot be set, with its sentences by field."""

    code = "invalid"
    detail = _("Some fields are not right.")

    def __init__(self, error: ValidationError) -> None:
        self.errors: dict[str, list[str]] = error.message_dict
        super().__init__(field=next(iter(self.errors)), errors=self.errors)


@transaction.atomic
def adjust(place: Place, wanted: Mapping[str, Any], *, seen: Mapping[str, Any], by: User) -> Place:
    """Sets what is wanted of a market or a channel, and publishes the feeds that it shapes.

    `wanted`: values by name; `seen`: those that the page showed, of fields where it matters. What is wanted as it was
    seen stays as it is now. Raises Overtaken, OutOfBounds."""
    row = _locked(place)
    now = tunable.values_of(row)
    changed = changing(row, wanted, seen)
    overtaken = {name: now[name] for name in changed if name in seen and seen[name] != now[name]}
    if overtaken:
        raise Overtaken(overtaken, last_changes(row, overtaken))
    if changed:
        _save(row, changed, now, by)
    return row


def changing(place: Place, wanted: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted is another than what stands; what is wanted as it was seen stays."""
    now = tunable.values_of(place)
    asked = {name: value for name, value in wanted.items() if name not in seen or value != seen[name]}
    return {name: value for name, value in asked.items() if value != now[name]}


def tried(place: Place, changed: Mapping[str, Any]) -> Place:
    """The place as it would be, not saved. Raises ValidationError."""
    row = copy(place)
    for name, value in changed.items():
        setattr(row, name, value)
    tunable.check(row, set(changed) | _bound_to(row, changed))
    return row


def _locked(place: Place) -> Place:
    if isinstance(place, Market):
        return Market.objects.select_for_update(no_key=True).get(pk=place.pk)
    rows = Channel.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("market", "category").get(pk=place.pk)


def _save(row: Place, changed: dict[str, Any], now: dict[str, Any], by: User) -> None:
    for name, value in changed.items():
        setattr(row, name, value)
    try:
        tunable.check(row, set(changed) | _bound_to(row, changed))
    except ValidationError as error:
        raise OutOfBounds(error) from error
    market = row.market if isinstance(row, Channel) else row
    save_change(row, {name: now[name] for name in changed}, by=by, market=market, channels=shaped(row))


def _bound_to(row: Place, changed: Iterable[str]) -> set[str]:
    """Fields whose sentence tells that they do not go with a changed one."""
    pairs = {"feed_length": "minimum_fill"} if isinstance(row, Channel) else {"posts_a_day": "recheck_reserve"}
    return {pairs[name] for name in changed if name in pairs}


def shaped(row: Place) -> list[int]:
    """The channels whose feeds it shapes."""
    return [row.pk] if isinstance(row, Channel) else list(row.channel_set.values_list("pk", flat=True))


def changes_of(place: Place, most: int = 200) -> list[Change]:
    """What was changed of a market or a channel, newest first."""
    noun = place._meta.model_name or ""
    return list(Change.objects.filter(noun=noun, noun_id=place.pk).select_related("by").order_by("-at", "-pk")[:most])


def last_changes(place: Place, names: Iterable[str]) -> dict[str, Change]:
    """The newest change of each of these settings, where there is one."""
    found = reversed(changes_of(place))
    return {name: change for change in found for name in names if name in change.after}


def told_change(change: Change) -> dict[str, str | datetime | None]:
    return {"by": change.by.shown_name if change.by else None, "at": change.at}
