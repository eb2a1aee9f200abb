"""The static files: whether they have to be collected again, and `python -m curation.config.demo.static`."""

import hashlib
from importlib.metadata import distributions
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

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


def collect() -> None:
    """Without compressing them: brotli takes half a minute for the libraries, and the way is short here."""
    storage = "curation.config.storage.Hashed"
    settings.STORAGES["staticfiles"]["BACKEND"] = storage
    django.setup()
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)


if __name__ == "__main__":
    collect()
