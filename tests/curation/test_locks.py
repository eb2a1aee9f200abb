"""Advisory locks: each class of the house is its own."""

import re
from pathlib import Path

from curation import locks

ROOMS = [Path(locks.__file__).parent, Path(locks.__file__).parents[1] / "feeds"]


def test_no_two_classes_of_locks_are_the_same() -> None:
    classes = [number for name, number in vars(locks).items() if name.endswith("_LOCK")]
    assert len(classes) == len(set(classes)) == 6


def test_classes_of_locks_are_named_in_one_place() -> None:
    elsewhere = [path for room in ROOMS for path in room.rglob("*.py") if path != Path(locks.__file__)]
    named = [path.name for path in elsewhere if re.search(r"^\w*LOCK\w* = \d+|\b730\d\b", path.read_text(), re.M)]
    assert named == []
