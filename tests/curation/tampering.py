"""An intruder with the rights of the database's owner: triggers do not hold them, only the seals tell of them.

Used by tests/curation/test_sealing.py and tests/soak/test_tampered_logs.py. Each tampering gives the kinds of damage
of which at least one must be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection, transaction

from curation import operations, seals
from curation.models import Candidate, Decision, Seal
from curation.seal_file import SealFile
from regions.models import Market, User
from tests.cast import channel_of, make_candidate

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
Tampering = Callable[[Random, Market], set[str]]


def make_log(people: dict[str, User], path: Path, *, seed: int, acts: int) -> SealFile:
    """Markets, by code, in each of which one person approved, blocked, reopened and took back: acts of one to eight
    decisions, sealed now and then."""
    chance, file = Random(seed), SealFile(path)
    rows = {code: [make_candidate(channel_of(code, name)) for name in ("politics", "sport") * 5] for code in people}
    for turn in range(acts):
        code = chance.choice(list(people))
        verb, wish = chance.choice([("approve", {}), ("reopen", {}), ("block", {"reason": "spam"})])
        chosen = {row.pk: row.version for row in again(chance.sample(rows[code], chance.randint(1, 8)))}
        done = operations.decide_many(verb, chosen, by=people[code], **wish)
        if done.act and chance.random() < 0.2:
            operations.undo(done.act, by=people[code])
        if chance.random() < 0.5:
            operations.seal(now=NOON + timedelta(seconds=turn))
            operations.write_out(file)
    operations.seal(now=NOON + timedelta(hours=1))
    operations.write_out(file)
    return file


def again(rows: list[Candidate]) -> list[Candidate]:
    return list(Candidate.objects.filter(pk__in=[row.pk for row in rows]))


@contextmanager
def intruding() -> Iterator[None]:
    """No trigger and no foreign key holds; everything is as before afterwards."""
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        yield
        transaction.set_rollback(True)


def run(sql: str, *told: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        return cursor.rowcount


def sealed(market: Market) -> list[int]:
    """Ids of its decisions, all of which are sealed."""
    return list(Decision.objects.filter(market=market).order_by("pk").values_list("pk", flat=True))


def kinds(market: Market, file: SealFile | None, now: datetime = NOON) -> set[str]:
    """The kinds of damage that are found."""
    return {damage.kind for damage in operations.verify_log(market, file, now=now).damages}


# --- changed ----------------------------------------------------------------------------------------------------
DECISION = {
    "candidate_id": "candidate_id + 1000000",
    "channel_id": "channel_id + 1",
    "verb": "CASE verb WHEN 'block' THEN 'approve' ELSE 'block' END",
    "by_id": "CASE WHEN by_id IS NULL THEN 1 END",
    "at": "at + interval '1 microsecond'",
    "reason": "CASE reason WHEN 'spam' THEN 'hate' ELSE 'spam' END",
    "version": "version + 1000",
    "current_id": "current_id + 1",
    "text_hash": "md5(text_hash)",
    "before": "jsonb_set(before, '{held}', to_jsonb(NOT (before->>'held')::boolean))",
    "after": "jsonb_set(after, '{slot}', '7')",
    "act_id": "(SELECT max(id) + 1 FROM curation_act)",
    "id": "(SELECT max(id) + 1 FROM curation_decision)",
    "market_id": "(SELECT id FROM regions_market WHERE code = 'ro')",
}
ACT = {
    "by_id": "CASE WHEN by_id IS NULL THEN 1 END",
    "verb": "CASE verb WHEN 'block' THEN 'approve' ELSE 'block' END",
    "at": "at - interval '1 microsecond'",
    "undoes_id": "CASE WHEN undoes_id IS NULL THEN id END",
}


def change_decision(chance: Random, market: Market) -> set[str]:
    column = chance.choice(list(DECISION))
    pk = chance.choice(sealed(market))
    assert run(f"UPDATE curation_decision SET {column} = {DECISION[column]} WHERE id = %s", pk) == 1
    return {"removed"} if column in ("id", "market_id") else {"changed"}


def change_act(chance: Random, market: Market) -> set[str]:
    column = chance.choice(list(ACT))
    act = Decision.objects.get(pk=chance.choice(sealed(market))).act_id
    assert run(f"UPDATE curation_act SET {column} = {ACT[column]} WHERE id = %s", act) == 1
    return {"changed"}


def change_several(chance: Random, market: Market) -> set[str]:
    """A name put in the place of another, everywhere in a stretch."""
    ids = stretch(chance, sealed(market))
    run("UPDATE curation_decision SET by_id = coalesce(by_id, 0) + 1 WHERE id = ANY(%s)", ids)
    return {"changed"}


# --- removed and inserted ---------------------------------------------------------------------------------------
def stretch(chance: Random, ids: list[int]) -> list[int]:
    start = chance.randrange(len(ids))
    return ids[start : start + chance.randint(1, 12)]


def remove(chance: Random, market: Market) -> set[str]:
    remove_decisions(stretch(chance, sealed(market)))
    return {"removed"}


def remove_decisions(ids: list[int]) -> None:
    """With their acts; candidates are set back as if nothing had been decided of them."""
    run("DELETE FROM curation_act WHERE id IN (SELECT act_id FROM curation_decision WHERE id = ANY(%s))", ids)
    assert run("DELETE FROM curation_decision WHERE id = ANY(%s)", ids) == len(ids)
    run(
        "UPDATE curation_candidate c SET version = coalesce("
        "(SELECT max(version) FROM curation_decision d WHERE d.candidate_id = c.id), 1)"
    )


def remove_act(chance: Random, market: Market) -> set[str]:
    act = Decision.objects.get(pk=chance.choice(sealed(market))).act_id
    assert run("DELETE FROM curation_act WHERE id = %s", act) == 1
    return {"changed"}


COPY = """
INSERT INTO curation_decision (id, act_id, candidate_id, channel_id, market_id, verb, by_id, at, reason, version,
    current_id, text_hash, before, after)
