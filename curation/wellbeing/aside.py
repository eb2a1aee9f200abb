"""What lies in quarantine, in words: why, since which run, whose post it would be, and whether it can be released."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from curation.ingest.storing.reasons import in_words
from curation.ingest.storing.releasing import refusal_of
from curation.models import Quarantined
from curation.wellbeing.telling import brought
from curation.x.wire import Includes, Unreadable, read_id, read_instant
from regions.clocks import moment
from regions.models import User
from regions.problems import Refusal

ADDRESS = "https://x.com/i/status/%d"


@dataclass(frozen=True)
class Aside:
    """`refusal`: why it would not be released now. `post_id` 0, `author`, `written` and `text` empty where they cannot
    be read. `payload` and `beside` are what X sent, as JSON."""

    row: Quarantined
    why: str
    run: str
    post_id: int
    author: str
    written: str
    text: str
    payload: str
    beside: str
    refusal: Refusal | None

    @property
    def address(self) -> str:
        return ADDRESS % self.post_id if self.post_id else ""


def aside_of(row: Quarantined, by: User, now: datetime) -> Aside:
    told = row.payload if isinstance(row.payload, dict) else {}
    return Aside(
        row, in_words(row.reason), run_of(row), post_id_of(told), author_of(told, row.beside or {}),
        written(told), words_of(told, "text"), as_text(row.payload),
        as_text(row.beside) if row.beside else "", refusal_of(row, by, now),
    )  # fmt: skip


def run_of(row: Quarantined) -> str:
    """As in: reading, Rathaus, 22 November, 14:02:11: 3 new, 1 unreadable."""
    run = row.run
    parts = [str(run.get_kind_display()), str(run.source or ""), moment(run.started_at, seconds=True)]
    told = {"run": ", ".join(filter(None, parts)), "brought": brought(run)}
    return _("%(run)s: %(brought)s") % told


def post_id_of(told: dict[str, Any]) -> int:
    try:
        return read_id(told.get("id"))
    except Unreadable:
        return 0


def author_of(told: dict[str, Any], beside: dict[str, Any]) -> str:
    """The name at X where it was kept, else the number."""
    given = str(told.get("author_id") or "")
    person = Includes(beside).people.get(int(given)) if given.isascii() and given.isdigit() else None
    return f"@{person.username}" if person else given


def written(told: dict[str, Any]) -> str:
    """By the clock of who reads it; as X gave it where that is no time."""
    given = words_of(told, "created_at")
    try:
        return moment(read_instant(given), seconds=True)
    except Unreadable:
        return given


def words_of(told: dict[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def as_text(given: Any) -> str:
    return given if isinstance(given, str) else json.dumps(given, indent=2, ensure_ascii=False)
