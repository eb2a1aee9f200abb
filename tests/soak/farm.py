"""Celery workers in processes of their own, a bell in place of beat, and a hand that kills them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

from django.conf import settings
from django.db import connection

from curation.config.celery import app
from tests.soak.programs import begin, children, end_all

COMMAND = ("-m", "celery", "-A", "curation.config.celery", "worker", "-Q", "ingest", "-l", "WARNING")
QUICK = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def environment(**more: str) -> dict[str, str]:
    """What a process of the house needs to work on the test's database."""
    told = settings.DATABASES["default"] | connection.settings_dict
    address = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    return os.environ | {"DATABASE_URL": address, "PYTHONUNBUFFERED": "1"} | more


@dataclass
class Farm:
    """`workers` parents with `each` processes; `with` starts them, and ends all of them.

    `seed` decides whom kill() hits. The bell rings every `seconds`, as beat does."""

    folder: Path
    surroundings: dict[str, str]
    workers: int = 2
    each: int = 2
    seed: int = 1
    seconds: float = 0.5
    parents: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    restarts: int = 0
    kills: dict[str, int] = field(default_factory=lambda: {"parent": 0, "child": 0})

    def __enter__(self) -> Self:
        self.chance = Random(self.seed)
        self.stopped = threading.Event()
        app.control.purge()
        for number in range(self.workers):
            self._start(number)
        self.bell = threading.Thread(target=self._ring, daemon=True)
        self.bell.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.bell.join(10)
        for parent in self.started:
            end_all(parent)

    def _start(self, number: int) -> None:
        name = f"--hostname=w{number}-{time.monotonic_ns()}@soak"
        command = [sys.executable, *COMMAND, *QUICK, f"--concurrency={self.each}", name]
        with (self.folder / f"worker-{number}.log").open("ab") as out:
            self.parents[number] = begin(command, self.surroundings, out)
        self.started.append(self.parents[number])

    def _ring(self) -> None:
        """Messages that nobody took within seconds are worth nothing: the next says the same."""
        while not self.stopped.wait(self.seconds):
            app.send_task("curation.tasks.poll_due_sources", queue="ingest", expires=5)

    def kill(self) -> str:
        """SIGKILL for a random process that works, every third time a parent; who was hit. It is replaced."""
        grown = {number: young for number, parent in self.parents.items() if (young := children(parent.pid))}
        if not grown:
            return ""
        number = self.chance.choice(sorted(grown))
        parent, young = self.parents[number], grown[number]
        whom = "child" if self.killed % 3 < 2 else "parent"
        try:
            os.kill(self.chance.choice(young) if whom == "child" else parent.pid, signal.SIGKILL)
        except ProcessLookupError:
            return ""
        self.kills[whom] += 1
        if whom == "parent":
            parent.wait()
            self._start(number)
        return whom

    def mend(self) -> list[str]:
        """Starts workers anew that ended by themselves; the last words of those that had no right to.

        Celery gives up when a child is killed that was just being started: whoever supervises starts it again."""
        ended = [number for number, parent in self.parents.items() if parent.poll() is not None]
        words = {number: (self.folder / f"worker-{number}.log").read_text()[-2_000:] for number in ended}
        for number in ended:
            self.restarts += 1
            self._start(number)
        return [last for last in words.values() if "Could not start worker processes" not in last]

    @property
    def killed(self) -> int:
        return sum(self.kills.values())
