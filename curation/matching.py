"""Which blocks match a tweet: every word list in one pass over the text, Unicode-aware, whole words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import ahocorasick
from django.db.models import Count, Max

from curation.folding import fold, fold_with_places
from curation.models.tweets import Tweet
from regions.models import Block, BlockExemption, BlockListExemption, Market


@dataclass(frozen=True)
class Match:
    """A block that matches; `start` and `end` in code points of the tweet's text, None outside the text."""

    block_id: int
    effect: str
    scope: str
    reason: str
    start: int | None = None
    end: int | None = None


class Matcher:
    """The standing blocks of one market, made ready. Cheap to ask, dear to make: get it by `of`."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.by_key: dict[tuple[str, str], list[Block]] = defaultdict(list)
        terms: dict[str, list[Block]] = defaultdict(list)
        for block in blocks:
            if block.kind == Block.Kind.TERM:
                if term := fold(block.value).strip():
                    terms[term].append(block)
            else:
                self.by_key[block.kind, normalised(block.kind, block.value)].append(block)
        self.words = ahocorasick.Automaton()
        for term, listed in terms.items():
            self.words.add_word(term, (len(term), listed))
        if terms:
            self.words.make_automaton()

    @staticmethod
    def of(market: Market) -> Matcher:
        """The market's matcher, made anew when its lists changed. One small query."""
        return _made(market.pk, _state_of_lists(market))

    def matches(self, tweet: Tweet, channel_id: int, now: datetime) -> list[Match]:
        """Every block that matches a tweet in a channel at `now`, each once, by its first place."""
        found: dict[int, Match] = {}
        for block, start, end in [*self._in_text(tweet.text), *self._outside_text(tweet)]:
            if block.pk not in found and stands(block, channel_id, now):
                found[block.pk] = Match(block.pk, block.effect, block.scope, block.reason, start, end)
        return list(found.values())

    def blocks(self, tweet: Tweet, channel_id: int, now: datetime) -> bool:
        """Whether a block outright matches; those that only hold do not count."""
        return any(match.effect == Block.Effect.BLOCK for match in self.matches(tweet, channel_id, now))

    def next_end(self, now: datetime) -> datetime | None:
        """When the next block ends by itself."""
        listed = [block for blocks in self.by_key.values() for block in blocks]
        listed += [block for _, blocks in self.words.values() for block in blocks] if len(self.words) else []
        return min((block.ends_at for block in listed if block.ends_at and block.ends_at > now), default=None)

    def _in_text(self, text: str) -> Iterator[tuple[Block, int | None, int | None]]:
        if not len(self.words):
            return
        folded, places = fold_with_places(text)
        for last, (length, blocks) in self.words.iter(folded):
            first = last - length + 1
            if is_whole_word(folded, first, last):
                for block in blocks:
                    yield block, places[first], places[last] + 1

    def _outside_text(self, tweet: Tweet) -> Iterator[tuple[Block, int | None, int | None]]:
        if not self.by_key:
            return
        for key, start, end in keys_of(tweet):
            for block in self.by_key.get(key, ()):
                yield block, start, end


def is_whole_word(text: str, first: int, last: int) -> bool:
    """Whether text[first:last+1] neither begins nor ends inside a word."""
    before = first > 0 and text[first - 1].isalnum() and text[first].isalnum()
    after = last + 1 < len(text) and text[last + 1].isalnum() and text[last].isalnum()
    return not before and not after


def stands(block: Block, channel_id: int, now: datetime) -> bool:
    return (block.channel_id is None or block.channel_id == channel_id) and not (block.ends_at and block.ends_at <= now)


def normalised(kind: str, value: str) -> str:
    """The form in which values of a kind are compared."""
    value = value.strip()
    if kind == Block.Kind.AUTHOR:
        return value.lstrip("@").casefold()
    if kind == Block.Kind.HASHTAG:
        return fold(value.lstrip("#"))
    if kind == Block.Kind.DOMAIN:
        host = urlsplit(value if "//" in value else f"//{value}").hostname or value
        return host.removeprefix("www.").rstrip(".")
    return value.rstrip("/").rsplit("/", 1)[-1] if kind == Block.Kind.TWEET else value


Place = tuple[tuple[str, str], int | None, int | None]


def keys_of(tweet: Tweet) -> Iterator[Place]:
    """What blocks other than terms compare: author, ids, hashtags, and each link's domain with its parents."""
    if tweet.author is not None:
        yield (Block.Kind.AUTHOR, tweet.author.username.casefold()), None, None
        yield (Block.Kind.AUTHOR, str(tweet.author.x_id)), None, None
    for pk in {tweet.first_id, tweet.current_id}:
        yield (Block.Kind.TWEET, str(pk)), None, None
    entities: dict[str, list[dict[str, Any]]] = tweet.part("entities", {})
    for tag in entities.get("hashtags", []):
        yield (Block.Kind.HASHTAG, fold(tag["tag"])), tag.get("start"), tag.get("end")
    for url in entities.get("urls", []):
        host = normalised(Block.Kind.DOMAIN, url.get("expanded_url") or url.get("url") or "")
        labels = host.split(".")
        for first in range(len(labels) - 1):
            yield (Block.Kind.DOMAIN, ".".join(labels[first:])), url.get("start"), url.get("end")


def _state_of_lists(market: Market) -> tuple[Any, ...]:
    """Changes whenever a block or an exemption of the market does."""
    figures = Block.objects.filter(lifted_at=None).aggregate(n=Count("id"), newest=Max("id"), at=Max("updated_at"))
    spared = [
        model.objects.filter(market=market).aggregate(n=Count("id"), newest=Max("id"))
        for model in (BlockExemption, BlockListExemption)
    ]
    return tuple(value for row in (figures, *spared) for value in row.values())


@lru_cache(maxsize=64)
def _made(market_id: int, state: tuple[Any, ...]) -> Matcher:
    market = Market.objects.get(pk=market_id)
    return Matcher(Block.objects.filter(lifted_at=None).over_market(market).select_related(None))
