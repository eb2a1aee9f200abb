"""Batch compliance at once: hands X the list of our posts, waits, and follows what it tells."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from curation import shared_clock
from curation.ingest.polling.runs import in_words
from curation.ingest.rechecking import compliance
from curation.models import ComplianceJob

TURN = 5.0  # seconds


class Command(BaseCommand):
    help = "Has X go through all our posts, and withdraws those that are gone. Needs X_BATCH_COMPLIANCE."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=float, default=600.0, metavar="SECONDS", help="how long to wait for X")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.X_BATCH_COMPLIANCE:
            raise CommandError("Batch compliance is off: set X_BATCH_COMPLIANCE (see docs/settings.md).")
        waiting = ComplianceJob.objects.filter(ended_at=None).order_by("created_at").first()
        job = waiting or compliance.hand_in(shared_clock.now())
        if job is None:
            raise CommandError("Nothing was handed in: there are no posts, or X refused; the newest run says why.")
        self.stdout.write(f"Job {job.x_id}: {job.asked} posts.")
        end = time.monotonic() + options["wait"]
        while (run := compliance.collect(job, shared_clock.now())) is None:
            if time.monotonic() > end:
                raise CommandError("X is still at it: ask again later.")
            time.sleep(min(TURN, max(0.1, options["wait"])))
        if run.error:
            raise CommandError(run.error)
        self.stdout.write(in_words(run))
