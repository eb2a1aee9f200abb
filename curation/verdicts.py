"""What the lists say of a tweet in a channel, and what search finds it by: the same for arrivals and for edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from curation.folding import fold
from curation.matching import Match, Matcher, Worded, words_of
from curation.models import Hit, Tweet
from regions.models import Block, Channel


@dataclass(frozen=True)
class Verdict:
    """The blocks that match a tweet in a channel."""

    matches: tuple[Match, ...] = ()

    @property
    def blocked(self) -> bool:
        return bool(self.matches) and any(match.effect == Block.Effect.BLOCK for match in self.matches)

    @property
    def held(self) -> bool:
        return bool(self.matches) and any(match.effect == Block.Effect.HOLD for match in self.matches)

    def hits(self, candidate_id: int, now: datetime) -> list[Hit]:
        """A row for each match, not stored yet."""
        return [
            Hit(candidate_id=candidate, block_id=block, start=start, end=end, at=at)
            for candidate, block, start, end, at in self.rows(candidate_id, now)
        ]

    def rows(self, candidate_id: int, now: datetime) -> list[tuple[int, int, int | None, int | None, datetime]]:
        """The same as values: candidate, block, start, end, time."""
        return [(candidate_id, match.block_id, match.start, match.end, now) for match in self.matches]


class Judge:
    """The lists of some channels, fetched once."""

    def __init__(self, channels: Iterable[Channel]) -> None:
        self.matchers = {market.pk: Matcher.of(market) for market in {channel.market for channel in channels}}

    def on(self, tweet: Worded, channel: Channel, now: datetime, words: str | None = None) -> Verdict:
        """`words`: words_of the tweet's text, where that is known already."""
        found = self.matchers[channel.market_id].matches(tweet, channel.pk, now, words)
        return Verdict(tuple(found)) if found else NOTHING


def folded(tweet: Tweet) -> str:
    """What search looks in: the text and its author's names."""
    words = words_of(tweet.text)
    return f"{words} {names_of(tweet.author.name, tweet.author.username)}" if tweet.author else words


@lru_cache(maxsize=4096)
def names_of(name: str, username: str) -> str:
    """An author's names, folded."""
    return fold(f"{name} {username}")


NOTHING = Verdict()
