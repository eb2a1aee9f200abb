"""Brings a backup back: into a database aside, which takes its name once nothing in it can be published or read by who
may no more. Killed before that, it leaves nothing that a process could start on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg2.sql import SQL, Identifier

from curation.appended_file import MODE, sync_folder
from curation.seal_file import Line, SealFile
from feeds.backups import counting
from feeds.backups.aftermath import Aftermath, make_safe
from feeds.backups.manifest import DUMP, SEALS, Manifest, verify
from feeds.backups.programs import Database, Failed, anywhere, program, run, server_version

Say = Callable[[str], None]


@dataclass(frozen=True)
class Restored:
    """`kept`: the name under which the database stands that was there before."""

    manifest: Manifest
    aftermath: Aftermath
    kept: str = ""
    seals_kept: Path | None = None


def restore(folder: Path, *, replace: str = "", now: datetime, say: Say) -> Restored:
    """Restores a backup into the database that DATABASE_URL names, which is missing, empty, or named by `replace`.

    Everything is looked at before anything is touched. Raises Failed."""
    target = Database.ours()
    say("Reading the backup ...")
    manifest = verify(folder)
    check_migrations(manifest)
    restorer = program("pg_restore", max(manifest.server, server_version()) // 10000)
    check_server(manifest)
    check_target(target, replace)
    aside = Database(f"{target.name}_restoring")
    try:
        make_empty(aside)
        say(f"Restoring into {aside.name} ...")
        jobs = min(4, os.cpu_count() or 1)
        told = ["--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={jobs}", f"--dbname={aside.address}"]
        run(restorer, *told, str(folder / DUMP))
        check_rows(aside, manifest)
        with working_on(aside):
            say("Bringing it up to date ...")
            call_command("migrate", verbosity=0, interactive=False)
            say("Closing publishing, ending sessions and tokens, erasing who was erased since ...")
            aftermath = make_safe(now=now)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        check_target(target, replace)
        seals = lay_out(folder / SEALS)
        kept = swap(target, aside, now)
    except psycopg2.Error as error:
        raise Failed(f"PostgreSQL refused: {str(error).strip()}.") from error
    except OSError as error:
        raise Failed(f"Nothing was replaced: {error}.") from error
    try:
        return Restored(manifest, aftermath, kept, put_seals(seals, now))
    except OSError as error:
        raise Failed(
            f"The database is restored, and the file of seals is not in its place: {error}. Before anything is started,"
            f" put {seals} in the place of {settings.LOG_SEALS}, and keep the old one; then read on in docs/backup.md."
        ) from error


# --- looked at first ---------------------------------------------------------------------------------------------
def check_migrations(manifest: Manifest) -> None:
    known = set(MigrationLoader(None).disk_migrations)
    strange = sorted(
        f"{app}.{name}" for app, names in manifest.migrations.items() for name in names if (app, name) not in known
    )
    if strange:
        raise Failed(
            f"The backup is of a newer version, with {strange[0]} and {len(strange) - 1} more migrations that this"
            " one does not know: install that version first."
        )


def check_server(manifest: Manifest) -> None:
    made, here = manifest.server // 10000, server_version() // 10000
    if here < made:
        raise Failed(f"The backup is of PostgreSQL {made}, and this server is {here}: it must not be older.")
    with anywhere() as cursor:
        cursor.execute("SELECT rolcreatedb OR rolsuper, rolname FROM pg_roles WHERE rolname = current_user")
        may, role = cursor.fetchone()
    if not may:
        raise Failed(f"The role {role} may not make databases: as an administrator, ALTER ROLE {role} CREATEDB;")


def check_target(target: Database, replace: str) -> None:
    """There must be nothing in it unless it was named, and nobody at it."""
    if replace and replace != target.name:
        raise Failed(f"DATABASE_URL names the database {target.name}, not {replace}. Nothing was changed.")
    if not target.is_there():
        return
    if not replace:
        with target.opened() as cursor:
            if not counting.is_empty(cursor):
                raise Failed(
                    f"The database {target.name} is not empty. To put the backup in its place (it is kept under another"
                    f" name) add --replace {target.name}. Nothing was changed."
                )
    connection.close()
    with anywhere() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [target.name])
        if others := cursor.fetchone()[0]:
            raise Failed(
                f"{others} connections to {target.name} are open: stop everything (systemctl stop tickerdesk.target)."
            )


# --- aside -------------------------------------------------------------------------------------------------------
def make_empty(database: Database) -> None:
    """A new one; what an earlier attempt left goes."""
    with anywhere() as cursor:
        cursor.execute(SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(Identifier(database.name)))
        statement = SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
        cursor.execute(statement.format(Identifier(database.name)))


def check_rows(database: Database, manifest: Manifest) -> None:
    with database.opened() as cursor:
        if counting.rows_of(cursor) != manifest.rows or counting.heads_of(cursor) != manifest.heads:
            raise Failed(f"{database.name} does not hold what the backup's manifest tells. Nothing was changed.")


@contextmanager
def working_on(database: Database) -> Iterator[None]:
    """Django's connection leads there meanwhile, and no statement is too slow."""
    mine: dict[str, Any] = connection.settings_dict
    options = mine["OPTIONS"] | {"options": "-c lock_timeout=5s"}
    connection.close()
    connection.settings_dict = mine | {"NAME": database.name, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = mine


# --- in its place ------------------------------------------------------------------------------------------------
def swap(target: Database, aside: Database, now: datetime) -> str:
    """In one transaction: who starts finds the one or the other. Gives the name that the earlier one has now; an empty
    one is dropped."""
    there, kept = target.is_there(), f"{target.name}_before_{now:%Y%m%d_%H%M%S}"
    empty = False
    if there:
        with target.opened() as cursor:
            empty = counting.is_empty(cursor)
    with anywhere() as cursor:
        cursor.execute("BEGIN")
        if there:
            cursor.execute(renamed(target.name, kept))
        cursor.execute(renamed(aside.name, target.name))
        cursor.execute("COMMIT")
        if empty:
            cursor.execute(SQL("DROP DATABASE {}").format(Identifier(kept)))
    return kept if there and not empty else ""


def renamed(name: str, new: str) -> Any:
    return SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(name), Identifier(new))


