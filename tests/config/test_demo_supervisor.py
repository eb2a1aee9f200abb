"""The demo's supervisor with toy programs: shows lines, starts again what dies, gives up, ends everything."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from curation.config.demo.console import Console
from curation.config.demo.program import Program, eventually
from curation.config.demo.supervisor import Child, Supervisor
from curation.config.demo.trouble import Ended, Trouble

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
WITH_CHILD = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print(child.pid, flush=True)
child.wait()
"""
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"


LAST_WORD = """
import signal, sys, time
def end(*_):
    time.sleep({pause})
    print("{name} ends", flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""


def toy(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code))


@pytest.fixture
def console(tmp_path: Path) -> Console:
    return Console(io.StringIO(), tmp_path)


def shown(console: Console) -> str:
    return console.out.getvalue()  # type: ignore[attr-defined]


def pid_of(child: Child) -> int:
    assert child.popen
    return child.popen.pid


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_lines_are_shown_behind_the_name_and_kept_in_the_log(console: Console, tmp_path: Path) -> None:
    with Supervisor(console) as supervisor:
        supervisor.run(toy("greeter", "print('one'); print('two', end='')"))
    assert shown(console) == "greeter    | one\ngreeter    | two\n"
    assert (tmp_path / "greeter.log").read_text() == "one\ntwo\n"


def test_a_line_cannot_steer_the_terminal(console: Console) -> None:
    console.line("worker", "\x1b[2Jred\u202eder")
    assert shown(console) == "worker     | \ufffd[2Jred\ufffdder\n"


def test_a_dead_child_is_started_again(console: Console) -> None:
    with Supervisor(console, first_pause=0.05) as supervisor:
        child = supervisor.start(toy("sleeper", SLEEP))
        supervisor.wait(lambda: "up" in shown(console), "sleeper", 10)
        first = pid_of(child)
        os.kill(first, signal.SIGKILL)
        supervisor.wait(lambda: shown(console).count("sleeper    | up") == 2, "sleeper", 10)
        assert pid_of(child) != first
    assert "sleeper died (signal SIGKILL); starting it again in 0.1 s" in shown(console)


def test_a_child_that_keeps_dying_ends_it_with_its_log_named(console: Console, tmp_path: Path) -> None:
    with pytest.raises(Trouble) as trouble, Supervisor(console, first_pause=0.01) as supervisor:
        supervisor.start(toy("broken", "raise SystemExit(3)"))
        supervisor.wait(lambda: False, "broken", 20)
    assert str(trouble.value) == f"broken died 5 times in a row (exit code 3): see {tmp_path}/broken.log."


def test_a_step_that_fails_ends_it(console: Console) -> None:
    with (
        pytest.raises(Trouble, match=r"The step prepare failed \(exit code 1\)"),
        Supervisor(console) as supervisor,
    ):
        supervisor.run(toy("prepare", "raise SystemExit(1)"))


def test_the_end_reaches_grandchildren(console: Console) -> None:
    with Supervisor(console) as supervisor:
        child = supervisor.start(toy("parent", WITH_CHILD))
        supervisor.wait(lambda: "up" in shown(console), "parent", 10)
        grandchild = int(shown(console).split("|")[1].split()[0])
        assert not gone(grandchild)
    assert gone(pid_of(child)) and eventually(lambda: gone(grandchild), 5)


def test_the_first_signal_ends_it_and_the_second_kills(console: Console) -> None:
    with pytest.raises(Ended), Supervisor(console) as supervisor:
        child = supervisor.start(toy("stubborn", STUBBORN))
        supervisor.wait(lambda: "up" in shown(console), "stubborn", 10)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        started = time.monotonic()
        supervisor.watch()
    assert time.monotonic() - started < 2
    assert gone(pid_of(child))


def test_servers_end_after_the_programs_that_need_them(console: Console) -> None:
    with Supervisor(console) as supervisor:
        server = toy("server", LAST_WORD.format(name="server", pause=0))
        supervisor.start(Program(server.name, server.command, url="toy://"))
        supervisor.start(toy("client", LAST_WORD.format(name="client", pause=0.3)))
        supervisor.wait(lambda: shown(console).count("| up") == 2, "toys", 10)
    assert shown(console).index("client ends") < shown(console).index("server ends")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_nothing_outlives_a_killed_supervisor() -> None:
    code = (
        "import sys\n"
        "from curation.config.demo.console import Console\n"
        "from curation.config.demo.program import Program\n"
        "from curation.config.demo.supervisor import Supervisor\n"
        "with Supervisor(Console()) as supervisor:\n"
        "    child = supervisor.start(Program('sleeper', ('sleep', '60')))\n"
        "    print(child.popen.pid, flush=True)\n"
        "    supervisor.watch()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert eventually(lambda: gone(pid), 5)
