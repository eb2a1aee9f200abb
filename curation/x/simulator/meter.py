"""What X would charge: each post and each user once a UTC day, to whatever asked for it first.

X does not document whether expanded users and posts are charged; here only `data` is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any

from curation.x.simulator.posts import iso
from curation.x.simulator.state import State

CENTS = {"post": 0.5, "user": 1.0}


@dataclass(slots=True)
class Charge:
    """`kind` is "post" or "user"; `endpoint` in X's notation; `subject` is the query, the id of the user
    or list, the first matching rule's tag, or empty. `delivered`: some answer with it was not cut short."""

    day: str
    kind: str
    id: int
    endpoint: str
    subject: str
    delivered: bool = True


class Meter:
    """Charges in the order they fell due, kept in the state."""

    def __init__(self, state: State) -> None:
        self.lock = Lock()
        self.state = state
        self.reads: Counter[str] = Counter()
        self.days: dict[str, dict[tuple[str, int], Charge]] = {}
        self.sums: Counter[tuple[str, str]] = Counter()
        for row in state.charges():
            self._enter(Charge(*row))

    def charge(
        self, kind: str, ids: Iterable[int], *, at: int, endpoint: str, subject: str = "", delivered: bool = True
    ) -> int:
        """How many of `ids` were not charged before that day (`at` in Unix milliseconds)."""
        day, new = iso(at)[:10], 0
        with self.lock:
            for number in ids:
                self.reads[kind] += 1
                known = self.days.get(day, {}).get((kind, number))
                if known is None:
                    known = self._enter(Charge(day, kind, number, endpoint, subject, delivered))
                    new += 1
                elif known.delivered or not delivered:
                    continue
                known.delivered = delivered
                self.state.keep_charge((day, kind, number, known.endpoint, known.subject, delivered))
        return new

    def charges(self, day: str | None = None, kind: str | None = None) -> list[Charge]:
        """Those of a day (2026-11-22) and kind, or all."""
        with self.lock:
            days = list(self.days) if day is None else [day]
            found = [charge for one in days for charge in self.days.get(one, {}).values()]
        return [charge for charge in found if kind in (None, charge.kind)]

    def posts(self, day: str | None = None) -> int:
        return self._sum("post", day)

    def users(self, day: str | None = None) -> int:
        return self._sum("user", day)

    def cents(self, day: str | None = None) -> float:
        return sum(self._sum(kind, day) * price for kind, price in CENTS.items())

    def due(self, day: str | None = None) -> dict[tuple[str, str], int]:
        """Charges by endpoint and subject."""
        return dict(Counter((charge.endpoint, charge.subject) for charge in self.charges(day)))

    def told(self, charges: bool = False) -> dict[str, Any]:
        """As JSON: sums by day, what they are due to, and, if wanted, every charge."""
        days = {
            day: {"posts": self.posts(day), "users": self.users(day), "cents": self.cents(day)}
            for day in list(self.days)
        }
        due = [{"endpoint": e, "subject": s, "charges": count} for (e, s), count in self.due().items()]
        every = {"charges": [asdict(charge) for charge in self.charges()]} if charges else {}
        undelivered = sum(not charge.delivered for charge in self.charges())
        return {"days": days, "due": due, "undelivered": undelivered, "reads": dict(self.reads)} | every

    def _sum(self, kind: str, day: str | None) -> int:
        with self.lock:
            return sum(n for (at, of), n in self.sums.items() if of == kind and day in (None, at))

    def _enter(self, charge: Charge) -> Charge:
        self.sums[charge.day, charge.kind] += 1
        return self.days.setdefault(charge.day, {}).setdefault((charge.kind, charge.id), charge)
