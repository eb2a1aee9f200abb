"""What the stream may cost: X charges each post that it sends, so posts are drawn from the budget ahead.

How many follows from what came in the last minutes: the margin is what may come until X obeys when rules go, an
allotment that and a minute more. Where X sends more at once, more is drawn at once, as long as the budget has it. A
market whose next allotment is refused loses its rules while the last one covers what still comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from curation.ledger import ahead, budget
from curation.models import Purpose, Reservation
from curation.x.outcomes import BudgetSpent
from regions.models import Market

log = structlog.get_logger(__name__)
TURN = timedelta(seconds=45)  # before midnight; an allotment drawn then covers both days
IN_FLIGHT = 2  # posts that X may have charged, and that a break swallowed
OBEYED = 10  # seconds: a turn of ours, a call, and X until rules that went are gone
LINGER = timedelta(seconds=5)  # in which X obeys
AGAIN = timedelta(seconds=60)
FRESH = timedelta(minutes=5)
SECOND = 250  # posts that X sends at most in a second


@dataclass
class Came:
    """What X sent for a market: ids, and posts whose id cannot be read."""

    ids: set[int] = field(default_factory=set)
    nameless: int = 0

    def __len__(self) -> int:
        return len(self.ids) + self.nameless


class Pace:
    """How much came in the last five minutes, by stretches of ten seconds."""

    def __init__(self) -> None:
        self.stretches: Counter[int] = Counter()

    def note(self, posts: int, now: datetime) -> None:
        if posts:
            self.stretches[int(now.timestamp()) // OBEYED] += posts

    def most(self, now: datetime) -> int:
        """Posts in any ten seconds, at most: those lie in two stretches."""
        self._forget(now)
        return 2 * max(self.stretches.values(), default=0)

    def a_minute(self, now: datetime) -> int:
        self._forget(now)
        return round(self.stretches.total() * 60 / FRESH.total_seconds())

    def _forget(self, now: datetime) -> None:
        oldest = int((now - FRESH).timestamp()) // OBEYED
        for stretch in [one for one in self.stretches if one < oldest]:
            del self.stretches[stretch]


@dataclass
class Allotment:
    """Posts drawn ahead; `spare`: what the budget had left beyond them, when it was last looked at."""

    drawn: Reservation
    market: Market
    spare: int = 0
    swallowed: int = 0
    unwanted_since: datetime | None = None

    @property
    def left(self) -> int:
        return self.drawn.posts - self.swallowed

    def covers(self, now: datetime) -> bool:
        """Whether it counts on the day that comes in a moment, and no longer on one that is over."""
        days = {row.day for row in ahead.rows_of(self.drawn)}
        near = {budget.day_of(now - TURN), budget.day_of(now + budget.TURN)}
        return days <= near and budget.day_of(now + TURN) in days


class Allotments:
    """Allotments by market, of `least` to `most` posts; a market without any post yet has `calm` as its margin."""

    LEAST, MOST, CALM = 20, 500, 5

    def __init__(self, least: int = LEAST, most: int = MOST, calm: int = CALM) -> None:
        self.least, self.most, self.calm = least, most, calm
        self.by_market: dict[int, Allotment] = {}
        self.closed: dict[int, datetime] = {}
        self.paces: dict[int, Pace] = {}
        self.charged: Counter[int] = Counter()
        self.overdrawn = False

    def keep_open(self, markets: Iterable[Market], now: datetime) -> set[int]:
        """Sees to an allotment for each market; returns those that may be streamed."""
        wanted = {market.pk: market for market in markets}
        for market in wanted.values():
            self._see_to(market, now)
        may = {pk for pk in wanted if pk in self.by_market and pk not in self.closed}
        self._end_unwanted([one for pk, one in self.by_market.items() if pk not in may], now)
        return may

    def count(self, came: dict[Market, Came], now: datetime) -> None:
        """Charges what X sent, by the market that pays."""
        for market, what in came.items():
            allotment = self.by_market.get(market.pk)
            if allotment is None:
                self.charged[market.pk] += ahead.bear(market, what.ids, what.nameless, now)
                self.overdrawn = True
                continue
            self.charged[market.pk] += ahead.count(allotment.drawn, what.ids, what.nameless, now)
            self._pace(market.pk).note(len(what), now)

    def bearer(self) -> Market | None:
        """The market that pays for what is nobody's: it has most left. None when no allotment is there."""
        most = max(self.by_market.values(), key=lambda one: (one.left + one.spare, -one.market.pk), default=None)
        return most.market if most else None

    def pressing(self, now: datetime) -> bool:
        """Whether an allotment ends so soon that it must be seen to at once."""
        return any(one.left < self.margin(pk, now) for pk, one in self.by_market.items() if pk not in self.closed)

    @property
    def spent(self) -> bool:
        """Whether X sends what nobody can pay: then the connection has to go."""
        return self.overdrawn or any(one.left <= 0 for one in self.by_market.values())

    @property
    def room(self) -> int:
        """How many posts may lie uncounted, so that no budget is exceeded."""
        return min((one.left + one.spare for one in self.by_market.values()), default=0)

    def margin(self, market_id: int, now: datetime) -> int:
        """What may still come until rules that go are gone."""
        return min(self.calm + self._pace(market_id).most(now), self.most // 2)

    def size(self, market_id: int, now: datetime) -> int:
        wanted = 2 * self.margin(market_id, now) + self._pace(market_id).a_minute(now)
        return max(self.least, min(wanted, self.most))

    def broken(self) -> None:
        """The connection broke: X charged what it had written, and nobody knows what that was."""
        for allotment in self.by_market.values():
            allotment.swallowed += IN_FLIGHT

    def end_all(self, now: datetime) -> None:
        """Gives back what did not come."""
        for pk in list(self.by_market):
            self._end(self.by_market.pop(pk), now)
        self.overdrawn = False

    def forget(self) -> None:
        """Others may lead by now: what was drawn is the next leader's to give back."""
        self.by_market.clear()
        self.closed.clear()
        self.overdrawn = False

    def told(self) -> dict[int, int]:
        """What was charged since the last time, by market."""
        charged, self.charged = self.charged, Counter()
        return {market: posts for market, posts in charged.items() if posts}

    def _pace(self, market_id: int) -> Pace:
        return self.paces.setdefault(market_id, Pace())

    def _see_to(self, market: Market, now: datetime) -> None:
        if self.closed.get(market.pk, now) > now:
            return
        allotment, margin = self.by_market.get(market.pk), self.margin(market.pk, now)
        pressing = allotment is None or allotment.left < margin or not allotment.covers(now)
        if allotment is not None and not pressing and now - allotment.drawn.taken_at < FRESH:
            self.closed.pop(market.pk, None)
            allotment.unwanted_since = None
            return
        try:
            drawn = ahead.draw(market, self.size(market.pk, now), least=margin + 1, in_flight=margin, now=now)
        except BudgetSpent as spent:
            if pressing:
                self._close(market, spent, now)
            return
        self.closed.pop(market.pk, None)
        spare = budget.balance(market, now).left(Purpose.INGEST)
        self.by_market[market.pk] = Allotment(drawn, market, min(*spare, SECOND))
        if allotment is not None:
            self._end(allotment, now)

    def _close(self, market: Market, spent: BudgetSpent, now: datetime) -> None:
        if market.pk not in self.closed:
            log.warning("stream_budget_spent", market=market.code, error=str(spent))
        self.closed[market.pk] = min(spent.until, now + AGAIN)
        if market.pk in self.by_market:
            self.by_market[market.pk].spare = 0

    def _end_unwanted(self, allotments: list[Allotment], now: datetime) -> None:
        """Those of markets that are not streamed any more: they cover what still comes, then they end."""
        for allotment in allotments:
            allotment.unwanted_since = allotment.unwanted_since or now
            if now - allotment.unwanted_since >= LINGER:
                self._end(self.by_market.pop(allotment.market.pk), now)

    def _end(self, allotment: Allotment, now: datetime) -> None:
        """What breaks swallowed stays drawn: search may find it, and counts it again."""
        ahead.end(allotment.drawn, now, keep=allotment.swallowed)
