"""A process dies exactly where an order says: before or after the n-th commit, rename or send."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import psycopg2
import pytest

from tests.soak.promises.crash_points import FULL, POINTS, WHEN

SITE = Path(__file__).parent / "promises/site"
PROGRAM = """
import os, socket, sys, psycopg2
from pathlib import Path
folder, point = Path(sys.argv[1]), sys.argv[2]
link = psycopg2.connect(os.environ["DATABASE_URL"])
cursor = link.cursor()
redis = socket.create_connection(("127.0.0.1", int(sys.argv[3])))
x = socket.create_connection(("127.0.0.1", int(sys.argv[4])))
for n in (1, 2, 3):
    if point == "commit":
        cursor.execute(f"INSERT INTO {sys.argv[5]} VALUES ({n})")
        link.commit()
    elif point == "rename":
        (folder / f"{n}.new").touch()
        (folder / f"{n}.new").replace(folder / f"{n}")
    else:
        (redis if point == "send" else x).sendall(b"x")
"""


@contextmanager
def table() -> Iterator[tuple[str, psycopg2.extensions.connection]]:
    link, name = psycopg2.connect(os.environ["DATABASE_URL"]), f"crash_{os.getpid()}"
    link.autocommit = True
    link.cursor().execute(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} (n int)")
    try:
        yield name, link
    finally:
        link.cursor().execute(f"DROP TABLE {name}")
        link.close()


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("when", WHEN)
def test_a_process_dies_where_it_was_told_to(when: str, point: str, tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/victim").write_text(f"{when} {point} 2")
    with create_server(("127.0.0.1", 0)) as redis, create_server(("127.0.0.1", 0)) as x, table() as (name, link):
        ended = run(tmp_path, point, redis.getsockname()[1], x.getsockname()[1], name)
        for_redis, for_x = (one.accept()[0] for one in (redis, x))
        cursor = link.cursor()
        cursor.execute(f"SELECT count(*) FROM {name}")
        done = {
            "commit": lambda: cursor.fetchone()[0],
            "rename": lambda: len(list(tmp_path.glob("[123]"))),
            "send": lambda: len(for_redis.recv(10)),
            "ask": lambda: len(for_x.recv(10)),
        }
        assert (ended.returncode, ended.stderr) == (-signal.SIGKILL, "")
        assert done[point]() == (1 if when == "before" else 2)
        for_redis.close()
        for_x.close()
    assert (tmp_path / "orders/died").read_text().startswith(f"{when} {point} 2 victim ")
    assert not (tmp_path / "orders/victim").exists()
    assert (tmp_path / "orders/victim.working").exists()


def test_a_disk_is_full_until_the_order_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text(FULL)
    program = (
        "import os, sys\nfrom pathlib import Path\nfile = open(sys.argv[1], 'w')\n"
        "try:\n    os.fsync(file)\nexcept OSError as full:\n    print(full.errno)\n"
        "Path(sys.argv[2]).unlink()\nos.fsync(file)\n"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "file"), str(tmp_path / "victim")]
    told = subprocess.run(words, env=environment(tmp_path), capture_output=True, text=True, timeout=30)
    assert (told.returncode, told.stdout, told.stderr) == (0, "28\n", "")


def environment(orders: Path, redis: int = 1, x: int = 2) -> dict[str, str]:
    crash = {"PYTHONPATH": str(SITE), "CRASH_ORDERS": str(orders), "CRASH_NAME": "victim"}
    urls = {"REDIS_URL": f"redis://127.0.0.1:{redis}/0", "X_API_BASE_URL": f"http://127.0.0.1:{x}"}
    return os.environ | crash | urls


def run(folder: Path, point: str, redis: int, x: int, name: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", PROGRAM, str(folder), point, str(redis), str(x), name]
    surroundings = environment(folder / "orders", redis, x)
    return subprocess.run(words, env=surroundings, capture_output=True, text=True, timeout=30)
