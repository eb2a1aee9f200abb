"""A file to which whole lines are appended and synced, never changed; one writer at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

MODE = 0o640
Stamp = tuple[int, int, int]


class AppendedFile:
    """The file at a path, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def exists(self) -> bool:
        return self.path.is_file()

    def size(self) -> int:
        return self.path.stat().st_size if self.exists() else 0

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One writer at a time, over all programs of this machine."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("w") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            yield

    def write(self, lines: Iterable[bytes]) -> None:
        """Puts lines after the others and waits for the disk. Raises OSError."""
        with self._opened() as end:
            for line in lines:
                _write(end, line + b"\n")

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The end of the file. A line that a dying writer left torn is closed first."""
        new = not self.exists()
        end = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, MODE)
        try:
            size = os.fstat(end).st_size
            if size and os.pread(end, 1, size - 1) != b"\n":
                os.write(end, b"\n")
            yield end
            os.fsync(end)
        finally:
            os.close(end)
        if new:
            sync_folder(self.path.parent)

    def standing(self) -> Stamp | None:
        """Another one when somebody touched the file."""
        if not self.exists():
            return None
        told = self.path.stat()
        return told.st_ino, told.st_size, told.st_mtime_ns


def _write(end: int, raw: bytes) -> None:
    """All of it: a disk that fills takes a part and complains at the next one."""
    while raw:
        raw = raw[os.write(end, raw) :]


def sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
