"""The table of transitions, as code and as people read it."""

from pathlib import Path

from curation.models import State
from curation.transitions import BY_RULE, TRANSITIONS, as_table

DOCUMENT = Path(__file__).parents[2] / "docs/decisions.md"
BEGIN, END = "<!-- as_table() of curation/transitions.py -->\n", "<!-- end -->"


def test_the_document_shows_the_table_of_the_code() -> None:
    """When it fails: put what it prints between the two marks."""
    told = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    assert told == as_table(), f"write into {DOCUMENT.name}:\n{as_table()}"


def test_the_table_names_every_cell_of_the_code() -> None:
    _head, _line, *rows = as_table().splitlines()
    cells = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ")[1:] for row in rows}
    assert cells["approve"] == ["approved or pending", "-", "-", "approved or pending", "-"]
    assert cells["restore (system)"] == ["-", "-", "-", "-", "pending or blocked"]
    assert len(rows) == len(TRANSITIONS) + len(BY_RULE)
    assert all(len(row) == len(State.values) for row in cells.values())
