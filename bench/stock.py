"""The stock of a busy house: millions of tweets with a candidate each, over all channels, made inside PostgreSQL.

One in ten waits, scattered over a month, so that hardly two of them stand on one page of the table; one in a hundred is
approved, nine are blocked, the rest lapsed; what people decided stands in the log. Authors, languages, marks and words
are drawn by hashes of a row's number, so that each size is drawn alike."""

from __future__ import annotations

from random import Random

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.db.backends.utils import CursorWrapper

from bench.filling import filled
from bench.posts import vocabulary
from curation.folding import fold
from regions.models import Block, Channel, Market, Membership, Role, User

AUTHORS = 5_000  # the busiest wrote one post in seventy, the rarest one in ten thousand
SENTENCES = 4_000  # of a language
SOUGHT = {"Brückenfest": 1_000, "Haushalt": 100, "heute": 10}  # words, and in one of how many posts each stands

TABLES = """
CREATE TEMP TABLE spoken (voice int, n int, text text, folded text, PRIMARY KEY (voice, n));
CREATE TEMP TABLE place (
    voice int, subject int, channel bigint, market bigint, lang text, PRIMARY KEY (voice, subject));
CREATE FUNCTION pg_temp.drawn(n bigint, seed int, size int) RETURNS int LANGUAGE sql IMMUTABLE
AS 'SELECT ((hashint8extended(n, seed) & 2147483647) % size)::int';
"""
SPOKEN = """
INSERT INTO spoken SELECT %s, n - 1, text, folded FROM unnest(%s, %s) WITH ORDINALITY AS said(text, folded, n)
"""
PLACES = """
INSERT INTO place SELECT %s, n - 1, channel, %s, %s FROM unnest(%s) WITH ORDINALITY AS given(channel, n)
"""
# One in forty repeats what the one before it said, in the same channel and by the same author, and waits behind it.
POSTS = """
CREATE TEMP VIEW post AS
WITH numbered AS (
    SELECT n, n - (n % 40 = 7)::int AS root, pg_temp.drawn(n - (n % 40 = 7)::int, 1, {voices}) AS voice
    FROM generate_series(1, {posts}) AS n
), told AS (
    SELECT n, root, n <> root AS repeats, voice, now() - interval '30 days' * (1 - n / {posts}.0) AS at,
        floor({authors} / {voices} * power(pg_temp.drawn(root, 2, 1000000) / 1e6, 2))::int * {voices} + voice AS author,
        CASE WHEN pg_temp.drawn(root, 3, 100) < 10 THEN 'pending' WHEN pg_temp.drawn(root, 3, 100) = 10 THEN 'approved'
            WHEN pg_temp.drawn(root, 3, 100) < 20 THEN 'blocked' ELSE 'lapsed' END AS state,
        CASE WHEN pg_temp.drawn(n, 4, 100) < 85 THEN '' WHEN pg_temp.drawn(n, 4, 100) < 93 THEN 'en'
            WHEN pg_temp.drawn(n, 4, 100) < 97 THEN 'und' WHEN pg_temp.drawn(n, 4, 100) < 99 THEN 'tr'
            ELSE 'ar' END AS tongue,
        pg_temp.drawn(n, 5, 1000) AS mark, pg_temp.drawn(n, 6, 55) AS quality, pg_temp.drawn(root, 7, 4) AS subject,
        pg_temp.drawn(root, 8, {sentences}) AS said, {sought} || ' ' || n AS more
    FROM numbered
)
SELECT told.*, place.channel, place.market, CASE tongue WHEN '' THEN place.lang ELSE tongue END AS lang,
    spoken.text || more AS text, spoken.folded || lower(translate(more, 'ü', 'u')) AS folded,
    mark < 10 AS held, mark BETWEEN 10 AND 30 AS sensitive, mark BETWEEN 31 AND 35 AS edited, mark = 36 AS offered
FROM told JOIN place USING (voice, subject) JOIN spoken ON spoken.voice = told.voice AND spoken.n = told.said
"""
AUTHORS_TOO = """
INSERT INTO curation_author (x_id, username, name, avatar_url, verified_type, followers, protected, withheld_in,
    fetched_at)
SELECT 3000000000 + n, 'blatt_' || n, 'Stadtblatt ' || n, 'https://pictures.example/' || n || '.png', '', n * 97, false,
    '{{}}', now()
FROM generate_series(0, {authors}) AS n
"""
TWEETS = """
INSERT INTO curation_tweet (id, first_id, current_id, author_id, text, lang, lang_guess, created_at, wire, raw, metrics,
    sensitive, withheld_in, previous_text, gone_cause, checked_at, fetched_at)
SELECT n, {x_id}, {x_id} + edited::int, 3000000000 + author, text, lang, CASE lang WHEN 'und' THEN 'fi' ELSE '' END, at,
    jsonb_build_object('entities', '{{}}'::jsonb, 'refs', '[]'::jsonb, 'media', CASE WHEN n % 3 = 0 THEN
        jsonb_build_array(jsonb_build_object('type', 'photo', 'url', 'https://pictures.example/' || n || '.jpg',
            'alt', 'Drei Leute warten vor dem Rathaus.')) ELSE '[]'::jsonb END),
    jsonb_build_object('id', n::text, 'text', text), '{{"likes": 3}}', sensitive, '{{}}', '', '', at, at
FROM post
"""
CANDIDATES = """
INSERT INTO curation_candidate (id, channel_id, tweet_id, state, version, source_id, group_id, hidden, alike, rank,
    rank_parts, folded, posted_at, arrived_at, pending_since, held, sensitive, edited, offered, confirmed_by_id,
    context, label, with_similar, blocked_by_lists, approved_at, author_id, lang)
SELECT n, channel, n, state, CASE WHEN state IN ('approved', 'blocked') THEN 2 ELSE 1 END, NULL,
    CASE WHEN repeats THEN root END, repeats AND state = 'pending',
    ARRAY[(channel << 32) | (hashint8(root) & 4294967295::bigint),
        (channel << 32) | (hashint8(-root) & 4294967295::bigint)],
    quality - CASE WHEN tongue IN ('', 'und') THEN 0 ELSE 20 END + 10 * extract(epoch FROM at) / 7200,
    jsonb_build_object('source', 10.0, 'engagement', quality - 10.0), folded || ' stadtblatt ' || author || ' blatt_'
        || author, at, at, at, held, sensitive, edited, offered,
    CASE WHEN mark = 37 AND state = 'pending' THEN {confirms} END, '', '', false, false,
    CASE WHEN state = 'approved' THEN at + interval '1 hour' END,
    3000000000 + author, CASE lang WHEN 'und' THEN 'fi' ELSE lang END
FROM post
"""
# What people decided, an act each; and the hits of what a list holds.
ACTS = """
INSERT INTO curation_act (id, by_id, verb, at)
SELECT n, ({people})[1 + n % {count}], CASE state WHEN 'approved' THEN 'approve' ELSE 'block' END,
    at + interval '1 hour'
FROM post WHERE state IN ('approved', 'blocked')
"""
DECISIONS = """
INSERT INTO curation_decision (act_id, candidate_id, channel_id, market_id, verb, by_id, at, reason, version,
    current_id, text_hash, before, after)
SELECT n, n, channel, market, CASE state WHEN 'approved' THEN 'approve' ELSE 'block' END,
    ({people})[1 + n % {count}], at + interval '1 hour',
    CASE state WHEN 'blocked' THEN 'not_chosen' ELSE '' END, 2, {x_id} + edited::int,
    md5(n::text) || md5(n::text), '{{"state": "pending"}}', jsonb_build_object('state', state)
FROM post WHERE state IN ('approved', 'blocked')
"""
HITS = """
INSERT INTO curation_hit (candidate_id, block_id, start, "end", at)
SELECT n, {block}, 0, 5, at FROM post WHERE held AND state = 'pending'
"""
X_ID = "(((extract(epoch FROM at) * 1000)::bigint - 1288834974657) << 22) + n % 4096"
FILLED = {  # in this order, since what points at a table is emptied with it
    "curation_act": ACTS,
    "curation_tweet": TWEETS,
    "curation_candidate": CANDIDATES,
    "curation_decision": DECISIONS,
    "curation_hit": HITS,
}
NUMBERED = ("curation_tweet", "curation_candidate", "curation_act")


