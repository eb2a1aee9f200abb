"""`operations.approve` against psycopg2: the same act, log, key and revision by statements written by hand.

Eight processes with a connection each approve candidates of the four channels of DE at once, in turn by the operation
and by hand. What listens to a decision (publishing, telling browsers) is left out: those are other rows."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from typing import Any

import psycopg2.extensions
from django.contrib.auth.hashers import make_password
from django.db import connection

from bench.ingest import on_processor
from bench.table import Measured, Taken, circumstances, table
from curation import operations
from curation.folding import fold
from curation.locks import LOG_LOCK
from curation.models import Author, Candidate, Tweet
from regions.models import Channel, Membership, Role, User
from regions.signals import channel_changed

CONNECTIONS, EACH = 8, 40  # approvals of each connection in a round and way
Approve = Callable[[int, User, str], None]


def by_operation(pk: int, by: User, key: str) -> None:
    candidate = Candidate(pk=pk)
    operations.approve(candidate, by=by, version=1, key=key)


# Every statement of the operation, as someone would write it who knows what is needed.
KEY = """INSERT INTO curation_idempotencykey (user_id, key, body_hash, status, refusals, created_at)
VALUES (%s, %s, %s, 0, '{}', %s) ON CONFLICT DO NOTHING"""
KNOWN = "SELECT status, body_hash, act_id, refusals FROM curation_idempotencykey WHERE user_id = %s AND key = %s"
PLACE = "SELECT channel_id FROM curation_candidate WHERE id = %s"
CHANNEL = """SELECT c.id, c.market_id, c.second_pair, c.slots, m.code, m.time_zone FROM regions_channel c
JOIN regions_market m ON m.id = c.market_id WHERE c.id = %s ORDER BY c.id FOR NO KEY UPDATE OF c"""
CANDIDATE = """SELECT k.state, k.version, k.slot, k.pinned_until, k.go_live_at, k.expire_at, k.context, k.label,
k.confirmed_by_id, k.approved_at, k.pending_since, k.held, k.with_similar, k.blocked_by_lists, k.group_id,
t.current_id, t.text, t.first_id, t.wire, t.purged_at, a.x_id, a.username FROM curation_candidate k
JOIN curation_tweet t ON t.id = k.tweet_id LEFT JOIN curation_author a ON a.x_id = t.author_id
WHERE k.id = %s FOR NO KEY UPDATE OF k"""
LISTS = "SELECT number FROM regions_listversion"
ACT = "INSERT INTO curation_act (by_id, verb, at) VALUES (%s, 'approve', %s) RETURNING id"
CHANGE = """UPDATE curation_candidate SET version = %s, held = false, state = 'approved', approved_at = %s
WHERE id = %s AND version = %s"""
LOG = """SELECT pg_advisory_xact_lock(%s, %s),
ARRAY(SELECT DISTINCT group_id FROM curation_candidate WHERE group_id = ANY(%s))"""
DECISION = """INSERT INTO curation_decision (act_id, candidate_id, channel_id, market_id, verb, by_id, at, reason,
version, current_id, text_hash, before, after) VALUES (%s, %s, %s, %s, 'approve', %s, %s, '', %s, %s, %s, %s, %s)
RETURNING id"""
REVISION = "UPDATE regions_channel SET revision = revision + 1 WHERE id = %s"
DONE = "UPDATE curation_idempotencykey SET status = 201, act_id = %s WHERE user_id = %s AND key = %s"
STANDING = ("state", "version", "slot", "pinned_until", "go_live_at", "expire_at", "context", "label",
            "confirmed_by_id", "approved_at", "pending_since", "held", "with_similar", "blocked_by_lists")  # fmt: skip


def by_hand(pk: int, by: User, key: str) -> None:
    link: psycopg2.extensions.connection = connection.connection
    now, asks = datetime.now(UTC), hashlib.sha256(json.dumps(["approve", {pk: 1}, {}]).encode()).hexdigest()
    with connection.wrap_database_errors, link.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(KEY, [by.pk, key, asks, now])
        cursor.execute(KNOWN, [by.pk, key])
        assert cursor.fetchone()[:2] == (0, asks)
        cursor.execute(PLACE, [pk])
        cursor.execute(CHANNEL, cursor.fetchone())
        channel, market, second_pair, *_ = cursor.fetchone()
        cursor.execute(CANDIDATE, [pk])
        row = cursor.fetchone()
        before = {name: told(value) for name, value in zip(STANDING, row, strict=False) if name != "version"}
        version, current_id, text = row[1], row[15], row[16]
        cursor.execute(LISTS)
        assert (before["state"], version, second_pair) == ("pending", 1, False)
        cursor.execute(ACT, [by.pk, now])
        [act] = cursor.fetchone()
        cursor.execute(CHANGE, [version + 1, now, pk, version])
        assert cursor.rowcount == 1
        cursor.execute(LOG, [LOG_LOCK, market, [pk]])
        after = before | {"state": "approved", "approved_at": now.isoformat(), "held": False}
        text_hash = hashlib.sha256(text.encode()).hexdigest()
        logged = [version + 1, current_id, text_hash, json.dumps(before), json.dumps(after)]
        cursor.execute(DECISION, [act, pk, channel, market, by.pk, now, *logged])
        cursor.execute(REVISION, [channel])
        cursor.execute(DONE, [act, by.pk, key])
        cursor.execute("COMMIT")


def told(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


WAYS: dict[str, tuple[str, Approve]] = {
    "hand": ("psycopg2, by hand", by_hand),
    "operation": ("operations.approve", by_operation),
}


def prepare(approvals: int) -> tuple[list[int], list[User]]:
    """So many pending candidates of DE, and eight people."""
    channels = list(Channel.objects.filter(market__code="de"))
    people = [
        User.objects.create(username=f"bench{n}", password=make_password(None, hasher="md5"))
        for n in range(CONNECTIONS)
    ]
    Membership.objects.bulk_create(Membership(user=one, market=channels[0].market, role=Role.EDITOR) for one in people)
    author = Author.objects.create(x_id=77, username="blatt", name="Blatt")
    now, first = datetime.now(UTC), 1_900_000_000_000_000_000
    tweets = Tweet.objects.bulk_create(
        Tweet(first_id=first + n, current_id=first + n, author=author, text=f"Der Rat beschloss Nummer {n}.",
              lang="de", created_at=now, wire={"entities": {}, "media": [], "refs": []})
        for n in range(approvals)
    )  # fmt: skip
    rows = Candidate.objects.bulk_create(
        Candidate(channel=channels[n % len(channels)], tweet=one, posted_at=now, folded=fold(one.text), rank=n)
        for n, one in enumerate(tweets)
    )
    return [row.pk for row in rows], people


def approve_each(way: str, ids: list[int], by: User, gate: Any, answers: Any) -> None:
    """What one process does: connects, waits for the others, approves."""
    channel_changed.receivers, channel_changed.sender_receivers_cache = [], {}
    connection.connect()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    by.role_in(0)
    gate.wait()
    began = time.perf_counter(), time.process_time(), on_processor(pid)
    for pk in ids:
        WAYS[way][1](pk, by, f"{way}-{pk}")
    answers.put((time.perf_counter() - began[0], time.process_time() - began[1], on_processor(pid) - began[2]))


def round_of(way: str, ids: list[int], people: list[User]) -> Taken:
    forking = multiprocessing.get_context("fork")
    gate, answers = forking.Barrier(CONNECTIONS), forking.Queue()
    connection.close()
    workers = [
        forking.Process(target=approve_each, args=(way, ids[n::CONNECTIONS], people[n], gate, answers))
        for n in range(CONNECTIONS)
    ]
    for one in workers:
        one.start()
    taken = [answers.get(timeout=300) for _ in workers]
    for one in workers:
        one.join()
    return Taken(max(one[0] for one in taken), sum(one[1] for one in taken), sum(one[2] for one in taken))


def run(rounds: int, stored: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row."""
    size = CONNECTIONS * EACH
    ids, people = prepare((rounds + 1) * len(WAYS) * size)
    taking = iter(ids)
    times: dict[str, list[Taken]] = {way: [] for way in WAYS}
    for turn in range(rounds + 1):
        for way in WAYS:
            taken = round_of(way, list(islice(taking, size)), people)
            if turn:  # the first warms up
                times[way].append(taken)
    assert Candidate.objects.filter(state="approved", version=2).count() == len(ids)
    return "Approving against psycopg2", words_of(times, circumstances(command))


