"""Which blocks match a tweet: every word list in one pass over the text, Unicode-aware, whole words.

Terms are compared as `curation.folding.squeezed` makes them and the text that its author wrote: in any case, with or
without accents, over several blanks, and through characters that cannot be seen. A word ends where letters and digits
meet something else; so "rat" is not in "Rathaus", and it is in "#Rat"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import ahocorasick
from django.db import connection

from curation.folding import fold, keeps_places, squeezed, squeezed_with_places
from curation.x.entities import places_of, plain_text
from regions.models import Block, Market

SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
HOST = re.compile(r"(?:[^/@?#\s]*@)?([^/:?#\s]+)")
RUN = re.compile(r"[^\W_]+")  # letters and digits, as str.isalnum knows them
LONGEST_HOST = 253
FEW = 8  # terms that are looked for one by one


class Named(Protocol):
    """An account, as blocks look at it."""

    @property
    def x_id(self) -> int: ...
    @property
    def username(self) -> str: ...


class Worded(Protocol):
    """A tweet, stored or about to be, as blocks look at it."""

    @property
    def first_id(self) -> int: ...
    @property
    def current_id(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def author(self) -> Named | None: ...
    def part(self, name: str, default: Any = None) -> Any: ...


@dataclass(frozen=True, slots=True)
class Match:
    """A block that matches; `start` and `end` in code points of the tweet's text, None outside the text."""

    block_id: int
    effect: str
    scope: str
    reason: str
    start: int | None = None
    end: int | None = None


Place = tuple[Block, int | None, int | None]
Listed = dict[str, list[Block]]


class Matcher:
    """The standing blocks of one market, made ready. Cheap to ask, dear to make: get it by `of`."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.listed: dict[str, Listed] = {kind: defaultdict(list) for kind in Block.Kind.values}
        for block in blocks:
            if value := normalised(block.kind, block.value):
                self.listed[block.kind][value].append(block)
        self.authors, self.posts = self.listed[Block.Kind.AUTHOR], self.listed[Block.Kind.TWEET]
        self.tags, self.domains = self.listed[Block.Kind.HASHTAG], self.listed[Block.Kind.DOMAIN]
        self.terms = ahocorasick.Automaton()
        self.firsts: dict[str, list[str]] = defaultdict(list)
        self.pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.wordless = False
        for term, listed in self.listed[Block.Kind.TERM].items():
            self.terms.add_word(term, (len(term), listed))
            self._expect(term)
        if len(self.terms):
            self.terms.make_automaton()

    @staticmethod
    def of(market: Market) -> Matcher:
        """The market's matcher, made anew when its lists changed. One small query."""
        return _made(market.pk, _state_of_lists())

    def matches(self, tweet: Worded, channel_id: int, now: datetime, words: str | None = None) -> list[Match]:
        """Every block that matches a tweet in a channel at `now`, each once, by its first place.

        `words`: words_of its text, where that is known already."""
        found: dict[int, Match] = {}
        words = words_of(tweet.text) if words is None else words
        for block, start, end in self._places(tweet, words):
            if block.pk not in found and stands(block, channel_id, now):
                found[block.pk] = Match(block.pk, block.effect, block.scope, block.reason, start, end)
        return list(found.values())

    def blocks(self, tweet: Worded, channel_id: int, now: datetime) -> bool:
        """Whether a block outright matches; those that only hold do not count."""
        return any(match.effect == Block.Effect.BLOCK for match in self.matches(tweet, channel_id, now))

    def next_end(self, now: datetime) -> datetime | None:
        """When the next block ends by itself."""
        every = (block for values in self.listed.values() for blocks in values.values() for block in blocks)
        return min((block.ends_at for block in every if block.ends_at and block.ends_at > now), default=None)

    def _expect(self, term: str) -> None:
        """Notes by which words a term is looked for: its letters and digits stand in a text as whole runs."""
        runs = RUN.findall(term)
        if len(runs) > 1:
            self.pairs[max(pairwise(runs), key=lambda pair: len(pair[0]) + len(pair[1]))].append(term)
        elif runs:
            self.firsts[runs[0]].append(term)
        else:
            self.wordless = True

    def _terms_of(self, words: str) -> Iterable[tuple[int, tuple[int, list[Block]]]]:
        """Where terms end in a text, with their length and blocks.

        The automaton of a long list is larger than the processor's memory nearby: most texts hold no word of it, and
        few hold words of more than some terms, so that these are looked for alone."""
        if self.wordless:
            return self.terms.iter(words)
        runs = RUN.findall(words)
        if self.firsts.keys().isdisjoint(runs) and self.pairs.keys().isdisjoint(pairwise(runs)):
            return ()
        few = [term for run in self.firsts.keys() & set(runs) for term in self.firsts[run]]
        few += [term for pair in self.pairs.keys() & set(pairwise(runs)) for term in self.pairs[pair]]
        if len(few) > FEW:
            return self.terms.iter(words)
        listed = self.listed[Block.Kind.TERM]
        found = [(place + len(term) - 1, len(term), term) for term in few for place in places_in(words, term)]
        return [(last, (length, listed[term])) for last, length, term in sorted(found)]

    def _places(self, tweet: Worded, words: str) -> Iterator[Place]:
        if len(self.terms):
            yield from self._in_text(tweet.text, words)
        if self.authors and (author := tweet.author) is not None:
            yield from named(self.authors, (author.username.casefold(), str(author.x_id)))
        if self.posts:
            yield from named(self.posts, {str(tweet.first_id), str(tweet.current_id)})
        if entities := tweet.part("entities"):
            yield from self._in_entities(entities)

    def _in_text(self, text: str, words: str) -> Iterator[Place]:
        met: set[int] = set()
        spans: Spans | None = None
        for last, (length, blocks) in self._terms_of(words):
            first = last - length + 1
            if id(blocks) not in met and is_whole_word(words, first, last):
                met.add(id(blocks))
                spans = spans or Spans(text)
                start, end = spans.of(first, last)
                for block in blocks:
                    yield block, start, end

    def _in_entities(self, entities: dict[str, list[dict[str, Any]]]) -> Iterator[Place]:
        tags, domains = self.tags, self.domains
        for tag in entities.get("hashtags", ()) if tags else ():
            for block in tags.get(fold(tag["tag"]), ()):
                yield block, tag.get("start"), tag.get("end")
        for url in entities.get("urls", ()) if domains else ():
            for domain in with_parents(host_of(url.get("expanded_url") or url.get("url") or "")):
                for block in domains.get(domain, ()):
                    yield block, url.get("start"), url.get("end")


