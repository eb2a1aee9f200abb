"""X's side of the chaos run: a clock that leaps, a simulator that knows for which run each answer was, and the doors
that tell it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from curation.x.client import Door, Page
from curation.x.outcomes import WindowClosed
from curation.x.simulator import Simulator
from curation.x.simulator.chaos import KINDS
from curation.x.simulator.faults import Fault
from curation.x.simulator.handler import Handler
from curation.x.simulator.meter import Charge, Meter
from curation.x.simulator.state import State
from curation.x.windows import SharedWindows

ASKED = tuple(kind for kind in KINDS if not kind.startswith("stream."))
HEADER = "x-asked-for"
ENDPOINTS = (
    ("/2/tweets/search/", "search"),
    ("/2/tweets", "tweets"),
    ("/2/lists/", "list"),
    ("/2/users/by", "usernames"),
    ("/2/users/", "timeline"),
    ("/2/users", "users"),
)


class Clock:
    """Real time, moved ahead now and then."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self.now().timestamp()

    def leap_to(self, moment: datetime) -> None:
        self.ahead += max(timedelta(), moment - self.now())


@dataclass(frozen=True)
class Dealt:
    """A fault that an answer met. `asker` as the door told it: the market that pays, and a number."""

    at: datetime
    path: str
    kind: str
    asker: str

    @property
    def endpoint(self) -> str:
        return next(name for start, name in ENDPOINTS if self.path.startswith(start))


class Told(Handler):
    """Notes in its thread for whom the request is."""

    def _api(self, *asked: Any) -> None:
        self.simulator.here.asker = self.headers.get(HEADER, "")  # type: ignore[attr-defined]
        super()._api(*asked)


class AskersMeter(Meter):
    """Knows who asked when each charge fell due."""

    def __init__(self, state: State, here: threading.local) -> None:
        self.here = here
        self.askers: dict[tuple[str, str, int], str] = {}
        super().__init__(state)

    def _enter(self, charge: Charge) -> Charge:
        self.askers[charge.day, charge.kind, charge.id] = getattr(self.here, "asker", "")
        return super()._enter(charge)


class Recording(Simulator):
    """A simulator that notes which fault it dealt out to whom."""

    def __init__(self, clock: Clock, seed: int, rate: float) -> None:
        chaos: dict[str, Any] = {"chaos": seed, "chaos_rate": rate, "chaos_kinds": ASKED}
        super().__init__(rate=0, catalogue=0, limit_scale=100, clock=clock.seconds, **chaos)
        self.watch, self.here = clock, threading.local()
        self.server.RequestHandlerClass = type("BoundTold", (Told,), {"simulator": self})
        self.asked = self.meter = AskersMeter(self.state, self.here)
        self.dealt: list[Dealt] = []

    def befalls(self, path: str) -> Fault | None:
        fault = super().befalls(path)
        if fault and fault.kind:
            self.dealt.append(Dealt(self.watch.now(), path, fault.kind, self.here.asker))
        return fault


class Struck(BaseException):
    """A worker dies where it stands: nothing of ours catches it, and its connections break."""


class Named(Door):
    """A door that says for whom it asks. `waited`: askers that found an endpoint's window closed.

    With a share of `deaths` whoever asks is struck, half of them before X is asked and half after it answered."""

    def __init__(self, x: Recording, *, chance: Random | None = None, deaths: float = 0) -> None:
        super().__init__(x.base_url, x.token, read_seconds=2, clock=x.clock, windows=SharedWindows())
        self.chance, self.deaths = chance or Random(1), deaths
        self.asker = ""
        self.waited: set[tuple[str, str]] = set()

    def ask_for(self, market: str, number: int) -> str:
        """Every request from now on is for this; its name."""
        self.asker = f"{market} {number}"
        self._client.session.headers[HEADER] = self.asker
        return self.asker

    def _ask(self, endpoint: str, call: Callable[..., Any], **parameters: Any) -> Page:
        fate = self.chance.random()
        if fate < self.deaths / 2:
            raise Struck
        try:
            page = super()._ask(endpoint, call, **parameters)
        except WindowClosed:
            self.waited.add((self.asker, endpoint))
            raise
        if fate < self.deaths:
            raise Struck
        return page
