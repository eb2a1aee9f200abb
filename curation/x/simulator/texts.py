"""The texts that posts are made of: one JSON file a language, and the filling of their slots.

A file: {"language", "accounts": [...], "fills": {slot: [words]}, "posts": {category: [templates]}}.
A slot {place} takes a word of fills["place"], the same one each time it stands in a post;
{n:3-40} takes a whole number.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from curation.x.simulator.accounts import CATEGORIES, LANGUAGES, Account, XList, lists_of

FOLDER = Path(__file__).parent / "posts"
SLOT = re.compile(r"\{(\w+)(?::(\d+)-(\d+))?\}")


@dataclass(frozen=True)
class Template:
    """A post before its slots are filled; `by` is a username or empty for anyone of the category."""

    text: str
    category: str
    by: str = ""
    media: str = ""
    alt: str = ""
    poll: tuple[str, ...] = ()
    sensitive: bool = False
    spam: bool = False


@dataclass(frozen=True)
class Language:
    code: str
    accounts: tuple[Account, ...]
    fills: dict[str, list[str]]
    templates: dict[str, tuple[Template, ...]]


class Filler:
    """Fills the slots of one post: text, alt text and poll share the words drawn."""

    def __init__(self, fills: dict[str, list[str]], chance: Random) -> None:
        self.fills = fills
        self.chance = chance
        self.drawn: dict[str, str] = {}

    def fill(self, text: str) -> str:
        return SLOT.sub(self._word, text)

    def _word(self, slot: re.Match[str]) -> str:
        name, low, high = slot.groups()
        if low is not None:
            return str(self.chance.randint(int(low), int(high)))
        if name not in self.drawn:
            self.drawn[name] = self.chance.choice(self.fills[name])
        return self.drawn[name]


def template(category: str, entry: dict[str, Any]) -> Template:
    return Template(
        text=entry["text"],
        category=category,
        by=entry.get("by") or "",
        media=entry.get("media") or "",
        alt=entry.get("alt") or "",
        poll=tuple(entry.get("poll") or ()),
        sensitive=bool(entry.get("sensitive")),
        spam=bool(entry.get("spam")),
    )


def language_from(file: Path) -> Language:
    document = json.loads(file.read_text(encoding="utf-8"))
    code = document["language"]
    return Language(
        code=code,
        accounts=tuple(Account(language=code, **_account(entry)) for entry in document["accounts"]),
        fills=document.get("fills", {}),
        templates={c: tuple(template(c, t) for t in document["posts"].get(c, [])) for c in CATEGORIES},
    )


def _account(entry: dict[str, Any]) -> dict[str, Any]:
    known = ("username", "name", "description", "category", "followers", "verified_type")
    return {key: entry[key] for key in known if key in entry}


def languages(folder: Path | None = None) -> dict[str, Language]:
    """The languages whose file exists, in the fixed order."""
    files = ((folder or FOLDER) / f"{code}.json" for code in LANGUAGES)
    found = (language_from(file) for file in files if file.exists())
    return {language.code: language for language in found}


def accounts(folder: Path | None = None) -> list[Account]:
    """Every fictional account there is; `.id`, `.username`, `.language`, `.category`."""
    return [account for language in languages(folder).values() for account in language.accounts]


def lists(folder: Path | None = None) -> list[XList]:
    """The twenty lists, one per language and category; `.id` is stable."""
    return lists_of(accounts(folder))
