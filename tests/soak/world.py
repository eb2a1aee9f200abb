"""A large simulated X in a process of its own, in which posts keep coming.

`python -m tests.soak.world PLAN FILE` writes its address to the file when it answers. /simulator/truth/ID gives
every post with a higher id: {"posts": [[id, author id], ...], "done": whether all were posted}."""

from __future__ import annotations

import json
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import urlopen

from curation.x.simulator import Simulator
from tests.soak.programs import begin, end_all

STARTS = ("Ab", "Be", "Da", "Fe", "Go", "Ho", "Ka", "Lu", "Mo", "Ne", "Ra", "Su", "Ta", "Wi")
ENDS = ("bach", "berg", "dorf", "feld", "furt", "hafen", "heim", "holz", "kirch", "markt", "stadt", "stein", "wald")
WORDS = [start + end for start in STARTS for end in ENDS]


@dataclass(frozen=True)
class Plan:
    """`posts` over `accounts`, of which the part `there` is there at the start, the others come at `pace` a second;
    `rate` of the pages are shuffled or repeat some posts."""

    posts: int
    accounts: int
    pace: float
    seed: int
    there: float = 0.1
    rate: float = 0.3

    def usernames(self) -> list[str]:
        return [f"blatt_{number}" for number in range(self.accounts)]


class Busy(Simulator):
    """A simulator that posts by a plan and tells the truth of it."""

    def __init__(self, plan: Plan, **options: Any) -> None:
        kinds = ("shuffled", "repeated")
        super().__init__(rate=0, catalogue=0, limit_scale=1e6, chaos=plan.seed, chaos_rate=plan.rate, chaos_kinds=kinds)
        self.plan, self.chance, self.done = plan, Random(plan.seed), False
        for username in plan.usernames():
            self.account(username, name=username, category="politics", language="de")

    def keep_posting(self) -> None:
        began, there = time.monotonic(), self.plan.posts * self.plan.there
        for number in range(self.plan.posts):
            while number > there + (time.monotonic() - began) * self.plan.pace:
                time.sleep(0.02)
            # Some post much, most little, as accounts do.
            author = int(self.chance.random() ** 2 * self.plan.accounts)
            self.post(f"blatt_{author}", " ".join(self.chance.choices(WORDS, k=9)) + f" {number}.")
        self.done = True

    def control(self, method: str, path: str, *rest: Any) -> tuple[int, Any]:
        if not path.startswith("/simulator/truth/"):
            return super().control(method, path, *rest)
        done = self.done  # first: a post that comes in between is told at least
        with self.world.lock:
            ids = self.world.order[bisect_right(self.world.order, int(path.rpartition("/")[2])) :]
            return 200, {"posts": [(number, self.world.posts[number].author) for number in ids], "done": done}


@dataclass
class Told:
    """What the process says of itself: where it is, and the truth up to `newest`."""

    base_url: str
    newest: int = 0
    done: bool = False

    def further(self) -> list[tuple[int, int]]:
        """The posts since this was asked last."""
        with urlopen(f"{self.base_url}/simulator/truth/{self.newest}", timeout=60) as answer:
            told = json.load(answer)
        posts = [(number, author) for number, author in told["posts"]]
        self.newest, self.done = max([self.newest, *(number for number, _author in posts)]), told["done"]
        return posts


@contextmanager
def running(plan: Plan, surroundings: dict[str, str], folder: Path) -> Iterator[Told]:
    with (folder / "world.log").open("wb") as out:
        command = [sys.executable, "-m", "tests.soak.world", json.dumps(asdict(plan)), str(folder / "address")]
        program = begin(command, surroundings, out)
    try:
        for _ in range(600):
            if (folder / "address").exists() or program.poll() is not None:
                break
            time.sleep(0.1)
        yield Told((folder / "address").read_text())
    finally:
        end_all(program)


def main(plan: Plan) -> None:
    with Busy(plan) as x:
        threading.Thread(target=x.keep_posting, daemon=True).start()
        new = Path(sys.argv[2] + ".new")
        new.write_text(x.base_url)
        new.rename(sys.argv[2])
        threading.Event().wait()


if __name__ == "__main__":
    main(Plan(**json.loads(sys.argv[1])))
