"""A second opinion on a text's language, beside X's own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from curation.x.entities import plain_text

LONGEST_LOOK = 2_000
FEWEST_LETTERS = 12
LEAST_CONFIDENCE = 0.3
NOT_WORDS = re.compile(r"https?://\S+|[@#$]\w+|^RT\b")
CROATIAN = {"hr", "bs", "sr", "sh"}
# Few, since among all the world's languages short posts are often mistaken for rare ones.
# fmt: off
LIKELY = {
    "de", "nl", "el", "ro", "hr", "bs", "sr", "sl", "en", "fr", "es", "it", "pt", "tr",
    "bg", "hu", "cs", "sk", "pl", "sq", "mk", "ru", "uk", "da", "sv", "nb", "fi", "ar",
}
# fmt: on


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """Loaded on first use: 1.5 s and 40 MB that only workers need."""
    from py3langid.langid import _load_identifier

    identifier = _load_identifier(norm_probs=True)
    identifier.set_languages(sorted(LIKELY.intersection(identifier.labels)))
    return identifier


def guess(text: str) -> str:
    """A two-letter code, or nothing when the text is too short or unclear.

    Bosnian and Serbian count as Croatian. Linear in the text, of which at most 2,000 characters are read."""
    words = NOT_WORDS.sub(" ", plain_text(text[:LONGEST_LOOK]))
    if sum(map(str.isalpha, words)) < FEWEST_LETTERS:
        return ""
    language, confidence = _identifier().classify(words)
    return grouped(language) if confidence >= LEAST_CONFIDENCE else ""


def grouped(language: str) -> str:
    """A language code as markets use it: hr, bs, sr and sh are one group."""
    bare = language.lower().split("-")[0]
    return "hr" if bare in CROATIAN else bare
