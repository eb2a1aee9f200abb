"""What survives a restart: posts, the standing of accounts, stream rules and charges, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curation.x.simulator.accounts import Account
from curation.x.simulator.posts import Post

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (username TEXT PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rules (id INTEGER PRIMARY KEY, value TEXT NOT NULL, tag TEXT);
CREATE TABLE IF NOT EXISTS charges (
    day TEXT, kind TEXT, id INTEGER, endpoint TEXT, subject TEXT, delivered INTEGER, PRIMARY KEY (day, kind, id)
);
"""


class State:
    """Without a file nothing is kept. Callers hold the world's lock, or the meter's for charges."""

    def __init__(self, file: Path | None = None) -> None:
        self.database: sqlite3.Connection | None = None
        if file:
            self.database = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
            self.database.executescript(SCHEMA)

    def posts(self) -> Iterator[Post]:
        rows = self._rows("SELECT document FROM posts ORDER BY id")
        return (Post.from_document(json.loads(document)) for (document,) in rows)

    def accounts(self) -> Iterator[Account]:
        rows = self._rows("SELECT document FROM accounts")
        return (Account(**json.loads(document)) for (document,) in rows)

    def rules(self) -> list[tuple[int, str, str | None]]:
        return self._rows("SELECT id, value, tag FROM rules ORDER BY id")

    def charges(self) -> list[tuple[str, str, int, str, str, bool]]:
        rows = self._rows("SELECT day, kind, id, endpoint, subject, delivered FROM charges ORDER BY rowid")
        return [(*row[:5], bool(row[5])) for row in rows]

    def keep_post(self, post: Post) -> None:
        if self.database:
            row = (post.id, json.dumps(post.document()))
            self.database.execute("INSERT OR REPLACE INTO posts VALUES (?, ?)", row)

    def keep_account(self, account: Account) -> None:
        if self.database:
            row = (account.username, json.dumps(asdict(account)))
            self.database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?)", row)

    def keep_rule(self, rule_id: int, value: str, tag: str | None) -> None:
        if self.database:
            self.database.execute("INSERT OR REPLACE INTO rules VALUES (?, ?, ?)", (rule_id, value, tag))

    def keep_charge(self, row: tuple[str, str, int, str, str, bool]) -> None:
        if self.database:
            self.database.execute("INSERT OR REPLACE INTO charges VALUES (?, ?, ?, ?, ?, ?)", row)

    def forget_rule(self, rule_id: int) -> None:
        if self.database:
            self.database.execute("DELETE FROM rules WHERE id = ?", (rule_id,))

    def forget_before(self, post_id: int) -> None:
        if self.database:
            self.database.execute("DELETE FROM posts WHERE id < ?", (post_id,))

    def begin(self) -> None:
        """Many writes as one: the back-catalogue is written in a moment."""
        if self.database:
            self.database.execute("BEGIN")

    def commit(self) -> None:
        if self.database:
            self.database.execute("COMMIT")

    def close(self) -> None:
        if self.database:
            self.database.close()

    def _rows(self, query: str) -> list[Any]:
        return self.database.execute(query).fetchall() if self.database else []
