"""The handbook's own lines for a point in time, on Debian's PostgreSQL: settings, base backup, archive, recovery.

Skipped where PostgreSQL 15 of Debian is not installed, or no other account than root can be taken."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core.management import call_command
from django.db import connection

from curation.config.demo.ports import free_port
from curation.config.demo.program import Program, eventually, running
from curation.config.demo.rights import before_exec, owner_of, reaches
from curation.config.env import database
from curation.models import Candidate, Tweet
from feeds.models import Closure
from tests.cast import channel_of, make_candidate
from tests.soak.drill import HANDBOOK, lines_of

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SECTION = HANDBOOK.split("\n## To a point in time\n")[1].split("\n## ")[0]
SETTINGS = re.compile(r"^ {4}(\w+ = .*)$", re.MULTILINE)
SHELL = re.compile(r"^ {4}((?:pg_|cp |echo |touch ).*)$", re.MULTILINE)


class Cluster:
    """A PostgreSQL 15 of its own, in a folder that its account reaches, with the handbook's paths moved there."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.owner, self.port = folder, owner_of(folder), free_port()
        self.places = {
            "/var/lib/postgresql/15/main": folder / "main",
            "/var/backups/wal": folder / "wal",
            "/var/backups/base": folder / "base",
        }
        self.url = f"postgres://tickerdesk@127.0.0.1:{self.port}/tickerdesk"
        for one in (folder, folder / "wal", folder / "base"):
            one.mkdir(mode=0o700, exist_ok=True)
            if self.owner:
                shutil.chown(one, self.owner.uid, self.owner.gid)

    @property
    def data(self) -> Path:
        return self.folder / "main"

    def moved(self, line: str) -> str:
        for place, here in self.places.items():
            line = line.replace(place, str(here))
        return line

    def shell(self, line: str) -> None:
        told = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "PGHOST": "127.0.0.1", "PGPORT": str(self.port)}
        told["PGUSER"] = "tickerdesk"
        done = subprocess.run(
            self.moved(line), shell=True, cwd="/", env=told, capture_output=True, text=True, check=False,
            preexec_fn=before_exec(9, self.owner),
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stdout, done.stderr)

    def initialise(self) -> None:
        self.shell(f"initdb -D {self.data} -U tickerdesk --auth=trust -E UTF8 --locale=C.UTF-8 --no-instructions")
        settings = "\n".join(map(self.moved, SETTINGS.findall(SECTION)))
        with (self.data / "postgresql.conf").open("a") as out:
            out.write(settings.replace("archive_timeout = 60", "archive_timeout = 1") + "\n")

    @contextmanager
    def runs(self) -> Iterator[None]:
        command = (str(PROGRAMS / "postgres"), "-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", "")
        program = Program(
            "postgres", command, folder=Path("/"), log=self.folder / "log", stop_signal=2, owner=self.owner,
            ready=lambda: self.says("select not pg_is_in_recovery()", "postgres") is True,
        )  # fmt: skip
        with running(program, 120):
            yield

    def says(self, statement: str, name: str = "tickerdesk") -> Any:
        try:
            link = psycopg2.connect(self.url.rsplit("/", 1)[0] + "/" + name)
        except psycopg2.OperationalError:
            return None
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement)
            told = cursor.fetchone()[0] if cursor.description else None
        link.close()
        return told

    @contextmanager
    def connected(self) -> Iterator[None]:
        mine = connection.settings_dict
        connection.close()
        connection.settings_dict = mine | database(self.url)
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict = mine


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    if not (PROGRAMS / "postgres").exists():
        pytest.skip("recovery to a point in time is not tried: the package postgresql-15 is not installed")
    folder = tmp_path_factory.mktemp("cluster")
    owner = owner_of(folder)
    for parent in folder.parents:
        if owner and parent.is_relative_to(tmp_path_factory.getbasetemp().parent) and not reaches(owner, folder):
            parent.chmod(parent.stat().st_mode | 0o011)
    if owner and not reaches(owner, folder):
        pytest.skip(f"recovery to a point in time is not tried: its account does not reach {folder}")
    return Cluster(folder)


def test_the_handbooks_lines_bring_the_database_back_to_a_moment(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, verify, *back = SHELL.findall(SECTION)
    assert (base.split()[0], verify.split()[0], len(back)) == ("pg_basebackup", "pg_verifybackup", 5)
    cluster.initialise()
    with cluster.runs():
        cluster.says("CREATE DATABASE tickerdesk", "postgres")
        with cluster.connected():
            call_command("migrate", verbosity=0)
            politics = channel_of("de", "politics")
            make_candidate(politics, "vor der Sicherung", state="approved")
        cluster.shell(base)
        cluster.shell(verify)
        with cluster.connected():
            make_candidate(channel_of("de", "politics"), "nach der Sicherung", state="approved")
        time.sleep(1.1)
        moment = str(cluster.says("select now()"))
        time.sleep(1.1)
        cluster.says("TRUNCATE regions_membership CASCADE")  # the mishap
        cluster.says("DELETE FROM curation_candidate")
        last = cluster.says("select pg_walfile_name(pg_switch_wal())")
        assert eventually(lambda: (cluster.folder / "wal" / str(last)).exists(), 60), "the archive does not get on"
    shutil.move(cluster.data, cluster.folder / "kept")
    began = time.monotonic()
    for line in back:
        cluster.shell(line.replace("2026-03-01 13:59:00+00", moment))
    with cluster.runs():
        recovered = time.monotonic() - began
        [safe] = [line for line in lines_of("To a point in time") if "--recovered" in line]
        with cluster.connected():
            assert texts() == ["vor der Sicherung", "nach der Sicherung"]
            assert Candidate.objects.count() == 2
            assert not Closure.objects.exists()
            call_command(*safe[1:2], recovered=safe[3])
            assert Closure.objects.standing().count() == 1
            made = tmp_path / "kept"
            call_command("backup", made)
        with capsys.disabled():
            print(f"\nrecovered on PostgreSQL {cluster.says('show server_version')} in {recovered:.1f} s")


def texts() -> list[str]:
    return list(Tweet.objects.order_by("pk").values_list("text", flat=True))
