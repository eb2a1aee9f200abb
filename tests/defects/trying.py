"""A copy of the code in which defects are tried, one at a time."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import tarfile
import time
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from curation.config.demo.catalogues import compile_changed
from tests.defects.kinds import ROOT, Defect
from tests.servers import PLAIN

LONGEST = 600  # seconds for the tests of one defect
# What a line of code that cannot work at all ends with: no test has noticed anything then.
NONSENSE = (
    "NameError", "ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "TemplateSyntaxError",
    "FieldError",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """How a run of tests ended: `code` is pytest's, `failed` says by test what it said, `errors` what never began."""

    code: int
    failed: dict[str, str]
    errors: list[str]
    last: str = ""


@dataclass(frozen=True)
class Tried:
    """A defect, the tests that noticed it, and what the run said."""

    defect: Defect
    caught: list[str]
    seconds: float
    said: str


def broken(ran: Ran) -> list[str]:
    """Why a run is not clean; empty where it is."""
    return [*ran.failed, *ran.errors] or ([f"pytest ended with {ran.code}: {ran.last}"] if ran.code else [])


class Copy:
    """The last commit in a folder of its own, with a database that each run gets anew."""

    def __init__(self, folder: Path, environment: dict[str, str], database: str) -> None:
        self.folder, self.address, self.name = folder, *database.rsplit("/", 1)
        self.environment = {**PLAIN, **environment, "DATABASE_URL": database}
        packed = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        (folder / ".venv").symlink_to(ROOT / ".venv")
        compile_changed(folder / "locale")
        self.changes = 0
        self.forking: subprocess.Popen[bytes] | None = None
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
        subprocess.run(migrate, cwd=folder, env=self.environment, check=True)
        self._ask(f'ALTER DATABASE "{self.name}" RENAME TO "{self.name}_first"')

    def text_of(self, file: str) -> str:
        return (self.folder / file).read_text()

    def tried(self, defect: Defect) -> Tried:
        """Puts a defect in, runs its tests, takes it out again."""
        text, began = self.text_of(defect.file), time.monotonic()
        self._write(defect.file, defect.spoiled(text))
        try:
            ran = self.run(list(defect.tests), "-x", *(["-m", "soak"] if defect.soak else []))
        finally:
            self._write(defect.file, text)
        noticed = {test for test, said in ran.failed.items() if not said.startswith(NONSENSE)}
        caught = sorted(noticed) if ran.code == 1 else []
        return Tried(defect, caught, time.monotonic() - began, "; ".join(ran.failed.values()) or ran.last)

    def run(self, tests: list[str], *options: str, seconds: float = LONGEST) -> Ran:
        """Runs tests on a database as the migrations leave it."""
        self._renew()
        report, printed = self.folder / "report.xml", self.folder / "printed"
        report.unlink(missing_ok=True)
        words = ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--reuse-db", f"--junitxml={report}", *options]
        code = self._code_of([*words, *tests], printed, seconds)
        failed, errors = read(report)
        return Ran(code, failed, errors, "".join(printed.read_text(errors="replace").strip().splitlines()[-1:]))

    def _code_of(self, words: list[str], printed: Path, seconds: float) -> int:
        """What pytest ends with; -1 where it does not end."""
        forking = self.forking or self._start()
        assert forking.stdin and forking.stdout
        forking.stdin.write(json.dumps([words, str(printed)]).encode() + b"\n")
        forking.stdin.flush()
        if select.select([forking.stdout], [], [], seconds)[0] and (told := forking.stdout.readline()):
            return int(told)
        self.end()
        return -1

    def _start(self) -> subprocess.Popen[bytes]:
        self.forking = subprocess.Popen(
            [sys.executable, "tests/defects/forking.py"], cwd=self.folder, env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        return self.forking

    def end(self) -> None:
        """With all that its tests started."""
        if self.forking:
            os.killpg(self.forking.pid, signal.SIGKILL)
            self.forking.wait()
            self.forking = None

    def _write(self, file: str, text: str) -> None:
        """Each time with an mtime of its own, by which Python knows what it compiled."""
        (self.folder / file).write_text(text)
        self.changes += 1
        moment = time.time() - 1_000_000 + 10 * self.changes
        os.utime(self.folder / file, (moment, moment))

    def _renew(self) -> None:
        """The tests' database, a copy of the migrated one: PostgreSQL takes half a second for it. Tests of which none
        is marked as needing one look at that without the prefix."""
        for name in (self.name, f"test_{self.name}"):
            self._ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            self._ask(f'CREATE DATABASE "{name}" TEMPLATE "{self.name}_first"')

    def _ask(self, statement: str) -> None:
        link = psycopg2.connect(f"{self.address}/postgres")
        link.autocommit = True
        try:
            with link.cursor() as cursor:
                cursor.execute(statement)
        finally:
            link.close()


def read(report: Path) -> tuple[dict[str, str], list[str]]:
    """What failed in a test, with the first line that it said; and what failed before or after one."""
    failed: dict[str, str] = {}
    errors: list[str] = []
    for case in ET.parse(report).iter("testcase") if report.exists() else ():
        name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
        if (failure := case.find("failure")) is not None:
            failed[name] = failure.get("message", "").partition("\n")[0]
        elif case.find("error") is not None:
            errors.append(name)
    return failed, errors
