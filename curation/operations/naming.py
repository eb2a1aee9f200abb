"""What a new block names, made fit for the lists; what would block nothing or everything is refused."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Upper
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.matching import normalised
from curation.models import Author
from regions.models import Block
from regions.numbers import whole
from regions.problems import Refusal

LONGEST = 200
AT_X, OF_A_POST = r"(?:https?://)?(?:www\.|mobile\.)?(?:x|twitter)\.com", r"/status(?:es)?/(\d{1,20})\b"
PROFILE = re.compile(rf"{AT_X}/@?(?!i/)(\w{{1,50}})(?:{OF_A_POST}.*)?/?(?:\?.*)?", re.IGNORECASE)
POST = re.compile(rf"{AT_X}/[\w/]{{1,50}}?{OF_A_POST}", re.IGNORECASE)
USERNAME = re.compile(r"[a-z0-9_]{1,50}")
DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
IN_EVERY_LINK = frozenset({"https", "http", "t.co", "co", "https://t.co", "http://t.co"})
OF_X = ("t.co", "x.com", "twitter.com")


class BadBlock(Refusal):
    code = "bad_block"
    detail = gettext_lazy("That cannot be blocked.")


@dataclass(frozen=True)
class Name:
    """What a block names, as it is stored: an author by X's id where it is known, with the name in `note`."""

    kind: str
    value: str
    note: str = ""


class Accounts:
    """Who is known by a name: asked one by one, or of many names at once."""

    def __init__(self, names: Iterable[str] | None = None) -> None:
        self.found: dict[str, list[Author]] | None = None
        if names is not None:
            self.found = defaultdict(list)
            told = {normalised(Block.Kind.AUTHOR, name).upper() for name in names}
            for author in Author.objects.alias(upper=Upper("username")).filter(upper__in=told):
                self.found[author.username.casefold()].append(author)

    def named(self, name: str) -> list[Author]:
        """At most two of a name."""
        if self.found is not None:
            return self.found.get(name, [])[:2]
        return list(Author.objects.filter(username__iexact=name)[:2])


def name_of(
    kind: str, value: str, *, author: Author | None = None, field: str = "value", accounts: Accounts | None = None
) -> Name:
    """Reads what someone wants to block. `author`: whom an empty value of the kind author means.

    Raises BadBlock with a sentence for what is too long, names nothing, or would match nearly everything."""
    if kind not in READ:
        raise BadBlock(_("There is no such kind of block."), field=field)
    if len(value) > LONGEST:
        raise BadBlock(_("At most %(n)d characters.") % {"n": LONGEST}, field=field)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in value):
        raise BadBlock(_("It holds characters that cannot be seen."), field=field)
    if kind == Block.Kind.AUTHOR and not value.strip():
        return _by_id(author, field)
    if kind == Block.Kind.AUTHOR:
        return _author(value, field, accounts or Accounts())
    return READ[kind](kind, value, field)


def _by_id(author: Author | None, field: str) -> Name:
    if author is None:
        raise BadBlock(_("Say which author."), field=field)
    return Name(Block.Kind.AUTHOR, str(author.x_id), f"@{author.username}" if author.username else "")


def _author(value: str, field: str, accounts: Accounts) -> Name:
    given = normalised(Block.Kind.AUTHOR, of_a_profile(value))
    if not USERNAME.fullmatch(given):
        raise BadBlock(_("That is neither a username nor X's id of an account."), field=field)
    known = accounts.named(given)
    if not known and (x_id := whole(given)):
        known = list(Author.objects.filter(pk=x_id))
    if len(known) > 1:
        raise BadBlock(_("Several accounts had this name. Give the id."), field=field)
    return _by_id(known[0], field) if known else Name(Block.Kind.AUTHOR, given)


def of_a_profile(value: str) -> str:
    """The name in the address of an account at X, or of one of its posts; anything else as it is."""
    found = PROFILE.fullmatch(value.strip())
    return found[1] if found else value


def _term(kind: str, value: str, field: str) -> Name:
    term = normalised(kind, value)
    if not any(one.isalnum() or unicodedata.category(one) == "So" for one in term):
        raise BadBlock(_("A term needs a letter, a digit or a symbol."), field=field)
    if len(term) == 1 and unicodedata.category(term) != "So":
        raise BadBlock(_("One letter alone would match nearly every post."), field=field)
    if term.strip("/:.") in IN_EVERY_LINK:
        raise BadBlock(_("This stands in every link: it would match nearly every post."), field=field)
    return Name(kind, " ".join(value.split()))


def _hashtag(kind: str, value: str, field: str) -> Name:
    tag = normalised(kind, value)
    if not re.fullmatch(r"\w+", tag) or tag.isdigit():
        raise BadBlock(_("That is no hashtag."), field=field)
    return Name(kind, value.strip().lstrip("#＃"))


def _domain(kind: str, value: str, field: str) -> Name:
    host = normalised(kind, value)
    if not DOMAIN.fullmatch(host):
        raise BadBlock(_("That is no domain."), field=field)
    if host in OF_X:
        raise BadBlock(_("X's own addresses stand in nearly every post."), field=field)
    return Name(kind, host)


def _tweet(kind: str, value: str, field: str) -> Name:
    link = POST.match(value.strip())
    number = link[1] if link else normalised(kind, value)
    if not whole(number):
        raise BadBlock(_("That is no post: give its link or its id."), field=field)
    return Name(kind, number)


READ: dict[str, Any] = {
    Block.Kind.AUTHOR: None,
    Block.Kind.TERM: _term,
    Block.Kind.DOMAIN: _domain,
    Block.Kind.HASHTAG: _hashtag,
    Block.Kind.TWEET: _tweet,
}
