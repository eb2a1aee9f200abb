"""A tweet as candidates are made of it: a new one from its post, a known one from its row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from curation.matching import words_of
from curation.models import Author, Tweet
from curation.models.tweets import WORLDWIDE
from curation.x.wire import Person, Post


@dataclass(slots=True)
class Offered:
    """What candidates need of a tweet. `words`: its text as lists, search and likeness compare it."""

    pk: int
    first_id: int
    current_id: int
    author: Person | Author
    text: str
    lang: str
    lang_guess: str
    created_at: datetime
    entities: dict[str, list[dict[str, Any]]]
    metrics: dict[str, int]
    sensitive: bool
    withheld_in: list[str]
    words: str = field(init=False)

    def __post_init__(self) -> None:
        self.words = words_of(self.text)

    @classmethod
    def of_post(cls, pk: int, post: Post, author: Person | Author, guessed: str) -> Offered:
        return cls(
            pk, post.first_id, post.id, author, post.text, post.lang, guessed, post.created_at,
            post.entities, post.metrics, post.sensitive, post.withheld_in,
        )  # fmt: skip

    @classmethod
    def of_tweet(cls, tweet: Tweet, author: Author) -> Offered:
        return cls(
            tweet.pk, tweet.first_id, tweet.current_id, author, tweet.text, tweet.lang, tweet.lang_guess,
            tweet.created_at, tweet.part("entities", {}), tweet.metrics, tweet.sensitive, tweet.withheld_in,
        )  # fmt: skip

    def part(self, name: str, default: Any = None) -> Any:
        """As of a Tweet."""
        return self.entities if name == "entities" else default

    def showable_in(self, country: str) -> bool:
        """Whether X shows it in a country; as of a Tweet."""
        withheld = self.withheld_in or self.author.withheld_in
        if not withheld:
            return not self.author.protected
        codes = (*self.withheld_in, *self.author.withheld_in)
        return not self.author.protected and not any(code in (country, *WORLDWIDE) for code in codes)
