"""Pages of the log by key, newest first: what one act did stands together, and no page looks further than LOOKED.

A page whose filters fit little ends where it stopped looking, so that none waits however much the log holds."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Count, Min, Q

from curation.history.asked import Asked
from curation.models.acts import DecisionQuerySet
from regions.problems import BadCursor

LOOKED = 10_000  # decisions that one page looks through
AT_ONCE = 500  # decisions read at once to fill a page
MOST_COUNTED = 1000


class Place(NamedTuple):
    """Where a page begins: after this decision."""

    at: datetime
    pk: int


@dataclass
class Run:
    """Decisions that stand together: those of one act, its person's or what the system did because of it, newest
    first, down to `end`. `count` may be more than were read."""

    act: int
    at: datetime
    decisions: list[tuple[int, str]] = field(default_factory=list)
    count: int = 0
    end: int = 0
    system: bool = False

    def named(self, verb: str) -> int:
        """The decision that tells of the act: of its own verb, else the newest."""
        return next((pk for pk, its in self.decisions if its == verb), self.decisions[0][0])

    @property
    def uniform(self) -> bool:
        return len({verb for _pk, verb in self.decisions}) == 1


@dataclass(frozen=True)
class Page:
    """Lines of the log; the cursor of the next page, empty after the last. `floor`: how far back it was looked, None
    for to the end; `full`: whether there is more before that."""

    runs: list[Run]
    next: str
    floor: datetime | None = None
    full: bool = False


def newest_first(rows: DecisionQuerySet) -> DecisionQuerySet:
    return rows.order_by("-at", "-id")


def after(rows: DecisionQuerySet, place: Place | None) -> DecisionQuerySet:
    if place is None:
        return rows
    return rows.filter(at__lte=place.at).filter(Q(at__lt=place.at) | Q(id__lt=place.pk))


def read(asked: Asked, cursor: str = "", *, size: int = 50, together: bool = True) -> Page:
    """One page of the log: `size` lines, acts `together` or each decision by itself. Raises BadCursor."""
    place = place_of(cursor)
    floor = None if asked.narrow else floor_of(asked, place)
    rows = asked.rows() if floor is None else asked.rows().filter(at__gte=floor)
    runs: list[Run] = []
    while len(runs) <= size:
        found = list(after(newest_first(rows), place).values_list("id", "at", "act_id", "verb", "by_id")[:AT_ONCE])
        runs += folded(found, together=together)
        if len(found) < AT_ONCE:
            break
        place = finished(rows, runs[-1]) if together else Place(found[-1][1], found[-1][0])
    if len(runs) > size:
        last = runs[size - 1]
        return Page(runs[:size], written(Place(last.at, last.end)), floor, full=True)
    return Page(runs, written(Place(floor, 0)) if floor else "", floor)


def folded(found: Sequence[tuple[int, datetime, int, str, int | None]], *, together: bool) -> Iterator[Run]:
    run: Run | None = None
    for pk, at, act, verb, by in found:
        if run is None or not together or (run.act, run.at, run.system) != (act, at, by is None):
            if run:
                yield run
            run = Run(act, at, system=by is None)
        run.decisions.append((pk, verb))
        run.count, run.end = run.count + 1, pk
    if run:
        yield run


def finished(rows: DecisionQuerySet, run: Run) -> Place:
    """Counts the rest of an act that reading broke off; gives the act's end."""
    alike = rows.filter(act=run.act, at=run.at, by__isnull=run.system)
    rest = alike.filter(id__lt=run.end).aggregate(n=Count("id"), end=Min("id"))
    run.count, run.end = run.count + rest["n"], rest["end"] or run.end
    return Place(run.at, run.end)


def floor_of(asked: Asked, place: Place | None) -> datetime | None:
    """The instant that this page looks back to; None where what is left is little enough."""
    rows = after(newest_first(asked.walked()), place).values("at")[:LOOKED]
    told = rows.aggregate(n=Count("at"), end=Min("at"))
    return told["end"] if told["n"] == LOOKED else None


def counted(asked: Asked, page: Page) -> tuple[int, str]:
    """How many decisions fit, and how to say it: "17", or "17+" and "1000+" where it was not counted to the end."""
    rows = asked.rows() if page.floor is None else asked.rows().filter(at__gte=page.floor)
    found = rows[: MOST_COUNTED + 1].count()
    told = min(found, MOST_COUNTED)
    return found, str(told) if found == told and page.floor is None else f"{told}+"


def written(place: Place) -> str:
    told = json.dumps([place.at.isoformat(), place.pk])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place | None:
    """Raises BadCursor."""
    if not cursor:
        return None
    try:
        told: Any = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        at, pk = datetime.fromisoformat(told[0]), int(told[1])
        if at.tzinfo is None or not 0 <= pk < 2**63:
            raise ValueError(told)
    except (ValueError, TypeError, IndexError, KeyError, OverflowError) as error:
        raise BadCursor(field="cursor") from error
    return Place(at, pk)
