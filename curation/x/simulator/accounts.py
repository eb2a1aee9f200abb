"""Fictional accounts, and how their stable ids come about."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from random import Random

CATEGORIES = ("politics", "economy", "sport", "celebrity")
LANGUAGES = ("de", "nl", "el", "ro", "hr")
VERIFIED_TYPES = ("none", "blue", "business", "government")
FIRST_LIST_ID = 1_500_000_000_000_000_000


def digest(*words: object) -> int:
    """A number of 63 bits that is the same for the same words on every machine."""
    text = "\x1f".join(str(word) for word in words).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1


def seeded(*words: object) -> Random:
    """Chance that falls the same way for the same words."""
    return Random(digest(*words))  # noqa: S311 - nothing here is secret


@cache
def account_id(username: str) -> int:
    """18 or 19 digits, inside a signed 64-bit integer."""
    return 10**17 + digest("account", username.lower()) % (8 * 10**18)


@dataclass
class Account:
    """One fictional account; `withheld` holds country codes."""

    username: str
    name: str
    description: str = ""
    category: str = "politics"
    language: str = "de"
    followers: int = 1000
    verified_type: str = "none"
    protected: bool = False
    suspended: bool = False
    withheld: list[str] = field(default_factory=list)

    @property
    def id(self) -> int:
        return account_id(self.username)

    @property
    def readable(self) -> bool:
        """Whether an app without a user behind it may read this account's posts."""
        return not (self.protected or self.suspended)


@dataclass(frozen=True)
class XList:
    """A list as X has them: the accounts of one language and category."""

    id: int
    name: str
    language: str
    category: str
    members: tuple[str, ...]


def list_id(language: str, category: str) -> int:
    return FIRST_LIST_ID + 10 * LANGUAGES.index(language) + CATEGORIES.index(category)


def lists_of(accounts: list[Account]) -> list[XList]:
    """The twenty lists, each with the usernames of its members."""
    return [
        XList(
            id=list_id(language, category),
            name=f"{category} {language}",
            language=language,
            category=category,
            members=tuple(a.username for a in accounts if (a.language, a.category) == (language, category)),
        )
        for language in LANGUAGES
        for category in CATEGORIES
    ]
