"""Brings a backup back, with publishing closed, and says what is to be done next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone

from curation.seal_file import Line, SealFile
from feeds.backups.aftermath import Aftermath, make_safe
from feeds.backups.programs import Failed
from feeds.backups.restoring import Lost, Restored, lost_since, restore

NEXT = """\
Next, before anything is started (docs/backup.md):
  1. manage.py verify_log --seals FILE    with the seals from before: cut_off from what was lost on; later recomputed
  2. manage.py reopen_feeds    says what would stay on the phones, asks, and lets publishing go on
  3. start everything: systemctl start tickerdesk.target
  4. manage.py recheck --approved    asks X at once about what is on the phones
  5. Copy the new LOG_SEALS to where a copy of it is kept, and keep the old one beside it under another name.
  6. People who lost a role or left since are there again, and old passwords count: look at each market's people.
  7. Tell the leads: blocks, sources, settings and budgets are those of the backup; what was read since is not counted.\
"""


class Command(BaseCommand):
    help = (
        "Restores a backup into the database that DATABASE_URL names, which must be missing or empty. Publishing is"
        " then closed until `reopen_feeds`, sessions and tokens have ended. See docs/backup.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        ways = parser.add_mutually_exclusive_group(required=True)
        ways.add_argument("backup", nargs="?", type=Path, help="the folder that `backup` made")
        ways.add_argument(
            "--recovered", metavar="NAME", help="PostgreSQL itself brought the database NAME back: only make it safe"
        )
        parser.add_argument(
            "--replace", metavar="NAME", default="", help="the database NAME is not empty: keep it under another name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if name := options["recovered"]:
                self.tell(make_recovered_safe(name))
            else:
                self.tell_all(
                    restore(
                        options["backup"].absolute(),
                        replace=options["replace"],
                        now=timezone.now(),
                        say=self.stdout.write,
                    )
                )
        except Failed as why:
            raise CommandError(str(why)) from why
        self.stdout.write(NEXT)

    def tell_all(self, done: Restored) -> None:
        told = done.manifest
        self.stdout.write(f"Restored as of {told.moment:%F %T} UTC: {told.rows['curation_decision']} decisions.")
        if done.kept:
            self.stdout.write(f"The database that was there is now {done.kept}: drop it when nobody needs it.")
        if done.seals_kept:
            self.stdout.write(f"The seals written since the backup are kept in {done.seals_kept}.")
            self.stdout.write("\n".join(lines_of_loss(*lost_since(SealFile(done.seals_kept)))))
        self.tell(done.aftermath)

    def tell(self, done: Aftermath) -> None:
        self.stdout.write("Publishing is closed. Everybody must log in again.")
        if done.ended.tokens:
            self.stdout.write(f"Tokens of the API have ended, give new ones to: {', '.join(done.ended.tokens)}.")
        if done.ended.invitations:
            self.stdout.write(f"{done.ended.invitations} open invitations were withdrawn.")
        self.stdout.write(f"{done.purged} texts whose term is over were purged again.")
        self.stdout.write("\n".join(lines_of_erasures(done)))


def lines_of_loss(lost: list[Lost], strange: list[Line]) -> list[str]:
    told = [
        f"  {one.first.market}: seals {one.first.number} to {one.last.number} are lost, with what the backup lacks of"
        f" the decisions {one.first.first} to {one.last.last}."
        for one in lost
    ]
    if lost:
        told.append(
            "Write that down. Until anything is started, verify_log --seals with that file says cut_off from these"
            " seals on; later it says recomputed, since they are made anew. Anything else is not the restore."
        )
    told += [
        f"ATTENTION: {one.market}: seal {one.number} has another head there than in the backup. No restore does that:"
        " one of the two was tampered with, or is another database's."
        for one in strange
    ]
    return told


def lines_of_erasures(done: Aftermath) -> list[str]:
    if done.erasures is None:
        return [
            "ATTENTION: there is no file ERASURE_LOG, or nothing in it, so who was erased since the backup is not known"
            " and is there again: put the file in its place and run `restore --recovered`, or repeat `erase_author` by"
            " id."
        ]
    told = [f"{done.erasures.erased} authors who had been erased were erased again, with {done.erasures.posts} posts."]
    if done.erasures.strange:
        told.append(
            f"ATTENTION: {done.erasures.strange} erasures were noted with another ERASURE_KEY and cannot be repeated:"
            " run `restore --recovered` with that key, or repeat `erase_author` by id."
        )
    return told


def make_recovered_safe(name: str) -> Aftermath:
    if name != connection.settings_dict["NAME"]:
        raise Failed(f"DATABASE_URL names the database {connection.settings_dict['NAME']}, not {name}.")
    try:
        return make_safe(now=timezone.now())
    except DatabaseError as error:
        raise Failed(f"The database is not as this version needs it: {str(error).strip()}.") from error
