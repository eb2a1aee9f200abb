"""Matching a tweet against block lists of 50 and of 50,000 terms: the time must hardly grow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from random import Random
from time import process_time

from bench.posts import Inventor, vocabulary
from bench.table import Measured, circumstances, table
from curation.matching import Matcher
from curation.models import Tweet
from regions.models import Block

SIZES = (50, 50_000)
TWEETS, SEED = 4000, 6
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SHARE = 0.5  # of terms that are two words


def terms(number: int, chance: Random) -> list[str]:
    """Invented compounds of words that posts use, half of them behind a word that posts use, so that nearly every
    post begins many terms; each once. The first SIZES[0] are the same in every list; ten of them are words of posts,
    so that each list hits about as often, and its length alone makes the difference."""
    words = sorted({word.strip(".,:;!?-").lower() for word in vocabulary("de")} - {""})
    long = [word for word in words if len(word) > 3 and word.isalpha()]
    found = dict.fromkeys(chance.sample(long, 10))
    while len(found) < number:
        one, two, three = chance.sample(long, 3)
        found[f"{one} {two}{three}" if chance.random() < SHARE else f"{one}{two}"] = None
    return list(found)


def texts() -> list[Tweet]:
    """Posts as X's language and the simulator's words make them."""
    inventor = Inventor(SEED, NOW)
    numbers = count(1)
    return [Tweet(first_id=next(numbers), current_id=0, text=inventor._text(n), wire={}) for n in range(TWEETS)]


def matcher_of(words: Sequence[str]) -> Matcher:
    return Matcher([Block(pk=n, value=word, kind=Block.Kind.TERM) for n, word in enumerate(words, 1)])


def took(matcher: Matcher, tweets: Sequence[Tweet]) -> tuple[float, int]:
    """Microseconds of the processor a tweet, and how many were hit."""
    began = process_time()
    hit = sum(bool(matcher.matches(tweet, 1, NOW)) for tweet in tweets)
    return (process_time() - began) * 1e6 / len(tweets), hit


def run(rounds: int, stored: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row."""
    tweets, listed = texts(), terms(max(SIZES), Random(SEED))
    matchers = {size: matcher_of(listed[:size]) for size in SIZES}
    taken: dict[int, list[float]] = {size: [] for size in SIZES}
    hits: dict[int, int] = {}
    for turn in range(rounds + 1):
        for size, matcher in matchers.items():
            micro, hits[size] = took(matcher, tweets)
            if turn:  # the first warms up
                taken[size].append(micro)
    few = taken[SIZES[0]]
    ratios = {
        size: Measured([one / two for one, two in zip(each, few, strict=True)], 2) for size, each in taken.items()
    }
    rows = [
        (f"{size:,} terms", Measured(each, 1), f"{hits[size]:,} of {TWEETS:,}", ratios[size])
        for size, each in taken.items()
    ]
    heads = ("block list", "us a tweet", "tweets hit", "of 50 terms (at most 1.5)")
    return "Matching long block lists", f"{table(heads, rows)}\n\n{EXPLAINED}\n\n{circumstances(command)}"


EXPLAINED = """\
Medians of the rounds, with the least and the most, interleaved. Posts of the simulator's words in new orders against
one list of terms; half of the terms are two words, and the first of them stands in nearly every post. The text is
folded for every tweet anew, as ingest does."""
