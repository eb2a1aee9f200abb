"""Verifying the log: the chain recomputed from the rows, and what was tampered with named.

Reads row by row, in the order of the ids; needs a table's size of time and no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from django.db import connection, transaction

from curation import seals
from curation.seal_file import Line, SealFile
from curation.seals import Sealed
from regions.models import Market

T = TypeVar("T")
MOST_TOLD = 50  # findings of a market that are told one by one
SEALS = """
SELECT market_id, number, first_id, last_id, form, extract(epoch FROM at), digests, head
FROM curation_seal WHERE market_id = %s ORDER BY number, id
"""
VERSIONS = """
SELECT coalesce(c.id, d.candidate_id), c.version, d.count, d.least, d.most
FROM (
    SELECT candidate_id, count(*), min(version) AS least, max(version) AS most
    FROM curation_decision WHERE market_id = %(market)s GROUP BY candidate_id
) AS d
FULL JOIN (
    SELECT id, version FROM curation_candidate
    WHERE version > 1 AND channel_id IN (SELECT id FROM regions_channel WHERE market_id = %(market)s)
) AS c ON c.id = d.candidate_id
WHERE c.version IS DISTINCT FROM d.most OR d.count <> d.most - d.least + 1 OR d.least <> 2
ORDER BY 1
"""


@dataclass(frozen=True)
class Damage:
    """One finding. kind: changed, removed, inserted, seal_changed, seals_missing, recomputed, cut_off, versions."""

    kind: str
    words: str
    seal: int | None = None
    decision: int | None = None


@dataclass
class Audit:
    """What was found of a market. `decisions` and `seals` count those that are right, `gone` decisions that went with
    age, `unsealed` those that wait for a seal, `unvouched` seals that the file does not hold."""

    market: str
    decisions: int = 0
    seals: int = 0
    gone: int = 0
    unsealed: int = 0
    unvouched: int = 0
    found: int = 0
    damages: list[Damage] = field(default_factory=list)

    def damage(self, kind: str, words: str, seal: int | None = None, decision: int | None = None) -> None:
        self.found += 1
        if self.found <= MOST_TOLD:
            self.damages.append(Damage(kind, words, seal, decision))


class Ahead(Generic[T]):
    """An iterator whose next one can be looked at: in `next`, None at the end."""

    def __init__(self, rows: Iterator[T]) -> None:
        self.rows = rows
        self.next = next(rows, None)

    def while_(self, wanted: Callable[[T], bool]) -> Iterator[T]:
        """Takes those at the front that are wanted."""
        while self.next is not None and wanted(self.next):
            taken, self.next = self.next, next(self.rows, None)
            yield taken


def verify_log(market: Market, file: SealFile | None, *, now: datetime) -> Audit:
    """Recomputes a market's chain from its decisions and compares it with the table of seals and with the file.

    One look at the database: what is decided or sealed meanwhile is not seen. Without a file nothing tells of a chain
    that was recomputed, or cut off at its end."""
    size = file.size() if file else 0  # before the database is looked at, so that the file is not ahead by itself
    with one_look():
        lines = file.lines(market.code, size=size) if file else iter(())
        rows = _read(seals.DECISIONS, [market.pk, market.pk, 0])
        walk = Walk(market.code, Ahead(rows), Ahead(lines), has_file=file is not None, kept_since=_kept_since(now))
        for *told, head in _read(SEALS, [market.pk]):
            walk.over(_sealed(told), head)
        walk.to_the_end()
        _try_versions(market, walk.audit)
    return walk.audit


@contextmanager
def one_look() -> Iterator[None]:
    """A transaction that sees one state and may take its time. Within another one that one's rules hold."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not connection.savepoint_ids:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield


