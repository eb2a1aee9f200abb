"""What a source reads, as it is stored: an account's name, a list's number, a query. People paste addresses too."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext_lazy as _

from curation.ingest.links import HOSTS
from curation.sourcing import queries
from regions.models import Source
from regions.problems import Refusal
from regions.words import unusable

Kind = Source.Kind
NAME = re.compile(r"[A-Za-z0-9_]{1,15}", re.ASCII)
LIST = re.compile(r"/i/lists/([0-9]{1,19})/?", re.ASCII)
NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
NO_NAMES = frozenset(["i", "home", "search", "explore", "hashtag", "intent", "share", "settings", "messages", "login"])
LONGEST = 4096


class BadSource(Refusal):
    """What was given is no account, no list, no query."""

    code = "bad_source"
    detail = _("Say what is to be read.")


def normalised(kind: str, given: str) -> str:
    """As it is stored. Raises BadSource, BadQuery."""
    value = " ".join(given.split())
    if not value or len(value) > LONGEST or unusable(value):
        raise BadSource(field="value")
    if kind == Kind.ACCOUNT:
        return _account(value)
    if kind == Kind.LIST:
        return _list(value)
    queries.check(value, kind)
    return value


def folded(kind: str, value: str) -> str:
    """As values are compared: names of accounts in any case, with or without @."""
    return value.strip().lstrip("@").lower() if kind == Kind.ACCOUNT else " ".join(value.split())


def kind_of(given: str) -> str:
    """What a line without a kind is: an account by its @ or address, a list by its number or address, else a search."""
    value = given.strip()
    parts = _address(value)
    if parts is not None:
        return Kind.LIST if LIST.fullmatch(parts.path) else Kind.ACCOUNT
    if re.fullmatch(r"@[A-Za-z0-9_]+", value):
        return Kind.ACCOUNT
    return Kind.LIST if re.fullmatch(r"[0-9]{5,19}", value) else Kind.SEARCH


def _account(value: str) -> str:
    parts = _address(value)
    name = parts.path.strip("/").partition("/")[0] if parts else value
    name = name.lstrip("@")
    if not NAME.fullmatch(name) or (parts and name.lower() in NO_NAMES):
        raise BadSource(
            _("This is no account at X. It looks like @name or https://x.com/name, with at most 15 characters."),
            field="value",
        )
    return name


def _list(value: str) -> str:
    parts = _address(value)
    found = LIST.fullmatch(parts.path) if parts else NUMBER.fullmatch(value)
    if not found:
        raise BadSource(
            _("This is no list at X. It looks like https://x.com/i/lists/1234567890, or its number alone."),
            field="value",
        )
    return found[found.lastindex or 0].lstrip("0") or "0"


def _address(value: str) -> SplitResult | None:
    """An address at X; None for anything else."""
    if " " in value or "/" not in value:
        return None
    try:
        parts = urlsplit(value if "//" in value else f"https://{value}")
        known = parts.scheme in ("http", "https") and parts.hostname in HOSTS
    except ValueError:
        return None
    return parts if known else None
