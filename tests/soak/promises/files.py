"""Files of a history, written as it happens, by many threads."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Self


class Lines:
    """A line of JSON for each that is written."""

    def __init__(self, file: Path) -> None:
        self.opened = file.open("a")
        self.lock = threading.Lock()
        self.count = 0

    def write(self, told: dict[str, Any]) -> None:
        with self.lock:
            self.opened.write(json.dumps(told) + "\n")
            self.opened.flush()
            self.count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.opened.close()


class Bodies:
    """A file for each body, named by its hash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: set[str] = set()
        folder.mkdir(parents=True)

    def keep(self, body: bytes) -> str:
        name = sha256(body).hexdigest()
        if name not in self.known:
            (self.folder / name).write_bytes(body)
            self.known.add(name)
        return name


def whole_lines(file: Path) -> list[Any]:
    """What stands in the lines of a file whose writers died and met full disks: a torn line counts for nothing."""
    told = []
    for line in file.read_bytes().splitlines():
        with suppress(ValueError):
            told.append(json.loads(line))
    return told
