"""The whole house: web, events, publisher, two workers, beat and stream, with PostgreSQL, Redis and nginx of its own, a
small disk for what it publishes, and processes that can be told where to die."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from curation.config.demo.ports import HOST, free_port
from curation.config.demo.program import eventually
from tests.edge.nginx import Edge, nginx
from tests.soak.house import answers, commands
from tests.soak.newsroom import Newsroom
from tests.soak.programs import HOUSE
from tests.soak.promises.crash_points import FULL, WORKING

SITE = Path(__file__).parent / "site"
DISK = "8m"
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
COUNTED, STARTED = ("publisher", "worker", "worker2", "beat"), 30.0  # whose start can be seen, and how long it may take
SETTINGS = ("--track_commit_timestamp=on", "--max_connections=120")


class Whole(Newsroom):
    """`moved`: by how much the clock of a part is off at its next start, in faketime's words."""

    parts = ("web", "events", "publisher", "worker", "worker2", "beat", "stream")

    def __init__(self, folder: Path, seed: int, x_url: str, x_token: str) -> None:
        super().__init__(folder, seed)
        self.server = replace(self.server, command=self.server.command + SETTINGS)
        self.events, self.disk, self.orders = free_port(), folder / "disk", folder / "orders"
        self.moved: dict[str, str] = {}
        self.mounted = False
        self.orders.mkdir()
        self.disk.mkdir()
        self.shared |= {
            "X_API_BASE_URL": x_url,
            "X_BEARER_TOKEN": x_token,
            "EVENTS_URL": f"http://localhost:{self.events}/events/",
            "FEED_ROOT": str(self.disk / "feeds"),
            "LOG_SEALS": str(self.disk / "seals.jsonl"),
            "STATIC_ROOT": str(folder / "static"),
            "INGEST_LEASE_SECONDS": "30",
            "CRASH_ORDERS": str(self.orders),
            "PYTHONPATH": str(SITE),
        }
        self.commands = commands(self.port, self.shared, folder, events=self.events)
        self.commands["worker2"] = [*self.commands["worker"], "-n", "second@%h"]

    def __enter__(self) -> Self:
        words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.disk)]
        self.mounted = os.geteuid() == 0 and not subprocess.run(words, capture_output=True).returncode
        return super().__enter__()

    def __exit__(self, *told: object) -> None:
        super().__exit__(*told)
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.disk)], check=True)

    @contextmanager
    def at_the_edge(self) -> Iterator[Edge]:
        feeds, web, events = self.disk / "feeds", f"{HOST}:{self.port}", f"{HOST}:{self.events}"
        with nginx(self.folder / "nginx", feeds, web=web, events=events) as edge:
            yield edge

    def collect_static(self) -> None:
        """What the pages name."""
        words = [sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"]
        subprocess.run(words, cwd=HOUSE, env=self.shared, check=True)

    def surroundings_of(self, part: str) -> dict[str, str]:
        clock = {}
        if part in self.moved:
            clock = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": self.moved[part], "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
        return self.shared | {"CRASH_NAME": part} | clock

    def up(self, part: str) -> None:
        (self.orders / part).with_suffix(WORKING).unlink(missing_ok=True)
        super().up(part)

    def ready(self, part: str) -> bool:
        """Waits until a part that was started is at work again: it came to its first commit or send."""
        if part == "web":
            return eventually(lambda: answers(self.port), 60)
        working = (self.orders / part).with_suffix(WORKING)
        return part not in COUNTED or eventually(working.exists, STARTED)

    def fill_disk(self) -> None:
        if not self.mounted:
            for part in self.parts:
                (self.orders / part).write_text(FULL)
            return
        with (self.disk / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def empty_disk(self) -> None:
        (self.disk / "filler").unlink(missing_ok=True)
        if not self.mounted:
            for part in self.parts:
                (self.orders / part).unlink(missing_ok=True)
