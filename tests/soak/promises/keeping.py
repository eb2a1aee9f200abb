"""Rows of the house, by plain SQL: every few seconds while it works, and all of them in the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from tests.soak.promises.files import Lines, whole_lines

COMMITTED = "extract(epoch FROM pg_xact_commit_timestamp({}.xmin))::float8 AS committed"
MICRO = "(extract(epoch FROM {}) * 1000000)::bigint"
TABLES = {
    "decisions": f"""
        SELECT d.id, d.act_id AS act, d.candidate_id AS candidate, m.code AS market, d.verb, u.username AS by, d.reason,
            d.version, d.current_id, d.before, d.after, {COMMITTED.format("d")}
        FROM curation_decision d JOIN regions_market m ON m.id = d.market_id LEFT JOIN regions_user u ON u.id = d.by_id
        ORDER BY d.id""",
    "raw_decisions": f"""
        SELECT d.id, d.act_id AS act, d.candidate_id AS candidate, d.channel_id AS channel, d.market_id AS market,
            d.verb, d.by_id AS by, {MICRO.format("d.at")} AS at, d.reason, d.version, d.current_id, d.text_hash,
            d.before, d.after, a.by_id AS act_by,
            a.verb AS act_verb, {MICRO.format("a.at")} AS act_at, a.undoes_id AS act_undoes
        FROM curation_decision d LEFT JOIN curation_act a ON a.id = d.act_id ORDER BY d.id""",
    "candidates": """
        SELECT c.id, m.code AS market, g.slug AS category, t.first_id, c.version, c.state FROM curation_candidate c
        JOIN curation_tweet t ON t.id = c.tweet_id JOIN regions_channel h ON h.id = c.channel_id
        JOIN regions_market m ON m.id = h.market_id JOIN regions_category g ON g.id = h.category_id""",
    "tweets": "SELECT id, first_id, current_id, gone_cause FROM curation_tweet",
    "snapshots": f"""
        SELECT s.id, s.number, s.feed_id AS feed, s.entries, {COMMITTED.format("s")} FROM feeds_snapshot s
        ORDER BY s.id""",
    "sources": """
        SELECT s.id, m.code AS market, g.slug AS category, s.auto_approve, s.value FROM regions_source s
        JOIN regions_channel h ON h.id = s.channel_id JOIN regions_market m ON m.id = h.market_id
        JOIN regions_category g ON g.id = h.category_id""",
    "changes": f"""
        SELECT c.verb, c.after, c.before, m.code AS market, {COMMITTED.format("c")} FROM regions_change c
        JOIN regions_market m ON m.id = c.market_id WHERE c.noun = 'membership' ORDER BY c.id""",
    "asked": f"""
        SELECT r.kind, m.code AS market, r.outcome, r.error, r.read, {MICRO.format("r.started_at")} AS at,
            {MICRO.format("r.ended_at")} AS ended
        FROM curation_ingestrun r LEFT JOIN regions_market m ON m.id = r.market_id ORDER BY r.id""",
    "users": "SELECT id, username FROM regions_user",
    "seals": f"""
        SELECT s.market_id AS market, m.code, s.number, s.first_id, s.last_id, s.form, s.head,
            encode(s.digests, 'hex') AS digests, {MICRO.format("s.at")} AS at
        FROM curation_seal s JOIN regions_market m ON m.id = s.market_id ORDER BY s.id""",
}
CURSORS = """
    SELECT source_id, newest_id, gap_floor_id, gap_until_id, extract(epoch FROM due_at)::float8, leased
    FROM curation_cursor WHERE newest_id IS NOT NULL"""
STORED = "SELECT id, first_id FROM curation_tweet WHERE id > %s"


class Sampler(threading.Thread):
    """Cursors and what was stored, of one moment; then X's meter, and the budgets that hold."""

    def __init__(
        self, url: str, out: Lines, authors: dict[int, int], charged: Callable[[], Any], limits: dict[str, int]
    ) -> None:
        super().__init__(daemon=True)
        self.url, self.out, self.authors, self.charged, self.limits = url, out, authors, charged, limits
        self.stop = threading.Event()
        self.link: Any = None
        self.stored: set[int] = set()
        self.passed: dict[int, int] = {}

    def run(self) -> None:
        while not self.stop.wait(2.5):
            try:
                self.sample()
            except psycopg2.Error:
                self.link = None

    def sample(self) -> None:
        if self.link is None:
            self.link = psycopg2.connect(self.url, connect_timeout=3, options="-c statement_timeout=5000")
            self.link.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with self.link, self.link.cursor() as cursor:
            cursor.execute(CURSORS)
            cursors = cursor.fetchall()
            cursor.execute("SELECT first_id FROM curation_tweet")  # ids are not given in the order of commits
            there = {first for (first,) in cursor.fetchall()}
        charged, limits = self.charged(), dict(self.limits)  # limits only ever rise
        told = [
            {"source": pk, "author": self.authors[pk], "newest": newest, "floor": floor, "until": until, "from": 0}
            | {"due": due, "leased": leased}
            for pk, newest, floor, until, due, leased in cursors
            if pk in self.authors
        ]
        line = {"at": time.time(), "cursors": told, "stored": sorted(there - self.stored)}
        self.out.write(line | {"charged": charged, "limits": limits})
        self.stored |= there


def export(url: str, folder: Path, authors: dict[int, int], roles: list[dict[str, Any]], seals: Path) -> None:
    """Writes sql.json. `authors` by source; `roles` are those that people had at the start."""
    with psycopg2.connect(url) as link, link.cursor(cursor_factory=RealDictCursor) as cursor:
        tables: dict[str, list[dict[str, Any]]] = {}
        for name, query in TABLES.items():
            cursor.execute(query)
            tables[name] = [dict(row) for row in cursor.fetchall()]
    names = {row["id"]: row["username"] for row in tables.pop("users")}
    tables["roles"] = spans(roles, tables.pop("changes"), names)
    tables["sources"] = [row | {"author": authors[row["id"]]} for row in tables["sources"]]
    tables["seal_file"] = whole_lines(seals)
    (folder / "sql.json").write_text(json.dumps(tables, default=str))


def spans(roles: list[dict[str, Any]], changes: list[dict[str, Any]], names: dict[int, str]) -> list[dict[str, Any]]:
    """From when to when each role was held."""
    held = {(one["user"], one["market"]): {**one, "from": 0.0} for one in roles}
    over = []
    for change in changes:
        place = (names[(change["after"] or change["before"])["user"]], change["market"])
        if before := held.pop(place, None):
            over.append(before | {"to": change["committed"]})
        if change["verb"] == "give_role":
            user, market = place
            held[place] = {"user": user, "market": market, "role": change["after"]["role"], "from": change["committed"]}
    return over + [one | {"to": time.time() + 1e6} for one in held.values()]
