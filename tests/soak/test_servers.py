"""The tests of migrations, decisions, publishing, search and queues once more, on Debian's PostgreSQL and Redis: what
the demo and `make test` do not run on."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
import pytest

from curation.config.demo.ports import HOST, free_port
from curation.config.demo.program import Program, running
from curation.config.demo.servers import postgres_answers, redis_answers

pytestmark = pytest.mark.soak
ROOT = Path(__file__).resolve().parents[2]
SUBSET = (
    "tests/curation/test_deciding.py", "tests/curation/test_folding.py", "tests/curation/test_queue_pages.py",
    "tests/curation/test_sealing.py", "tests/curation/test_blocking.py", "tests/curation/ingest/test_exactly_once.py",
    "tests/feeds/test_publishing.py", "tests/feeds/test_selection.py", "tests/feeds/test_commits.py",
    "tests/feeds/test_metrics.py", "tests/config/test_migrations.py", "tests/config/test_logs_of_jobs.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def servers_here() -> None:
    told = subprocess.run([ROOT / ".ci/servers"], capture_output=True, text=True, timeout=300, check=False)
    if told.returncode:
        pytest.skip(f"Debian's servers are not tried: {told.stderr.strip().splitlines()[-1]}")
    if os.geteuid() != 0:
        pytest.skip("Debian's servers are not tried: only root can run them as their own users")


@contextmanager
def postgres(folder: Path, programs: Path) -> Iterator[str]:
    """A cluster of its own, as initdb of this version makes it; one may make databases in it."""
    owner = pwd.getpwnam("postgres")
    shutil.chown(folder, owner.pw_uid, owner.pw_gid)
    as_owner = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups", "--pdeathsig=QUIT"]
    rows, port = folder / "rows", free_port()
    make = [programs / "initdb", "-D", rows, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust"]
    subprocess.run([*as_owner, *make], check=True, capture_output=True, cwd="/")
    url = f"postgres://postgres@{HOST}:{port}/postgres"
    settings = (f"port={port}", f"listen_addresses={HOST}", "unix_socket_directories=", "fsync=off")
    command = (*as_owner, str(programs / "postgres"), "-D", str(rows), *(f"--{one}" for one in settings))
    yield from started(Program("postgres", tuple(map(str, command)), folder=Path("/"), log=folder.with_suffix(".log"),
                               url=url, ready=lambda: postgres_answers(url)))  # fmt: skip


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    port = free_port()
    url = f"redis://{HOST}:{port}/0"
    command = ("/usr/bin/redis-server", "--port", str(port), "--bind", HOST, "--save", "", "--dir", str(folder))
    yield from started(Program("redis", command, log=folder / "log", url=url, ready=lambda: redis_answers(url)))


def started(program: Program) -> Iterator[str]:
    with running(program, 60) as url:
        yield url


def version(url: str) -> int:
    """PostgreSQL's, as 15."""
    link = psycopg2.connect(url)
    try:
        return int(link.server_version // 10_000)
    finally:
        link.close()


def test_the_house_on_debians_servers(servers_here: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
    kept = {name: told for name, told in os.environ.items() if not name.startswith(("PYTEST_", "TICKERDESK_"))}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tickerdesk-servers-")))
        folder.chmod(0o711)
        bell = folder / "redis"
        bell.mkdir()
        kept["REDIS_URL"] = kept["CELERY_BROKER_URL"] = stack.enter_context(redis(bell))
        for programs in found:
            place = folder / programs.parent.name
            place.mkdir()
            with postgres(place, programs) as url:
                command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *SUBSET]
                done = subprocess.run(
                    command, cwd=ROOT, env=kept | {"DATABASE_URL": url}, capture_output=True, text=True
                )
                with capsys.disabled():
                    print(f"\nPostgreSQL {version(url)}: {done.stdout.strip().splitlines()[-1]}")
                assert done.returncode == 0, done.stdout[-4_000:]
