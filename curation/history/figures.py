"""Plain counts for a range, by person and verb, only where a market wants figures per editor. In order of the names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min

from curation.history.asked import Asked
from curation.history.reading import newest_first
from curation.history.said import SAID
from curation.models import Decision, Verb
from regions.models import Market, User

MOST = 50_000  # decisions counted at once


@dataclass(frozen=True)
class Figures:
    """A row for each person, a column for each verb. `since`: from where on it was counted, where that is not all."""

    verbs: Sequence[tuple[str, Any]]
    rows: list[tuple[User, list[int]]]
    since: datetime | None


def figures_of(market: Market, asked: Asked) -> Figures | None:
    """None where the market has them off."""
    if not market.figures_per_editor:
        return None
    newest = newest_first(asked.rows().filter(by__isnull=False))[:MOST]
    told = newest.aggregate(n=Count("id"), since=Min("at"))
    counts = (
        Decision.objects.filter(pk__in=newest.values("pk")).order_by().values_list("by", "verb").annotate(n=Count("id"))
    )
    by_person: dict[int, dict[str, int]] = {}
    for person, verb, n in counts:
        by_person.setdefault(person or 0, {})[verb] = n
    verbs = [verb for verb in Verb if any(verb in its for its in by_person.values())]
    people = sorted(User.objects.filter(pk__in=by_person), key=lambda one: (one.shown_name.casefold(), one.pk))
    return Figures(
        [(verb, SAID[verb]) for verb in verbs],
        [(person, [by_person[person.pk].get(verb, 0) for verb in verbs]) for person in people],
        told["since"] if told["n"] == MOST else None,
    )
