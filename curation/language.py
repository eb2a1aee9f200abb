"""A second opinion on a text's language, beside X's own.

X's word is asked for a second one only where it leaves a doubt: when it names no language, or one that none of the
markets concerned speaks. Croatian (hr), Bosnian, Serbian and Serbo-Croatian are one group, since detectors take one
for another in every fourth post: what a market that speaks Croatian gets of them from its own source is Croatian."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from curation.x.entities import plain_text

LONGEST_LOOK = 2_000
FEWEST_LETTERS = 12
LEAST_CONFIDENCE = 0.3
NOT_WORDS = re.compile(r"https?://\S+|[@#$]\w+|^RT\b")
CROATIAN = {"hr", "bs", "sr", "sh"}
UNKNOWN = {"", "und", "qam", "qct", "qht", "qme", "qst", "zxx", "art"}  # X's codes for "no language"
OLD_CODES = {"iw": "he", "in": "id", "no": "nb"}
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


def second_opinion(said: str, text: str, languages: Iterable[str]) -> str:
    """Our guess, where X's word `said` leaves a doubt for markets that speak `languages`; else nothing.

    Without languages there is a doubt only where X names none."""
    return guess(text) if doubtful(said, frozenset(languages)) else ""


@lru_cache(maxsize=1024)
def doubtful(said: str, languages: frozenset[str]) -> bool:
    """Whether X's word names no language, or one that none of the markets speaks."""
    spoken, bare = {grouped(language) for language in languages}, grouped(said)
    return bare in UNKNOWN or bool(spoken and bare not in spoken)


def grouped(language: str) -> str:
    """A language code as markets use it: hr, bs, sr and sh are one group."""
    bare = language.lower().split("-")[0]
    return "hr" if bare in CROATIAN else OLD_CODES.get(bare, bare)


def told_language(lang: str, guess: str) -> str:
    """The language of a post as X says it; where X knows none, as it was guessed."""
    return guess if lang == "und" else lang
