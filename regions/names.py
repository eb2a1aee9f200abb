"""Names of people and accounts, shortened."""

import re

FIRST_LETTER = re.compile(r"(?<![^\W_])[^\W_]")


def initials(name: str | None) -> str:
    """The first letters of a name's first two words, in upper case; "X" where there is none."""
    return "".join(FIRST_LETTER.findall(name or "")[:2]).upper() or "X"
