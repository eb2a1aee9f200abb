"""`python -m curation.config.demo.manage ingest --health`: manage.py with the environment of a demo that runs.

`make manage ARGS="..."` calls it. DEMO_DIR names the demo's folder, as for `make demo`."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from curation.config.demo.options import ROOT


def environment_of(folder: Path) -> dict[str, str]:
    """What a demo wrote down when it started. Raises FileNotFoundError."""
    lines = (folder / "environment").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def folder_of(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DEMO_DIR") or ROOT / ".demo").expanduser().absolute()


def main() -> None:
    folder = folder_of(os.environ)
    try:
        told = environment_of(folder)
    except FileNotFoundError:
        sys.exit(f"No demo was started in {folder}: run `make demo` first, or set DEMO_DIR as it has it.")
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "manage.py", *sys.argv[1:]], os.environ | told)  # noqa: S606


if __name__ == "__main__":
    main()
