"""Programs that a soak run starts, and their end."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO

from curation.config.demo.rights import before_exec

HOUSE = Path(__file__).parents[2]


def begin(command: list[str], surroundings: dict[str, str], out: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """In a session of its own, by which children are found that outlive a killed parent; ends when the test does."""
    return subprocess.Popen(
        command,
        cwd=HOUSE,
        env=surroundings,
        stdout=out,
        stderr=subprocess.STDOUT,
        preexec_fn=before_exec(signal.SIGKILL),
        start_new_session=True,
    )


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(word) for word in found.split()]


def end_all(parent: subprocess.Popen[bytes]) -> None:
    """Ends a process and everything of its session, politely first."""
    if parent.poll() is None:
        parent.terminate()
        with suppress(subprocess.TimeoutExpired):
            parent.wait(5)
    with suppress(ProcessLookupError):
        os.killpg(parent.pid, signal.SIGKILL)
    parent.wait()
