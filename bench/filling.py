"""Millions of tweets, with a candidate each, made inside PostgreSQL."""

from __future__ import annotations

from django.db import connection, transaction

# Rows as ingest leaves them, their texts shorter; one in ten still pending, one in a hundred approved.
TWEETS = """
INSERT INTO curation_tweet (first_id, current_id, author_id, text, lang, lang_guess, created_at, wire, raw, metrics,
    sensitive, withheld_in, previous_text, gone_cause, checked_at, fetched_at)
SELECT n, n, 2000000000 + (n %% 200) * 7919, 'Nachricht ' || n || ' aus ' || md5(n::text), 'de', '',
    now() - interval '30 days' + n * interval '0.5 s', '{"entities": {}, "media": [], "refs": []}',
    jsonb_build_object('id', n::text, 'text', md5(n::text)), '{"likes": 3}', false, '{}', '', '', now(), now()
FROM generate_series(1, %s) AS n
"""
CANDIDATES = """
INSERT INTO curation_candidate (channel_id, tweet_id, state, version, hidden, alike, rank, rank_parts, folded,
    posted_at, arrived_at, pending_since, held, context, label, with_similar, blocked_by_lists, approved_at)
SELECT %s, id, CASE WHEN first_id %% 10 = 0 THEN 'pending' WHEN first_id %% 100 = 1 THEN 'approved' ELSE 'lapsed' END,
    1, false, ARRAY[hashint8extended(first_id, 1), hashint8extended(first_id, 2)], first_id, '{"source": 10.0}', text,
    created_at, created_at, created_at, false, '', '', false, false,
    CASE WHEN first_id %% 10 <> 0 AND first_id %% 100 = 1 THEN created_at END
FROM curation_tweet WHERE first_id <= %s
"""
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s
AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


def fill(channel_id: int, tweets: int) -> None:
    """`tweets` rows and as many candidates of a channel. Indexes are made afterwards, which is quicker."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        cursor.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
    filled("curation_tweet", TWEETS, [tweets])
    filled("curation_candidate", CANDIDATES, [channel_id, tweets])
    connection.close()


def filled(table: str, statement: str, figures: list[int] | None = None, *, anew: bool = False) -> None:
    """Runs a statement that fills a table, whose indexes are made afterwards. `anew`: what stands there goes, and what
    points at it, so that a server with `wal_level=minimal` writes no log of it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INDEXES, [table])
        indexes = dict(cursor.fetchall())
        if anew:
            cursor.execute(f"TRUNCATE {table} CASCADE")
        for name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(statement, figures)
        for made in indexes.values():
            cursor.execute(made)
    with connection.cursor() as cursor:
        cursor.execute(f"VACUUM ANALYZE {table}")
