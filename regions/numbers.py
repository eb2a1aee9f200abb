"""Whole numbers as people, programs and X write them."""

from __future__ import annotations

BIGGEST = 2**63 - 1
"""The largest id that the database keeps."""


def whole(told: str, most: int = BIGGEST) -> int | None:
    """The number from 0 to `most` that a text of plain digits is; None for every other text."""
    if not (told.isascii() and told.isdigit() and len(told) <= len(str(most))):
        return None
    number = int(told)
    return number if number <= most else None
