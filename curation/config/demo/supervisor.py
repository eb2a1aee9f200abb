"""Runs programs, shows what they say, starts again what dies, and ends all of it in order."""

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from curation.config.demo.console import Console, Folding
from curation.config.demo.program import Program
from curation.config.demo.trouble import Ended, Trouble

QUICK = 10.0  # seconds; a program that dies sooner than this died quickly
MOST_DEATHS = 5  # quick ones in a row
GRACE = 4.0  # seconds that programs get to end by themselves; the servers below them get as long again
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Child:
    """One program while it is watched: its process, the line it has begun, how often it died."""

    def __init__(self, program: Program, *, lasting: bool = True) -> None:
        self.program = program
        self.lasting = lasting
        self.popen: subprocess.Popen[bytes] | None = None
        self.rest = b""
        self.deaths = 0
        self.started_at = 0.0
        self.again_at: float | None = None
        self.folding = Folding()

    @property
    def alive(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def send(self, number: int, *, group: bool = False) -> None:
        """Signals the process, or it and all it started, even where it is gone and they are not."""
        if self.popen is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number) if group else self.popen.send_signal(number)


class Supervisor:
    """Used as a context manager: whatever ends the block ends every child, last started first ended.

    Single-threaded on purpose: a child's parent-death signal follows the thread that started it."""

    def __init__(self, console: Console, *, first_pause: float = 0.5) -> None:
        self.console = console
        self.first_pause = first_pause
        self.children: list[Child] = []
        self.asked = 0
        self.ending = False
        self.selector = selectors.DefaultSelector()
        self.bell, self.ringer = socket.socketpair()
        self.former: dict[int, object] = {}

    def __enter__(self) -> "Supervisor":
        for end in (self.bell, self.ringer):
            end.setblocking(False)
        self.selector.register(self.bell, selectors.EVENT_READ)
        self.wakeup = signal.set_wakeup_fd(self.ringer.fileno(), warn_on_full_buffer=False)
        self.former = {number: signal.signal(number, self.on_signal) for number in ENDING_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end_all()
        finally:
            signal.set_wakeup_fd(self.wakeup)
            for number, former in self.former.items():
                signal.signal(number, former)  # type: ignore[arg-type]
            self.selector.close()
            self.bell.close()
            self.ringer.close()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    # --- running -----------------------------------------------------------------------------------------
    def start(self, program: Program) -> Child:
        """Starts a program and watches it from now on."""
        child = Child(program)
        self.children.append(child)
        self.spawn(child)
        return child

    def spawn(self, child: Child) -> None:
        child.started_at, child.again_at = time.monotonic(), None
        child.popen = child.program.start()
        if child.popen.stdout:
            os.set_blocking(child.popen.stdout.fileno(), False)
            self.selector.register(child.popen.stdout, selectors.EVENT_READ, child)

    def run(self, *programs: Program) -> None:
        """Runs programs beside each other to their ends; Trouble when one fails."""
        steps = [Child(program, lasting=False) for program in programs]
        self.children += steps
        for step in steps:
            self.spawn(step)
        while any(step.alive for step in steps):
            self.turn()
        for step in steps:
            self.hear(step)
            self.children.remove(step)
            if step.popen and step.popen.returncode:
                name, log = step.program.name, self.log_of(step)
                raise Trouble(f"The step {name} failed ({outcome(step)}): its lines stand above and in {log}.")

    def wait(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Keeps everything running until the probe is true; Trouble after so many seconds."""
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                raise Trouble(f"{what} is not ready after {seconds:.0f} s.")
            self.turn(0.05)

    def watch(self) -> None:
        """Keeps everything running until someone asks for the end."""
        while True:
            self.turn(1.0)

    def turn(self, seconds: float = 0.1) -> None:
        """One round: hear what children say, see who died, start again who is due."""
        for key, _ in self.selector.select(seconds):
            if isinstance(key.data, Child):
                self.hear(key.data)
            else:
                self.bell.recv(64)
        if self.asked and not self.ending:
            raise Ended
        if not self.ending:
            for child in list(self.children):
                self.look_after(child)

    def look_after(self, child: Child) -> None:
        if child.alive or not child.lasting:
            return
        if child.again_at is None:
            self.mourn(child)
        elif time.monotonic() >= child.again_at:
            self.spawn(child)

    def mourn(self, child: Child) -> None:
        """Says that a child died and when it is started again; gives up on one that keeps dying quickly."""
        self.hear(child)
        child.send(signal.SIGKILL, group=True)
        quick = time.monotonic() - child.started_at < QUICK
        child.deaths = child.deaths + 1 if quick else 1
        name, how = child.program.name, outcome(child)
        if child.deaths >= MOST_DEATHS:
            raise Trouble(f"{name} died {child.deaths} times in a row ({how}): see {self.log_of(child)}.")
        pause = self.first_pause * 2 ** (child.deaths - 1)
        child.again_at = time.monotonic() + pause
        self.console.say(f"{name} died ({how}); starting it again in {pause:.1f} s")

    def hear(self, child: Child) -> None:
        """Shows what a child has written since the last time, line by line."""
        stream = child.popen.stdout if child.popen else None
        if stream is None or stream.closed:
            return
        try:
            while said := os.read(stream.fileno(), 65536):
                *lines, child.rest = (child.rest + said).split(b"\n")
                self.show(child, lines)
        except BlockingIOError:
            return
        self.selector.unregister(stream)
        stream.close()
        self.show(child, [child.rest] if child.rest else [])
        child.rest = b""

    def show(self, child: Child, lines: list[bytes]) -> None:
        """All of it; of what is torn down at the end each traceback in one line, since its log has the whole."""
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            shown = child.folding.shown(text) if self.ending else text
            self.console.line(child.program.name, text, shown=shown)

    def log_of(self, child: Child) -> str:
        return str(child.program.log or self.console.log_of(child.program.name))

    # --- ending ------------------------------------------------------------------------------------------
    def end_all(self) -> None:
        """Ends the programs together, then each server below them; at once when asked a second time."""
        self.ending = True
        servers = [child for child in self.children if child.program.url]
        self.end_these([child for child in self.children if not child.program.url])
        for server in reversed(servers):
            self.end_these([server])

    def end_these(self, children: list[Child]) -> None:
        for child in children:
            child.send(child.program.stop_signal)
        until = time.monotonic() + GRACE
        while any(child.alive for child in children) and time.monotonic() < until and self.asked < 2:
            self.turn(0.05)
        for child in children:
            self.finish(child)

    def finish(self, child: Child) -> None:
        """What has not ended by now is stopped, and what it left behind with it."""
        if child.popen is None:
            return
        if child.alive:
            child.send(child.program.last_signal, group=True)
            try:
                child.popen.wait(2)
            except subprocess.TimeoutExpired:
                self.console.say(f"{child.program.name} had to be killed")
        child.send(signal.SIGKILL, group=True)
        child.popen.wait()
        self.hear(child)


def outcome(child: Child) -> str:
    code = child.popen.returncode if child.popen else 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
