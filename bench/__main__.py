"""`python -m bench [rows]`: measures, prints and keeps the tables in docs/benchmarks.md, each on servers of its own."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from bench.servers import desk

ROWS = ("ingest", "approving", "queue", "events", "matching", "feed")
READ_ALONE = {"queue"}  # nothing waits for the disk there


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("rows", nargs="*", help=f"which rows: {', '.join(ROWS)} (all)")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--stored", type=int, nargs="*", help="tweets in the full databases; 0 leaves them out")
    asked.add_argument("--folder", type=Path, help="where the servers keep their files; else they are deleted")
    asked.add_argument("--dry", action="store_true", help="only print")
    told = asked.parse_args()
    if unknown := set(told.rows) - set(ROWS):
        asked.error(f"there is no row {', '.join(sorted(unknown))}")
    if len(told.rows) == 1:
        measure(told.rows[0], told)
    else:
        options = [word for word in sys.argv[1:] if word not in ROWS]
        for row in told.rows or ROWS:
            subprocess.run([sys.executable, "-m", "bench", row, *options], check=True)


def measure(row: str, told: argparse.Namespace) -> None:
    folder = [word for word in ("--folder", str(told.folder)) if told.folder]
    command = " ".join(["python -m bench", *(word for word in sys.argv[1:] if word not in folder)])
    with desk(told.folder, fast=row in READ_ALONE):
        title, words = import_module(f"bench.{row}").run(told.rounds, told.stored, command)
        print(f"\n## {title}\n\n{words}")
        if not told.dry:
            from bench.table import keep

            keep(title, words)


if __name__ == "__main__":
    main()
