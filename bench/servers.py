"""PostgreSQL and Redis of the wheels in a folder of their own, and Django set up on them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.config.demo.servers import postgres, redis


@contextmanager
def desk(kept: Path | None = None, *, fast: bool = False) -> Iterator[None]:
    """An empty, migrated database with the settings of production: every commit waits for the disk. `fast`: for what
    only reads, no commit waits, and filling writes no log. `kept`: a folder for the servers that stays; what stands
    there already is used again."""
    with tempfile.TemporaryDirectory(prefix="tickerdesk-bench-", ignore_cleanup_errors=True) as name:
        folder = kept or Path(name)
        with postgres(folder / "postgres", fast=fast) as url, redis(folder / "redis", fast=True) as bell:
            os.environ |= {
                "DATABASE_URL": url,
                "REDIS_URL": bell,
                "SECRET_KEY": "only-for-benchmarks-and-nothing-else-0123",
                "DJANGO_SETTINGS_MODULE": "curation.config.settings",
                "FEED_ROOT": str(folder / "feeds"),
                "STATIC_ROOT": str(folder / "static"),
                "LOG_LEVEL": "ERROR",
            }
            prepare()
            yield


def prepare() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
