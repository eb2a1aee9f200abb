"""Asks X again about posts, now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from curation.ingest.polling.runs import cost_of
from curation.ingest.rechecking.rechecks import recheck
from curation.ingest.rechecking.waiting import by_market
from curation.models import Candidate, IngestRun, Tweet
from regions.models import Market

NOT_ASKED = "X was not asked: reading pauses (ingest --health says why), or every one of these posts was erased."


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
            told = said_of(run, len(wanted)) if run else NOT_ASKED
            self.stdout.write(f"{markets[market_id].code.upper()}: {told}")


def said_of(run: IngestRun, asked: int) -> str:
    """What a recheck did, as in: X was asked about 3 posts and told of 2. 1 was edited and is open again. Cost: 3."""
    told = [f"X was asked about {counted(asked, 'post')} and told of {run.read:,}."]
    changes = [
        (run.edited, "{} found edited: what was live or open is open again."),
        (run.withdrawn, "Withdrawn: {}."),
        (run.restored, "Shown by X again, and open: {}."),
        (run.missing, "Not verified, and asked about again later: {}."),
        (run.quarantined, "Set aside, since nobody could read it: {}."),
    ]
    told += [words.format(counted(count, "post")) for count, words in changes if count]
    if not any(count for count, _words in changes):
        told.append("Nothing changed.")
    if run.outcome != IngestRun.Outcome.READ:
        told.append(f"It ended early, {run.get_outcome_display()}: {run.error}".rstrip(": "))
    cost = cost_of(run.charged, run.uncertain)
    return " ".join([*told, *([f"Cost: {cost}."] if cost else [])])


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
