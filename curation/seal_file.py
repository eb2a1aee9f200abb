"""The file LOG_SEALS: a line of JSON for each seal, appended and synced, never changed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

Stamp = tuple[int, int, int]


class Line(NamedTuple):
    """What the file says of a seal: the market's code, its number, the ids of its decisions, its head."""

    market: str
    number: int
    first: int
    last: int
    head: str


KINDS = {name: int if name in ("number", "first", "last") else str for name in Line._fields}


def line_in(raw: bytes) -> Line | None:
    """The seal in a line of the file, or of the log; None for any other line, a torn one too."""
    try:
        told = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(told, dict) or any(not isinstance(told.get(name), kind) for name, kind in KINDS.items()):
        return None
    return Line(**{name: told[name] for name in KINDS})


class SealFile:
    """The file at a path, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._known: dict[str, Line] = {}
        self._stamp: Stamp | None = None

    def exists(self) -> bool:
        return self.path.is_file()

    def size(self) -> int:
        return self.path.stat().st_size if self.exists() else 0

    def lines(self, market: str | None = None, *, size: int | None = None) -> Iterator[Line]:
        """Seals in the file's order, of one market or of all, within its first `size` bytes."""
        left = self.size() if size is None else size
        wanted = f'"{market}"'.encode() if market else b""
        if left:
            with self.path.open("rb") as opened:
                for raw in opened:
                    left -= len(raw)
                    line = line_in(raw) if wanted in raw and left >= 0 else None
                    if line and market in (None, line.market):
                        yield line
                    if left <= 0:
                        return

    def last(self) -> dict[str, Line]:
        """The last line of each market by its code. Read again only when somebody else touched the file."""
        if self._stamp is None or self._stamp != self._standing():
            self._known = {line.market: line for line in self.lines()}
            self._stamp = self._standing()
        return dict(self._known)

    def append(self, lines: Iterable[Line]) -> int:
        """Writes lines after the others and waits for the disk; returns how many. Raises OSError."""
        before, written = self.last(), []
        with self._opened() as end:
            for line in lines:
                _write(end, json.dumps(line._asdict()).encode() + b"\n")
                written.append(line)
        self._known = before | {line.market: line for line in written}
        self._stamp = self._standing()
        return len(written)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over all programs of this machine."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("w") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The end of the file. A line that a dying writer left torn is closed first."""
        self._stamp = None  # until all is on the disk, what is known is doubtful
        new = not self.exists()
        end = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            size = os.fstat(end).st_size
            if size and os.pread(end, 1, size - 1) != b"\n":
                os.write(end, b"\n")
            yield end
            os.fsync(end)
        finally:
            os.close(end)
        if new:
            _sync_folder(self.path.parent)

    def _standing(self) -> Stamp | None:
        if not self.exists():
            return None
        told = self.path.stat()
        return told.st_ino, told.st_size, told.st_mtime_ns


def _write(end: int, raw: bytes) -> None:
    """All of it: a disk that fills takes a part and complains at the next one."""
    while raw:
        raw = raw[os.write(end, raw) :]


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def line_of(market: str, seal: Any) -> Line:
    return Line(market, seal.number, seal.first_id, seal.last_id, seal.head)
