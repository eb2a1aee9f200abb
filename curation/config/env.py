"""The one place that reads environment variables. What is missing or bad stops the start with its name."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

UNSET: Any = object()
source = environ.Env()


def read(name: str, cast: Callable[[str], Any] = str, default: Any = UNSET) -> Any:
    """Value of variable `name` through `cast`; `default` where it is unset or empty.

    Raises ImproperlyConfigured naming the variable. Never prints the value: it may be a secret."""
    raw = source.ENVIRON.get(name, "").strip()
    if not raw:
        if default is UNSET:
            raise ImproperlyConfigured(f"Set the environment variable {name} (see docs/settings.md).")
        return default
    try:
        return cast(raw)
    except (ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"The environment variable {name} is not usable: {error}") from None


def boolean(raw: str) -> bool:
    """true, yes, on, 1 or false, no, off, 0."""
    words = {
        "true": True,
        "yes": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "off": False,
        "0": False,
    }
    if raw.lower() not in words:
        raise ValueError("expected true or false")
    return words[raw.lower()]


def off(why: str) -> Callable[[str], bool]:
    """Nothing but false: where a switch would do harm as things are."""

    def cast(raw: str) -> bool:
        if boolean(raw):
            raise ValueError(why)
        return False

    return cast


def count(raw: str) -> int:
    """A whole number from 1."""
    if not (raw.isascii() and raw.isdigit() and int(raw) > 0):
        raise ValueError("expected a whole number from 1")
    return int(raw)


def words(raw: str) -> list[str]:
    """A list written with commas."""
    return [word.strip() for word in raw.split(",") if word.strip()]


def group_roles(raw: str) -> list[tuple[str, str, str]]:
    """(group, market, role) from "group=market:role", with commas between; with semicolons where a group has one."""
    told = []
    for pair in raw.split(";" if ";" in raw else ","):
        group, _equals, wanted = pair.strip().rpartition("=")
        market, _colon, role = wanted.strip().partition(":")
        if not (group.strip() and len(market) == 2 and market.isascii() and market.islower() and market.isalpha()):
            raise ValueError("expected group=market:role, with commas between")
        if role not in ("viewer", "editor", "lead"):
            raise ValueError("expected the role viewer, editor or lead")
        told.append((group.strip(), market, role))
    return told


def one_of(*choices: str) -> Callable[[str], str]:
    def cast(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"expected one of {', '.join(choices)}")
        return raw

    return cast


def address(*schemes: str) -> Callable[[str], str]:
    """An absolute URL of one of these schemes."""

    def cast(raw: str) -> str:
        parts = urlsplit(raw)
        if parts.scheme not in schemes or not (parts.netloc or parts.path):
            raise ValueError(f"expected an address that begins with {' or '.join(s + '://' for s in schemes)}")
        return raw

    return cast


def database(raw: str) -> dict[str, Any]:
    """Django's DATABASES entry from a postgres:// address; a socket's folder is the host, with %2F for each slash."""
    address("postgres", "postgresql")(raw)
    told = dict(environ.Env.db_url_config(raw))
    return told | {"HOST": unquote(told["HOST"] or "")}
