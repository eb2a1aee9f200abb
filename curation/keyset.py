"""Pages by key: the next page begins after the last row seen, so that nothing shifts and no OFFSET is counted."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from curation.models import Candidate
from curation.models.candidates import CandidateQuerySet
from regions.models import Channel
from regions.problems import BadCursor

ORDERS = {"best": "rank", "newest": "posted_at"}
FIRST_LOOK = 200  # posts of a queue, before a search turns to the index of words
COMMON = 20  # a word that one in so many of them holds is looked for among the next


Beginning = QuerySet[Candidate, Any] | list[int]
"""The first of a queue: a query of their ids, or the ids."""


@dataclass(frozen=True)
class Page:
    """Rows, and the cursor of the next page; empty after the last."""

    rows: Sequence[Candidate]
    next: str


@dataclass(frozen=True)
class Queue:
    """The candidates of one channel that are asked for, whose index gives them in each order; `words` are searched
    for."""

    rows: CandidateQuerySet
    channel: Channel
    words: str = ""

    def first(self, order: str, after: Q, most: int) -> Beginning:
        """The ids of the first ones."""
        rows = _sorted(self.rows.filter(after), order)
        return self._found(rows, ORDERS[order], most) if self.words.strip() else rows.values("pk")[:most]

    def _found(self, rows: CandidateQuerySet, field: str, most: int) -> Beginning:
        """Words that many posts hold are found soonest in the queue itself, which is looked through from its beginning
        until a page is full; words that few hold by the index of words, of which all are sorted."""
        found: list[int] = []
        beyond, looked, size = Q(), 0, FIRST_LOOK
        while True:
            part = list(rows.filter(beyond).values_list("pk", field)[:size])
            told = Candidate.objects.filter(pk__in=[pk for pk, _value in part]).telling(self.words)
            found, looked = found + list(told.values_list("pk", flat=True)), looked + len(part)
            if len(found) >= most or len(part) < size:
                return found
            if len(found) * COMMON < looked:
                return rows.holding_words(self.words, self.channel.pk).values("pk")[:most]
            beyond, size = _after(field, part[-1][1], part[-1][0]), 2 * size


def page(queues: Sequence[Queue], *, order: str = "best", cursor: str = "", size: int = 50) -> Page:
    """One page of candidates in an order of ORDERS. `queues`: one for each channel, since the indexes begin with it.

    Each gives the beginning of its own, and those are merged: a row of the page is among the first of its queue. So a
    page of many channels costs as much as one of each, whatever waits behind."""
    if order not in ORDERS:
        raise BadCursor(_("Sort by best or newest."), field="order")
    after = _after(ORDERS[order], *_read(cursor, order)) if cursor else Q()
    found = list(_merged([queue.first(order, after, size + 1) for queue in queues], order, size + 1))
    channels = {queue.channel.pk: queue.channel for queue in queues}
    for row in found:
        row.channel = channels[row.channel_id]
    return Page(found[:size], _write(found[size - 1], order) if len(found) > size else "")


def found_in(queues: Sequence[Queue], most: int) -> int:
    """How many the queues hold of what is asked for, counted no further than `most`; found as the pages are."""
    count = 0
    for queue in queues:
        count += len(list(queue.first("best", Q(), most - count)))
        if count >= most:
            return most
    return count


def _sorted(rows: CandidateQuerySet, order: str) -> CandidateQuerySet:
    return rows.best_first() if order == "best" else rows.newest_first()


def _merged(firsts: Sequence[Beginning], order: str, most: int) -> CandidateQuerySet:
    """The first of several beginnings, in one statement; read with their tweets when it is known which they are."""
    known = [pk for first in firsts if isinstance(first, list) for pk in first]
    asked = [first for first in firsts if not isinstance(first, list)]
    among = Q(pk__in=known) if known or not asked else Q()
    if asked:
        among |= Q(pk__in=asked[0].union(*asked[1:], all=True) if len(asked) > 1 else asked[0])
    chosen = _sorted(Candidate.objects.filter(among), order).values("pk")[:most]
    return _sorted(Candidate.objects.with_posts().filter(pk__in=chosen), order)


def _after(field: str, value: Any, pk: int) -> Q:
    return Q(**{f"{field}__lte": value}) & (Q(**{f"{field}__lt": value}) | Q(id__lt=pk))


def _write(last: Candidate, order: str) -> str:
    value = getattr(last, ORDERS[order])
    told = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([order, told, last.pk]).encode()).decode().rstrip("=")


def _read(cursor: str, order: str) -> tuple[Any, int]:
    try:
        made_for, value, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != order:
            raise ValueError(made_for)
        return (float(value) if order == "best" else datetime.fromisoformat(value)), int(pk)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadCursor(field="cursor") from error
