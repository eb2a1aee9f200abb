"""The second opinion on language."""

import time

import pytest

from curation import language
from curation.language import grouped, guess, second_opinion


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Der Stadtrat hat am Abend den Haushalt für das nächste Jahr beschlossen.", "de"),
        ("De gemeenteraad heeft gisteravond de begroting voor volgend jaar goedgekeurd.", "nl"),
        ("Το δημοτικό συμβούλιο ενέκρινε χθες το βράδυ τον προϋπολογισμό.", "el"),
        ("Consiliul local a aprobat aseară bugetul pentru anul viitor, după multe ore.", "ro"),
        ("Gradsko vijeće sinoć je usvojilo proračun za sljedeću godinu.", "hr"),
        ("Градско веће је синоћ усвојило буџет за следећу годину.", "hr"),
        ("The council approved the budget for next year last night.", "en"),
        ("", ""),
        ("🥁🥁🥁 #Tor", ""),
        ("https://t.co/abcdefghij @irgendwer #irgendwas $DTE", ""),
        ("1:0", ""),
    ],
)
def test_guesses(text: str, language: str) -> None:
    assert guess(text) == language


@pytest.mark.parametrize(("code", "group"), [("bs", "hr"), ("SR-Latn", "hr"), ("de-AT", "de"), ("", ""), ("no", "nb")])
def test_groups(code: str, group: str) -> None:
    assert grouped(code) == group


def test_a_huge_text_takes_no_longer_than_a_long_one() -> None:
    guess("Guten Tag, wie geht es Ihnen heute?")
    begin = time.perf_counter()
    assert guess("Guten Tag, wie geht es Ihnen heute? " * 30_000) == "de"
    assert time.perf_counter() - begin < 1


GERMAN = "Der Stadtrat hat am Abend den Haushalt für das nächste Jahr beschlossen."


@pytest.mark.parametrize(
    ("said", "languages", "asked"),
    [
        ("de", ["de"], False),
        ("de-AT", ["de"], False),
        ("nl", ["de"], True),
        ("nl", ["de", "nl"], False),
        ("und", ["de"], True),
        ("", ["de"], True),
        ("qme", ["de"], True),
        ("sr", ["hr"], False),
        ("sl", ["hr"], True),
        ("nl", [], False),
        ("zxx", [], True),
    ],
)
def test_a_second_opinion_is_asked_where_X_leaves_a_doubt(said: str, languages: list[str], asked: bool) -> None:
    assert second_opinion(said, GERMAN, languages) == ("de" if asked else "")


def test_where_X_is_sure_nothing_is_loaded() -> None:
    language._identifier.cache_clear()
    second_opinion("de", GERMAN, ["de"])
    assert language._identifier.cache_info().currsize == 0
