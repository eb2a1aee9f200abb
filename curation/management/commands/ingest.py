"""Reads what is due from X in the foreground, or tells how sources and budgets fare."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from curation.ingest import pauses
from curation.ingest.health import Health, health_of
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.polling.runs import in_words
from curation.ledger import budget
from curation.models import Cursor, IngestRun
from regions.models import Market, Source


class Command(BaseCommand):
    help = "Reads every source that is due, once, in the foreground."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", type=int, metavar="ID", help="this one, due or not")
        parser.add_argument("--all", action="store_true", help="every source that is not paused, due or not")
        parser.add_argument("--health", action="store_true", help="read nothing; tell how sources and budgets fare")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = sources_of(options["source"])
        now = timezone.now()
        if options["health"]:
            self._tell_health(chosen, now)
            return
        leases.add_missing_cursors()
        pauses.resume(now)
        if options["source"] or options["all"]:
            make_due(chosen, now)
        due = Cursor.objects.due(now).filter(source__in=chosen)
        for source in [cursor.source for cursor in due.select_related("source")]:
            self._read(source)
        self.stdout.write(f"{len(chosen)} sources looked at.")

    def _read(self, source: Source) -> None:
        run = poll(source.pk)
        if run is None:
            self.stdout.write(f"{source.pk} {source}: not read. {health_of([source], timezone.now())[source.pk].words}")
            return
        told = f"{run.get_outcome_display()}: {in_words(run)}"
        self.stdout.write(f"{source.pk} {source}: {told}" + (f". {run.error}" if run.error else ""))

    def _tell_health(self, sources: list[Source], now: datetime) -> None:
        healths = health_of(sources, now)
        for source in sources:
            self.stdout.write(f"{source.pk} {source} ({source.kind}): {in_line(healths[source.pk])}")
        for market in Market.objects.active():
            told = budget.balance(market, now)
            self.stdout.write(
                f"{market.code.upper()}: {told.day_used:,} of {told.day_limit:,} posts today,"
                f" {told.month_used:,} of {told.month_limit:,} this month (${told.spent:.2f});"
                f" left now for ingest {told.left_for_ingest:,}, for rechecks {told.left_for_rechecks:,}"
            )


def sources_of(number: int | None) -> list[Source]:
    """One source, or all. Raises CommandError."""
    found = list(Source.objects.order_by("pk") if number is None else Source.objects.filter(pk=number))
    if number is not None and not found:
        raise CommandError(f"There is no source {number}.")
    return found


def make_due(sources: list[Source], now: datetime) -> None:
    """Those being read are left alone: moving their lease would lose what they read."""
    being_read = IngestRun.objects.filter(source=OuterRef("pk"), outcome=IngestRun.Outcome.RUNNING)
    Cursor.objects.filter(~Exists(being_read), source__in=sources, due_at__gt=now).update(due_at=now)


def in_line(told: Health) -> str:
    """As in: well. Read as it should be. Last 12:00, next 12:05 UTC; 24 h: 12 read, 3 new, 12 charged; ..."""
    last, then = (f"{at:%d %b %H:%M}" if at else "never" for at in (told.last, told.next))
    spans = "; ".join(
        f"{name}: {counts.read} read, {counts.fresh} new, {counts.charged} charged"
        for name, counts in (("24 h", told.day), ("30 d", told.month))
    )
    approved = "" if told.approved is None else f"; {told.approved:.1f} approved per 100 read"
    return f"{told.state.value}. {told.words} Last {last}, next {then} UTC; {spans}{approved}"
