"""Erasures outlive the database they were made in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.erasure_file import ErasureFile, fingerprint
from curation.models import Author, Candidate, ErasedAuthor, IngestRun, Quarantined, Tweet
from curation.tombstones import author_digest
from regions.models import Block, Change, Channel, Source
from tests.cast import make_author, make_block, make_candidate, make_tweet


@pytest.fixture
def file(tmp_path: Path) -> ErasureFile:
    return ErasureFile(tmp_path / "erasures.jsonl")


def written(file: ErasureFile, *x_ids: int, key: str = "") -> ErasureFile:
    lines = [
        {"digest": author_digest(one), "at": "2026-01-01T00:00:00+00:00", "key": key or fingerprint()} for one in x_ids
    ]
    file.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def test_each_tombstone_is_written_once_and_names_nobody(de_politics: Channel, file: ErasureFile) -> None:
    author = make_author("moos_und_farn")
    make_candidate(de_politics, tweet=make_tweet(author=author))
    assert operations.write_out_erasures(file) == 0
    assert not file.exists()
    operations.erase_author(author.x_id, by=None, now=timezone.now())
    operations.erase_author(4711, by=None, now=timezone.now())
    assert [operations.write_out_erasures(file) for _time in range(2)] == [2, 0]
    assert [line.digest for line in file.lines()] == [author_digest(author.x_id), author_digest(4711)]
    told = file.path.read_text()
    assert str(author.x_id) not in told and "moos" not in told
    file.path.write_bytes(file.path.read_bytes()[:-9])
    assert operations.write_out_erasures(ErasureFile(file.path)) == 1, "a torn line counts as missing"
    assert len(list(file.lines())) == 2


def test_what_cannot_be_written_is_tried_again(db: None, file: ErasureFile) -> None:
    operations.erase_author(4711, by=None, now=timezone.now())
    file.path.mkdir()
    assert operations.write_out_erasures(file) == 0
    file.path.rmdir()
    assert operations.write_out_erasures(file) == 1


def test_who_was_erased_is_erased_again_in_a_database_from_before(de_politics: Channel, file: ErasureFile) -> None:
    gone, stays = make_author("moos_und_farn"), make_author("bleibt_hier")
    rows = {one: make_candidate(de_politics, tweet=make_tweet(author=one), state="approved") for one in (gone, stays)}
    replay = operations.replay_erasures(written(file, gone.x_id, 4711), now=timezone.now())
    assert replay == operations.Replay(learned=2, erased=1, posts=1, strange=0)
    assert list(Author.objects.all()) == [stays]
    assert [Candidate.objects.get(pk=one.pk).state for one in rows.values()] == ["withdrawn", "approved"]
    assert set(Tweet.objects.filter(purged_at=None)) == {rows[stays].tweet}
    assert ErasedAuthor.objects.filter(digest=author_digest(4711)).exists()
    assert operations.replay_erasures(file, now=timezone.now()) == operations.Replay()
    assert Change.objects.filter(noun="author", verb="erase").count() == 1


def test_an_erasure_from_whose_midst_the_backup_is_is_finished(de_politics: Channel, file: ErasureFile) -> None:
    author = make_author("moos_und_farn")
    make_candidate(de_politics, tweet=make_tweet(author=author))
    ErasedAuthor.objects.create(digest=author_digest(author.x_id))
    assert operations.replay_erasures(file, now=timezone.now()).erased == 1
    assert not Author.objects.exists()


def test_sources_blocks_and_payloads_are_found_without_any_post(de_politics: Channel, file: ErasureFile) -> None:
    account = Source.objects.create(kind="account", value="@moos_und_farn", x_id="101", channel=de_politics)
    block = make_block("202", Block.Kind.AUTHOR, note="@moos_und_farn")
    run = IngestRun.objects.create(source=account, started_at=timezone.now())
    Quarantined.objects.create(run=run, reason="odd", payload={"author_id": "303"})
    assert operations.replay_erasures(written(file, 101, 202, 303), now=timezone.now()).erased == 3
    assert not Quarantined.objects.exists()
    account.refresh_from_db()
    block.refresh_from_db()
    assert (account.value, account.x_id, block.note.startswith("@")) == (f"erased/{account.pk}", "", False)
    assert operations.replay_erasures(file, now=timezone.now()).erased == 0, "what goes by number is left"


@pytest.mark.parametrize(("value", "x_id"), [("101", "101"), ("101/7", "101"), ("101", "")])
def test_sources_that_go_by_number_lose_it(de_politics: Channel, file: ErasureFile, value: str, x_id: str) -> None:
    """Of a backup in which an erased account's source still had its number, or a source that was listed by it."""
    account = Source.objects.create(kind="account", value=value, x_id=x_id, channel=de_politics)
    assert operations.replay_erasures(written(file, 101), now=timezone.now()).erased == 1
    account.refresh_from_db()
    assert (account.value, account.x_id, account.paused_at is None) == (f"erased/{account.pk}", "", False)
    assert operations.replay_erasures(file, now=timezone.now()).erased == 0


def test_another_key_is_told(de_politics: Channel, file: ErasureFile, settings: Any) -> None:
    author = make_author()
    written(file, author.x_id)
    settings.ERASURE_KEY = "another"
    assert operations.replay_erasures(file, now=timezone.now()) == operations.Replay(learned=1, strange=1)
    assert Author.objects.count() == 1
