"""The handbook's own lines, to be run as they stand."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = ROOT / "docs/handbook.md"
FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LATER = ("Fetch the new version", "Change over")
"""What is done on a house that runs."""
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)


def lines() -> dict[str, str]:
    """By heading: the lines of shell under it, in the page's order. Only what is marked `sh` is meant to be run."""
    page = HANDBOOK.read_text()
    headings = list(HEADING.finditer(page))
    ends = [*(one.start() for one in headings[1:]), len(page)]
    found = {one[1]: FENCE.findall(page[one.end() : end]) for one, end in zip(headings, ends, strict=True)}
    return {heading: "\n".join(blocks) for heading, blocks in found.items() if blocks}


def named(**values: str) -> str:
    """The page's first lines, which name one's own host, version and repository, with other values."""
    first = next(iter(lines().values()))
    for name, value in values.items():
        first, changed = re.subn(rf"^export {name}=.*$", f"export {name}={value}", first, flags=re.MULTILINE)
        assert changed == 1, name
    return first