def stock(posts: int) -> None:
    """So many tweets and candidates, in a database that is migrated and empty otherwise; and its people."""
    people = sorted(person.pk for person in hire())
    block = Block.objects.create(kind="term", value="Gewinnspiel", effect="hold")
    words = {
        "posts": posts, "voices": Market.objects.count(), "authors": AUTHORS, "sentences": SENTENCES, "x_id": X_ID,
        "people": f"ARRAY{people}", "count": len(people), "confirms": people[0], "block": block.pk,
        "sought": " || ".join(f"CASE pg_temp.drawn(root, {100 + n}, {n}) WHEN 0 THEN ' {word}' ELSE '' END"
                              for word, n in SOUGHT.items()),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET statement_timeout = 0; SET work_mem = '64MB'")
        cursor.execute("SET maintenance_work_mem = '1GB'; SET synchronous_commit = off")
        cursor.execute(TABLES)
        speak(cursor)
        cursor.execute(POSTS.format(**words))
        cursor.execute(AUTHORS_TOO.format(**words))
    for table, statement in FILLED.items():
        filled(table, statement.format(**words), anew=True)
    with connection.cursor() as cursor:
        for table in NUMBERED:
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        cursor.execute("VACUUM ANALYZE curation_author")
        cursor.execute("CHECKPOINT")
    connection.close()


def hire() -> list[User]:
    """Four editors of each market and a chief, named de0, de1, ... and chief."""
    markets = list(Market.objects.all())
    password = make_password(None, hasher="md5")
    people = {(one, n): User(username=f"{one.code}{n}", password=password) for one in markets for n in range(4)}
    chief = User(username="chief", password=password, is_superuser=True, is_staff=True)
    User.objects.bulk_create([*people.values(), chief])
    Membership.objects.bulk_create(
        Membership(user=person, market=market, role=Role.EDITOR) for (market, _n), person in people.items()
    )
    return list(people.values())


def speak(cursor: CursorWrapper) -> None:
    """Sentences of each market's language, its words as unevenly used as words are; and which channel has which."""
    chance = Random(11)
    for voice, market in enumerate(Market.objects.order_by("position")):
        words = vocabulary(market.languages[0])
        weights = [1 / (rank + 3) for rank in range(len(words))]
        chance.shuffle(words)
        spoken = [" ".join(chance.choices(words, weights, k=chance.randint(10, 24))) for _ in range(SENTENCES)]
        cursor.execute(SPOKEN, [voice, spoken, [fold(text) for text in spoken]])
        channels = list(Channel.objects.filter(market=market).order_by("position").values_list("pk", flat=True))
        cursor.execute(PLACES, [voice, market.pk, market.languages[0], channels])
