"""What a lead's rule let through by itself today, so that somebody looks at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from curation.models import Candidate, Decision, Verb
from curation.operations.ruling import reason_of
from regions.models import Market, Source

SHOWN = 20


@dataclass(frozen=True)
class LetThrough:
    """`count` is of the day, `candidates` the newest of them."""

    count: int
    candidates: Sequence[Candidate]


def let_through(source: Source, home: Market, now: datetime) -> LetThrough:
    """Since midnight on the market's clock, in this market, newest first."""
    zone = ZoneInfo(home.time_zone)
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, zone).astimezone(UTC)
    today = Decision.objects.filter(market=home, verb=Verb.APPROVE, at__gte=midnight, reason=reason_of(source))
    ids = list(today.order_by("-at", "-pk").values_list("candidate", flat=True))
    rows = {row.pk: row for row in Candidate.objects.with_tweets().filter(pk__in=ids[:SHOWN])}
    return LetThrough(len(ids), [rows[pk] for pk in ids[:SHOWN] if pk in rows])
