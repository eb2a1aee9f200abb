"""Whether a run of chaos said what had happened to it, by the simulator's record."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from curation.models import IngestRun
from curation.x.simulator.kinds import ARRIVING, REPLACING
from curation.x.simulator.turns import TURNS
from tests.soak.asked import Dealt

GENTLE = {*TURNS, "slow", "trickle"}
EXPECTED = dict.fromkeys((*REPLACING, *ARRIVING), "failed") | {
    "forbidden": "refused",
    "window": "waiting",
    "window_v1": "waiting",
    "window_bare": "waiting",
}
STOPPED = "The worker was stopped."
TAKEN_OVER = "Another worker took over."
LOOKED_UP = ("tweets", "users")


@dataclass
class Judge:
    """`dealt`: every fault; `waited`: askers and endpoints whose window they found closed; `askers` by run."""

    dealt: list[Dealt]
    waited: set[tuple[str, str]]
    askers: dict[int, str]
    met: defaultdict[str, list[Dealt]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for one in self.dealt:
            self.met[one.asker].append(one)

    def wrong(self, run: IngestRun) -> str:
        """What is wrong with a run's outcome, by the faults that it met, or nothing."""
        if run.error == STOPPED:
            return "" if run.pk not in self.askers else f"{run} was not stopped"
        asker = self.askers.get(run.pk, "")
        hard = [one for one in self.met[asker] if one.kind not in GENTLE]
        right = self._as_met(run, hard, asker) if hard else self._as_it_should(run, asker)
        return "" if right else f"{run.kind} {run.outcome} ({run.error}) after {[one.kind for one in self.met[asker]]}"

    def _as_met(self, run: IngestRun, hard: list[Dealt], asker: str) -> bool:
        """A reading says what kept it first, a recheck what kept it last; who is refused stores nothing. Where the
        budget ended a reading, it still looked up what it had, and may have failed in that."""
        told = [EXPECTED[one.kind] for one in hard]
        if run.kind == "recheck":
            return run.outcome == told[-1]
        if "refused" in told:
            return run.outcome == "refused"
        if run.outcome == told[0]:
            return True
        before = run.outcome == "budget" or (run.outcome == "waiting" and self._waited(run, asker))
        return before and all(one.endpoint in LOOKED_UP for one in hard)

    def _as_it_should(self, run: IngestRun, asker: str) -> bool:
        if run.outcome == "waiting":
            return self._waited(run, asker)
        return run.outcome in ("read", "budget") or run.error == TAKEN_OVER

    def _waited(self, run: IngestRun, asker: str) -> bool:
        return any(self._closed(one, asker, run) for one in self.dealt)

    def _closed(self, one: Dealt, asker: str, run: IngestRun) -> bool:
        """Whether a fault closed an endpoint's window, which the run found closed, shortly before or during it."""
        ended = (run.ended_at or run.started_at) + timedelta(seconds=5)  # the run's clock began a moment late
        in_time = run.started_at - timedelta(minutes=2) <= one.at <= ended
        return one.kind.startswith("window") and (asker, one.endpoint) in self.waited and in_time
