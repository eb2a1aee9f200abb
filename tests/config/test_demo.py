"""`python -m curation.config.demo` says in one sentence why it cannot start; its servers survive a kill."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from redis import Redis

from curation.config.demo.options import ROOT, Options
from curation.config.demo.ports import remembered_ports
from curation.config.demo.program import Program, eventually, running
from curation.config.demo.programs import processes
from curation.config.demo.servers import postgres_program, redis_program

HOLDER = """
import fcntl, sys
lock = open(sys.argv[1], "a")
fcntl.flock(lock, fcntl.LOCK_EX)
print("process 7, port 8000", file=lock, flush=True)
print("locked", flush=True)
input()
"""
FOREIGN = ("DATABASE_", "REDIS_", "CELERY_", "X_", "PORT", "DEMO_DIR")


def demo(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo where it must refuse; whatever it does, not for long."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environ |= {"DEMO_DIR": str(folder), "PORT": "1"} | variables
    command = [sys.executable, "-m", "curation.config.demo"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=20)


def refusal(folder: Path, **variables: str) -> str:
    """The one sentence; there is nothing else, and the exit code is 1."""
    done = demo(folder, **variables)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    return done.stderr.strip()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, taken: int) -> None:
    sentence = f"Port {taken} is taken by another program: end that, or set PORT to another number."
    assert refusal(tmp_path, PORT=str(taken)) == f"The demo cannot run. {sentence}"
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_a_port_that_is_no_number(tmp_path: Path) -> None:
    assert refusal(tmp_path, PORT="http") == "The demo cannot run. PORT must be a number from 1 to 65535, not 'http'."


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "demo"
    sentence = f"The folder {folder} cannot be written to (Not a directory): set DEMO_DIR."
    assert refusal(folder) == f"The demo cannot run. {sentence}"


@pytest.mark.parametrize(("one", "other"), [("X_API_BASE_URL", "X_BEARER_TOKEN"), ("X_BEARER_TOKEN", "X_API_BASE_URL")])
def test_half_an_x(tmp_path: Path, one: str, other: str) -> None:
    sentence = f"{one} is set but {other} is not: set both to read from X, or neither for the demo's own X."
    assert refusal(tmp_path, **{one: "https://x.example"}) == f"The demo cannot run. {sentence}"


def test_a_second_demo_in_the_same_folder(tmp_path: Path) -> None:
    holder = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(holder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout and first.stdout.readline()
        sentence = f"A demo runs already in {tmp_path} (process 7, port 8000): end it first, or set DEMO_DIR."
        assert refusal(tmp_path) == f"The demo cannot run. {sentence}"
        first.communicate(b"\n")


def test_ports_are_remembered_while_they_are_free(tmp_path: Path) -> None:
    names = ("postgres", "redis")
    first = remembered_ports(tmp_path / "ports.json", names)
    assert remembered_ports(tmp_path / "ports.json", names) == first
    with socket.create_server(("127.0.0.1", first["redis"])):
        second = remembered_ports(tmp_path / "ports.json", names)
    assert second["postgres"] == first["postgres"] and second["redis"] != first["redis"]


def test_the_demo_runs_what_the_operators_page_lists(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    listed = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    options = Options(folder=tmp_path, port=8000, given={}, own_x=True)
    run = [program.name for program in processes(options, {"events": 8001}, {})]
    assert run == ["web", "events", "publisher", "worker", "beat", "stream"]
    assert listed[: 2 + len(run)] == ["process", "---", *run]


def kill(program: Program, rows: Callable[[str], None]) -> None:
    """Starts the program, lets rows be written, kills it as a power cut would."""
    child = program.start()
    assert eventually(program.ready, 20)
    rows(program.url)
    child.send_signal(signal.SIGKILL)
    child.wait()


def test_postgres_keeps_what_was_committed_when_killed(tmp_path: Path, unused_port: int) -> None:
    def write(url: str) -> None:
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept (word text); INSERT INTO kept VALUES ('άμεσα')")
        connection.close()

    folder = tmp_path / ("deep" * 30) / "postgres"
    kill(postgres_program(folder, unused_port), write)
    with running(postgres_program(folder, unused_port)) as url:
        connection = psycopg2.connect(url)
        with connection.cursor() as cursor:
            cursor.execute("SELECT word, current_setting('max_connections') FROM kept")
            assert cursor.fetchone() == ("άμεσα", "200")
        connection.close()
    assert (folder.stat().st_mode & 0o777) == 0o700


def test_postgres_left_over_by_a_killed_demo_is_ended_first(tmp_path: Path, unused_port: int) -> None:
    left = postgres_program(tmp_path / "postgres", unused_port, fast=True)
    child = left.start()
    assert eventually(left.ready, 20)
    with running(postgres_program(tmp_path / "postgres", unused_port, fast=True)):
        assert child.wait(5) == 0


def test_a_pid_file_whose_number_belongs_to_another_is_forgotten(tmp_path: Path, unused_port: int) -> None:
    program = postgres_program(tmp_path / "postgres", unused_port, fast=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (tmp_path / "postgres/data/postmaster.pid").write_text(f"{other.pid}\n")
        with running(program):
            assert other.poll() is None
        other.communicate(b"\n")


def test_redis_keeps_what_it_took_when_killed(tmp_path: Path, unused_port: int) -> None:
    def write(url: str) -> None:
        with Redis.from_url(url) as server:
            server.rpush("celery", "a task")

    kill(redis_program(tmp_path / "redis", unused_port), write)
    with running(redis_program(tmp_path / "redis", unused_port)) as url, Redis.from_url(url) as server:
        assert server.lrange("celery", 0, -1) == [b"a task"]


def test_redis_asks_for_its_password(tmp_path: Path, unused_port: int) -> None:
    with (
        running(redis_program(tmp_path / "redis", unused_port, fast=True)),
        socket.create_connection(("127.0.0.1", unused_port)) as line,
    ):
        line.sendall(b"PING\r\n")
        assert line.recv(100).startswith(b"-NOAUTH")


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
