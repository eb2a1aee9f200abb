"""How much the long runs do: SOAK=short minutes, unset about two hours in all, SOAK=long the figures of
docs/reliability.md, each alone. A variable of its own says another size of one."""

from __future__ import annotations

import os

HOW = os.environ.get("SOAK") or "whole"
SEED = int(os.environ.get("SOAK_SEED") or 1)


def sized(name: str, *, short: int, whole: int, long: int) -> int:
    return int(os.environ.get(name) or {"short": short, "whole": whole, "long": long}[HOW])
