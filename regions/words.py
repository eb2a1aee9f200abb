"""What people write in one line, and others read: on the desk, in logs, on phones."""

from __future__ import annotations

import unicodedata

from django.utils.translation import get_language

# Controls, line and paragraph separators, halves of a character; and what turns a line around.
# Joiners stay: emoji are made of them.
REFUSED = ("Cc", "Zl", "Zp", "Cs")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

OPENING, CLOSING = frozenset("\u2066\u2067\u2068"), "\u2069"  # of isolates, as <bdi> is one

QUOTES = {"de": "„“", "nl": "‘’", "el": "«»", "ro": "„”", "hr": "„”"}  # in static/curation/log.css too


def in_quotes(words: str) -> str:
    """Words in the quotation marks of the reader's language."""
    marks = QUOTES.get(get_language() or "", "“”")
    return f"{marks[0]}{words}{marks[1]}"


def straight(words: str) -> str:
    """A name without what turns a line around: what stands behind it would be turned as well."""
    return "".join(one for one in words if one not in TURNING)


def isolated(words: str) -> str:
    """A name in a line with others: whichever way it is read, they stay where they are."""
    return f"\u2068{words}{CLOSING}"


def contained(words: str) -> str:
    """A text without marks that close what it did not open itself: they would end the element that it stands in."""
    kept, opened = [], 0
    for one in words:
        opened += one in OPENING
        if one == CLOSING and not opened:
            continue
        opened -= one == CLOSING
        kept.append(one)
    return "".join(kept)


def invisible(words: str) -> bool:
    """Whether nothing of it can be seen."""
    return all(unicodedata.category(one)[0] in "CZ" for one in words)


def unusable(words: str) -> bool:
    """Whether it is no line of words."""
    return any(unicodedata.category(one) in REFUSED or one in TURNING for one in words)
