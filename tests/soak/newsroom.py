"""The house with a Redis of its own and nginx before its feeds; its parts go down and come up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Self

from django.core.management import call_command
from knox.models import AuthToken

from curation.config.demo.ports import free_port
from curation.config.demo.program import eventually
from curation.config.demo.servers import redis_answers, redis_program
from regions.models import Channel, Market, Role
from tests.cast import make_candidate, make_user
from tests.edge.asking import Answer, ask
from tests.edge.nginx import Edge, nginx
from tests.soak.deciders import Caller
from tests.soak.house import House, commands
from tests.soak.programs import end_all

BELL = "redis"
FEEDS = "/api/v1/feeds"


class Newsroom(House):
    """`with` starts PostgreSQL and Redis; `open()` the rest."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.bell = redis_program(folder / "redis", free_port())
        self.shared |= {"REDIS_URL": self.bell.url, "CELERY_BROKER_URL": self.bell.url}
        self.commands = commands(self.port, self.shared, folder)

    def __enter__(self) -> Self:
        super().__enter__()
        self.up(BELL)
        return self

    def __exit__(self, *told: object) -> None:
        end_all(self.running[BELL])
        super().__exit__(*told)

    @contextmanager
    def at_the_edge(self) -> Iterator[Edge]:
        """nginx over the feed files, with everyone's markets in the database."""
        with nginx(self.folder / "nginx", self.folder / "feeds", web=f"127.0.0.1:{self.port}") as edge:
            yield edge

    def down(self, part: str) -> None:
        """SIGKILL, for it and for its processes."""
        parent = self.running[part]
        parent.kill()
        parent.wait()
        with suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        self.kills[part] += 1

    def up(self, part: str) -> None:
        if part == "postmaster":
            self._start_server()
        elif part == BELL:
            self.running[BELL] = self._rung()
        else:
            self._start(part)

    def _rung(self) -> subprocess.Popen[bytes]:
        child = self.bell.start()
        assert eventually(lambda: redis_answers(self.bell.url), 30), "Redis does not start"
        return child


def prepare(house: Newsroom) -> dict[str, Caller]:
    """An empty house with a lead for each market; how each of them calls."""
    call_command("migrate", verbosity=0)
    Channel.objects.update(feed_length=60, minimum_fill=0)
    return {market.code: caller_of(house.port, market.code) for market in Market.objects.order_by("pk")}


def caller_of(port: int, code: str) -> Caller:
    return Caller(port, AuthToken.objects.create(make_user(f"lead-{code}", {code: Role.LEAD}))[1])


@dataclass(frozen=True)
class Post:
    """A candidate and X's id of its post, as the feed has it."""

    pk: int
    id: str


def posts(channel: Channel, count: int) -> list[Post]:
    """New ones that wait."""
    made = (make_candidate(channel) for _ in range(count))
    return [Post(one.pk, str(one.tweet.current_id)) for one in made]


def approve(caller: Caller, many: list[Post]) -> None:
    rows = [{"id": one.pk, "version": 1} for one in many]
    status, told = caller.post("/api/v1/decisions/", {"verb": "approve", "candidates": rows})
    assert status == 200 and {one["status"] for one in told["results"]} == {201}, (status, told)


class Watch:
    """Asks nginx for feeds, one after the other, and keeps when each post was asked for last and was there: the moment
    at which the question went out, by our own clock."""

    def __init__(self, edge: Edge, paths: Iterable[str]) -> None:
        self.edge, self.paths = edge, list(paths)
        self.seen: dict[str, float] = {}
        self.answers = 0
        self.wrong: list[str] = []
        self.newest: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.is_set():
            for path in self.paths:
                self._look(path)
                self._stop.wait(0.02)

    def _look(self, path: str) -> None:
        asked = time.monotonic()
        try:
            answer = ask(self.edge, f"{FEEDS}/{path}", {"Accept-Encoding": "gzip"})
        except (OSError, HTTPException) as error:
            self.wrong.append(f"{path}: {error!r}")
            return
        self.answers += 1
        if answer.status != 200:
            self.wrong.append(f"{path}: status {answer.status}")
            return
        self._keep(path, answer, asked)

    def _keep(self, path: str, answer: Answer, asked: float) -> None:
        body = json.loads(answer.text)
        if body["snapshot"] < self.newest.get(path, 0):
            self.wrong.append(f"{path}: {body['snapshot']} after {self.newest[path]}")
        self.newest[path] = body["snapshot"]
        for one in body["entries"]:
            self.seen[one["id"]] = asked

    def shows(self, ids: Iterable[str], seconds: float) -> bool:
        """Whether all of them come within some seconds."""
        wanted = set(ids)
        return bool(eventually(lambda: wanted <= self.seen.keys(), seconds))


def shuffled(chance: Random, rows: list[Post]) -> list[Post]:
    return chance.sample(rows, len(rows))
