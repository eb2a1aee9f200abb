"""`python -m tests.defects [words]`: puts each defect into a copy of the code, alone, and sees that its tests notice.

The copy is of the last commit; nothing else is touched. Words pick the defects whose name holds one. Without words the
table is kept in docs/defects.md. Ends with 1 where a defect survives."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.config.demo.servers import postgres, redis
from tests.defects.kinds import Defect
from tests.defects.listed import LISTED
from tests.defects.telling import write_table
from tests.defects.trying import Copy, Tried, broken


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.defects", description=__doc__)
    asked.add_argument("words", nargs="*", help="pick defects by words of their names")
    asked.add_argument("--soak", action="store_true", help="those too that a long run alone notices")
    told = asked.parse_args()
    chosen = [one for one in LISTED if (told.soak or not one.soak) and fits(one, told.words)]
    if not chosen:
        asked.error("no defect has such a name")
    with copy_with_servers() as copy:
        for one in chosen:
            one.spoiled(copy.text_of(one.file))
        print(f"{len(chosen)} defects; first their tests without any", flush=True)
        if wrong := broken(copy.run(sorted({test for one in chosen for test in one.tests}), seconds=3600)):
            print(f"These fail without a defect: {', '.join(wrong)}")
            return 1
        tried = [shown(copy.tried(one)) for one in chosen]
    if not told.words:
        write_table(tried)
    survivors = [one.defect.name for one in tried if not one.caught]
    print(f"{len(tried) - len(survivors)} of {len(tried)} caught" + "".join(f"\nsurvives: {one}" for one in survivors))
    return 1 if survivors else 0


def fits(defect: Defect, words: list[str]) -> bool:
    return not words or any(word.lower() in defect.name.lower() for word in words)


def shown(tried: Tried) -> Tried:
    by = ", ".join(tried.caught) or f"SURVIVES ({tried.said})"
    print(f"{tried.seconds:4.0f} s  {tried.defect.name}: {by}", flush=True)
    return tried


@contextmanager
def copy_with_servers() -> Iterator[Copy]:
    """A copy of the last commit with a PostgreSQL and a Redis for all its tests."""
    kept = tempfile.TemporaryDirectory(prefix="tickerdesk-defects-", ignore_cleanup_errors=True)
    with kept as name, postgres(Path(name) / "postgres", fast=True) as database, redis(Path(name) / "redis") as bell:
        copy = Copy(Path(name) / "tickerdesk", os.environ | {"REDIS_URL": bell, "CELERY_BROKER_URL": bell}, database)
        try:
            yield copy
        finally:
            copy.end()


if __name__ == "__main__":
    sys.exit(main())
