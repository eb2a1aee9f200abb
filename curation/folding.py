"""Text made comparable: case, accents, Greek final sigma and variant letters fall away.

Used alike for search, block matching and near-duplicates, so that they agree on what is the same."""

import unicodedata
from functools import lru_cache

LETTERS = {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ς": "σ", "ı": "i", "þ": "th"}
DROPPED = {"Mn", "Me", "Cf"}  # marks that stand on letters; invisible format characters


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """One character as it is compared; empty for marks and invisible characters."""
    plain = unicodedata.normalize("NFKD", character.casefold())
    kept = (letter for letter in plain if unicodedata.category(letter) not in DROPPED)
    return "".join(LETTERS.get(letter, letter) for letter in kept).casefold()


def fold(text: str) -> str:
    """The whole text folded."""
    return "".join(map(fold_character, text))


def fold_with_places(text: str) -> tuple[str, list[int]]:
    """The folded text and, for each of its characters, the code point of `text` it came from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        folded = fold_character(character)
        letters.append(folded)
        places.extend([place] * len(folded))
    return "".join(letters), places
