"""Whether the static files have to be collected again."""

import hashlib
from importlib.metadata import distributions
from pathlib import Path

from curation.config.demo.options import ROOT


def static_stamp() -> str:
    """Changes with our static files and with the installed packages that bring some."""
    rooms = [ROOT / "static", *(ROOT / room / "static" for room in ("regions", "curation", "feeds"))]
    files = sorted(file for room in rooms for file in room.rglob("*") if file.is_file())
    ours = [f"{file.relative_to(ROOT)} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
    theirs = sorted(f"{package.name} {package.version}" for package in distributions())
    return hashlib.sha256("\n".join([*ours, *theirs]).encode()).hexdigest()


def collected(folder: Path, stamp: str) -> bool:
    """Whether the demo in `folder` has these files already."""
    file = folder / "static.stamp"
    return file.exists() and file.read_text() == stamp and (folder / "static").exists()
