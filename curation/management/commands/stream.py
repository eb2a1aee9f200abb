"""Reads the filtered stream for all markets. One of several such processes leads, the others wait."""

from __future__ import annotations

import os
import select
import signal
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from curation.ingest.streaming.allotments import Allotments
from curation.ingest.streaming.streamer import Streamer
from curation.x.client import door
from curation.x.stream import Times


class Stop:
    """Set by SIGTERM and SIGINT; its pipe wakes whoever waits."""

    def __init__(self) -> None:
        self.asked = False
        self.reader, self.writer = os.pipe()

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        self.asked = True
        os.write(self.writer, b".")

    def wait(self, seconds: float) -> None:
        select.select([self.reader], [], [], max(0.0, seconds))


class Command(BaseCommand):
    help = "Reads the filtered stream of X: rules from the sources, posts into the queues, gaps left to search."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--least-ahead", type=int, default=Allotments.LEAST, help="posts drawn ahead for a market")
        parser.add_argument("--most-ahead", type=int, default=Allotments.MOST, help="the same, where many come")
        for one in fields(Times):
            name = f"--{one.name.replace('_', '-')}"
            parser.add_argument(name, type=type(one.default), default=one.default, help="see docs/stream.md")

    def handle(self, *args: Any, **options: Any) -> None:
        times = Times(**{one.name: options[one.name] for one in fields(Times)})
        allotments = Allotments(options["least_ahead"], options["most_ahead"])
        with stopping() as stop:
            where, token = settings.X_API_BASE_URL, settings.X_BEARER_TOKEN
            Streamer(door(), where, token, stop=stop, times=times, allotments=allotments).run()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Gives the two signals that end a process to a Stop, and back afterwards."""
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
        os.close(stop.reader)
        os.close(stop.writer)
