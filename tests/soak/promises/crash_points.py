"""Named points at which a process of the house dies, or meets a full disk, when it is told to. Nothing of the product
is touched: `site/sitecustomize.py`, on PYTHONPATH, wraps what Python calls there.

    commit  a transaction of psycopg2       rename  os.rename, os.replace
    send    bytes that leave for Redis      ask     bytes that leave for X

An order is a file in CRASH_ORDERS named after CRASH_NAME: `before commit 3` kills the first process of that name that
comes to its third commit from then on. `full disk` lasts until it is taken back, and makes every fsync fail."""

from __future__ import annotations

import errno
import os
import signal
import socket
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

POINTS = ("commit", "rename", "send", "ask")
WHEN = ("before", "after")
FULL = "full disk"
DIED, WORKING = "died", ".working"  # who died of an order; a file for each name that came to any point at all


class Orders:
    """What this process was told, read at each point: children take part as soon as they are forked."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file, self.died = folder / name, folder / DIED
        self.order = ""
        self.counted = 0
        self.begun = False

    def standing(self) -> str:
        try:
            told = self.file.read_text()
        except FileNotFoundError:
            told = ""
        if told != self.order:
            self.order, self.counted = told, 0
        return told

    def reached(self, when: str, point: str) -> None:
        if not self.begun:
            self.begun = True
            self.file.with_suffix(WORKING).touch()
        told = self.standing().split()
        if told[:2] != [when, point]:
            return
        self.counted += 1
        if self.counted < int(told[2]):
            return
        try:
            self.file.unlink()  # whoever takes the order dies of it, and nobody else
        except FileNotFoundError:
            return
        line = f"{when} {point} {told[2]} {self.file.name} {os.getpid()}\n"
        ended = os.open(self.died, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(ended, line.encode())
        os.kill(os.getpid(), signal.SIGKILL)

    def around(self, point: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def wrapped(*args: Any, **named: Any) -> Any:
            self.reached("before", point)
            told = call(*args, **named)
            self.reached("after", point)
            return told

        return wrapped


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def install(folder: Path, name: str, redis: str, x: str) -> None:
    """Wraps commits, renames, sends and fsync of this process and its children."""
    orders = Orders(folder, name)
    os.replace = orders.around("rename", os.replace)
    os.rename = orders.around("rename", os.rename)
    _wrap_sends(orders, {port_of(redis): "send", port_of(x): "ask"})
    _wrap_commits(orders)
    _wrap_fsync(orders)


def _wrap_commits(orders: Orders) -> None:
    import psycopg2
    from psycopg2.extensions import connection

    class Doomed(connection):  # type: ignore[misc]
        def commit(self) -> None:
            orders.reached("before", "commit")
            super().commit()
            orders.reached("after", "commit")

    connect = psycopg2.connect

    @wraps(connect)
    def connecting(*args: Any, **named: Any) -> Any:
        return connect(*args, **{"connection_factory": Doomed} | named)

    psycopg2.connect = connecting


def _wrap_sends(orders: Orders, points: dict[int, str]) -> None:
    sendall = socket.socket.sendall

    @wraps(sendall)
    def sending(self: socket.socket, *args: Any) -> None:
        point = points.get(_peer(self), "")
        if point:
            orders.reached("before", point)
        sendall(self, *args)
        if point:
            orders.reached("after", point)

    socket.socket.sendall = sending  # type: ignore[method-assign,assignment]


def _peer(connected: socket.socket) -> int:
    try:
        return int(connected.getpeername()[1])
    except (OSError, IndexError, TypeError, ValueError):
        return 0


def _wrap_fsync(orders: Orders) -> None:
    fsync = os.fsync

    @wraps(fsync)
    def syncing(file: Any) -> None:
        if orders.standing() == FULL:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(file)

    os.fsync = syncing
