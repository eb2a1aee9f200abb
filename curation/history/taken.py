"""What was taken back, decision by decision. An undo that was itself taken back counts no more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count

from curation.models import Act, Decision
from curation.models.acts import DecisionQuerySet

CHAINS = """
WITH RECURSIVE undos AS (
    SELECT undoes_id AS root, id, 1 AS depth FROM curation_act WHERE undoes_id = ANY(%s)
    UNION ALL
    SELECT undos.root, act.id, undos.depth + 1 FROM undos JOIN curation_act act ON act.undoes_id = undos.id
)
SELECT root, id, depth FROM undos
"""


@dataclass
class Back:
    """Of how many decisions the effect is taken back, and the newest act that did so."""

    count: int = 0
    act: Act | None = None


class Taken:
    """The undos of acts, the undos of these, and so on; a candidate's decision is taken back by an odd number."""

    def __init__(self, acts: Collection[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(CHAINS, [list(acts)])
            self.depths = {(root, pk): depth for root, pk, depth in cursor}
        ids = {pk for _root, pk in self.depths}
        self.acts = Act.objects.select_related("by").in_bulk(ids) if ids else {}

    def of_decisions(self, ids: Collection[int]) -> dict[int, Back]:
        """By decision, where there was an undo."""
        told: dict[int, Back] = defaultdict(Back)
        for (pk,), undo, odd, n in self._counted(Decision.objects.filter(pk__in=ids), "pk"):
            self._add(told[pk], undo, odd, n)
        return dict(told)

    def of_runs(self, rows: DecisionQuerySet, acts: Collection[int]) -> dict[tuple[int, datetime, bool], Back]:
        """By act, time, and whether the decisions are the system's, of those that `rows` holds."""
        told: dict[tuple[int, datetime, bool], Back] = defaultdict(Back)
        for (act, at, by), undo, odd, n in self._counted(rows.filter(act__in=acts), "act_id", "at", "by_id"):
            self._add(told[act, at, by is None], undo, odd, n)
        return dict(told)

    def _counted(self, rows: DecisionQuerySet, *key: str) -> Iterator[tuple[list[Any], int, bool, int]]:
        """How many of each key's decisions an undo concerns: key, undo, whether it takes back or gives again, how
        many."""
        if not self.acts:
            return
        undone = rows.filter(candidate__decision__act__in=self.acts).order_by()
        for one in undone.values("act_id", "candidate__decision__act", *key).annotate(n=Count("pk", distinct=True)):
            undo = one["candidate__decision__act"]
            if depth := self.depths.get((one["act_id"], undo)):
                yield [one[name] for name in key], undo, depth % 2 == 1, one["n"]

    def _add(self, back: Back, undo: int, odd: bool, n: int) -> None:
        back.count += n if odd else -n
        if odd and (back.act is None or back.act.pk < undo):
            back.act = self.acts[undo]
