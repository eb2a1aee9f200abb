"""What rooms above add to the Health page. They say so when they start, so that nothing here names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from curation.wellbeing.charts import Chart
from regions.models import Market


@dataclass(frozen=True)
class Figure:
    """A number of the page's first line: as in 2.1 s, Approval to feed, at most 10. `broken`: it is over its limit."""

    name: str
    value: str
    limit: str
    broken: bool = False


@dataclass(frozen=True)
class Part:
    """What a room tells of some markets. `alarms` are sentences for the top, `well` the one that stands there where
    there are none; empty where nothing is known."""

    alarms: Sequence[str] = ()
    well: str = ""
    figures: Sequence[Figure] = ()
    charts: Sequence[Chart] = ()

    @property
    def sentence(self) -> str:
        return " ".join(self.alarms) or self.well


Teller = Callable[[Sequence[Market], datetime], Part]
tellers: list[Teller] = []


def join(teller: Teller) -> None:
    """From now on the page asks it too."""
    if teller not in tellers:
        tellers.append(teller)


def parts_of(markets: Sequence[Market], now: datetime) -> list[Part]:
    return [teller(markets, now) for teller in tellers] if markets else []
