"""Whose rights a server runs with, and that it never outlives the one who started it."""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 4  # else setuid drops the capability, and access(2) does not count it
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522
LINUX = sys.platform.startswith("linux")
libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


@dataclass(frozen=True)
class Owner:
    """The account that PostgreSQL runs as, because it refuses to run as root."""

    uid: int
    gid: int


def owner_of(folder: Path) -> Owner | None:
    """None for an ordinary user. For root: who owns the folder already, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return None
    if folder.exists() and (stat := folder.stat()).st_uid:
        return Owner(stat.st_uid, stat.st_gid)
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return Owner(entry.pw_uid, entry.pw_gid)


def reaches(owner: Owner, path: Path) -> bool:
    """Whether the owner may walk down to `path`; a folder of mode 700 above it forbids that."""
    for parent in path.resolve().parents:
        stat = parent.stat()
        bit = 0o100 if stat.st_uid == owner.uid else 0o010 if stat.st_gid == owner.gid else 0o001
        if not stat.st_mode & bit:
            return False
    return True


def before_exec(stop_signal: int, owner: Owner | None = None, *, walk: bool = False) -> Callable[[], None]:
    """What a child does between fork and exec: take the owner's rights, and die with its parent (Linux).

    With `walk` the owner keeps root's right to pass through closed folders, so that nobody's folders
    need other permissions for the demo's sake."""
    parent = os.getpid()

    def prepare() -> None:
        if owner:
            become(owner, walk=walk)
        if libc:
            libc.prctl(PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return prepare


def become(owner: Owner, *, walk: bool) -> None:
    if libc and walk:
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(owner.gid)
    os.setuid(owner.uid)
    if libc and walk:
        keep(CAP_DAC_READ_SEARCH) or keep(CAP_DAC_OVERRIDE)


def keep(capability: int) -> bool:
    """Makes one of root's capabilities survive exec (capabilities(7), ambient set)."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(*[1 << capability] * 3, 0, 0, 0)
    if libc is None or libc.capset(header, sets) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)
