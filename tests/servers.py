"""pytest plugin (`-p tests.servers`): PostgreSQL for the whole run, Redis and a feed folder for each process.

Servers named from outside by DATABASE_URL or REDIS_URL are used as they are. Runs before pytest-django reads
the settings; xdist's workers inherit the addresses and get a Redis of their own, since its
channels know no database numbers. Where there are several workers, the migrations run once, in the server's own
database, while the workers collect; each then copies it.
"""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from curation.config.demo.servers import postgres, redis

ROOT = Path(__file__).parents[1]
OWN_REDIS = "TICKERDESK_TESTS_OWN_REDIS"
MIGRATED = "TICKERDESK_TESTS_MIGRATED"
PLAIN = {
    "SECRET_KEY": "only-for-tests-and-nothing-else-0123456789",
    "ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
    "SECURE": "false",
    "LOG_FORMAT": "plain",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    servers = ExitStack()
    early_config.add_cleanup(servers.close)
    start(servers, several=bool(getattr(early_config.known_args_namespace, "numprocesses", None)))
    return (yield)


def start(servers: ExitStack, *, several: bool = False) -> None:
    """Starts what is missing and names it in the environment; for several workers, the migrations too."""
    kept = tempfile.TemporaryDirectory(prefix="tickerdesk-tests-", ignore_cleanup_errors=True)
    folder = Path(servers.enter_context(kept))
    for name, setting in PLAIN.items():
        os.environ.setdefault(name, setting)
    os.environ["FEED_ROOT"] = str(folder / "feeds")
    os.environ["STATIC_ROOT"] = str(folder / "static")
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = servers.enter_context(postgres(folder / "postgres", fast=True))
        if several:
            os.environ[MIGRATED] = str(folder / "migrated")
            servers.callback(end, migrate(folder / "migrated"))
    if not os.environ.get("REDIS_URL") or os.environ.get(OWN_REDIS):
        os.environ[OWN_REDIS] = "yes"
        os.environ["REDIS_URL"] = servers.enter_context(redis(folder / "redis", fast=True))
        os.environ["CELERY_BROKER_URL"] = os.environ["REDIS_URL"]


def migrate(file: Path) -> subprocess.Popen[bytes]:
    """Begins the migrations; `file` is locked until they end."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "--no-input"]
        return subprocess.Popen(command, cwd=ROOT, pass_fds=[held.fileno()])


def end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def wait_until_migrated() -> None:
    """Returns where the migrations ended, well or not: whoever copies the database goes through them again."""
    with Path(os.environ[MIGRATED]).open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
