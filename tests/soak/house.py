"""The house as the demo runs it (web, worker, publisher) on a PostgreSQL as in production, and a hand that kills."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Self

from django.db import connection

from curation.config.demo.options import Options
from curation.config.demo.ports import HOST, free_port
from curation.config.demo.program import eventually
from curation.config.demo.programs import answer, processes
from curation.config.demo.servers import command_line, postgres_answers, postgres_program
from curation.config.env import database
from tests.soak.programs import begin, children, end_all

PARTS = ("web", "worker", "publisher")
VICTIMS = ("postmaster", "backend", "web", "web child", "worker", "worker child", "publisher")
HARMLESS = ("resource_tracker", "Could not start worker processes")


def surroundings(url: str, folder: Path) -> dict[str, str]:
    """What the house's processes get, beside what the tests' plugin named."""
    return os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "curation.config.settings",
        "PYTHONUNBUFFERED": "1",
        "FEED_ROOT": str(folder / "feeds"),
        "LOG_SEALS": str(folder / "seals.jsonl"),
        "LOG_LEVEL": "WARNING",
    }


def commands(port: int, shared: dict[str, str], folder: Path, *, events: int = 0) -> dict[str, list[str]]:
    """The demo's own commands, by the name of the part."""
    options = Options(folder, port, {}, own_x=False)
    ports = {"events": events or free_port()}
    return {one.name: list(one.command) for one in processes(options, ports, shared)}


@contextmanager
def serving(url: str, folder: Path) -> Iterator[int]:
    """The web alone, on a database that runs already; gives its port."""
    port, shared = free_port(), surroundings(url, folder)
    with (folder / "web.log").open("ab") as out:
        web = begin(commands(port, shared, folder)["web"], shared, out)
    try:
        assert eventually(lambda: answers(port), 60), (folder / "web.log").read_text()[-2_000:]
        yield port
    finally:
        end_all(web)


def answers(port: int) -> bool:
    return answer(f"http://{HOST}:{port}/livez")[0] == 200


class House:
    """`with` starts PostgreSQL, whose commits wait for the disk; `open()` starts the rest. All of it ends with it.

    Programs end with the thread that started them: killing and mending belong to one thread."""

    parts = PARTS

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.chance = folder, Random(seed)
        self.port = free_port()
        self.server = postgres_program(folder / "postgres", free_port())
        self.shared = surroundings(self.server.url, folder)
        self.commands = commands(self.port, self.shared, folder)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills: Counter[str] = Counter()
        self.died: list[str] = []
        self.turn: list[str] = []

    def __enter__(self) -> Self:
        self._start_server()
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.parts:
            if part in self.running:
                end_all(self.running[part])
        end_all(self.running["postmaster"])

    def open(self) -> None:
        for part in self.parts:
            self._start(part)
        assert eventually(lambda: answers(self.port), 60), self._last_words("web")

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Django's connection of this thread leads to the house's database."""
        mine = connection.settings_dict
        connection.close()
        connection.settings_dict = mine | database(self.server.url)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict = mine

    def kill(self) -> str:
        """SIGKILL for the next of the victims, whose order is drawn anew each time round. What needs it is replaced."""
        self.turn = self.turn or self.chance.sample(VICTIMS, len(VICTIMS))
        whom = self.turn.pop()
        if self._killed(whom):
            self.kills[whom] += 1
        return whom

    def _killed(self, whom: str) -> bool:
        if whom == "backend":
            return self._kill_child("postmaster")
        if whom.endswith(" child"):
            return self._kill_child(whom.removesuffix(" child"))
        parent = self.running[whom]
        parent.kill()
        parent.wait()
        if whom == "postmaster":
            self._start_server()
        else:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)
            self._start(whom)
        return True

    def _kill_child(self, parent: str) -> bool:
        """A random one of its processes; whoever watches there replaces it."""
        young = [pid for pid in children(self.running[parent].pid) if HARMLESS[0] not in command_line(pid)]
        with suppress(ProcessLookupError, IndexError):
            os.kill(self.chance.choice(young), signal.SIGKILL)
            return True
        return False

    def mend(self) -> None:
        """Starts anew what ended by itself, and keeps its last words where it had no right to."""
        for name, one in list(self.running.items()):
            if one.poll() is not None:
                words = self._last_words(name)
                self.died += [] if HARMLESS[1] in words else [f"{name}: {words}"]
                self._start_server() if name == "postmaster" else self._start(name)

    def _last_words(self, name: str) -> str:
        file = self.server.log if name == "postmaster" else self.folder / f"{name}.log"
        return file.read_text()[-2_000:] if file and file.exists() else ""

    def _start(self, part: str) -> None:
        with (self.folder / f"{part}.log").open("ab") as out:
            self.running[part] = begin(self.commands[part], self.surroundings_of(part), out)

    def surroundings_of(self, part: str) -> dict[str, str]:
        return self.shared

    def _start_server(self, seconds: float = 60) -> None:
        """Again and again: as long as an orphan of the last one lives, PostgreSQL does not start."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            child = self.running["postmaster"] = self.server.start()
            eventually(lambda: child.poll() is not None or postgres_answers(self.server.url), 30)  # noqa: B023
            if child.poll() is None:
                return
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL does not start: {self._last_words('postmaster')}")

    @property
    def killed(self) -> int:
        return self.kills.total()
