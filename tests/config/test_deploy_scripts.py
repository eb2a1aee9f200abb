"""deploy/restart and deploy/upgrade, with other programs in place of the machine's: what they do in which order, and
that nothing follows what failed. On a whole machine: tests/production."""

from __future__ import annotations

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = ("systemctl", "systemd-run", "curl", "sleep", "nginx", "cp", "ln")
STANDS_IN = """\
#!/bin/sh
told="$(basename "$0") $*"
echo "$told" >> {folder}/told
case "$told" in
    *list-units*) echo "tickerdesk-web@8000.service loaded active running Tickerdesk: pages and API, on port 8000"
                  echo "tickerdesk-web@8002.service loaded active running Tickerdesk: pages and API, on port 8002" ;;
    {fails}) exit 1 ;;
    *"is-active "{stopped}) echo inactive; exit 3 ;;
    *is-active*) echo active ;;
esac
"""


class Machine:
    def __init__(self, folder: Path) -> None:
        self.folder, self.release, self.said = folder, folder / "release", ""
        (folder / "bin").mkdir()
        (self.release / ".venv").mkdir(parents=True)
        shutil.copytree(DEPLOY, self.release / "deploy")

    def run(self, script: str, *, fails: str = "nothing", stopped: str = "nothing") -> tuple[int, list[str], str]:
        """How it ended, what it asked of other programs, and what it said of what went wrong."""
        for name in PROGRAMS:
            one = self.folder / "bin" / name
            one.write_text(STANDS_IN.format(folder=self.folder, fails=fails, stopped=stopped))
            one.chmod(0o755)
        done = subprocess.run(
            [self.release / "deploy" / script], capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin"},
        )  # fmt: skip
        self.said = done.stdout
        told = self.folder / "told"
        return done.returncode, told.read_text().splitlines() if told.exists() else [], done.stderr


def acts_in(told: list[str]) -> list[str]:
    """What it did to the machine, of all it asked."""
    acts = [line for line in told if re.search(r" restart|readyz|sleep", line)]
    return [re.sub(r" -\S+| /dev/null| \d+(?= http)", "", line) for line in acts]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_second_web_goes_when_the_first_is_ready_and_nginx_asks_it_again(machine: Machine) -> None:
    ended, told, _ = machine.run("restart")
    assert ended == 0
    assert acts_in(told) == [
        "systemctl restart tickerdesk-web@8000", "curl http://127.0.0.1:8000/readyz", "sleep 4",
        "systemctl restart tickerdesk-web@8002", "curl http://127.0.0.1:8002/readyz", "sleep 4",
        "systemctl restart tickerdesk-events tickerdesk-publisher tickerdesk-beat tickerdesk-stream",
        "systemctl restart tickerdesk-worker tickerdesk-ingest",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stopped", "left"),
    [
        ("tickerdesk-stream", "tickerdesk-events tickerdesk-publisher tickerdesk-beat"),
        ("tickerdesk-[wi]*[rt]", "tickerdesk-events tickerdesk-publisher tickerdesk-beat tickerdesk-stream"),
        ("tickerdesk-web@8000", "tickerdesk-worker tickerdesk-ingest"),
    ],
)
def test_what_somebody_stopped_stays_stopped(machine: Machine, stopped: str, left: str) -> None:
    ended, told, said = machine.run("restart", stopped=stopped)
    acts = acts_in(told)
    assert (ended, said) == (0, "")
    assert f"systemctl restart {left}" in acts
    named = {line.split()[-1] for line in told if "is-active" in line and fnmatch(line.split()[-1], stopped)}
    assert named and not named & {word for line in acts for word in line.split()}
    assert all(name in machine.said for name in named)


def test_nginx_has_a_web_back_while_the_loop_waits() -> None:
    waits = re.findall(r"^    sleep (\d+)", (DEPLOY / "restart").read_text(), re.MULTILINE)
    for place in ("here/places.conf", "compose/here/places.conf"):
        away = [int(one) for one in re.findall(r"fail_timeout=(\d+)s", (DEPLOY / place).read_text())]
        assert away and all(int(waits[0]) > one + 1 for one in away), "nginx counts whole seconds"


def test_a_web_that_does_not_get_ready_leaves_the_other_alone(machine: Machine) -> None:
    ended, told, said = machine.run("restart", fails="curl*")
    assert ended == 1 and "8000 does not get ready" in said
    assert [line for line in told if " restart " in line] == ["systemctl restart tickerdesk-web@8000"]


def test_a_version_that_is_not_whole_is_not_changed_over_to(machine: Machine) -> None:
    ended, told, said = machine.run("upgrade")
    assert (ended, told) == (1, [])
    assert "is not whole: run deploy/build" in said and "Nothing was changed" in said


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        ("nginx*", "Nothing was changed"),
        ("*' check'", "Nothing was changed"),
        ("*migrate*", "The version before runs"),
        ("*web@8000", "not everything was started anew"),
    ],
)
def test_an_upgrade_stops_at_what_fails_and_says_how_far_it_came(machine: Machine, fails: str, words: str) -> None:
    (machine.release / ".venv/whole").touch()
    ended, told, said = machine.run("upgrade", fails=fails)
    assert ended == 1 and words in said
    assert any(line.startswith("ln ") for line in told) is fails.startswith("*web")
    assert not any("reload nginx" in line for line in told)


def test_an_upgrade_goes_through(machine: Machine) -> None:
    (machine.release / ".venv/whole").touch()
    ended, told, said = machine.run("upgrade")
    assert (ended, said) == (0, "")
    order = ["nginx -t", " check", " collectstatic", " migrate", "ln -sfn", "daemon-reload", "web@8000", "web@8002"]
    places = [next(place for place, line in enumerate(told) if one in line) for one in [*order, "reload nginx"]]
    assert places == sorted(places)
    assert f"ln -sfn {machine.release} /opt/tickerdesk/current" in told
