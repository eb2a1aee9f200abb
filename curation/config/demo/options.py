"""What the demo was asked for: the variables it reads, checked before anything starts."""

import fcntl
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from curation.config.demo.ports import is_free
from curation.config.demo.trouble import Trouble

ROOT = Path(__file__).resolve().parents[3]
LEAST_DISK = 300_000_000  # bytes


@dataclass(frozen=True)
class Options:
    """`folder` is DEMO_DIR; `given` holds servers named from outside; `own_x` is false with a real X."""

    folder: Path
    port: int
    given: dict[str, str]
    own_x: bool


def read_options(environ: Mapping[str, str]) -> Options:
    """The options, or Trouble that names the variable."""
    raw = environ.get("PORT") or "8000"
    if not (raw.isascii() and raw.isdigit() and 0 < int(raw) < 65536):
        raise Trouble(f"PORT must be a number from 1 to 65535, not {raw!r}.")
    names = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "X_API_BASE_URL", "X_BEARER_TOKEN")
    given = {name: environ[name] for name in names if environ.get(name)}
    for one, other in (("X_API_BASE_URL", "X_BEARER_TOKEN"), ("X_BEARER_TOKEN", "X_API_BASE_URL")):
        if one in given and other not in given:
            raise Trouble(f"{one} is set but {other} is not: set both to read from X, or neither for the demo's own X.")
    folder = Path(environ.get("DEMO_DIR") or ROOT / ".demo").expanduser().absolute()
    return Options(folder, int(raw), given, own_x="X_API_BASE_URL" not in given)


def claim(options: Options) -> IO[str]:
    """Makes the folder this demo's own for as long as the file it returns stays open."""
    try:
        if not options.folder.exists():
            options.folder.mkdir(parents=True)
            options.folder.chmod(0o711)  # PostgreSQL's account passes through
        lock = (options.folder / "lock").open("a+")
    except OSError as error:
        raise Trouble(f"The folder {options.folder} cannot be written to ({error.strerror}): set DEMO_DIR.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        who = lock.read().strip() or "another process"
        raise Trouble(f"A demo runs already in {options.folder} ({who}): end it first, or set DEMO_DIR.") from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()}, port {options.port}")
    lock.flush()
    return lock


def check_machine(options: Options) -> None:
    """Room on the disk, rights in the folder and a free port; else Trouble."""
    free = shutil.disk_usage(options.folder).free
    if free < LEAST_DISK:
        raise Trouble(f"{disk(options.folder)}: the demo needs {LEAST_DISK // 10**6} MB.")
    if not is_free(options.port):
        raise Trouble(f"Port {options.port} is taken by another program: end that, or set PORT to another number.")


def disk(folder: Path) -> str:
    return f"The disk of {folder} has {shutil.disk_usage(folder).free // 10**6} MB left"
