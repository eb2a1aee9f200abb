"""Takes a backup: written aside, and in its place only when it is whole and on the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg2
from django.conf import settings

from curation.appended_file import sync_folder
from feeds.backups import counting
from feeds.backups.manifest import DUMP, MANIFEST, SEALS, Manifest, moment_in, name_of, standing_of, verify
from feeds.backups.programs import Database, Failed, program, run, server_version

UNFINISHED = ".new"


def take(root: Path, *, now: datetime) -> Path:
    """A new folder below `root` with the database as it is at one moment. Others go on working. Raises Failed."""
    version = server_version()
    dump = program("pg_dump", version // 10000)
    with one_at_a_time(root):
        for left in root.glob(f"tickerdesk-*{UNFINISHED}"):
            shutil.rmtree(left)
        folder = root / name_of(now)
        if folder.exists():
            raise Failed(f"{folder} is there already.")
        new = folder.with_name(folder.name + UNFINISHED)
        new.mkdir(mode=0o700)
        try:
            write_into(new, dump, version)
            new.rename(folder)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        sync_folder(root)
    verify(folder)
    return folder


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (root / ".lock").open("w") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise Failed(f"Another backup is being written to {root}.") from None
    except OSError as error:
        raise Failed(f"The backup cannot be written: {error}.") from error


def write_into(new: Path, dump: Path, version: int) -> None:
    """The seals first: the database then has all of which the file tells."""
    seals = Path(settings.LOG_SEALS)
    (new / SEALS).write_bytes(seals.read_bytes() if seals.is_file() else b"")
    try:
        with Database.ours().opened() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot(), now()")
            snapshot, moment = cursor.fetchone()
            spared = [f"--exclude-table-data=public.{table}" for table in counting.TRANSIENT]
            told = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", *spared]
            run(dump, *told, f"--file={new / DUMP}", f"--dbname={Database.ours().address}")
            manifest = Manifest(
                made_at=moment.isoformat(),
                server=version,
                migrations=counting.migrations_of(cursor),
                rows=counting.rows_of(cursor),
                heads=counting.heads_of(cursor),
                files={name: standing_of(new / name) for name in (DUMP, SEALS)},
            )
    except psycopg2.Error as error:
        raise Failed(f"The database cannot be read: {str(error).strip()}.") from error
    (new / MANIFEST).write_text(manifest.text())
    for name in (DUMP, SEALS, MANIFEST):
        through_to_disk(new / name)
    sync_folder(new)


def through_to_disk(file: Path) -> None:
    file.chmod(0o600)
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def forget(root: Path, *, keep: int | None, days: int | None, now: datetime) -> list[Path]:
    """Removes backups beyond the newest `keep`, and those older than `days`; never the newest. Gives which."""
    dated = {folder: moment_in(folder.name) for folder in root.iterdir() if folder.is_dir()}
    newest_first = sorted(((at, folder) for folder, at in dated.items() if at), reverse=True)
    gone = [
        folder
        for place, (at, folder) in enumerate(newest_first)
        if place and ((keep is not None and place >= keep) or (days is not None and at < now - timedelta(days=days)))
    ]
    for folder in gone:
        aside = folder.rename(folder.with_name(folder.name + UNFINISHED))  # half of one is never taken for a backup
        shutil.rmtree(aside)
    return gone
