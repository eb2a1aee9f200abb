"""Runs the simulator of X until it is interrupted. Needs no database."""

from __future__ import annotations

import errno
import logging
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curation.x.simulator import Simulator

MORE = ("limit_scale", "pictures_base", "keep_alive", "chaos", "chaos_rate")


class Command(BaseCommand):
    help = "Runs a server that speaks X API v2, with fictional accounts that keep posting."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8025, help="0 takes any free port")
        parser.add_argument("--token", default="simulator", help="the bearer token it expects")
        parser.add_argument("--seed", type=int, default=7, help="what everything invented is drawn from")
        parser.add_argument("--rate", type=float, default=20.0, help="posts a minute; 0 invents none")
        parser.add_argument("--state", type=Path, help="file that posts survive a restart in")
        parser.add_argument("--replay", type=Path, help="folder of recorded exchanges to serve instead")
        parser.add_argument("--recordings", type=Path, help="folder that ordered faults name files in")
        parser.add_argument("--limit-scale", type=float, default=1.0, help="multiplies the rate limits")
        parser.add_argument("--keep-alive", type=float, default=20.0, help="seconds between the stream's signs of life")
        parser.add_argument("--chaos", type=int, metavar="SEED", help="answers meet faults drawn from this seed")
        parser.add_argument("--chaos-rate", type=float, default=0.2, help="the share of answers that do")
        parser.add_argument("--pictures-base", default="", help="address that pictures are reached at")

    def handle(self, *args: Any, **options: Any) -> None:
        self._log_plainly()
        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with self._simulator(options) as simulator:
            self.stdout.write(f"X simulator on {simulator.base_url}")
            self.stdout.flush()
            stopped.wait()

    def _simulator(self, options: dict[str, Any]) -> Simulator:
        names = ("host", "port", "token", "seed", "rate", "state", "replay", "recordings")
        chosen = {name: options[name] for name in (*names, *MORE)}
        try:
            return Simulator(**chosen)
        except OSError as wrong:
            taken = wrong.errno == errno.EADDRINUSE
            raise CommandError(f"Port {options['port']} is taken." if taken else str(wrong)) from None
        except ValueError as wrong:
            raise CommandError(str(wrong)) from None

    def _log_plainly(self) -> None:
        log = logging.getLogger("x_simulator")
        log.setLevel(logging.INFO)
        log.propagate = False
        lines = logging.StreamHandler(sys.stdout)
        lines.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(lines)
