"""Erases one author, on request."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from curation import operations
from regions.asking import ask_for_yes
from regions.problems import Refusal


class Command(BaseCommand):
    help = "Erases an author: posts, name and picture go; ids, decisions and a tombstone stay. See docs/rechecks.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("author", metavar="NAME_OR_ID", help="@name of a known author, or X's id of any account")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = operations.preview_erasure(options["author"])
            self.tell(found)
            if not options["yes"]:
                ask_for_yes("Erase?", "Nothing was erased.")
            done = operations.erase_author(found.x_id, by=None, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(str(refusal.detail)) from refusal
        self.stdout.write(f"Erased: {done.posts} posts, {done.withdrawn} candidates withdrawn.")

    def tell(self, found: operations.Erasure) -> None:
        name = f"@{found.username} ({found.x_id})" if found.username else f"{found.x_id}, of whom nothing is stored"
        lines = [f"Author {name}", f"  posts stored: {found.posts}"]
        lines += [f"  live or scheduled: {count} in {channel}" for channel, count in found.live.items()]
        lines += [f"  source to be paused: {source.pk}" for source in found.sources]
        lines += [f"  block that goes on by id: {block.pk}" for block in found.blocks]
        lines += [
            f"  look at this yourself, it holds the name: {type(one).__name__} {one.pk}" for one in found.mentions
        ]
        self.stdout.write("\n".join(lines))
