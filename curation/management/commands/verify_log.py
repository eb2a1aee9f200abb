"""Recomputes the hash chain of the decision log. Ends with 1 when anything was tampered with."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curation import nightly, operations
from curation.models import Seal
from curation.operations.verifying import Audit
from curation.seal_file import SealFile
from regions.models import Market


class Command(BaseCommand):
    help = "Verifies the sealed decision log against the table of seals and the file LOG_SEALS (docs/decisions.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--market", help="code of the one market to verify, by default all")
        parser.add_argument("--seals", type=Path, metavar="FILE", help="LOG_SEALS, a copy of it, or the log as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        file = SealFile(options["seals"] or settings.LOG_SEALS)
        audits = [operations.verify_log(market, file, now=timezone.now()) for market in markets(options["market"])]
        for audit in audits:
            self._tell(audit)
        found = sum(audit.found for audit in audits)
        if not file.exists() and Seal.objects.exists():
            self.stdout.write(f"There is no file {file.path}: a chain recomputed or cut off would not show.")
            found += 1
        if not (options["market"] or options["seals"]):
            nightly.note(nightly.LOG_RIGHT, well=not found)
        if found:
            raise CommandError(f"The log is not right: {found} findings.", returncode=1)

    def _tell(self, audit: Audit) -> None:
        right = f"{audit.decisions} decisions and {audit.seals} seals are right."
        self.stdout.write(f"{audit.market}: {right}{more(audit)}")
        for damage in audit.damages:
            self.stdout.write(f"  {damage.kind}: {damage.words}")
        if audit.found > len(audit.damages):
            self.stdout.write(f"  and {audit.found - len(audit.damages)} more")


def more(audit: Audit) -> str:
    """What is no damage but worth knowing."""
    told = {
        f"{audit.unsealed} decisions wait for a seal": audit.unsealed,
        f"{audit.gone} decisions are gone with age": audit.gone,
        f"{audit.unvouched} seals are not in the file": audit.unvouched,
    }
    return "".join(f" {words}." for words, true in told.items() if true)


def markets(code: str | None) -> list[Market]:
    """The market of a code, or all, also those that are closed. Raises CommandError."""
    found = Market.objects.order_by("position", "pk")
    if code:
        found = found.filter(code=code.lower())
    if code and not found:
        raise CommandError(f"There is no market {code}.")
    return list(found)
