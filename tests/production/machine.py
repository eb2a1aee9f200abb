"""A machine to install on, and to throw away: systemd as its first process, over a copy-on-write view of this one.

It has a network of its own, where every port is free; `online=True` lends a command this machine's, for packages.
What is written there lies in `folder`, and nothing of it is seen outside. Needs root, and Linux with overlayfs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from curation.config.demo.program import eventually

CGROUPS = Path("/sys/fs/cgroup")
BOOT = Path(__file__).with_name("boot.sh")
PATIENCE = 60.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "PIP_INDEX_URL",
             "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")  # fmt: skip


class NoMachine(Exception):
    """Why there is none."""


def hierarchies() -> list[Path]:
    """Where processes are counted: one folder since cgroups version 2, several before."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [CGROUPS / name for name in ("systemd", "unified", "memory", "pids") if (CGROUPS / name).is_dir()]


class Machine:
    """`with` boots it and ends all that runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.groups = [place / f"tickerdesk-{os.getpid()}-{folder.name}" for place in hierarchies()]
        self.outer: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise NoMachine("only root can boot one")
        for tool in ("/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/nsenter", "/sbin/ip"):
            if not Path(tool).exists():
                raise NoMachine(f"there is no {tool}: install systemd, util-linux and iproute2")
        try:
            self.boot()
        except (OSError, NoMachine):
            self.__exit__()
            raise
        return self

    def boot(self) -> None:
        try:
            for group in self.groups:
                group.mkdir()
        except OSError as error:
            raise NoMachine(f"no control groups can be made: {error.strerror}") from error
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "console.log").open("ab") as console:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup", "--net",
                 "sh", BOOT, self.folder, *map(str, hierarchies())],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True,
                preexec_fn=self.enter_groups,
            )  # fmt: skip
        if not eventually(self.is_up, PATIENCE, 0.1):
            words = (self.folder / "console.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise NoMachine(f"systemd does not boot here: {words or 'no reason given'}")

    def enter_groups(self) -> None:
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def is_up(self) -> bool:
        assert self.outer
        children = Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        young = children.read_text().split() if children.exists() else []
        self.pid = int(young[0]) if young else 0
        if not self.pid or Path(f"/proc/{self.pid}/comm").read_text().strip() != "systemd":
            return self.outer.poll() is not None
        told = self.run("systemctl is-system-running", check=False)
        return told.strip() in ("running", "degraded")

    def command(self, *, online: bool = False) -> list[str]:
        """What a command inside begins with."""
        within = ["--mount", "--pid", "--uts", "--ipc", "--cgroup"] + ([] if online else ["--net"])
        return ["nsenter", f"--target={self.pid}", *within, "--root", "--wd"]

    def run(self, script: str, *, online: bool = False, check: bool = True, seconds: float = 600) -> str:
        """Runs lines of shell as root; they stop at the first that fails. Gives what they said."""
        passed = [f"{name}={os.environ[name]}" for name in PASSED_ON if online and name in os.environ]
        plain = ["env", "-i", "HOME=/root", "LANG=C.UTF-8", f"PATH={PATH}", *passed]
        done = subprocess.run(
            [*self.command(online=online), *plain, "bash", "-euo", "pipefail", "-c", script],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, preexec_fn=self.enter_groups,
        )  # fmt: skip
        if check and done.returncode:
            raise AssertionError(
                f"ended with {done.returncode}:\n{script}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            )
        return done.stdout if check else done.stdout + done.stderr

    def __exit__(self, *_: object) -> None:
        if self.outer:
            if self.pid:
                self.stop()
            self.outer.kill()
            self.outer.wait()
        until = time.monotonic() + 10
        for group in sorted((one for place in self.groups for one in place.rglob("*") if one.is_dir()), reverse=True):
            remove(group, until)
        for group in self.groups:
            remove(group, until)
        shutil.rmtree(self.folder / "written", ignore_errors=True)
        shutil.rmtree(self.folder / "work", ignore_errors=True)

    def stop(self) -> None:
        """Its first process gone, the kernel ends all others."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        assert self.outer
        self.outer.wait(30)


def remove(group: Path, until: float) -> None:
    while group.exists():
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > until:
                return
            time.sleep(0.05)
