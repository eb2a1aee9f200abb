"""Makes .venv and installs the requirements when they changed.

Standard library only, and readable for old Pythons, so that they can be told they are old."""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin/python"
LISTS = (ROOT / "requirements.txt", ROOT / "requirements-dev.txt")


def main() -> None:
    if sys.version_info[:2] < (3, 11):  # noqa: UP036
        sys.exit(f"Tickerdesk needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    stamp = VENV / "installed"
    wanted = fingerprint()
    if stamp.exists() and stamp.read_text() == wanted and works():
        return
    stamp.unlink(missing_ok=True)
    if not works():
        make()
    print("Installing the Python packages; once only, about a minute ...", flush=True)
    words = [word for file in LISTS for word in ("-r", str(file))]
    if run("-m", "pip", "install", "-qq", "--disable-pip-version-check", *words):
        sys.exit("The Python packages could not be installed: pip's reason stands above.")
    stamp.write_text(wanted)


def fingerprint() -> str:
    """Changes with the requirements and the place: a moved virtual environment does not work."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in LISTS:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run(*words: str) -> int:
    return subprocess.call([str(PYTHON), *words], stdin=subprocess.DEVNULL)


def works() -> bool:
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and subprocess.call([str(PYTHON), "-c", check], stderr=subprocess.DEVNULL) == 0


def make() -> None:
    try:
        import ensurepip
        import venv
    except ImportError:
        name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        sys.exit(f"{sys.executable} cannot make virtual environments: install the package {name}.")
    venv.create(VENV, clear=VENV.exists(), with_pip=bool(ensurepip.version()))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"The virtual environment {VENV} cannot be made: {error}.")
