"""manage.py against a demo that runs, and what the demo shows when it ends."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curation.config.demo.console import Console, Folding
from curation.config.demo.manage import environment_of
from curation.config.demo.options import ROOT
from curation.config.demo.programs import NAMED, write_environment

TRACE = """worker ready
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    connect()
ConnectionRefusedError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 2, in <module>
OperationalError: the server is gone
bye""".splitlines()


def test_the_environment_is_kept_for_its_owner_without_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_OF_OTHERS", "x")
    for name in NAMED:
        monkeypatch.delenv(name, raising=False)
    given = os.environ | {"SECRET_KEY": "s=1", "DATABASE_URL": "postgres://u@%2Ftmp/demo", "LINES": "a\nb"}
    write_environment(tmp_path, dict(given))
    assert environment_of(tmp_path) == {"SECRET_KEY": "s=1", "DATABASE_URL": "postgres://u@%2Ftmp/demo"}
    assert (tmp_path / "environment").stat().st_mode & 0o777 == 0o600


def manage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "curation.config.demo.manage", *words]
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(command, cwd=ROOT, env=environ | {"DEMO_DIR": str(folder)}, capture_output=True, text=True)


def test_a_command_gets_the_demos_environment(tmp_path: Path) -> None:
    write_environment(tmp_path, {
        "DJANGO_SETTINGS_MODULE": "curation.config.settings", "SECRET_KEY": "k" * 50, "DEBUG": "false",
        "DATABASE_URL": "postgres://u@127.0.0.1:1/demo", "REDIS_URL": "redis://127.0.0.1:1/0",
    })  # fmt: skip
    told = manage(tmp_path, "shell", "-v", "0", "-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    assert (told.returncode, told.stdout) == (0, "k" * 50 + "\n"), told.stderr


def test_without_a_demo_it_says_what_to_do(tmp_path: Path) -> None:
    told = manage(tmp_path, "check")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr == f"No demo was started in {tmp_path}: run `make demo` first, or set DEMO_DIR as it has it.\n"


def test_a_traceback_is_shown_as_its_last_line_and_kept_whole(tmp_path: Path) -> None:
    out, folding = io.StringIO(), Folding()
    console = Console(out, tmp_path)
    for line in TRACE:
        console.line("worker", line, shown=folding.shown(line))
    shown = [line.partition("| ")[2] for line in out.getvalue().splitlines()]
    assert shown == ["worker ready", "ConnectionRefusedError: refused", "OperationalError: the server is gone", "bye"]
    assert (tmp_path / "worker.log").read_text().splitlines() == TRACE
