"""Who reads the stream: one process, by a session lock of PostgreSQL that ends with its connection."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg2
from django.db import connection

from curation.locks import STREAM_LOCK

LOOK = 1.0  # seconds between looks at the connection, which also wakes when it breaks
KEPT_ALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Leader:
    """Holds the lock on a connection of its own, watched by a thread: `on_lost` is called from there, at once.

    Needs a session: not through a pooler that shares connections between transactions."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self.on_lost = on_lost
        self.link: Any = None
        self.lost = threading.Event()
        self.given_up = threading.Event()
        self.watch: threading.Thread | None = None

    def take(self) -> bool:
        """Whether this process leads now. Raises Django's database errors."""
        with connection.wrap_database_errors:
            if self.link is None:
                self.link = connection.get_new_connection(connection.get_connection_params() | KEPT_ALIVE)
                self.link.autocommit = True
            with self.link.cursor() as cursor:
                cursor.execute("SELECT pg_try_advisory_lock(%s, 0)", [STREAM_LOCK])
                mine = bool(cursor.fetchone()[0])
        if mine:
            self.watch = threading.Thread(target=self._watch, name="leader", daemon=True)
            self.watch.start()
        return mine

    def give_up(self) -> None:
        """Ends the connection, and with it the lock."""
        self.given_up.set()
        if self.watch:
            self.watch.join(2 * LOOK + 1)
        if self.link is not None:
            with suppress(psycopg2.Error):
                self.link.close()

    def _watch(self) -> None:
        try:
            while not self.given_up.is_set():
                select.select([self.link.fileno()], [], [], LOOK)
                with self.link.cursor() as cursor:
                    cursor.execute("SELECT 1")
        except (psycopg2.Error, OSError, ValueError):
            self.lost.set()
            self.on_lost()
