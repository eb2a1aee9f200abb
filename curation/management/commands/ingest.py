"""Reads what is due from X in the foreground, or tells how sources and budgets fare."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils.translation import ngettext

from curation import shared_clock
from curation.ingest import fares, pauses
from curation.ingest.chances import closed_for, closed_windows
from curation.ingest.health import health_of, sentence
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.polling.runs import in_words
from curation.models import Cursor, IngestRun, Pause
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
            "--resume",
            action="store_true",
            help="X turned us away, and that is mended: try at once, with this token; with --source ID: end the pause"
            " of that source, also when X had refused it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = sources_of(options["source"])
        now = shared_clock.now()
        if options["health"]:
            for line in fares.told(chosen, now, all_of_them=options["all"] or bool(options["source"])):
                self.stdout.write(line)
            return
        leases.add_missing_cursors()
        if options["resume"]:
            self._resume_source(chosen[0], now) if options["source"] else self._resume(chosen, now)
            return
        pauses.resume(now)
        if options["source"] or options["all"]:
            make_due(chosen, now)
        if options["source"]:
            refuse_paused(chosen[0], now)
        due = Cursor.objects.due(now).filter(source__in=chosen)
        for source in [cursor.source for cursor in due.select_related("source")]:
            self._read(source)
        looked = ngettext("%(n)d source looked at.", "%(n)d sources looked at.", len(chosen))
        self.stdout.write(looked % {"n": len(chosen)})

    def _read(self, source: Source) -> None:
        run = poll(source.pk)
        if run is None:
            self.stdout.write(
                f"{source.pk} {source}: not read. {health_of([source], shared_clock.now())[source.pk].words}"
            )
            return
        told = f"{run.get_outcome_display()}: {in_words(run)}"
        self.stdout.write(f"{source.pk} {source}: {told}" + (f". {run.error}" if run.error else ""))

    def _resume_source(self, source: Source, now: datetime) -> None:
        told = "resumed; it is due now." if pauses.resume_source(source, now) else "not paused; nothing to resume."
        if source.erased:
            told = "its account was erased; it stays paused."
        self.stdout.write(f"{source.pk} {source}: {told}")

    def _resume(self, chosen: list[Source], now: datetime) -> None:
        """Who comes first is let through; that is us, where no worker is faster."""
        if not pauses.try_again(now):
            self.stdout.write("X turns nobody away: there is nothing to resume.")
            return
        run = self._ask_through_one(chosen, now)
        chance = pauses.wait_for_chance(shared_clock.now())
        standing = pauses.of_everyone()
        if standing:
            raise CommandError(still_away(run, standing, chance))
        self.stdout.write("X answers again; everything goes on.")

    def _ask_through_one(self, chosen: list[Source], now: datetime) -> IngestRun | None:
        """The run in which X was asked: of the first source that is due and whose window is open."""
        closed = closed_windows(now)
        due = Cursor.objects.filter(source__in=Source.objects.running()).filter(source__in=chosen, due_at__lte=now)
        for source in [cursor.source for cursor in due.order_by("due_at").select_related("source")]:
            if closed_for(source, closed):
                continue
            self._read(source)
            run = asked_since(source, now)
            if run:
                return run
        return None


def asked_since(source: Source, now: datetime) -> IngestRun | None:
    """The run of a source in which X was asked since; not one that waits for our own window or budget."""
    runs = IngestRun.objects.filter(source=source, started_at__gte=now).order_by("-started_at")
    waits = Q(outcome__in=[IngestRun.Outcome.WAITING, IngestRun.Outcome.BUDGET], read=0, charged=0)
    return runs.exclude(waits).first()


def still_away(run: IngestRun | None, standing: Pause, chance: datetime | None) -> str:
    """Why everything stands still after --resume: what X said now, or that it was not asked, and when it will be."""
    then = f"Next try {standing.until:%d %b %H:%M:%S} UTC."
    if run is None:
        if chance is None:
            return "X was not asked: no source is read."
        if chance < standing.until:
            return f"X was not asked from here: a worker had the turn. {then}"
        return f"X was not asked: every source waits for a request window or its market's budget. {then}"
    if run.error and run.error[:500] == standing.words:
        return f"X still turns everyone away: {sentence(run.error)} {then}"
    return f"X was asked and did not say whether it answers again: {sentence(run.error or run.outcome)} {then}"


def refuse_paused(source: Source, now: datetime) -> None:
    """Raises CommandError for a source that is paused."""
    if not Source.objects.running().filter(pk=source.pk).exists():
        words = health_of([source], now)[source.pk].words
        again = f"manage.py ingest --resume --source {source.pk}"
        raise CommandError(f"Source {source.pk} is not read. {words} Resume it with: {again}")


def sources_of(number: int | None) -> list[Source]:
    """One source, or all. Raises CommandError."""
    found = list(Source.objects.order_by("pk") if number is None else Source.objects.filter(pk=number))
    if number is not None and not found:
        raise CommandError(f"There is no source {number}.")
    return found


def make_due(sources: list[Source], now: datetime) -> None:
    """Those being read are left alone: moving their lease would lose what they read."""
    Cursor.objects.free().filter(source__in=sources, due_at__gt=now).update(due_at=now)
