"""Text made comparable, in the five languages and against what hides words."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.folding import LETTERS, fold, fold_character, squeezed, squeezed_with_places

ALIKE = [
    ("GROẞE Straße", "grosse strasse"),
    ("Ärger über Öl", "arger uber ol"),
    ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
    ("Οδυσσεύς", "οδυσσευσ"),
    ("Άέήίόύώ ϊΐ", "αεηιουω ιι"),
    ("Știință și țară", "stiinta si tara"),
    ("Ştiinţă şi ţară", "stiinta si tara"),
    ("Pâine în ăîâ", "paine in aia"),
    ("Čovjek Ćiril ĐURĐA Šime Žad", "covjek ciril durda sime zad"),
    ("Ǆep ǆep ǈ", "dzep dzep lj"),
    ("Ｗｅｒｂｕｎｇ １２", "werbung 12"),
    ("u\u0308ber", "uber"),
    ("Ge\u200bwinn\u00adspiel", "gewinnspiel"),
    ("Ge\u202ewinn\u2066spiel\u2069", "gewinnspiel"),
    ("G\u0336e\u0334w\u0337", "gew"),
    ("ﬁnale ½ ①", "finale 1⁄2 1"),
    ("İstanbul ılık", "istanbul ilik"),
]


@pytest.mark.parametrize(("text", "folded"), ALIKE)
def test_what_is_alike(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("one", "other"), [("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("č", "ch"), ("đ", "dj"), ("ω", "o")]
)
def test_what_stays_apart(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_every_character_folds_once_and_for_all() -> None:
    """As its definition says, one by one, and what is folded stays so."""
    for code in [*range(0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE0200)]:
        folded = fold_character(chr(code))
        assert fold(chr(code)) == folded, hex(code)
        assert fold(folded) == folded, hex(code)


def plainly(text: str) -> str:
    """The same said simply, a letter at a time."""
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold()
    kept = [letter for letter in plain if unicodedata.category(letter) not in ("Mn", "Me", "Cf")]
    return "".join(LETTERS.get(letter, letter) for letter in kept)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_folds_as_its_letters_do(text: str) -> None:
    assert fold(text) == "".join(plainly(letter) for letter in text)


@given(st.text(st.sampled_from("aÄß ς\u0301\u200b\u00a0\n\t½…Ａ")))
def test_places_lead_back_to_the_letter(text: str) -> None:
    words, places = squeezed_with_places(text)
    assert words == squeezed(text) == " ".join(fold(text).split())
    assert len(places) == len(words)
    assert places == sorted(places)
    for letter, place in zip(words, places, strict=True):
        assert letter in fold(text[place]) or (letter == " " and fold(text[place]).isspace())
