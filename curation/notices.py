"""What stands at the top of every page of a market, as long as it lasts. Rooms above tell it; they say so when they
start, so that nothing here names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from regions.models import Market


@dataclass(frozen=True)
class Notice:
    """As in: DE Sport is frozen. New posts wait. Since 08:32 by Lena W. Why. Until 09:15. Times are shown
    in `zone`; `door` leads to `address`."""

    market: Market
    headline: str
    lead: str
    since: datetime | None
    by: str
    reason: str
    until: datetime | None
    zone: tzinfo
    door: str
    address: str


Teller = Callable[[Any, Sequence[Market], datetime], list[Notice]]
tellers: list[Teller] = []


def join(teller: Teller) -> None:
    """From now on every page asks it too."""
    if teller not in tellers:
        tellers.append(teller)


def notices_of(user: Any, markets: Sequence[Market], now: datetime) -> list[Notice]:
    """Of some of a person's markets."""
    return [notice for teller in tellers for notice in teller(user, markets, now)] if markets else []
