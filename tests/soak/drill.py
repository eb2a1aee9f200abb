"""A house that loses its database, its editors, and the lines of the handbook that bring it back."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPException
from random import Random
from typing import Any

from django.utils import timezone

from curation import operations
from curation.config.demo.ports import free_port
from curation.config.demo.servers import postgres_program
from curation.models import Candidate
from tests.soak.deciders import Caller
from tests.soak.house import PARTS, commands
from tests.soak.newsroom import Newsroom, Post
from tests.soak.programs import HOUSE
from tests.soak.witness import Notes

HANDBOOK = (HOUSE / "docs/backup.md").read_text()
FOLDER = "/var/backups/tickerdesk"
LINE = re.compile(r"^ {4}deploy/(manage) (.*)$", re.MULTILINE)


def lines_of(heading: str) -> list[list[str]]:
    """The commands in a section of the handbook."""
    section = HANDBOOK.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [[f"{name}.py", *words.split()] for name, words in LINE.findall(section)]


def manage(house: Newsroom, words: list[str], **places: str) -> str:
    """Runs a line of the handbook with the places of this house; whoever is asked answers yes."""
    told = [place_in(word, places) for word in words]
    done = subprocess.run(
        [sys.executable, *told], cwd=HOUSE, env=house.shared, input="y\n", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (told, done.stdout, done.stderr)
    return done.stdout


def place_in(word: str, places: dict[str, str]) -> str:
    word = re.sub(rf"{FOLDER}/tickerdesk-\w+", places.get("backup", ""), word)
    return word.replace(FOLDER, places.get("folder", ""))


def lose(house: Newsroom, *, edge: bool) -> None:
    """Everything is killed, and the disk of PostgreSQL is gone; with `edge` the files at the edge too."""
    for part in (*PARTS, "postmaster"):
        house.down(part)
        del house.running[part]
    for disk in house.folder.glob("postgres*"):
        shutil.rmtree(disk)
    if edge:
        for one in (house.folder / "feeds").iterdir():
            shutil.rmtree(one)


def another_server(house: Newsroom, number: int) -> None:
    """A new PostgreSQL, with another address and password, and the house's processes pointed to it."""
    house.server = postgres_program(house.folder / f"postgres{number}", free_port())
    house.shared["DATABASE_URL"] = house.server.url
    house.commands = commands(house.port, house.shared, house.folder)
    house.up("postmaster")


class Editor(threading.Thread):
    """Approves what waits and removes what is live, over HTTP; X withdraws some. Stops when told."""

    def __init__(self, house: Newsroom, code: str, caller: Caller, stock: list[Post], notes: Notes, seed: str) -> None:
        super().__init__(name=code, daemon=True)
        self.house, self.caller, self.stock, self.notes, self.chance = house, caller, stock, notes, Random(seed)
        self.live: dict[Post, int] = {}
        self.over = threading.Event()
        self.wrong: list[str] = []

    def run(self) -> None:
        try:
            with self.house.connected():
                while not self.over.is_set():
                    self.once()
                    time.sleep(0.01)
        except Exception as error:
            self.wrong.append(f"{self.name} ended: {error!r}")
            raise

    def once(self) -> None:
        if self.stock and (len(self.live) < 12 or self.chance.random() < 0.35):
            post = self.stock.pop()
            self.notes.asks_for(post.id)
            self.say("approve", post, 1)
            self.live[post] = 2
        elif self.live:
            post, version = self.chance.choice(list(self.live.items()))
            drawn = self.chance.random()
            if drawn < 0.2:
                self.notes.asks_for(post.id)
                self.say("annotate", post, version, context=f"Zeile {self.chance.randint(1, 99)}")
                self.live[post] = version + 1
                return
            del self.live[post]
            if drawn < 0.7:
                self.say("block", post, version, reason="not_chosen")
            else:
                self.withdraw(post)

    def say(self, verb: str, post: Post, version: int, **more: Any) -> None:
        """Asked for again, with its key, where the connection was lost."""
        body, key = {"verb": verb, "version": version} | more, f"{verb}-{post.pk}-{version}"
        until = time.monotonic() + 60
        while True:
            try:
                status, told = self.caller.post(f"/api/v1/candidates/{post.pk}/decisions/", body, key)
                break
            except (OSError, HTTPException):
                assert time.monotonic() < until, f"no answer to {verb} on {post}"
                time.sleep(0.1)
        assert status == 201, (verb, status, told)
        self.notes.add(verb, post.id)

    def withdraw(self, post: Post) -> None:
        """As a recheck does that hears of it."""
        tweet = Candidate.objects.values_list("tweet", flat=True).get(pk=post.pk)
        operations.withdraw([tweet], cause="deleted", now=timezone.now())
        self.notes.add("withdraw", post.id)


def end(editors: list[Editor]) -> None:
    for one in editors:
        one.over.set()
    for one in editors:
        one.join(120)


def kill_somewhere(house: Newsroom, words: list[str], seconds: float, **places: str) -> bool:
    """Begins a line of the handbook and kills it after so long; whether it had ended by itself."""
    told = [sys.executable, *(place_in(word, places) for word in words)]
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(told, cwd=HOUSE, env=house.shared, stdout=quiet, stderr=quiet, start_new_session=True)
    with suppress(subprocess.TimeoutExpired):
        return child.wait(seconds) == 0
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return False