def named(listed: Listed, values: Iterable[str]) -> list[Place]:
    """The blocks listed under any of the values; outside the text."""
    return [(block, None, None) for value in values if value in listed for block in listed[value]]


def places_in(words: str, term: str) -> Iterator[int]:
    """Where a term begins in a text."""
    place = words.find(term)
    while place >= 0:
        yield place
        place = words.find(term, place + 1)


def is_whole_word(text: str, first: int, last: int) -> bool:
    """Whether text[first:last+1] neither begins nor ends inside a word."""
    before = first > 0 and text[first - 1].isalnum() and text[first].isalnum()
    after = last + 1 < len(text) and text[last + 1].isalnum() and text[last].isalnum()
    return not before and not after


def stands(block: Block, channel_id: int, now: datetime) -> bool:
    return (block.channel_id is None or block.channel_id == channel_id) and not (block.ends_at and block.ends_at <= now)


def normalised(kind: str, value: str) -> str:
    """The form in which values of a kind are compared; empty for what can match nothing."""
    value = value.strip()
    if kind == Block.Kind.TERM:
        return squeezed(value)
    if kind == Block.Kind.AUTHOR:
        return value.lstrip("@").casefold()
    if kind == Block.Kind.HASHTAG:
        return fold(value.lstrip("#＃"))
    if kind == Block.Kind.DOMAIN:
        return host_of(value).removeprefix("www.")
    return value.rstrip("/").rsplit("/", 1)[-1]


def words_of(text: str) -> str:
    """A tweet's text as terms are looked for in it."""
    return squeezed(plain_text(text))


class Spans:
    """Where the words of a text stand in it. Made only for texts in which something was found."""

    def __init__(self, text: str) -> None:
        self.plain = plain_text(text)
        self.given: Sequence[int] = places_of(text) if "&" in text else range(len(text) + 1)
        one_by_one = keeps_places(self.plain)
        self.places: Sequence[int] = range(len(self.plain)) if one_by_one else squeezed_with_places(self.plain)[1]

    def of(self, first: int, last: int) -> tuple[int, int]:
        """words_of(text)[first:last+1] in code points of the text, with the marks that stand on its last letter."""
        end = self.places[last] + 1
        while end < len(self.plain) and not fold(self.plain[end]):
            end += 1
        return self.given[self.places[first]], self.given[end]


def host_of(address: str) -> str:
    """The host that an address names, as domains are compared; empty for none."""
    scheme = SCHEME.match(address)
    found = HOST.match(address, scheme.end() if scheme else 0)
    host = found[1].rstrip(".").lower() if found else ""
    if len(host) > LONGEST_HOST:
        return ""
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def with_parents(host: str) -> Iterator[str]:
    """a.b.example, b.example: a host and the domains that it belongs to, without the last label alone."""
    while "." in host:
        yield host
        host = host.partition(".")[2]


def _state_of_lists() -> int:
    """The number of the lists' version: another whenever any block, list or exemption was edited."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM regions_listversion")
        found = cursor.fetchone()
        return int(found[0]) if found else 0


@lru_cache(maxsize=64)
def _made(market_id: int, number: int) -> Matcher:
    """The number is read first: what is kept under it may be newer than it says, never older."""
    market = Market.objects.get(pk=market_id)
    return Matcher(Block.objects.filter(lifted_at=None).over_market(market).select_related(None))
