"""Asks X again about posts, now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from curation.ingest.polling.runs import in_words
from curation.ingest.rechecking.rechecks import recheck
from curation.ingest.rechecking.waiting import by_market
from curation.models import Candidate, Tweet
from regions.models import Market


class Command(BaseCommand):
    help = "Asks X again about posts, by their ids at X, or about what is approved; what X says is followed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="ID")
        parser.add_argument("--approved", action="store_true", help="what was approved last, 10,000 at most")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options["ids"]
        chosen = Q(first_id__in=ids) | Q(current_id__in=ids)
        tweets = list(Tweet.objects.filter(chosen).values_list("pk", flat=True)) if ids else []
        if options["approved"]:
            newest = Candidate.objects.approved().order_by("-approved_at")
            tweets += newest.values_list("tweet", flat=True)[:10_000]
        if not tweets:
            raise CommandError("Name posts that are stored here, or ask for --approved.")
        markets = Market.objects.in_bulk()
        for market_id, wanted in by_market(dict.fromkeys(tweets)).items():
            run = recheck(wanted, market=markets[market_id])
            told = f"{run.get_outcome_display()}: {in_words(run)} {run.error}" if run else "not asked: ingest pauses"
            self.stdout.write(f"{markets[market_id].code} {told}".rstrip())
