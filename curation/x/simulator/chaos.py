"""Chaos by a seed: each answer, and each post on the stream, may meet any fault there is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from curation.x.simulator.accounts import seeded
from curation.x.simulator.faults import Fault
from curation.x.simulator.kinds import ARRIVING, REPLACING
from curation.x.simulator.streams import ENDPOINT as STREAM
from curation.x.simulator.streams import ONCE
from curation.x.simulator.turns import PAGED, TURNS

PAGES = re.compile(r"/2/(users|lists)/\d+/tweets|/2/tweets/search/recent")
POSTS = re.compile(r"/2/tweets(/\d+)?")
STREAMED = tuple(f"stream.{kind}" for kind in ONCE)
KINDS = (*REPLACING, *ARRIVING, *TURNS, *STREAMED)
ANYWHERE = {"number_ids", "plain_dates", "other_dialect"}
OPENS_AFTER = 2.0


class Chaos:
    """`rate` of the answers are faulty; the n-th draw is the same for the same seed.

    `kinds` narrows what is drawn from; `counts` says how often each was dealt out, one that changed
    nothing (an empty page cannot be shuffled) not counted.
    """

    def __init__(self, seed: int, rate: float, kinds: Sequence[str] | None = None) -> None:
        wrong = set(kinds or ()) - set(KINDS)
        if wrong:
            raise ValueError(f"unknown kinds: {', '.join(sorted(wrong))}")
        self.seed = seed
        self.rate = rate
        self.kinds = tuple(kinds or KINDS)
        self.lock = Lock()
        self.drawn = 0
        self.counts: Counter[str] = Counter()

    def fault(self, path: str) -> Fault | None:
        """What befalls the answer to this address; dealt(...) is to be called when it did."""
        kind = self._drawn(fitting(path))
        return Fault(path_prefix=path, kind=kind, reset=OPENS_AFTER) if kind else None

    def break_(self) -> str:
        """What befalls the stream before its next post: a kind of break, or nothing."""
        kind = self._drawn(set(STREAMED))
        if kind:
            self.dealt(kind)
        return kind.removeprefix("stream.")

    def dealt(self, kind: str) -> None:
        with self.lock:
            self.counts[kind] += 1

    def _drawn(self, fitting: set[str]) -> str:
        with self.lock:
            self.drawn += 1
            chance = seeded("chaos", self.seed, self.drawn)
            choices = [kind for kind in self.kinds if kind in fitting]
            return chance.choice(choices) if choices and chance.random() < self.rate else ""


def fitting(path: str) -> set[str]:
    """The kinds that can befall an answer of this address."""
    if path == STREAM:
        return {*REPLACING, "slow"}
    if PAGES.fullmatch(path):
        return {*REPLACING, *ARRIVING, *TURNS}
    looked_up = set(TURNS) - set(PAGED) | {"shuffled", "repeated"}
    return {*REPLACING, *ARRIVING, *(looked_up if POSTS.fullmatch(path) else ANYWHERE)}
