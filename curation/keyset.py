"""Pages by key: the next page begins after the last row seen, so that nothing shifts and no OFFSET is counted."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from curation.models import Candidate
from curation.models.candidates import CandidateQuerySet
from regions.problems import Refusal

ORDERS = {"best": "rank", "newest": "posted_at"}


class BadCursor(Refusal):
    code = "bad_cursor"
    detail = _("This page's address is not usable. Begin with the first page.")


@dataclass(frozen=True)
class Page:
    """Rows, and the cursor of the next page; empty after the last."""

    rows: Sequence[Candidate]
    next: str


def page(queryset: CandidateQuerySet, *, order: str = "best", cursor: str = "", size: int = 50) -> Page:
    """One page of candidates in an order of ORDERS."""
    if order not in ORDERS:
        raise BadCursor(_("Sort by best or newest."), field="order")
    rows = queryset.best_first() if order == "best" else queryset.newest_first()
    if cursor:
        rows = rows.filter(_after(ORDERS[order], *_read(cursor, order)))
    found = list(rows[: size + 1])
    return Page(found[:size], _write(found[size - 1], order) if len(found) > size else "")


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
