"""What survives a restart: posts and the standing of accounts, in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from curation.x.simulator.accounts import Account
from curation.x.simulator.posts import Post

SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS posts (id INTEGER PRIMARY KEY, document TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (username TEXT PRIMARY KEY, document TEXT NOT NULL);
"""


class State:
    """Without a file everything stays in memory. Callers hold the world's lock."""

    def __init__(self, file: Path | None = None) -> None:
        self.database = sqlite3.connect(file or ":memory:", check_same_thread=False, isolation_level=None)
        self.database.executescript(SCHEMA)

    def posts(self) -> Iterator[Post]:
        rows = self.database.execute("SELECT document FROM posts ORDER BY id")
        return (Post.from_document(json.loads(document)) for (document,) in rows)

    def accounts(self) -> Iterator[Account]:
        rows = self.database.execute("SELECT document FROM accounts")
        return (Account(**json.loads(document)) for (document,) in rows)

    def keep_post(self, post: Post) -> None:
        row = (post.id, json.dumps(post.document()))
        self.database.execute("INSERT OR REPLACE INTO posts VALUES (?, ?)", row)

    def keep_account(self, account: Account) -> None:
        row = (account.username, json.dumps(asdict(account)))
        self.database.execute("INSERT OR REPLACE INTO accounts VALUES (?, ?)", row)

    def forget_before(self, post_id: int) -> None:
        self.database.execute("DELETE FROM posts WHERE id < ?", (post_id,))

    def begin(self) -> None:
        """Many writes as one: the back-catalogue is written in a moment."""
        self.database.execute("BEGIN")

    def commit(self) -> None:
        self.database.execute("COMMIT")

    def close(self) -> None:
        self.database.close()
