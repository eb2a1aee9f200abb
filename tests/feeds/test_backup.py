"""A backup is whole or not there, says what it holds, and comes back closed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from knox.models import AuthToken

from curation import nightly, operations
from curation.appended_file import MODE
from curation.erasure_file import ErasureFile
from curation.models import Candidate, Decision, Seal, Tweet
from curation.operations import Sealer
from curation.operations.replaying import write_out_erasures
from curation.seal_file import Line, SealFile
from feeds.backups import manifest, programs, taking
from feeds.backups.programs import Database, Failed
from feeds.backups.restoring import Lost, lost_since
from feeds.management.commands.restore import lines_of_loss
from feeds.models import Closure, Rendering
from feeds.operations import mend_edge, publish
from regions.invitations import invite
from regions.models import Channel, Invitation, Market, Role, User
from tests.cast import make_author, make_tweet
from tests.feeds.conftest import at_the_edge, committed, id_of, ids, live

OTHER = "tickerdesk_elsewhere"


@pytest.fixture
def house(politics: Channel, anna: User, lena: User, settings: Any) -> Channel:
    """Something of everything that a backup holds and a restore ends."""
    for words in ("eins", "zwei", "drei"):
        live(politics, words)
    publish(politics.market_id)
    mend_edge()
    AuthToken.objects.create(anna)
    Session.objects.create(session_key="s" * 32, session_data="", expire_date=timezone.now() + timedelta(days=1))
    invite(politics.market, Role.EDITOR, by=lena, now=timezone.now())
    candidate = Candidate.objects.first()
    assert candidate is not None
    operations.annotate(candidate, by=anna, version=candidate.version, context="Dazu")
    Sealer(settings.LOG_SEALS).turn()
    return politics


@contextmanager
def elsewhere() -> Iterator[None]:
    """DATABASE_URL names another database, which is not there; all that a test leaves there goes."""
    mine = connection.settings_dict
    connection.close()
    connection.settings_dict = mine | {"NAME": OTHER}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = mine
        for name in databases():
            with programs.anywhere() as cursor:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def databases() -> set[str]:
    with programs.anywhere() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{OTHER}%"])
        return {name for (name,) in cursor.fetchall()}


def told_by(command: str, *words: Any, **options: Any) -> str:
    told = StringIO()
    call_command(command, *map(str, words), stdout=told, **options)
    return told.getvalue()


def backed_up(folder: Path) -> Path:
    told_by("backup", folder)
    return newest(folder)


def newest(folder: Path) -> Path:
    return max(one for one in folder.iterdir() if manifest.moment_in(one.name))


@committed
def test_it_is_one_folder_that_only_its_owner_reads_and_that_tells_no_secret(
    house: Channel, tmp_path: Path, settings: Any
) -> None:
    told = told_by("backup", tmp_path / "kept")
    made = newest(tmp_path / "kept")
    assert nightly.age_of(nightly.BACKUP, timezone.now()) < 60
    assert f"{Decision.objects.count()} decisions" in told
    assert {one.name for one in made.iterdir()} == {"database.dump", "seals.jsonl", "manifest.json"}
    assert {stat.S_IMODE(one.stat().st_mode) for one in made.iterdir()} == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [one.name for one in made.parent.glob("*.new")] == []
    holds = manifest.read(made)
    seal = Seal.objects.get()
    assert holds.heads == {"de": (seal.number, seal.last_id, seal.head)}
    assert holds.rows["curation_candidate"] == 3 and "django_session" not in holds.rows
    assert holds.migrations["feeds"][0] == "0001_feeds_and_snapshots"
    text = programs.run(programs.program("pg_restore", 18), "--file=-", str(made / "database.dump"))
    assert "curation_candidate" in text and "s" * 32 not in text, "sessions stay away"
    for secret in (settings.SECRET_KEY, settings.ERASURE_KEY, connection.settings_dict["PASSWORD"]):
        assert secret not in text + (made / "manifest.json").read_text()


@committed
def test_it_is_of_one_moment_though_others_go_on(
    house: Channel, anna: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = programs.run

    def meanwhile(file: Path, *words: str) -> str:
        if file.name == "pg_dump":
            with psycopg2.connect(Database.ours().address, password=connection.settings_dict["PASSWORD"]) as link:
                link.cursor().execute("UPDATE regions_market SET retention_days = 77")
                link.cursor().execute("INSERT INTO curation_act (verb, at) VALUES ('approve', now())")
            link.close()
        return run(file, *words)

    monkeypatch.setattr(taking, "run", meanwhile)
    with elsewhere_after(backed_up(tmp_path)):
        assert not Market.objects.filter(retention_days=77).exists()
    assert Market.objects.filter(retention_days=77).exists()


@contextmanager
def elsewhere_after(made: Path) -> Iterator[str]:
    with elsewhere():
        yield told_by("restore", made)


@committed
def test_it_comes_back_whole_closed_and_with_every_door_shut(house: Channel, tmp_path: Path, settings: Any) -> None:
    made = backed_up(tmp_path)
    before = {model: list(model.objects.order_by("pk").values()) for model in (Candidate, Decision, Tweet, Seal, User)}
    with elsewhere_after(made) as told:
        assert {model: list(model.objects.order_by("pk").values()) for model in before} == before
        assert [one.why for one in Closure.objects.standing()] == ["restored"]
        assert (Rendering.objects.count(), Session.objects.count(), AuthToken.objects.count()) == (0, 0, 0)
        assert not Invitation.objects.open(timezone.now()).exists()
        assert publish(house.market_id) == []
        assert databases() == {OTHER}
        assert "Tokens of the API have ended, give new ones to: anna." in told
        assert "ATTENTION: there is no file ERASURE_LOG" in told
        assert told.index("reopen_feeds") < told.index("start tickerdesk.target")
        assert operations.verify_log(house.market, SealFile(settings.LOG_SEALS), now=timezone.now()).found == 0


@committed
def test_what_stands_is_never_overwritten_unless_it_is_named(house: Channel, tmp_path: Path) -> None:
    made = backed_up(tmp_path)
    with elsewhere_after(made):
        with pytest.raises(CommandError, match=f"not empty.*--replace {OTHER}"):
            told_by("restore", made)
        with pytest.raises(CommandError, match="not another"):
            told_by("restore", made, replace="another")
        Candidate.objects.update(context="later")
        with Database.ours().opened(), pytest.raises(CommandError, match=r"1 connections .* stop tickerdesk\.target"):
            told_by("restore", made, replace=OTHER)
        told = told_by("restore", made, replace=OTHER)
        assert not Candidate.objects.filter(context="later").exists()
        [kept] = databases() - {OTHER}
        assert f"is now {kept}" in told
        with Database(kept).opened() as cursor:
            cursor.execute("SELECT count(*) FROM curation_candidate WHERE context = 'later'")
            assert cursor.fetchone() == (3,)


@committed
def test_an_empty_database_is_taken(house: Channel, tmp_path: Path) -> None:
    made = backed_up(tmp_path)
    with elsewhere():
        with programs.anywhere() as cursor:
            cursor.execute(f"CREATE DATABASE {OTHER}")
        told_by("restore", made)
        assert databases() == {OTHER}
        assert Candidate.objects.count() == 3


@committed
def test_a_damaged_or_newer_backup_touches_nothing(house: Channel, tmp_path: Path) -> None:
    made = backed_up(tmp_path / "kept")
    assert "whole" in told_by("backup", made, verify=True)

    def refused(why: str, harm: Any) -> None:
        spoilt = Path(shutil.copytree(made, tmp_path / "spoilt"))
        harm(spoilt)
        for command, options in (("backup", {"verify": True}), ("restore", {})):
            with pytest.raises(CommandError, match=why):
                told_by(command, spoilt, **options)
        shutil.rmtree(spoilt)
        assert databases() == set()

    def flipped(file: Path) -> None:
        raw = bytearray(file.read_bytes())
        raw[len(raw) // 2] ^= 1
        file.write_bytes(raw)

    with elsewhere():
        refused("database.dump is not as it was written", lambda one: flipped(one / "database.dump"))
        refused("database.dump is not as", lambda one: os.truncate(one / "database.dump", 1000))
        refused("seals.jsonl is missing", lambda one: (one / "seals.jsonl").unlink())
        refused("manifest.json was changed", lambda one: changed(one, lambda told: told["rows"].update(curation_act=9)))
        refused("cannot be read", lambda one: os.truncate(one / "manifest.json", 100))
        with pytest.raises(CommandError, match="is no backup"):
            told_by("restore", tmp_path / "nothing")
        changed(made, lambda told: told["migrations"]["feeds"].append("0999_of_tomorrow"), vouched=True)
        with pytest.raises(CommandError, match=r"newer version, with feeds\.0999_of_tomorrow"):
            told_by("restore", made)
        assert databases() == set()


def changed(made: Path, harm: Any, *, vouched: bool = False) -> None:
    told = json.loads((made / "manifest.json").read_text())
    told.pop("checksum") if vouched else None
    harm(told)
    (made / "manifest.json").write_text(
        json.dumps(told | ({"checksum": manifest.checksum_of(told)} if vouched else {}))
    )


@committed
def test_an_older_backup_is_brought_up_to_date(house: Channel, tmp_path: Path) -> None:
    call_command("migrate", "feeds", "0005", verbosity=0)
    try:
        made = backed_up(tmp_path)
    finally:
        call_command("migrate", verbosity=0)
    with elsewhere_after(made):
        assert ("feeds", "0006_close_publishing") in MigrationRecorder(connection).applied_migrations()
        assert Closure.objects.standing().exists()


@committed
def test_who_was_erased_and_what_was_blocked_since_does_not_come_back(
    house: Channel, anna: User, tmp_path: Path, settings: Any
) -> None:
    author = make_author("moos_und_farn")
    theirs = live(house, tweet=make_tweet("Der Farn wächst", author=author))
    publish(house.market_id)
    mend_edge()
    made = backed_up(tmp_path / "kept")
    operations.erase_author(author.x_id, by=None, now=timezone.now())
    write_out_erasures(ErasureFile(settings.ERASURE_LOG))
    blocked = Candidate.objects.approved().first()
    assert blocked is not None
    operations.block(blocked, by=anna, version=blocked.version)
    Sealer(settings.LOG_SEALS).turn()
    longer = Path(settings.LOG_SEALS).read_bytes()
    shown = ids(at_the_edge("de", "politics"))
    with elsewhere_after(made) as told:
        assert "1 authors who had been erased were erased again, with 1 posts." in told
        assert Candidate.objects.get(pk=theirs.pk).state == "withdrawn"
        assert not Tweet.objects.filter(text__contains="Farn").exists()
        [kept] = Path(settings.LOG_SEALS).parent.glob("seals.jsonl.before-*")
        assert (kept.read_bytes(), str(kept) in told) == (longer, True)
        lost = SealFile(kept).last()["de"]
        assert f"de: seals {lost.number} to {lost.number} are lost" in told
        assert found(kept) == [("cut_off", lost.number)], "as the restore says, before anything is started"
        assert SealFile(settings.LOG_SEALS).last()["de"].head == Seal.objects.order_by("-number")[0].head
        assert Path(settings.LOG_SEALS).stat().st_mode & 0o777 == MODE
        call_command("reopen_feeds", yes=True, stdout=StringIO())
        after = at_the_edge("de", "politics")
        assert set(ids(after)) == set(shown) and id_of(blocked) not in ids(after)
        Sealer(settings.LOG_SEALS).turn()
        assert found(kept) == [("recomputed", lost.number)], "from the very seal that was told as lost"
        assert found(Path(settings.LOG_SEALS)) == []


def found(seals: Path) -> list[tuple[str, int | None]]:
    audit = operations.verify_log(Market.objects.get(code="de"), SealFile(seals), now=timezone.now())
    return [(damage.kind, damage.seal) for damage in audit.damages]


def test_tampering_is_not_told_as_lost(tmp_path: Path, settings: Any) -> None:
    """Another head for a seal that the backup has."""
    here, kept = SealFile(settings.LOG_SEALS), SealFile(tmp_path / "kept.jsonl")
    one, two = Line("de", 1, 1, 4, "a" * 64), Line("de", 2, 5, 9, "b" * 64)
    here.append([one, two])
    other = two._replace(head="c" * 64)
    later = [Line("de", number, 10 * number, 10 * number + 5, "d" * 64) for number in (3, 4)]
    kept.append([one, two, *later])
    assert lost_since(kept) == ([Lost(*later)], [])
    kept.path.unlink()
    kept.append([one, other, *later])
    lost, strange = lost_since(SealFile(kept.path))
    assert strange == [other]
    assert "ATTENTION: de: seal 2 has another head" in lines_of_loss(lost, strange)[-1]


@committed
def test_what_was_approved_while_closed_waits_too(house: Channel, tmp_path: Path) -> None:
    """Publishing was closed when the backup was taken: what was approved since then may have been blocked later."""
    Closure.objects.create(at=timezone.now() - timedelta(hours=1), why="restored")
    late = live(house, "während zu war", approved_at=timezone.now() + timedelta(minutes=2))
    made = backed_up(tmp_path)
    with elsewhere_after(made):
        call_command("reopen_feeds", yes=True, stdout=StringIO())
        assert Candidate.objects.get(pk=late.pk).state == "pending"


@committed
def test_a_database_that_postgresql_brought_back_itself_is_made_safe(house: Channel, settings: Any) -> None:
    with pytest.raises(CommandError, match="not another"):
        told_by("restore", recovered="another")
    assert not Closure.objects.exists()
    Path(settings.ERASURE_LOG).touch()
    told = told_by("restore", recovered=Database.ours().name)
    assert "Publishing is closed" in told and "ERASURE_LOG, or nothing in it" in told
    assert (Closure.objects.standing().count(), AuthToken.objects.count(), Session.objects.count()) == (1, 0, 0)


@committed
@pytest.mark.long
def test_killed_in_its_midst_it_leaves_nothing_to_start_on(house: Channel, tmp_path: Path) -> None:
    made, chance = backed_up(tmp_path / "kept"), Random(1)
    with elsewhere():
        told = connection.settings_dict
        user = f"{told['USER']}:{told['PASSWORD']}"
        address = f"postgres://{user}@{told['HOST'].replace('/', '%2F')}:{told['PORT']}/{OTHER}"
        surroundings = os.environ | {"DATABASE_URL": address, "LOG_SEALS": str(tmp_path / "seals.jsonl")}
        command = [sys.executable, "manage.py", "restore", str(made)]
        ended = False
        for attempt in range(6):
            child = subprocess.Popen(
                command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            time.sleep(0.9 + attempt * 0.5 + chance.uniform(0, 0.4))
            child.send_signal(signal.SIGKILL)
            ended = child.wait() == 0
            if OTHER in databases():
                break
        assert ended or OTHER not in databases() or Closure.objects.standing().exists()
        if OTHER not in databases():
            done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        assert (Closure.objects.standing().count(), databases()) == (1, {OTHER})


@committed
def test_old_ones_are_removed_and_the_newest_never(db: None, tmp_path: Path) -> None:
    now = timezone.now()
    names = [manifest.name_of(now - timedelta(days=days)) for days in (0, 1, 2, 40)]
    for name in [*names, "tickerdesk-notes", "photos"]:
        (tmp_path / name).mkdir()
    assert [one.name for one in taking.forget(tmp_path, keep=None, days=30, now=now)] == names[3:]
    assert [one.name for one in taking.forget(tmp_path, keep=2, days=None, now=now)] == names[2:3]
    assert taking.forget(tmp_path, keep=1, days=1, now=now + timedelta(days=50)) == [tmp_path / names[1]]
    assert {one.name for one in tmp_path.iterdir()} == {names[0], "tickerdesk-notes", "photos"}


@committed
def test_one_at_a_time_and_leftovers_go(house: Channel, tmp_path: Path) -> None:
    left = tmp_path / "tickerdesk-20260101T000000Z.new"
    left.mkdir()
    with taking.one_at_a_time(tmp_path), pytest.raises(CommandError, match="Another backup"):
        told_by("backup", tmp_path)
    assert left.exists()
    backed_up(tmp_path)
    assert not left.exists()


def test_programs_are_just_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in (14, 16, 19):
        file = tmp_path / str(version) / "pg_dump"
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.2 (Somewhere)'\n")
        file.chmod(0o755)
    monkeypatch.setattr(programs, "folders", lambda: [tmp_path / name for name in ("19", "14", "none", "16")])
    assert [programs.program("pg_dump", major).parent.name for major in (14, 15, 17)] == ["14", "16", "19"]
    with pytest.raises(Failed, match="only pg_dump 19 is here: install the package postgresql-client-20"):
        programs.program("pg_dump", 20)
