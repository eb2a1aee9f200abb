"""Forgets somebody who decided here and leaves."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from regions.asking import ask_for_yes
from regions.ending import forget
from regions.models import User


class Command(BaseCommand):
    help = (
        "Takes roles, ways in, name and e-mail of an editor; what they decided stays under another log-in name."
        " See docs/data.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="LOG_IN_NAME")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError("Nobody has this log-in name.")
        self.stdout.write(f"{person.shown_name}, with {person.membership_set.count()} roles.")
        if not options["yes"]:
            ask_for_yes("Forget?", "Nobody was forgotten.")
        self.stdout.write(f"Forgotten: the logs name them {forget(person)}.")
