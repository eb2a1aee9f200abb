"""Something to run and to watch: a server of the demo or one of Tickerdesk's processes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from curation.config.demo.rights import Owner, before_exec
from curation.config.demo.trouble import Trouble


@dataclass(frozen=True)
class Program:
    """Something to run and watch. `log` takes its output; without it the output is shown.

    A server that others need has a `url`. `stop_signal` asks it to end, `last_signal` no longer asks."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path | None = None
    log: Path | None = None
    stop_signal: int = signal.SIGTERM
    last_signal: int = signal.SIGKILL
    owner: Owner | None = None
    walk: bool = False
    url: str = ""
    before: Callable[[], None] = lambda: None
    ready: Callable[[], bool] = lambda: True

    def start(self) -> "subprocess.Popen[bytes]":
        """Starts it in a session of its own, so that Ctrl+C reaches it through its watcher only."""
        self.before()
        target = self.log.open("ab") if self.log else None
        try:
            return subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=target or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=before_exec(self.stop_signal, self.owner, walk=self.walk),
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise Trouble(f"{self.name} cannot be started: {error}.") from error
        finally:
            if target:
                target.close()


@contextmanager
def running(program: Program, seconds: float = 60) -> Iterator[str]:
    """Starts the program, waits until it answers, ends it with the block; gives its URL."""
    child = program.start()
    try:
        if not eventually(lambda: child.poll() is not None or program.ready(), seconds) or child.poll() is not None:
            raise Trouble(f"{program.name} does not start; its log is {program.log}.")
        yield program.url
    finally:
        end(child, program.stop_signal)


def end(child: "subprocess.Popen[bytes]", stop_signal: int, seconds: float = 10) -> None:
    child.send_signal(stop_signal)
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def eventually(probe: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Whether the probe becomes true within so many seconds."""
    until = time.monotonic() + seconds
    while not (found := probe()) and time.monotonic() < until:
        time.sleep(pause)
    return found
