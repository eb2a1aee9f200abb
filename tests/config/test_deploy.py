"""What deploy/ says: units that systemd accepts, hardened and bounded; containers that run the very same."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
COMMON = UNITS / "tickerdesk-.service.d/common.conf"
IN_CONTAINERS = {
    "web@": "web-1",
    **{name: name for name in ("events", "publisher", "worker", "ingest", "beat", "stream")},
}
PYTHON = "/opt/tickerdesk/current/.venv/bin/python"
FACTORS = {"M": 1, "G": 1024}

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze: install systemd")


def unit(name: str) -> dict[str, str]:
    """A unit's settings, the last of each name."""
    text = (UNITS / f"tickerdesk-{name}.service").read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


def containers() -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]
    return services


def command(name: str) -> list[str]:
    """What a unit runs, as a container would write it."""
    line = unit(name)["ExecStart"].replace(PYTHON, "python").replace("%%", "%").replace("%i", "8000")
    return shlex.split(line.replace("--host 127.0.0.1", "--host 0.0.0.0"))


@pytest.mark.parametrize(("name", "container"), IN_CONTAINERS.items())
def test_containers_run_what_the_units_run(name: str, container: str) -> None:
    one, other = unit(name), containers()[container]
    assert shlex.split(other["command"]) == command(name)
    assert other["mem_limit"] == one["MemoryMax"].lower()
    assert other["stop_grace_period"] == f"{one['TimeoutStopSec']}s"
    shared = dict(line.split("=", 1) for line in COMMON.read_text().splitlines() if re.match(r"\w+=", line))
    assert str(other["pids_limit"]) == shared["TasksMax"]
    assert str(other["ulimits"]["nofile"]) == shared["LimitNOFILE"]
    assert (other["read_only"], other["cap_drop"]) == (True, ["ALL"])


def test_every_unit_of_the_house_has_a_container_and_a_place_in_the_target() -> None:
    wanted = set(re.findall(r"tickerdesk-(\w+@?)\d*\.service", (UNITS / "tickerdesk.target").read_text()))
    assert wanted == set(IN_CONTAINERS)
    assert {one for one in containers() if containers()[one].get("image") == "tickerdesk"} == {
        "tables", "web-2", *IN_CONTAINERS.values()
    }  # fmt: skip
    assert all("mem_limit" in one for one in containers().values())


def test_nothing_is_cut_off_that_may_still_run() -> None:
    statement = int(re.findall(r"statement_timeout=(\d+)s", settings.DATABASES["default"]["OPTIONS"]["options"])[0])
    web = unit("web@")
    granted = int(re.findall(r"--workers-kill-timeout (\d+)", web["ExecStart"])[0])
    assert statement < granted < int(web["TimeoutStopSec"])
    for name in ("worker", "ingest"):
        assert int(unit(name)["TimeoutStopSec"]) > settings.CELERY_TASK_TIME_LIMIT


def test_slow_sources_leave_processes_of_ingest_free() -> None:
    processes = int(re.findall(r" -c (\d+)", unit("ingest")["ExecStart"])[0])
    slow = int(re.findall(r"INGEST_SLOW_AT_ONCE=(\d+)", (UNITS / "environment.example").read_text())[0])
    assert slow < processes
    assert containers()["ingest"]["environment"]["INGEST_SLOW_AT_ONCE"] == str(slow)


def test_queues_are_all_read() -> None:
    read = {re.findall(r" -Q (\w+)", unit(name)["ExecStart"])[0] for name in ("worker", "ingest")}
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert read == {settings.CELERY_TASK_DEFAULT_QUEUE, *routed}


def test_the_example_holds_settings_there_are_and_no_secret() -> None:
    example = dict(
        line.split("=", 1) for line in (UNITS / "environment.example").read_text().splitlines() if "=" in line
    )
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert set(example) <= documented
    assert set(containers()["worker"]["environment"]) <= documented
    assert {name for name in example if name.endswith(("_KEY", "TOKEN")) and example[name]} == set()


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Path]:
    """The units as they lie on a machine, with a python to point at."""
    for one in (*UNITS.glob("tickerdesk*.service"), *UNITS.glob("*.t*")):
        text = one.read_text().replace(PYTHON, "/usr/bin/true")
        (tmp_path / one.name.replace("@.", "@8000.")).write_text(text)
    shutil.copytree(COMMON.parent, tmp_path / COMMON.parent.name)
    yield tmp_path


@analyze
def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    units = sorted(installed.glob("tickerdesk*.*"))
    told = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", *(one for one in units if one.is_file())],
        capture_output=True, text=True, env={"SYSTEMD_UNIT_PATH": f"{installed}:", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    complaints = [line for line in told.stderr.splitlines() if "tickerdesk" in line]
    assert (told.returncode, complaints) == (0, [])


@analyze
@pytest.mark.parametrize("name", [*IN_CONTAINERS, "backup"])
def test_services_are_as_little_exposed_as_they_can_be(name: str, installed: Path) -> None:
    """systemd's own figure, from 0 (safe) to 10; what is left is the network, which they need."""
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager",
         f"tickerdesk-{name.replace('@', '@8000')}.service"],
        capture_output=True, text=True, env={"SYSTEMD_UNIT_PATH": f"{installed}:", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert told.returncode == 0, told.stdout[-600:] + told.stderr


@pytest.mark.skipif(not shutil.which("nginx"), reason="needs nginx: run .ci/edge")
def test_nginx_takes_what_the_containers_give_it(tmp_path: Path) -> None:
    """As in the container, but for names that only exist there, and folders of this test."""
    shutil.copytree(DEPLOY, tmp_path, dirs_exist_ok=True)
    shutil.copytree(DEPLOY / "compose/here", tmp_path / "here", dirs_exist_ok=True)
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=ticker.example"]
    subprocess.run(["openssl", *request, "-keyout", tmp_path / "key.pem", "-out", tmp_path / "fullchain.pem"],
                   check=True, capture_output=True)  # fmt: skip
    for one in (tmp_path / "here").iterdir():
        text = re.sub(r"server (?:web-1|web-2|events):", "server 127.0.0.1:", one.read_text())
        text = re.sub(r"^user .*$", "", text, flags=re.MULTILINE)
        for there, here in (("/etc/nginx/modules", "/usr/lib/nginx/modules"), ("/etc/ssl/tickerdesk", tmp_path),
                            ("/var/cache/nginx", tmp_path), ("/run/nginx.pid", tmp_path / "pid")):  # fmt: skip
            text = text.replace(there, str(here))
        one.write_text(text)
    told = subprocess.run(["nginx", "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
