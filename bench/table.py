"""What was measured, as a table, and its place in docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from django.db import connection

PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"


class Measured:
    """A figure of every round: `str` gives median (least to most)."""

    def __init__(self, figures: Sequence[float], places: int = 0) -> None:
        self.figures, self.places = figures, places

    @property
    def median(self) -> float:
        return median(self.figures)

    def __str__(self) -> str:
        middle, least, most = (f"{n:,.{self.places}f}" for n in (self.median, min(self.figures), max(self.figures)))
        return f"{middle} ({least} to {most})"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def circumstances(command: str) -> str:
    """Where and when: machine, versions, command."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0].split(" ")[0]
    when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    cores = f"{os.cpu_count()} cores ({processor()}), {memory()} GB"
    busy = f"{os.getloadavg()[0]:.1f} programs wanted a core"
    return f"`{command}`, {when}; {cores}, Python {platform.python_version()}, PostgreSQL {server}; {busy}."


def processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", read("/proc/cpuinfo"))
    return found[1] if found else platform.machine()


def memory() -> int:
    found = re.search(r"MemTotal:\s*(\d+)", read("/proc/meminfo"))
    return round(int(found[1]) / 2**20) if found else 0


def read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""


def keep(title: str, words: str) -> None:
    """Puts the section into the page in place of its last form; the others stay."""
    page = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n"
    section = f"## {title}\n\n{words.strip()}\n"
    old = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    page = old.sub(lambda _: section + "\n", page) if old.search(page) else f"{page.rstrip()}\n\n{section}"
    PAGE.write_text(page.rstrip() + "\n")


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock (of the slowest, where several work), and of the processors: ours and PostgreSQL's."""

    clock: float
    ours: float
    servers: float

    @property
    def work(self) -> float:
        return self.ours + self.servers
