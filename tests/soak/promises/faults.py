"""What is done to the house, in an order drawn from the seed, and the hand that does it."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import StringIO
from random import Random

import psycopg2
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError, connection
from django.test import override_settings
from redis import Redis, RedisError

from curation.config.demo.ports import HOST
from curation.config.demo.program import eventually
from curation.ingest import pauses
from curation.x.simulator import Simulator
from curation.x.simulator.chaos import KINDS
from regions.models import Source
from tests.soak.newsroom import BELL
from tests.soak.programs import children
from tests.soak.promises.crash_points import DIED, POINTS, WHEN
from tests.soak.promises.files import Lines
from tests.soak.promises.whole import FAKETIME, Whole

COMMITS, SENDS = ("web", "publisher", "worker"), ("web", "publisher", "worker", "beat")
WHO = {"commit": COMMITS, "rename": COMMITS, "send": SENDS, "ask": ("worker", "stream")}
CLOCKS = ("+1h", "-1h", "+1d", "-1d", "@2026-10-25 00:59:57")  # the last one comes to the end of summer time
TOLD_TO_DIE = 8.0  # seconds in which a crash point must be reached
SLOW = 120  # connections that say a byte a second, or nothing


@dataclass(frozen=True)
class Fault:
    """`kind` names a method of Hand."""

    kind: str
    target: str = ""
    more: str = ""


def every_fault() -> list[Fault]:
    told = [Fault("kill", part) for part in (*Whole.parts, "postmaster", BELL)]
    told += [Fault("kill_child", part) for part in ("web", "worker", "worker2", "postmaster")]
    told += [Fault("crash", part, f"{when} {point}") for point in POINTS for when in WHEN for part in WHO[point]]
    told += [Fault("stop", "postmaster"), Fault("stop", BELL), Fault("hold_connections"), Fault("flush"), Fault("fill")]
    told += [Fault("restart", "postmaster"), Fault("everything"), *[Fault("befall_x")] * 4, Fault("slow")]
    told += [Fault("clock", part, by) for part in ("web", "publisher", "worker", "beat") for by in CLOCKS]
    return told


def schedule(seed: int) -> Iterator[Fault]:
    """Every fault once, then every fault again, each round in an order of its own, in which the kinds take turns: so
    that a run that ends early has met all of them."""
    chance = Random(f"faults {seed}")
    while True:
        left: defaultdict[str, list[Fault]] = defaultdict(list)
        for fault in chance.sample(every_fault(), len(every_fault())):
            left[fault.kind].append(fault)
        while kinds := [kind for kind, faults in left.items() if faults]:
            yield from (left[kind].pop() for kind in chance.sample(kinds, len(kinds)))


class Hand:
    """Does faults one after the other and writes down what was away, and when."""

    def __init__(self, house: Whole, x: Simulator, out: Lines, seed: int) -> None:
        self.house, self.x, self.out, self.chance = house, x, out, Random(f"hand {seed}")
        self.edge_port = 0

    def do(self, fault: Fault) -> None:
        getattr(self, fault.kind)(fault)
        self.house.mend()

    def go_on_reading(self) -> bool:
        """What a lead does when X refused: sources are resumed, and X is tried at once. Whether all is read again."""
        with suppress(OperationalError, InterfaceError):
            Source.objects.exclude(paused_at=None).update(paused_at=None, paused_reason="")
            asked = override_settings(X_API_BASE_URL=self.x.base_url, X_BEARER_TOKEN=self.x.token)
            with asked, suppress(CommandError):  # X did not answer the trial: the next one may
                call_command("ingest", resume=True, verbosity=0, stdout=StringIO())
            return pauses.of_everyone() is None
        connection.close()
        return False

    @contextmanager
    def noted(self, fault: Fault, *away: str) -> Iterator[dict[str, object]]:
        """`away` names what was not there: postgres, disk, x, celery."""
        line: dict[str, object] = {"kind": fault.kind, "target": fault.target, "more": fault.more, "away": list(away)}
        line["from"] = time.time()
        try:
            yield line
        finally:
            self.out.write(line | {"to": time.time()})

    def kill(self, fault: Fault) -> None:
        part = fault.target
        away = {"postmaster": ["postgres"], BELL: ["celery"], "beat": ["celery"]}.get(part, [])
        with self.noted(fault, *away):
            self.house.down(part)
            time.sleep(self.chance.uniform(0, 4))
            self.house.up(part)
            self.house.ready(part)

    def kill_child(self, fault: Fault) -> None:
        young = children(self.house.running[fault.target].pid)
        with self.noted(fault, *(["postgres"] if fault.target == "postmaster" else [])):
            with suppress(ProcessLookupError, IndexError):
                os.kill(self.chance.choice(young), signal.SIGKILL)
            time.sleep(2)

    def crash(self, fault: Fault) -> None:
        """Dies at a point of its work; whoever watches over children replaces one, we replace the others."""
        order, died = self.house.orders / fault.target, self.house.orders / DIED
        before = died.stat().st_size if died.exists() else 0
        with self.noted(fault) as line:
            order.write_text(f"{fault.more} {self.chance.randint(1, 3)}")
            line["met"] = eventually(lambda: died.exists() and died.stat().st_size > before, TOLD_TO_DIE)
            order.unlink(missing_ok=True)
            time.sleep(0.5)
            if self.house.running[fault.target].poll() is not None:
                self.house.up(fault.target)
                self.house.ready(fault.target)

    def stop(self, fault: Fault) -> None:
        """Neither dead nor alive: its connections stay open and nobody answers."""
        parent = self.house.running[fault.target].pid
        everyone = [parent, *children(parent)]
        with self.noted(fault, "postgres" if fault.target == "postmaster" else "celery"):
            for pid in everyone:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            time.sleep(self.chance.uniform(3, 8))
            for pid in everyone:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def restart(self, fault: Fault) -> None:
        """As `pg_ctl restart -m immediate`."""
        with self.noted(fault, "postgres"):
            child = self.house.running["postmaster"]
            child.send_signal(signal.SIGQUIT)
            child.wait(30)
            self.house.up("postmaster")

    def hold_connections(self, fault: Fault) -> None:
        held = []
        with self.noted(fault, "postgres") as line:
            with suppress(psycopg2.OperationalError):
                while len(held) < 500:
                    held.append(psycopg2.connect(self.house.server.url, connect_timeout=3))
            line["held"] = len(held)
            time.sleep(self.chance.uniform(3, 6))
            for one in held:
                one.close()

    def flush(self, fault: Fault) -> None:
        with self.noted(fault), suppress(RedisError), Redis.from_url(self.house.bell.url) as bell:
            bell.flushall()

    def fill(self, fault: Fault) -> None:
        with self.noted(fault, "disk") as line:
            line["mounted"] = self.house.mounted
            self.house.fill_disk()
            time.sleep(self.chance.uniform(4, 8))
            self.house.empty_disk()

    def everything(self, fault: Fault) -> None:
        parts = ("postmaster", BELL, *self.house.parts)
        with self.noted(fault, "postgres", "celery"):
            for part in parts:
                self.house.down(part)
            time.sleep(self.chance.uniform(2, 6))
            for part in parts:
                self.house.up(part)
            for part in self.house.parts:
                self.house.ready(part)

    def befall_x(self, fault: Fault) -> None:
        """Many of X's answers meet a fault; some of those that none met so far are ordered. A lead resumes what X
        refused afterwards."""
        with self.noted(fault, "x") as line:
            left = [kind for kind in KINDS if not self.x.chaos.counts[kind]]
            for kind in self.chance.sample(left, min(5, len(left))):
                if kind.startswith("stream."):
                    self.x.break_stream(kind.removeprefix("stream."))
                else:
                    path = self.chance.choice(("/2/users/", "/2/tweets"))
                    self.x.fail(path, kind=kind, reset=2.0)
            self.x.chaos.rate = 0.4
            time.sleep(self.chance.uniform(5, 8))
            self.x.chaos.rate = 0
            self.x.mend()
            line["met"] = dict(self.x.chaos.counts)
            line["resumed"] = eventually(self.go_on_reading, 30)

    def slow(self, fault: Fault) -> None:
        """Half of them say a byte now and then, the others nothing more after their first line."""
        links = []
        with self.noted(fault) as line:
            for port in (self.edge_port, self.house.port):
                for _ in range(SLOW // 2):
                    with suppress(OSError):
                        links.append(link := socket.create_connection((HOST, port), timeout=3))
                        link.sendall(b"POST /api/v1/decisions/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900\r\n")
            line["connections"] = len(links)
            for _ in range(5):
                time.sleep(1)
                for link in links[::2]:
                    with suppress(OSError):
                        link.sendall(b"x")
            for link in links:
                link.close()

    def clock(self, fault: Fault) -> None:
        """The part is started anew with a clock that is off, works with it, and is started again with the right one."""
        if not FAKETIME.exists():
            return
        part, away = fault.target, ["celery"] if fault.target == "beat" else []
        with self.noted(fault, *away) as line:
            for by in (fault.more, ""):
                self.house.moved = {part: by} if by else {}
                self.house.down(part)
                self.house.up(part)
                if by or away:
                    line["alive"] = self.house.ready(part)
                    time.sleep(4 if by else 0)