def _read(sql: str, told: Any) -> Iterator[tuple[Any, ...]]:
    """Rows by a cursor of the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(sql, told)
        yield from cursor


def _kept_since(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM %s::timestamptz - interval '24 months')", [now])
        return int(cursor.fetchone()[0].scaleb(6))


def _sealed(told: list[Any]) -> Sealed:
    market, number, first, last, form, at, digests = told
    moment = seals.microseconds(at) if isinstance(at, Decimal) else 0
    return Sealed(market, number, first, last, form, moment or 0, bytes(digests))


class Walk:
    """Along a market's seals, with its decisions and the file's lines in step."""

    def __init__(
        self, market: str, rows: Ahead[tuple[Any, ...]], lines: Ahead[Line], *, has_file: bool, kept_since: int
    ) -> None:
        self.audit = Audit(market)
        self.rows, self.lines, self.has_file, self.kept_since = rows, lines, has_file, kept_since
        self.previous: str | None = ""  # the head before; None when it is not known
        self.number = self.covered = 0  # of the last seal: its number, the id of its last decision
        self.parted: Line | None = None  # where file and table first differ

    def over(self, seal: Sealed, head: str) -> None:
        """The next seal: its place in the chain, what the file says of it, and its decisions."""
        found = self.audit.found
        if seal.number <= self.number:
            self.audit.damage("seal_changed", f"seal {seal.number} is there twice", seal.number)
            return
        self._place(seal)
        line = self._line(seal.number)
        if seal.form not in seals.FORMS:
            self.audit.damage("seal_changed", f"seal {seal.number} is of a form that is not known", seal.number)
        elif self.previous is not None and seals.head_of(self.previous, seal) != head:
            words = f"seal {seal.number} does not follow from what it seals and the seal before: one was changed"
            self.audit.damage("seal_changed", words, seal.number)
        self._compare_line(line, seal, head)
        self._compare_rows(seal)
        self.audit.seals += self.audit.found == found and self.parted is None
        self.previous, self.number, self.covered = head, seal.number, max(self.covered, seal.last_id)

    def to_the_end(self) -> None:
        """What comes after the last seal, in the table and in the file."""
        self.audit.unsealed = sum(1 for _row in self.rows.while_(lambda _row: True))
        further = first_and_last(self.lines.while_(lambda _line: True))
        if further:
            first, last = further
            words = (
                f"the file knows seals {first.number} to {last.number}, decisions up to {last.last}; the table ends "
                f"at seal {self.number}, decision {self.covered}: it was cut off at its end"
            )
            self.audit.damage("cut_off", words, first.number)
        if self.parted:
            words = (
                f"seal {self.parted.number} has another head than in the file: the chain was recomputed from here on, "
                "or the file is another database's, or of before a restore"
            )
            self.audit.damage("recomputed", words, self.parted.number)

    def _place(self, seal: Sealed) -> None:
        """Seals that are missing before it. Of the decisions before it nothing is known then; else all are sealed."""
        if seal.number == self.number + 1:
            return
        words = f"seals {self.number + 1} to {seal.number - 1} are missing"
        self.audit.damage("seals_missing", words, self.number + 1)
        self.previous = None
        self._pass_over(seal.first_id)

    def _pass_over(self, before: int) -> None:
        """Decisions of which nothing is known."""
        for _row in self.rows.while_(lambda row: row[0] < before):
            pass

    def _line(self, number: int) -> Line | None:
        """The file's line of a seal. The one before it tells the head of a seal that is missing."""
        for line in self.lines.while_(lambda line: line.number < number):
            if line.number == number - 1 and self.previous is None:
                self.previous = line.head
        return next(self.lines.while_(lambda line: line.number == number), None)

    def _compare_line(self, line: Line | None, seal: Sealed, head: str) -> None:
        if line is None:
            self.audit.unvouched += self.has_file
        elif (line.first, line.last, line.head) != (seal.first_id, seal.last_id, head):
            self.parted = self.parted or line

    def _compare_rows(self, seal: Sealed) -> None:
        """The decisions of a seal against its digests, in the order of their ids."""
        if seal.form not in seals.FORMS:
            return self._pass_over(seal.last_id + 1)
        for pk, digest in seals.unpacked(seal.digests):
            self._inserted(pk, seal)
            self._compare(pk, digest, seal)
        self._inserted(seal.last_id + 1, seal)

    def _compare(self, pk: int, digest: bytes, seal: Sealed) -> None:
        row = next(self.rows.while_(lambda row: row[0] == pk), None)
        if row is None and isinstance(seal.at, int) and seal.at < self.kept_since:
            self.audit.gone += 1
        elif row is None:
            words = f"decision {pk} is missing; seal {seal.number} holds it"
            self.audit.damage("removed", words, seal.number, pk)
        elif seals.digest_of(row, seal.form) != digest:
            words = f"decision {pk}, or its act {row[1]}, was changed after seal {seal.number}"
            self.audit.damage("changed", words, seal.number, pk)
        else:
            self.audit.decisions += 1

    def _inserted(self, before: int, seal: Sealed) -> None:
        """Decisions whose id no seal holds, up to the next one that is held."""
        for row in self.rows.while_(lambda row: row[0] < before):
            words = f"decision {row[0]} was inserted later: seal {seal.number} went past its id without it"
            self.audit.damage("inserted", words, seal.number, row[0])


def first_and_last(lines: Iterator[Line]) -> tuple[Line, Line] | None:
    """The first and the last."""
    first = last = next(lines, None)
    for last in lines:  # noqa: B007
        pass
    return (first, last) if first and last else None


def _try_versions(market: Market, audit: Audit) -> None:
    """Every candidate's decisions begin at version 2 and have no gap up to the candidate's own. Where decisions went
    with age the first ones may lack."""
    for candidate, version, count, least, most in _read(VERSIONS, {"market": market.pk}):
        ends = version == most and count == most - least + 1
        if audit.gone and (ends or count is None):
            continue
        there = f"its decisions are {count} of versions {least} to {most}" if count else "it has no decisions"
        stands = f"stands at version {version}" if version else "is gone, or stands at version 1"
        audit.damage("versions", f"candidate {candidate} {stands}; {there}")
