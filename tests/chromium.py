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
    """The path of Chromium: CHROMIUM, else Debian's, best without windows; None leaves the choice to Playwright."""
    debian = (Path("/usr/bin") / name for name in ("chromium-headless-shell", "chromium"))
    return os.environ.get("CHROMIUM") or next((str(path) for path in debian if path.exists()), None)
