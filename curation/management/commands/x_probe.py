"""Tries a query, an account or a list: what would it bring, and what would it cost? Stores nothing."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from curation import shared_clock
from curation.ingest import pauses
from curation.ingest.polling.probing import Probe, probe
from curation.ledger.metered import Metered
from curation.shared_clock import clock_from
from curation.x.client import door
from curation.x.outcomes import Failure
from regions.models import Market, Source

KINDS = (Source.Kind.SEARCH, Source.Kind.ACCOUNT, Source.Kind.LIST)
LONGEST_HOURS = 167  # X searches seven days


class Command(BaseCommand):
    help = (
        "Asks X what a query, an account or a list would bring, and tells what a day of it would cost. Stores nothing,"
        " but costs budget itself: it reads five pages at most, and says how much."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.usage = "manage.py x_probe [--market CODE] [--kind search|account|list] [--hours N] WHAT"
        parser.epilog = "For example: manage.py x_probe '(Stadt OR Rat) lang:de' --market de --hours 24"
        parser.add_argument(
            "value",
            metavar="WHAT",
            help="a search query in quotes, an account's name or a list's number; one that begins with a hyphen last,"
            " after --",
        )
        parser.add_argument("--market", metavar="CODE", help="the market whose budget pays, by default the first")
        parser.add_argument(
            "--kind", choices=[kind.value for kind in KINDS], default="search", help="what WHAT is, by default search"
        )
        parser.add_argument("--hours", type=int, default=24, metavar="N", help="how far back, 1 to 167, by default 24")

    def handle(self, *args: Any, **options: Any) -> None:
        value, hours = options["value"].strip(), options["hours"]
        if not value:
            raise CommandError("Say what to ask for.")
        if not 1 <= hours <= LONGEST_HOURS:
            raise CommandError(f"--hours must be 1 to {LONGEST_HOURS}.")
        market = market_of(options["market"])
        self._tell(asked(options["kind"], value, hours, market), market)

    def _tell(self, told: Probe, market: Market) -> None:
        least, most = told.a_day_costs
        about = "" if told.whole else "at least "
        languages = ", ".join(f"{lang} {count}" for lang, count in told.languages.items())
        self.stdout.write(f"{told.posts} posts in {told.hours:.1f} h, {told.known} of them known. {languages}".strip())
        self.stdout.write(f"{about}{told.a_day} a day: {least:.2f} dollars a day, {most:.2f} if X charges authors too.")
        if told.aside:
            self.stdout.write(f"{told.aside} more could not be read or are gone.")
        for name, text in told.newest:
            self.stdout.write(f"  {name}: {' '.join(text.split())[:160]}")
        self.stdout.write(f"Asking cost {told.charged} posts of {market.code.upper()}'s budget. Nothing was stored.")


def market_of(code: str | None) -> Market:
    """An active market by its code, else the first. Raises CommandError."""
    markets = {market.code: market for market in Market.objects.active()}
    if code is None and markets:
        return next(iter(markets.values()))
    if (code or "").lower() not in markets:
        raise CommandError(f"There is no market {code}. There are: {', '.join(markets) or 'none'}.")
    return markets[(code or "").lower()]


def asked(kind: str, value: str, hours: int, market: Market) -> Probe:
    now = shared_clock.now()
    paused = pauses.admit(market, now)
    if paused:
        raise CommandError(f"X is not asked until {paused.until:%d %B, %H:%M} UTC: {paused.words}")
    failure: Failure | None = None
    try:
        return probe(kind, value, hours=hours, ask=Metered(door(), market, now=clock_from(now)), now=now)
    except Failure as told:
        failure = told
        raise CommandError(str(told)) from None
    finally:
        pauses.take_note(failure, market, began=now, now=shared_clock.now())
