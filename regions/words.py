"""What people write in one line, and others read: on the desk, in logs, on phones."""

from __future__ import annotations

import unicodedata

from django.utils.translation import get_language

# Controls, line and paragraph separators, halves of a character; and what turns a line around.
# Joiners stay: emoji are made of them.
REFUSED = ("Cc", "Zl", "Zp", "Cs")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


QUOTES = {"de": "„“", "nl": "‘’", "el": "«»", "ro": "„”", "hr": "„”"}  # in static/curation/log.css too


def in_quotes(words: str) -> str:
    """Words in the quotation marks of the reader's language."""
    marks = QUOTES.get(get_language() or "", "“”")
    return f"{marks[0]}{words}{marks[1]}"


def invisible(words: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(unicodedata.category(one)[0] in "CZ" for one in words)


def unusable(words: str) -> bool:
    """Whether it is no line of words."""
    return any(unicodedata.category(one) in REFUSED or one in TURNING for one in words)
