"""Sealing the log: every few seconds the publisher adds a link to the hash chain of each market that decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

import structlog
from django.db import connection, transaction
from django.utils import timezone

from curation import seals
from curation.locks import SEAL_LOCK
from curation.models import Seal
from curation.seal_file import Line, SealFile, line_of
from regions.models import Market

log = structlog.get_logger(__name__)
MOST = 500  # decisions in a seal
MOST_LINES = 5000  # written to the file in a turn
# Both ends are looked up in an index. Between and the first order make it log_of_a_market: by the ids alone a market
# that has been quiet for long would have the others' log read through.
UNSEALED = """
SELECT m.id, m.code FROM regions_market m
WHERE (
    SELECT d.id FROM curation_decision d WHERE d.market_id BETWEEN m.id AND m.id AND d.id > coalesce(
        (SELECT s.last_id FROM curation_seal s WHERE s.market_id = m.id ORDER BY s.number DESC LIMIT 1), 0)
    ORDER BY d.market_id, d.id DESC LIMIT 1
) IS NOT NULL
ORDER BY m.id
"""


def seal(*, now: datetime) -> list[Seal]:
    """Seals what was decided, at most MOST decisions a market; gives the new seals. Waits for nobody.

    What can be seen of a market's log is always its beginning: `lock_log` is held from before a decision gets its id
    until it is visible. So whatever is read here can be preceded by nothing that comes later."""
    with connection.cursor() as cursor:
        cursor.execute(UNSEALED)
        markets = cursor.fetchall()
    made = [(code, _seal_market(market_id, now)) for market_id, code in markets]
    for code, new in made:
        if new:
            log.info("log_sealed", **line_of(code, new)._asdict())
    return [new for _code, new in made if new]


@transaction.atomic
def _seal_market(market_id: int, now: datetime) -> Seal | None:
    """The next seal of a market; None where another publisher is at it, or was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [SEAL_LOCK, market_id])
        if not cursor.fetchone()[0]:
            return None
        last = Seal.objects.filter(market=market_id).order_by("-number").first()
        cursor.execute(f"{seals.DECISIONS} LIMIT {MOST}", [market_id, market_id, last.last_id if last else 0])
        pairs = [(row[0], seals.digest_of(row)) for row in cursor.fetchall()]
    return _link(market_id, last, pairs, now) if pairs else None


def _link(market_id: int, last: Seal | None, pairs: list[tuple[int, bytes]], now: datetime) -> Seal:
    sealed = seals.Sealed(
        market=market_id,
        number=last.number + 1 if last else 1,
        first_id=pairs[0][0],
        last_id=pairs[-1][0],
        form=seals.FORM,
        at=seals.microseconds(now) or 0,
        digests=seals.packed(pairs),
    )
    told = sealed._asdict() | {"at": now}
    market = told.pop("market")
    return Seal.objects.create(market_id=market, head=seals.head_of(last.head if last else "", sealed), **told)


def write_out(file: SealFile) -> int:
    """Appends to the file the seals it lacks, at most MOST_LINES; returns how many. A new file gets them all in time.

    Where the file knows other seals than the table, one of them was tampered with, or a backup was restored."""
    with file.locked():
        if not file.exists() and Seal.objects.filter(number__gt=1).exists():
            log.warning("seal_file_begun", path=str(file.path))
        known = file.last()
        for line in known.values():
            if not Seal.objects.filter(market__code=line.market, number=line.number, head=line.head).exists():
                log.error("seals_disagree", **line._asdict())
        return file.append(islice(_lacking(known), MOST_LINES))


def _lacking(known: dict[str, Line]) -> Iterator[Line]:
    for code in Market.objects.order_by("pk").values_list("code", flat=True):
        last = known[code].number if code in known else 0
        newer = Seal.objects.filter(market__code=code, number__gt=last).defer("digests").order_by("number")
        for new in newer.iterator(chunk_size=1000):
            yield line_of(code, new)


class Sealer:
    """Seals and writes out, turn by turn. Trouble is logged and the turn repeated, but PostgreSQL's loss is raised."""

    def __init__(self, path: Path) -> None:
        self.file = SealFile(path)
        self.behind = True  # whether the file may lack seals: one that was killed may have left it so

    def turn(self, *, now: datetime | None = None) -> bool:
        """Whether more waits to be sealed at once."""
        try:
            made = seal(now=now or timezone.now())
            self.behind = self.behind or bool(made)
            if self.behind:
                self.behind = write_out(self.file) == MOST_LINES
            return any(len(new.digests) == MOST * seals.PAIR.size for new in made)
        except OSError:
            log.exception("seals_not_written")
        except Exception:
            if not connection.is_usable():
                raise
            log.exception("log_not_sealed")
        return False
