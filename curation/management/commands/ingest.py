"""Reads what is due from X in the foreground, or tells how sources and budgets fare."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curation.ingest import fares, pauses
from curation.ingest.health import health_of
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.polling.runs import in_words
from curation.models import Cursor, IngestRun
from regions.models import Source


class Command(BaseCommand):
    help = "Reads every source that is due, once, in the foreground."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", type=int, metavar="ID", help="this one, due or not")
        parser.add_argument("--all", action="store_true", help="every source that is not paused, due or not")
        parser.add_argument(
            "--health", action="store_true", help="read nothing; tell what needs someone; with --all, or of one, all"
        )
        parser.add_argument(
            "--resume", action="store_true", help="X turned us away, and that is mended: try at once, with this token"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = sources_of(options["source"])
        now = timezone.now()
        if options["health"]:
            for line in fares.told(chosen, now, all_of_them=options["all"] or bool(options["source"])):
                self.stdout.write(line)
            return
        leases.add_missing_cursors()
        if options["resume"]:
            self._resume(chosen, now)
            return
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

    def _resume(self, chosen: list[Source], now: datetime) -> None:
        """Who comes first is let through; that is us, where no worker is faster."""
        if not pauses.try_again(now):
            self.stdout.write("X turns nobody away: there is nothing to resume.")
            return
        due = Cursor.objects.filter(source__in=Source.objects.running()).filter(source__in=chosen, due_at__lte=now)
        for source in [cursor.source for cursor in due.select_related("source")]:
            self._read(source)
            if poll_was_asked(source, now):
                break
        standing = pauses.of_everyone()
        if standing:
            raise CommandError(f"X still turns everyone away: {standing.words} Next try {standing.until:%H:%M} UTC.")
        self.stdout.write("X answers again; everything goes on.")


def poll_was_asked(source: Source, now: datetime) -> bool:
    """Whether X was asked for it since."""
    return IngestRun.objects.filter(source=source, started_at__gte=now).exists()


def sources_of(number: int | None) -> list[Source]:
    """One source, or all. Raises CommandError."""
    found = list(Source.objects.order_by("pk") if number is None else Source.objects.filter(pk=number))
    if number is not None and not found:
        raise CommandError(f"There is no source {number}.")
    return found


def make_due(sources: list[Source], now: datetime) -> None:
    """Those being read are left alone: moving their lease would lose what they read."""
    Cursor.objects.free().filter(source__in=sources, due_at__gt=now).update(due_at=now)
