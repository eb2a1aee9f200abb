"""What a database holds, told by itself: tables and their rows, heads of the sealed log, migrations."""

from __future__ import annotations

from typing import Any

from psycopg2.sql import SQL, Identifier

TRANSIENT = ("django_session", "usersessions_usersession")  # restored, they would let in who has logged out since
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY 1
"""
ANYTHING = """
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%%' LIMIT 1
"""
HEADS = """
SELECT DISTINCT ON (m.code) m.code, s.number, s.last_id, s.head
FROM curation_seal s JOIN regions_market m ON m.id = s.market_id ORDER BY m.code, s.number DESC
"""


def is_empty(cursor: Any) -> bool:
    cursor.execute(ANYTHING)
    return cursor.fetchone() is None


def rows_of(cursor: Any) -> dict[str, int]:
    """By table."""
    cursor.execute(TABLES)
    found = {}
    for (table,) in cursor.fetchall():
        if table not in TRANSIENT:
            cursor.execute(SQL("SELECT count(*) FROM {}").format(Identifier("public", table)))
            found[table] = cursor.fetchone()[0]
    return found


def heads_of(cursor: Any) -> dict[str, tuple[int, int, str]]:
    cursor.execute(HEADS)
    return {code: (number, last, head) for code, number, last, head in cursor.fetchall()}


def migrations_of(cursor: Any) -> dict[str, list[str]]:
    cursor.execute("SELECT app, name FROM django_migrations ORDER BY app, name")
    found: dict[str, list[str]] = {}
    for app, name in cursor.fetchall():
        found.setdefault(app, []).append(name)
    return found
