"""The door with a meter: each call draws on a market's budget before X is asked and settles after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from curation.ledger import budget
from curation.models import Charge, IngestRun, Purpose, Reservation
from curation.shared_clock import clock_from
from curation.x.client import Door, Page
from curation.x.outcomes import BudgetSpent, Failure
from curation.x.wire import Unreadable, read_id
from regions.models import Market

LEAST = {"search": 10, "timeline": 5, "list": 1}  # X's smallest max_results
FULL = 100


class Metered:
    """Asks as a Door does, on the account of one market. Raises what Door raises, and BudgetSpent.

    `charged`: what X charged so far, in posts; `held`: what was drawn and is not settled, by reservation. `now` is
    when it was made; its clock runs on from there.
    Not within a transaction: a reservation must be committed before X is asked."""

    def __init__(
        self, door: Door, market: Market, purpose: str = Purpose.INGEST, *, now: Callable[[], datetime] | None = None
    ) -> None:
        self.door, self.market, self.purpose = door, market, purpose
        self.now = now or clock_from(datetime.fromtimestamp(door.clock(), UTC))
        self.charged = 0
        self.held: dict[int, int] = {}

    def timeline(self, user_id: str, *, max_results: int = FULL, **bounds: Any) -> Page:
        return self._page("timeline", max_results, lambda most: self.door.timeline(user_id, max_results=most, **bounds))

    def list_tweets(self, list_id: str, *, max_results: int = FULL, pagination_token: str | None = None) -> Page:
        return self._page(
            "list",
            max_results,
            lambda most: self.door.list_tweets(list_id, max_results=most, pagination_token=pagination_token),
        )

    def search(self, query: str, *, max_results: int = FULL, **bounds: Any) -> Page:
        return self._page("search", max_results, lambda most: self.door.search(query, max_results=most, **bounds))

    def tweets(self, ids: Sequence[int | str]) -> Page:
        """Only those count that were not charged today: looking again within a day is free. Where the budget does
        not reach, the free ones and the first of the others are asked for; the rest is the page's `left_out`."""
        return self._looked_up(ids, Charge.Kind.POST, self.door.tweets)

    def users(self, *, ids: Sequence[int | str] = (), usernames: Sequence[str] = ()) -> Page:
        """By ids as far as the budget reaches, like `tweets`; by names all or none."""
        if not usernames:
            return self._looked_up(ids, Charge.Kind.USER, lambda some: self.door.users(ids=some))
        wanted = budget.USER_POSTS * (len(ids) + len(usernames))
        return self._paid(wanted, wanted, lambda _: self.door.users(ids=ids, usernames=usernames), users=ids_of)

    def _looked_up(self, ids: Sequence[int | str], kind: str, ask: Callable[[list[int]], Page]) -> Page:
        numbers = list(map(int, ids))
        dear = budget.uncharged(numbers, self.now(), kind)
        paid = [number for number in numbers if number in dear]
        if not paid:
            return ask(numbers)
        price = budget.USER_POSTS if kind == Charge.Kind.USER else 1
        told = {"users": ids_of} if kind == Charge.Kind.USER else {"posts": ids_of}
        left_out: list[int] = []

        def some(granted: int) -> Page:
            left_out.extend(paid[granted // price :])
            return ask([number for number in numbers if number not in set(left_out)])

        try:
            page = self._paid(price * len(paid), price, some, **told)
        except BudgetSpent:
            if len(paid) == len(numbers):
                raise
            page = some(0)
        return replace(page, left_out=left_out) if left_out else page

    def _page(self, endpoint: str, wanted: int, ask: Callable[[int], Page]) -> Page:
        return self._paid(wanted, LEAST[endpoint], ask, posts=ids_of)

    def _paid(
        self,
        wanted: int,
        least: int,
        ask: Callable[[int], Page],
        posts: Callable[[Page], set[int]] | None = None,
        users: Callable[[Page], set[int]] | None = None,
    ) -> Page:
        """Asks for as much as the budget has. What X certainly did not charge is given back, anything else is not."""
        if wanted == 0:
            return ask(0)
        drawn = budget.reserve(
            self.market, wanted, least=least, purpose=self.purpose, for_users=users is not None, now=self.now()
        )
        self.held[drawn.pk] = drawn.posts
        try:
            page = ask(drawn.posts)
        except Failure as failure:
            if failure.free:
                self._settle(drawn, (), ())
            raise
        self._settle(drawn, posts(page) if posts else (), users(page) if users else ())
        return page

    def _settle(self, drawn: Reservation, posts: Iterable[int], users: Iterable[int]) -> None:
        self.charged += budget.settle(drawn, posts=posts, users=users, now=self.now())
        self.held.pop(drawn.pk, None)

    def tell(self, run: IngestRun) -> None:
        """What a run that ends has cost: what X charged, and what it may have charged, as long as that is held."""
        run.charged = self.charged
        if self.held:
            Reservation.objects.filter(pk__in=self.held, settled_at=None).update(run=run)


def ids_of(page: Page) -> set[int]:
    """The ids that X charges: of what it was asked for, not of what it includes."""
    found = set()
    for one in page.raw:
        try:
            found.add(read_id(one.get("id")) if isinstance(one, dict) else 0)
        except Unreadable:
            continue
    return found - {0}
