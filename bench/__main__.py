"""`python -m bench [rows]`: measures, prints and keeps the table in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from bench.servers import desk

ROWS = ("ingest", "approving")


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("rows", nargs="*", help=f"which rows: {', '.join(ROWS)} (all)")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--stored", type=int, default=5_000_000, help="tweets in the full database; 0 leaves it out")
    asked.add_argument("--dry", action="store_true", help="only print")
    told = asked.parse_args()
    if unknown := set(told.rows) - set(ROWS):
        asked.error(f"there is no row {', '.join(sorted(unknown))}")
    command = " ".join(["python -m bench", *sys.argv[1:]])
    with desk():
        for row in told.rows or ROWS:
            title, words = import_module(f"bench.{row}").run(told.rounds, told.stored, command)
            print(f"\n## {title}\n\n{words}")
            if not told.dry:
                from bench.table import keep

                keep(title, words)


if __name__ == "__main__":
    main()
