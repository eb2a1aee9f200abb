"""Whole numbers from outside: plain digits within a bound, and nothing else."""

from __future__ import annotations

import pytest

from regions.numbers import BIGGEST, whole


@pytest.mark.parametrize(
    ("told", "read"),
    [("0", 0), ("7", 7), ("007", 7), (str(BIGGEST), BIGGEST), (str(BIGGEST + 1), None), ("9" * 5000, None)]
    + [(wrong, None) for wrong in ("", " 7", "7\n", "-1", "+1", "1.5", "1e3", "1_000", "٣", "²", "0x1", "7\0")],
)
def test_only_plain_digits_are_a_number(told: str, read: int | None) -> None:
    assert whole(told) == read


def test_a_bound_of_ones_own() -> None:
    assert (whole("100", 100), whole("101", 100), whole("0100", 100)) == (100, None, None)
