"""The file LOG_SEALS: a line of JSON for each seal, appended and synced, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from curation.appended_file import AppendedFile, Stamp


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


class SealFile(AppendedFile):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._known: dict[str, Line] = {}
        self._stamp: Stamp | None = None

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
        if self._stamp is None or self._stamp != self.standing():
            self._known = {line.market: line for line in self.lines()}
            self._stamp = self.standing()
        return dict(self._known)

    def append(self, lines: Iterable[Line]) -> int:
        """Writes lines after the others and waits for the disk; returns how many. Raises OSError."""
        before, written = self.last(), []
        self._stamp = None  # until all is on the disk, what is known is doubtful

        def told() -> Iterator[bytes]:
            for line in lines:
                yield json.dumps(line._asdict()).encode()
                written.append(line)

        self.write(told())
        self._known = before | {line.market: line for line in written}
        self._stamp = self.standing()
        return len(written)


def line_of(market: str, seal: Any) -> Line:
    return Line(market, seal.number, seal.first_id, seal.last_id, seal.head)