def words_of(times: dict[str, list[Taken]], where: str) -> str:
    size = CONNECTIONS * EACH
    rows = [
        (
            WAYS[way][0],
            Measured([size / one.clock for one in taken]),
            f"{each(taken, 'ours')} + {each(taken, 'servers')}",
            ratio(times["hand"], taken, "work") if way != "hand" else "1",
            ratio(times["hand"], taken, "clock") if way != "hand" else "1",
        )
        for way, taken in times.items()
    ]
    heads = ("what", "approvals/s", "processor, us an approval: Python + PostgreSQL", "of by hand", "by the clock")
    return f"{table(heads, rows)}\n\n{EXPLAINED}\n\n{where}"


def each(taken: list[Taken], what: str) -> str:
    return f"{median(getattr(one, what) for one in taken) * 1e6 / (CONNECTIONS * EACH):.0f}"


def ratio(others: list[Taken], mine: list[Taken], what: str) -> Measured:
    pairs = zip(others, mine, strict=True)
    return Measured([getattr(other, what) / getattr(one, what) for other, one in pairs], 2)


EXPLAINED = f"""\
Medians of the rounds, with the least and the most. {CONNECTIONS} processes with a connection each approve {EACH}
pending candidates of DE's four channels at once, every one with a key of its own; every commit waits for the disk, as
in production. By hand: the same statements with psycopg2 (key; channel and candidate, locked in the house's order;
version of the lists; act; version compared in the UPDATE; log lock; decision with its standing before and after;
revision; key done), without rights, windows, slots, blocks or refusals. Publishing and telling browsers are left out
on both sides. The first ratio compares the time of the processors, ours and PostgreSQL's, which other programs disturb
least."""
