"""The demo's people, their passwords and tokens, and a consumer of the feed. All invented."""

from __future__ import annotations

import json
import os
import secrets
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from django.contrib.auth.hashers import check_password, make_password
from django.core.management.base import BaseCommand
from django.db import transaction
from knox.crypto import hash_token
from knox.models import AuthToken

from feeds import operations
from feeds.models import Consumer, Mode
from regions.models import Market, Role, User
from regions.operations import give_role

CHIEF = "chief"
CONSUMER = "Demo"
SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]


class Person(TypedDict):
    """A row of the credentials file. `markets` are codes."""

    username: str
    password: str
    role: str
    markets: list[str]
    token: str


@dataclass(frozen=True)
class Part:
    """Who someone plays in the demo; a chief has all markets."""

    username: str
    name: str
    role: str
    markets: tuple[str, ...]


CAST = [
    Part("vera", "Vera Lindqvist", CHIEF, ()),
    Part("jonas", "Jonas Feldmark", Role.VIEWER, ("de",)),
    Part("anna", "Anna Amsel", Role.EDITOR, ("de",)),
    Part("katrin", "Katrin Sommerau", Role.LEAD, ("de",)),
    Part("femke", "Femke Duinhof", Role.VIEWER, ("nl",)),
    Part("bram", "Bram Waterkant", Role.EDITOR, ("nl",)),
    Part("sanne", "Sanne Molenveld", Role.LEAD, ("nl",)),
    Part("nikos", "Νίκος Θαλασσινός", Role.VIEWER, ("gr",)),
    Part("dimitra", "Δήμητρα Ανεμώνη", Role.EDITOR, ("gr",)),
    Part("eleni", "Ελένη Ακρογιάλη", Role.LEAD, ("gr",)),
    Part("mihai", "Mihai Câmpureanu", Role.VIEWER, ("ro",)),
    Part("ioana", "Ioana Pădurescu", Role.EDITOR, ("ro",)),
    Part("andrei", "Andrei Izvoranu", Role.LEAD, ("ro",)),
    Part("luka", "Luka Morovalić", Role.VIEWER, ("hr",)),
    Part("ivana", "Ivana Brezovčak", Role.EDITOR, ("hr",)),
    Part("marko", "Marko Otočanin", Role.LEAD, ("hr",)),
    Part("clara", "Clara Grensmark", Role.EDITOR, ("de", "nl")),
]


class Command(BaseCommand):
    help = "Makes the demo's people and writes their names, passwords and tokens to a file. Keeps what still fits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--credentials", type=Path, required=True, help="the JSON file; its folder must exist")

    def handle(self, *args: Any, **options: Any) -> None:
        file = Path(options["credentials"])
        told = told_by(file)
        passwords = {part.username: told.get(part.username, {}).get("password") or new_password() for part in CAST}
        hashes = hashes_of(passwords)
        with transaction.atomic():
            people = [played(part, passwords[part.username], hashes[part.username], told) for part in CAST]
            key = consumer_key()
        write(file, {"users": people, "consumer_key": key})
        self.stdout.write(f"{len(people)} people and a consumer: {file}")


def told_by(file: Path) -> dict[str, dict[str, str]]:
    """What an earlier run wrote, by username; nothing where the file is missing or spoilt."""
    try:
        return {person["username"]: person for person in json.loads(file.read_text())["users"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def hashes_of(passwords: dict[str, str]) -> dict[str, str]:
    """The stored hash where it fits the password, else a new one. On every core: hashing is slow on purpose."""
    stored = dict(User.objects.filter(username__in=passwords).values_list("username", "password"))

    def one(username: str) -> str:
        there = stored.get(username, "")
        fits = there and check_password(passwords[username], there)
        return there if fits else make_password(passwords[username])

    with ThreadPoolExecutor() as threads:
        return dict(zip(passwords, threads.map(one, passwords), strict=True))


def played(part: Part, password: str, password_hash: str, told: dict[str, dict[str, str]]) -> Person:
    """Makes or keeps one person, with their roles and a token."""
    chief = part.role == CHIEF
    markets = list(Market.objects.active()) if chief else list(Market.objects.filter(code__in=part.markets))
    first, last = part.name.split()
    standing = {"password": password_hash, "is_active": True, "is_superuser": chief, "is_staff": chief}
    new = standing | {"first_name": first, "last_name": last, "language": "en" if chief else markets[0].language}
    user, _made = User.objects.update_or_create(username=part.username, defaults=standing, create_defaults=new)
    for market in () if chief else markets:
        give_role(user, market, Role(part.role), by=None)
    token = told.get(part.username, {}).get("token", "")
    if not AuthToken.objects.filter(user=user, digest=hash_token(token)).exists():
        _row, token = AuthToken.objects.create(user)
    codes = [market.code for market in markets]
    return {"username": part.username, "password": password, "role": part.role, "markets": codes, "token": token}


def consumer_key() -> str:
    """The key of the demo's consumer; a new one's where it was revoked."""
    there = Consumer.objects.active().filter(name__startswith=CONSUMER).first()
    if there is None:
        number = Consumer.objects.filter(name__startswith=CONSUMER).count() + 1
        there = operations.open_consumer(CONSUMER if number == 1 else f"{CONSUMER} {number}", Mode.FULL, by=None)
    return there.key


def new_password() -> str:
    """Readable and random: four words of three syllables, about 70 bits."""
    return "-".join("".join(secrets.choice(SYLLABLES) for _ in range(3)) for _ in range(4))


def write(file: Path, credentials: dict[str, Any]) -> None:
    """Replaces the file, which only its owner may read, unless it says the same already."""
    text = json.dumps(credentials, ensure_ascii=False, indent=1) + "\n"
    if file.exists() and file.read_text() == text:
        return
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
    new.replace(file)
