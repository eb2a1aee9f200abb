"""The list of deliberate defects is in step with the code and the tests; `make defects` tries them."""

import ast

import pytest

from tests.defects.kinds import ROOT, Defect
from tests.defects.listed import LISTED

PROMISES = {str(number) for number in range(1, 13)}


@pytest.mark.parametrize("defect", LISTED, ids=lambda defect: defect.name)
def test_a_defect_stands_in_the_code_once_and_its_tests_are_there(defect: Defect) -> None:
    before = (ROOT / defect.file).read_text()
    after = defect.spoiled(before)
    assert after != before
    if defect.file.endswith(".py"):
        ast.parse(after)
    assert defect.tests
    for test in defect.tests:
        file, _colons, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text() if name else (ROOT / file).is_file()


def test_every_promise_is_broken_by_some() -> None:
    assert {one.breaks for one in LISTED} == PROMISES | {"speed", "security", "data"}
    names = [one.name for one in LISTED]
    assert len(names) == len(set(names)) >= 36
