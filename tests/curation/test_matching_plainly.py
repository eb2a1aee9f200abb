"""Matching against the same said plainly, and in steps that grow with the text alone."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curation.folding import fold
from curation.matching import Matcher, words_of
from curation.models import Tweet
from curation.x.entities import plain_text
from regions.models import Block

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LETTERS = st.sampled_from("aAbßÄäσςΣ1 \u00a0\n.&#\u200b\u0301Ａ…")


def matcher_of(terms: list[str]) -> Matcher:
    return Matcher([Block(pk=n, value=term, kind=Block.Kind.TERM) for n, term in enumerate(terms)])


def plainly(text: str, terms: list[str]) -> set[int]:
    """The terms that stand in a text as whole words, looked for at every place."""
    words = " ".join(fold(plain_text(text)).split())
    return {n for n, term in enumerate(terms) if (told := " ".join(fold(term).split())) and stands(told, words)}


def stands(term: str, words: str) -> bool:
    for first in range(len(words) - len(term) + 1):
        end = first + len(term)
        inside = first > 0 and words[first - 1].isalnum() and term[0].isalnum()
        goes_on = end < len(words) and words[end].isalnum() and term[-1].isalnum()
        if words[first:end] == term and not inside and not goes_on:
            return True
    return False


@example("…", ["."])
@given(st.text(LETTERS, max_size=40), st.lists(st.text(LETTERS, min_size=1, max_size=5), max_size=8))
def test_matching_is_what_it_says(text: str, terms: list[str]) -> None:
    text = text.replace("&", "&amp;")
    matches = matcher_of(terms).matches(Tweet(text=text), 1, NOW)
    assert {match.block_id for match in matches} == plainly(text, terms)
    for match in matches:
        assert match.start is not None and match.end is not None
        assert marked_exactly(text[match.start : match.end], words_of(terms[match.block_id]))


def marked_exactly(marked: str, term: str) -> bool:
    """The span's words are the term; of a letter that folds to several, as … does, it may need only some."""
    spare = sum(max(0, len(fold(letter)) - 1) for letter in {0: marked[0], len(marked) - 1: marked[-1]}.values())
    told = words_of(marked)
    return term in told and len(told) - len(term) <= spare


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.data())
def test_any_words_of_a_text_are_found_where_they_stand(text: str, data: st.DataObject) -> None:
    words = words_of(text).split()
    if words:
        first = data.draw(st.integers(0, len(words) - 1))
        term = " ".join(words[first : first + 2])
        (match,) = matcher_of([term]).matches(Tweet(text=text), 1, NOW)
        assert words_of(text[match.start : match.end]) == term


def steps(work: Callable[[], Any]) -> int:
    """How many lines of Python were run."""
    count = 0

    def trace(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    ("piece", "terms"),
    [
        ("a", ["a" * n for n in range(1, 40)]),
        ("ab ", ["ab", "ab ab", "b a", "ab ab ab ab"]),
        ("\u0301", ["a"]),
        (" ", ["a b"]),
        ("&amp;", ["&", "&&", "amp"]),
        ("ß", ["ss", "sss", "ssss"]),
        ("Wort ", [f"wort{n}" for n in range(300)]),
    ],
)
def test_four_times_the_text_takes_four_times_the_steps(piece: str, terms: list[str]) -> None:
    """A text of 16,000 letters against one of 4,000; what a list found already is not looked up again."""
    matcher = matcher_of(terms)
    short, long = (Tweet(text="a" + piece * (size // len(piece)) + "b") for size in (4_000, 16_000))
    matcher.matches(short, 1, NOW)
    few, many = (steps(lambda tweet=tweet: matcher.matches(tweet, 1, NOW)) for tweet in (short, long))
    assert many <= 4.2 * few + 200
