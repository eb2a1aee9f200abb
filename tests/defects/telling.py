"""docs/defects.md: which defects were tried, and what caught each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.defects.kinds import ROOT
from tests.defects.listed import LISTED
from tests.defects.trying import Tried

DOCUMENT = ROOT / "docs/defects.md"
HEAD = """# Deliberate defects

For who asks what the tests are worth: each line is a defect that somebody could have written, put into the code alone;
the tests beside it then fail, and pass without it.

The promises: 1 a blocked post is in no feed; 2 no decision is lost; 3 of several edits one wins; 4 a market is its
members' alone; 5 what X took back leaves the feeds; 6 the feed stands, whole and never going back; 7 posts are taken in
once and none is missed; 8 everything published was approved by somebody who may; 9 the log shows tampering; 10 the
budget holds; 11 foreign text stays text; 12 a backup restores, and brings nothing back that was blocked.

`make defects` tries all of them in a copy of the last commit and writes this page; `make defects ARGS="clock"` tries
those with a word in their name. The list stands in `tests/defects/`; `tests/config/test_defects.py` keeps it in step
with the code. A defect that survives is a test that is missing: write it, see it fail with the defect, and never make
the defect milder.

"""


def write_table(tried: Sequence[Tried]) -> None:
    caught = sum(bool(one.caught) for one in tried)
    day = datetime.now(UTC).date()
    lines = [
        f"{day}: {caught} of {len(tried)} caught, in {sum(one.seconds for one in tried):,.0f} seconds.\n",
        "| defect | breaks | caught by | seconds |",
        "| --- | --- | --- | --- |",
        *(line(one) for one in tried),
    ]
    names = {one.defect.name for one in tried}
    if left := [one.name for one in LISTED if one.name not in names]:
        lines.append(f"\nNot tried in that run: {'; '.join(left)}.")
    DOCUMENT.write_text(HEAD + "\n".join(lines) + "\n")


def line(tried: Tried) -> str:
    breaks = f"promise {tried.defect.breaks}" if tried.defect.breaks.isdigit() else tried.defect.breaks
    by = "<br>".join(sorted({test.partition("[")[0] for test in tried.caught})) or "**nothing**"
    return f"| {tried.defect.name} | {breaks} | {by} | {tried.seconds:.0f} |"
