"""How reading X fares, in lines for an operator: one that sums up, then what needs someone, then the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from django.utils import timezone
from django.utils.translation import ngettext

from curation.ingest import pauses
from curation.ingest.health import Condition, Health, health_of
from curation.ingest.polling.runs import cost_of
from curation.ledger import budget
from curation.ledger.prices import told_price
from curation.models import Pause
from regions.models import Market, Source

NEEDS_SOMEONE = (Condition.REFUSED, Condition.PAUSED, Condition.FAILING, Condition.SILENT)
FINE = (Condition.WELL, Condition.NEW)


def told(sources: Iterable[Source], now: datetime, *, all_of_them: bool = False) -> Iterator[str]:
    """The lines. Times are UTC."""
    found = list(sources)
    with timezone.override(UTC):
        healths = health_of(found, now)
    yield summed_up(healths.values(), now)
    listed = NEEDS_SOMEONE if pauses.of_everyone() else (*NEEDS_SOMEONE, Condition.WAITING)
    worst_first = sorted(found, key=lambda one: (list(Condition).index(healths[one.pk].condition), one.pk))
    for source in worst_first:
        if all_of_them or healths[source.pk].condition in listed:
            yield f"{source.pk} {source} ({source.kind}): {in_line(healths[source.pk], now)}"
    yield from (budget_line(market, now) for market in Market.objects.active())
    if not all_of_them:
        yield "Every source: --health --all; one: --health --source ID"


def summed_up(healths: Iterable[Health], now: datetime) -> str:
    """As in: 24 sources: 20 fine, 2 failing, 1 refused. DE has no budget until 23 Nov 00:00 UTC."""
    counted = Counter(health.condition for health in healths)
    fine = sum(counted.pop(one, 0) for one in FINE)
    parts = [f"{fine} fine", *(f"{counted[one]} {one.value}" for one in Condition if counted[one])]
    number = fine + counted.total()
    line = ngettext("%(n)d source:", "%(n)d sources:", number) % {"n": number} + f" {', '.join(parts)}."
    for pause in Pause.objects.filter(ended_at=None, market__isnull=False, until__gt=now).select_related("market"):
        line += f" {pauses.code(pause.market).upper()} has no budget until {moment(pause.until)}."
    everyone = pauses.of_everyone()
    if everyone:
        cause = everyone.get_cause_display()
        line += f" X turns everyone away since {moment(everyone.since)}: {cause}; next try {moment(everyone.until)}."
    return line


def budget_line(market: Market, now: datetime) -> str:
    told = budget.balance(market, now)
    again = told.rechecks_again
    unchecked = f". Live posts are no longer checked until {moment(again)}." if again else ""
    return (
        f"{market.code.upper()}: {told.day_charged:,} charged and {told.day_held:,} held of {told.day_limit:,} posts"
        f" today; {told.month_charged:,} charged and {told.month_held:,} held of {told.month_limit:,} this month"
        f" (${told_price(told.spent):,}, at most ${told_price(told.spent_at_most):,} should X charge authors it sends"
        f" along);"
        f" left now for ingest {told.left_for_ingest:,}, for rechecks {told.left_for_rechecks:,}{unchecked}"
    )


def in_line(told: Health, now: datetime) -> str:
    """As in: well. Read as it should be. Last 22 Nov 12:00, next 22 Nov 12:05 UTC; 24 h: 12 read, 3 new, ..."""
    spans = "; ".join(
        f"{name}: {counts.read} read, {counts.fresh} new, {cost_of(counts.charged, counts.held) or '0 charged'}"
        for name, counts in (("24 h", told.day), ("30 d", told.month))
    )
    last = f"Last {moment(told.last)}" if told.last else "Never read"
    then = "" if told.next is None else ", next now" if told.next <= now else f", next {moment(told.next)}"
    decided = told.yielded.decided
    approved = "" if told.approved is None else f"; {told.approved:.1f} approved per 100 of {decided} decided"
    return f"{told.condition.value}. {told.words} {last}{then}; {spans}{approved}"


def moment(at: datetime) -> str:
    return f"{at:%d %b %H:%M} UTC"
