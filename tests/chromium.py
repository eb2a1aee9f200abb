"""The Chromium that tests and pictures use."""

import os
from pathlib import Path

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The path of Chromium: CHROMIUM, else Debian's; None leaves the choice to Playwright."""
    debian = Path("/usr/bin/chromium")
    return os.environ.get("CHROMIUM") or (str(debian) if debian.exists() else None)