def lay_out(seals: Path) -> Path:
    """The backup's seals beside LOG_SEALS, whole on the disk, so that a rename is all that is left to do."""
    file = Path(settings.LOG_SEALS)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT, MODE), "wb") as opened:
        opened.write(seals.read_bytes())
        opened.flush()
        os.fsync(opened.fileno())
    return new


def put_seals(new: Path, now: datetime) -> Path | None:
    """The file LOG_SEALS as the backup has it, so that the chain goes on; the longer one that was there is kept: it
    tells which decisions the backup lacked. Gives where."""
    file, kept = Path(settings.LOG_SEALS), None
    if file.is_file():
        if file.read_bytes() == new.read_bytes():
            new.unlink()
            return None
        kept = file.with_name(f"{file.name}.before-{now:%Y%m%d-%H%M%S}")
        file.rename(kept)
    new.rename(file)
    sync_folder(file.parent)
    return kept


@dataclass(frozen=True)
class Lost:
    """Seals of a market that the file from before the restore has and the backup lacks."""

    first: Line
    last: Line


def lost_since(kept: SealFile) -> tuple[list[Lost], list[Line]]:
    """What is lost of each market; and seals of which file and backup had different heads, which no restore explains:
    one of the two was tampered with, or is another database's."""
    ends, lost, strange = SealFile(Path(settings.LOG_SEALS)).last(), dict[str, Lost](), []
    for line in kept.lines():
        end = ends.get(line.market)
        if end is None or line.number > end.number:
            lost[line.market] = Lost(lost[line.market].first if line.market in lost else line, line)
        elif line.number == end.number and line.head != end.head:
            strange.append(line)
    return list(lost.values()), strange