SELECT %s, act_id, candidate_id, channel_id, %s, verb, by_id, at, reason, 1000, current_id, text_hash, before, after
FROM curation_decision WHERE id = %s
"""


def insert(chance: Random, market: Market) -> set[str]:
    """Under an id that is free: of another market, or before the first."""
    ids = sealed(market)
    free = [pk for pk in range(ids[0] - 5, ids[-1]) if pk not in ids]
    pk = chance.choice(free)
    run("DELETE FROM curation_decision WHERE id = %s", pk)
    assert run(COPY, pk, market.pk, chance.choice(ids)) == 1
    return {"inserted"}


# --- seals ------------------------------------------------------------------------------------------------------
def remove_seals(chance: Random, market: Market) -> set[str]:
    numbers = list(Seal.objects.filter(market=market).order_by("number").values_list("number", flat=True))
    gone = stretch(chance, numbers[:-1])
    assert run("DELETE FROM curation_seal WHERE market_id = %s AND number = ANY(%s)", market.pk, gone) == len(gone)
    return {"seals_missing"}


SEAL = {
    "head": "md5(head) || md5(head)",
    "at": "at + interval '1 microsecond'",
    "digests": "set_byte(digests, 9, (get_byte(digests, 9) + 1) %% 256)",
    "first_id": "first_id - 1",
    "last_id": "last_id + 1",
    "form": "2",
}


def change_seal(chance: Random, market: Market) -> set[str]:
    column = chance.choice(list(SEAL))
    number = chance.randint(1, Seal.objects.filter(market=market).count())
    sql = f"UPDATE curation_seal SET {column} = {SEAL[column]} WHERE market_id = %s AND number = %s"
    assert run(sql, market.pk, number) == 1
    return {"seal_changed"}


def recompute(chance: Random, market: Market) -> set[str]:
    """The clever one: changes or removes decisions and makes the chain anew, so that the table is right in itself."""
    ids = stretch(chance, sealed(market))
    if chance.random() < 0.5:
        remove_decisions(ids)
    else:
        run("UPDATE curation_decision SET reason = 'legal', text_hash = 'x' WHERE id = ANY(%s)", ids)
    spans = list(Seal.objects.filter(market=market).order_by("number").values_list("last_id", "at"))
    run("DELETE FROM curation_seal WHERE market_id = %s", market.pk)
    make_seals(market, spans)
    return {"recomputed", "cut_off"}


def make_seals(market: Market, spans: list[tuple[int, datetime]]) -> None:
    """The chain of these last ids and times, as anyone can make it who has read this program."""
    head, number, done = "", 0, 0
    for last_id, at in spans:
        with connection.cursor() as cursor:
            cursor.execute(seals.DECISIONS, [market.pk, market.pk, done])
            pairs = [(row[0], seals.digest_of(row)) for row in cursor.fetchall() if row[0] <= last_id]
        done = last_id
        if pairs:
            number += 1
            digests, moment = seals.packed(pairs), seals.microseconds(at) or 0
            sealed = seals.Sealed(market.pk, number, pairs[0][0], pairs[-1][0], seals.FORM, moment, digests)
            head = seals.head_of(head, sealed)
            Seal.objects.create(
                market=market, number=number, first_id=pairs[0][0], last_id=pairs[-1][0], form=seals.FORM, at=at,
                digests=digests, head=head,
            )  # fmt: skip


def cut_off(chance: Random, market: Market) -> set[str]:
    """The last seals with what they seal; now and then the chain has gone on since."""
    count = Seal.objects.filter(market=market).count()
    first = Seal.objects.get(market=market, number=chance.randint(1, count))
    remove_decisions([pk for pk in sealed(market) if pk >= first.first_id])
    run("DELETE FROM curation_seal WHERE market_id = %s AND number >= %s", market.pk, first.number)
    if chance.random() < 0.3:
        by = User.objects.filter(membership__market=market).earliest("pk")
        for _ in range(chance.randint(1, 3)):
            row = make_candidate(channel_of(market.code, "politics"))
            operations.approve(row, by=by, version=1)
            operations.seal(now=NOON + timedelta(hours=2))
    return {"cut_off", "recomputed"}


def cut_off_seals(chance: Random, market: Market) -> set[str]:
    """The last seals alone."""
    first = chance.randint(1, Seal.objects.filter(market=market).count())
    run("DELETE FROM curation_seal WHERE market_id = %s AND number >= %s", market.pk, first)
    return {"cut_off"}


TAMPERINGS: dict[str, list[Tampering]] = {
    "changed": [change_decision, change_decision, change_act, change_several, change_seal],
    "removed": [remove, remove, remove_act, remove_seals],
    "inserted": [insert],
    "recomputed": [recompute],
    "cut off": [cut_off, cut_off, cut_off_seals],
}


def tamper_and_look(kind: str, chance: Random, market: Market, file: SealFile) -> tuple[set[str], set[str]]:
    """Tampers once; gives the kinds of damage that were found, and those of which one must be."""
    with intruding():
        expected = chance.choice(TAMPERINGS[kind])(chance, market)
        audit = operations.verify_log(market, file, now=NOON + timedelta(days=1))
        found = {damage.kind for damage in audit.damages}
    return found, expected
