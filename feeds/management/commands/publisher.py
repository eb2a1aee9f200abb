"""The guarantee behind publishing: a plain process that needs PostgreSQL alone."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from curation import shared_clock
from curation.erasure_file import ErasureFile
from curation.operations import Sealer, write_out_erasures
from feeds import bucket, operations, vitals
from feeds.models import Feed

log = structlog.get_logger(__name__)
TURN = 2.0  # seconds after which it looks by itself
GRACE = 0.1  # seconds in which whoever rang publishes by itself
LONGEST_PAUSE = 10.0
MINUTE = 60.0
SEALING = 5.0  # seconds between seals of the decision log


class Stop:
    """Set by SIGTERM and SIGINT; its pipe wakes a waiting select."""

    def __init__(self) -> None:
        self.asked = False
        self.reader, self.writer = os.pipe()

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        self.asked = True
        os.write(self.writer, b".")

    def wait(self, seconds: float, *others: int) -> None:
        """Returns after some seconds, or at once when one of `others` can be read or the end is asked for."""
        select.select([self.reader, *others], [], [], max(0.0, seconds))


class Command(BaseCommand):
    help = "Publishes what changed: at once when told, when time changes a feed, and every 2 s. Seals the decision log."

    def handle(self, *args: Any, **options: Any) -> None:
        with stopping() as stop, mirroring():
            log.info("publisher_started", pid=os.getpid())
            pause = 0.5
            while not stop.asked:
                try:
                    listen()
                    pause = 0.5
                    run(stop)
                except (OperationalError, InterfaceError) as error:
                    log.warning("postgresql_lost", error=str(error).strip(), again_in_seconds=pause)
                    connection.close()
                    stop.wait(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
            connection.close()
            log.info("publisher_stopped")


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


@contextmanager
def mirroring() -> Iterator[None]:
    """Copies the edge to its bucket meanwhile, where one is set."""
    if not bucket.is_set():
        yield
        return
    beside = bucket.Mirroring()
    beside.start()
    try:
        yield
    finally:
        beside.stop()


def listen() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {operations.NOTIFICATION}")


def run(stop: Stop) -> None:
    """Turn after turn until the end is asked for, or PostgreSQL is lost."""
    mended_at = verified_at = sealed_at = float("-inf")
    sealer, erasures = Sealer(settings.LOG_SEALS), ErasureFile(settings.ERASURE_LOG)
    while not stop.asked:
        with trouble_logged():
            operations.catch_up()
            if time.monotonic() >= mended_at + TURN:
                mended_at = time.monotonic()
                operations.mend_edge()
            if time.monotonic() >= verified_at + MINUTE:
                verified_at = time.monotonic()
                vitals.note(shared_clock.now())
                operations.withdraw_unverified()
        if time.monotonic() >= sealed_at + SEALING:
            sealed_at = float("-inf") if sealer.turn() else time.monotonic()
            write_out_erasures(erasures)
        if rung(stop, seconds_until(Feed.objects.next_change(), mended_at + TURN - time.monotonic())):
            stop.wait(GRACE)


def rung(stop: Stop, seconds: float) -> bool:
    """Waits for a notification, at most some seconds; whether one came. They may come with any answer."""
    link = connection.connection
    if not link.notifies:
        stop.wait(seconds, link.fileno())
    with connection.wrap_database_errors:
        link.poll()
    came = bool(link.notifies)
    link.notifies.clear()
    return came


def seconds_until(soonest: datetime | None, most: float) -> float:
    """Never less than a moment, so that what fails over and over does not fail thousands of times."""
    left = (soonest - timezone.now()).total_seconds() if soonest else most
    return max(GRACE, min(left, most))


@contextmanager
def trouble_logged() -> Iterator[None]:
    """A full disk is told, and tried again at the next turn; PostgreSQL's loss is for the caller."""
    try:
        yield
    except OSError:
        log.exception("files_not_written")
