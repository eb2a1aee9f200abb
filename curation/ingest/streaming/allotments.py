"""What the stream may cost: X charges each post that it sends, so allotments are drawn from the budget ahead.

A market whose next one is refused loses its rules while the last still covers what X sends until it obeys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from curation.ledger import budget
from curation.models import Purpose, Reservation
from curation.x.outcomes import BudgetSpent
from regions.models import Market

log = structlog.get_logger(__name__)
TURN = timedelta(seconds=45)  # before midnight; an allotment drawn then covers both days
IN_FLIGHT = 2  # posts that X may have charged, and that a break swallowed
LINGER = timedelta(seconds=5)  # in which X obeys
AGAIN = timedelta(seconds=60)
FRESH = timedelta(minutes=5)


@dataclass
class Allotment:
    """Posts drawn ahead, and the ids that came of them."""

    drawn: Reservation
    market: Market
    ids: set[int] = field(default_factory=set)
    swallowed: int = 0
    unwanted_since: datetime | None = None

    @property
    def left(self) -> int:
        return self.drawn.posts - len(self.ids) - self.swallowed

    def covers(self, now: datetime) -> bool:
        """Whether it counts on the day that comes in a moment."""
        days = {self.drawn.day} | ({self.drawn.twin.day} if self.drawn.twin else set())
        return budget.day_of(now + TURN) in days


class Allotments:
    """Allotments by market. `margin`: what X may still send, at 250 posts a second, until rules that go are gone."""

    SIZE, MARGIN = 500, 250

    def __init__(self, size: int = SIZE, margin: int = MARGIN) -> None:
        self.size, self.margin = size, margin
        self.allotments: dict[int, Allotment] = {}
        self.closed: dict[int, datetime] = {}
        self.charged: Counter[int] = Counter()

    def keep_open(self, markets: Iterable[Market], now: datetime) -> set[int]:
        """Sees to an allotment for each market; returns those that may be streamed."""
        wanted = {market.pk: market for market in markets}
        for market in wanted.values():
            self._see_to(market, now)
        may = {pk for pk in wanted if pk in self.allotments and pk not in self.closed}
        self._end([allotment for pk, allotment in self.allotments.items() if pk not in may], now)
        return may

    def deliver(self, market: Market, post_id: int) -> bool:
        """Counts a post; False when nothing more may come."""
        allotment = self.allotments.get(market.pk)
        if allotment is None:
            return False
        allotment.ids.add(post_id)
        return allotment.left > 0

    @property
    def pressing(self) -> bool:
        """Whether an allotment ends so soon that it must be seen to at once."""
        return any(allotment.left < self.margin for pk, allotment in self.allotments.items() if pk not in self.closed)

    @property
    def room(self) -> int:
        """How many posts may lie uncounted: as many as the smallest allotment has left, so that none is exceeded."""
        return min((allotment.left for allotment in self.allotments.values()), default=0)

    def broken(self) -> None:
        """The connection broke: X charged what it had written, and nobody knows what that was."""
        for allotment in self.allotments.values():
            allotment.swallowed += IN_FLIGHT

    def settle_all(self, now: datetime) -> None:
        """Gives back what did not come."""
        for allotment in self.allotments.values():
            self._settle(allotment, now)
        self.allotments.clear()

    def told(self) -> dict[int, int]:
        """What settled allotments cost since the last time, by market."""
        charged, self.charged = self.charged, Counter()
        return dict(charged)

    def _see_to(self, market: Market, now: datetime) -> None:
        if self.closed.get(market.pk, now) > now:
            return
        allotment = self.allotments.get(market.pk)
        pressing = allotment is None or allotment.left < self.margin or not allotment.covers(now)
        if allotment is not None and not pressing and (not allotment.ids or now - allotment.drawn.taken_at < FRESH):
            self.closed.pop(market.pk, None)
            allotment.unwanted_since = None
            return
        try:
            drawn = budget.reserve(market, self.size, least=self.margin + 1, purpose=Purpose.INGEST, now=now)
        except BudgetSpent as spent:
            if pressing:
                self._close(market, spent, now)
            return
        self.closed.pop(market.pk, None)
        self.allotments[market.pk] = Allotment(drawn, market)
        if allotment is not None:
            self._settle(allotment, now)

    def _close(self, market: Market, spent: BudgetSpent, now: datetime) -> None:
        if market.pk not in self.closed:
            log.warning("stream_budget_spent", market=market.code, error=str(spent))
        self.closed[market.pk] = min(spent.until, now + AGAIN)

    def _end(self, allotments: list[Allotment], now: datetime) -> None:
        """Allotments of markets that are not streamed any more: they cover what still comes, then they are settled."""
        for allotment in allotments:
            allotment.unwanted_since = allotment.unwanted_since or now
            if now - allotment.unwanted_since >= LINGER:
                self._settle(allotment, now)
                del self.allotments[allotment.market.pk]

    def _settle(self, allotment: Allotment, now: datetime) -> None:
        """What breaks swallowed stays drawn: search may find it, and counts it again."""
        if allotment.swallowed:
            try:
                budget.reserve(allotment.market, allotment.swallowed, least=allotment.swallowed, now=now)
            except BudgetSpent:
                return  # so the whole allotment stays drawn
        self.charged[allotment.market.pk] += budget.settle(allotment.drawn, posts=allotment.ids, now=now)
