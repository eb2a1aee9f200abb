"""After a restored backup: says what would stay live and what waits again, asks, and lets publishing go on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from feeds import closure, operations, reopening
from feeds.reopening import Outcome, Plan
from regions.asking import answer


class Command(BaseCommand):
    help = (
        "Lets publishing go on after a restored backup. Live stays only what the database approves and the last files "
        "at FEED_ROOT show; everything else that was approved waits again. Asks before it does anything."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do it without asking")

    def handle(self, *args: Any, **options: Any) -> None:
        told = reopening.plan()
        if told is None:
            raise CommandError("Publishing is not closed.")
        for line in lines_of(told):
            self.stdout.write(line)
        if not options["yes"] and answer("Reopen? [y/N] ") not in ("y", "yes"):
            raise CommandError("Nothing was changed.")
        reopening.reopen(told, now=timezone.now())
        operations.catch_up()
        operations.mend_edge()
        if closure.stands():
            raise CommandError("Publishing was closed again meanwhile. Look at what stays live, and reopen once more.")
        self.stdout.write("Publishing is open.")


def lines_of(told: Plan) -> list[str]:
    lines = [line for outcome in told.markets for line in told_of(outcome)]
    lines += [f"The key of {one.name} is revoked: the edge turns it away." for one in told.revoked]
    if any(outcome.unknown for outcome in told.markets):
        lines.append("Where no file is at the edge, check the consumers too: a revoked key may stand there again.")
    return lines


def told_of(outcome: Outcome) -> list[str]:
    name = outcome.market.code.upper()
    lines = [f"{name}: {outcome.stay} stay live, {len(outcome.wait)} wait again"]
    lines += [f"{name}: nothing at the edge of {path}, nothing of it stays live" for path in outcome.unknown]
    return lines + [
        f"{name}: the hold of {path} ends, since its snapshot may show what was blocked" for path in outcome.holds
    ]
