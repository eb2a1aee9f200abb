"""Takes a backup, or reads one whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from curation import nightly
from feeds.backups import taking
from feeds.backups.manifest import Manifest, verify
from feeds.backups.programs import Failed


class Command(BaseCommand):
    help = (
        "Writes a backup of the database and the file LOG_SEALS into a new folder below FOLDER, as they are at one"
        " moment, while all goes on; with --verify reads one whole. See docs/backup.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path, help="where backups stand; of --verify, the backup")
        parser.add_argument("--verify", action="store_true", help="read the backup FOLDER whole, and change nothing")
        parser.add_argument("--keep", type=int, metavar="N", help="then remove all but the newest N")
        parser.add_argument("--days", type=int, metavar="DAYS", help="then remove those older than so many days")

    def handle(self, *args: Any, **options: Any) -> None:
        folder, now = options["folder"].absolute(), timezone.now()
        if any(options[name] is not None and options[name] < 1 for name in ("keep", "days")):
            raise CommandError("--keep and --days take a whole number from 1.")
        try:
            made = folder if options["verify"] else taking.take(folder, now=now)
            told = verify(made)
            gone = (
                [] if options["verify"] else taking.forget(folder, keep=options["keep"], days=options["days"], now=now)
            )
        except Failed as why:
            raise CommandError(str(why)) from why
        self.stdout.write(f"{made}: {words_of(told)}")
        for one in gone:
            self.stdout.write(f"removed {one.name}")
        if not options["verify"]:
            nightly.note(nightly.BACKUP, well=True)


def words_of(told: Manifest) -> str:
    rows, size = sum(told.rows.values()), sum(size for size, _digest in told.files.values())
    decisions = told.rows["curation_decision"]
    return f"{rows} rows, {decisions} decisions, as of {told.moment:%F %T} UTC; {size} bytes, whole."
