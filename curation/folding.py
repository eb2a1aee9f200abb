"""Text made comparable: case, accents, Greek final sigma and variant letters fall away.

Used alike for search, block matching and near-duplicates, so that they agree on what is the same:

- case, and letters that are one letter in other forms: fullwidth, ligatures, final sigma, superscripts;
- accents and marks: Greek tonos and dialytika, ă â î, ș ş and ț ţ (comma or cedilla), č ć ž š, ä ö ü;
- letters that are crossed or joined: đ is d, ø is o, ł is l, æ is ae; ß is ss;
- what cannot be seen: zero-width and soft hyphens, joiners, marks of direction.

ä is a, not ae: people type either, and ae within words is mostly no umlaut (Israel, aero, Michael). Whoever
wants "ae" too lists both spellings.
"""

import re
import unicodedata

BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
LETTERS = {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "ς": "σ", "ı": "i", "þ": "th", "ħ": "h"}
DROPPED = {"Mn", "Me", "Cf"}  # marks that stand on letters; invisible format characters


def fold_character(character: str) -> str:
    """One character as it is compared; empty for marks and invisible characters."""
    plain = unicodedata.normalize("NFKD", character.casefold()).casefold()
    kept = (letter for letter in plain if unicodedata.category(letter) not in DROPPED)
    return "".join(LETTERS.get(letter, letter) for letter in kept)


class Folded(dict[int, str]):
    """What each code point becomes, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = fold_character(chr(code))
        return self[code]


TABLE = Folded()


def fold(text: str) -> str:
    """The whole text folded. ASCII in lower case is folded already, and most of a text is."""
    lower = text.casefold()
    return lower if lower.isascii() else BEYOND_ASCII.sub(_folded, lower)


def _folded(letters: re.Match[str]) -> str:
    return letters[0].translate(TABLE)


def squeezed(text: str) -> str:
    """The text folded, each run of blanks and line ends one blank, none at the ends: as words are compared."""
    return " ".join(fold(text).split())


def keeps_places(text: str) -> bool:
    """Whether each character stands in the squeezed text where it stands here: each folds to one, none is left out."""
    every = (TABLE[ord(letter)] for letter in set(text))
    return all(len(folded) == 1 and (folded == " " or not folded.isspace()) for folded in every) and (
        "  " not in text and text == text.strip()
    )


def squeezed_with_places(text: str) -> tuple[str, list[int]]:
    """The same and, for each of its characters, the code point of `text` it came from."""
    letters: list[str] = []
    places: list[int] = []
    blank: int | None = None
    for place, character in enumerate(text):
        for letter in TABLE[ord(character)]:
            if letter.isspace():
                blank = place if blank is None and letters else blank
                continue
            if blank is not None:
                letters.append(" ")
                places.append(blank)
                blank = None
            letters.append(letter)
            places.append(place)
    return "".join(letters), places
