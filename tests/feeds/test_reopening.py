"""After a restored backup nothing that was blocked or withdrawn since is shown again, and numbers go on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision, State
from feeds import closure, files, holding, reopening
from feeds.models import Closure, Feed, Place, Rendering, Snapshot
from feeds.operations import catch_up, mend_edge, open_consumer, publish, revoke
from regions.models import Channel, Market, Membership, Role, User
from tests.feeds.conftest import at_the_edge, beside, committed, id_of, ids, live, wait_for_a_waiting_lock

GROWING = ("feeds_snapshot", "curation_decision", "curation_act")
TABLES = ("curation_candidate", "feeds_feed", "feeds_rendering", "feeds_consumer")


def decide_and_publish(channel: Channel, verb: str, candidate: Candidate, by: User, **wish: Any) -> None:
    candidate.refresh_from_db()
    operations.decide(verb, candidate, by=by, version=candidate.version, **wish)
    publish(channel.market_id)


def newest_of(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
    return int(cursor.fetchone()[0])


@pytest.fixture
def backup() -> Callable[[], Callable[[], None]]:
    """Keeps what a backup keeps of some tables; the call that it gives puts it back, as a restored database has it."""

    def keep() -> Callable[[], None]:
        with connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(f"CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")
            newest = {table: newest_of(cursor, table) for table in GROWING}

        def restore() -> None:
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = replica")
                for table, last in newest.items():
                    cursor.execute(f"DELETE FROM {table} WHERE id > %s", [last])
                for table in TABLES:
                    cursor.execute(f"DELETE FROM {table}")
                    cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                    cursor.execute(f"DROP TABLE kept_{table}")
                cursor.execute("SET session_replication_role = DEFAULT")

        return restore

    return keep


def reopened(**options: Any) -> str:
    told = StringIO()
    call_command("reopen_feeds", yes=True, stdout=told, **options)
    return told.getvalue()


def state_of(candidate: Candidate) -> str:
    return Candidate.objects.get(pk=candidate.pk).state


@committed
def test_what_was_blocked_since_stays_off_and_numbers_go_on(
    backup: Any, politics: Channel, anna: User, feed_root: Path, client: Client
) -> None:
    stays, blocked, corrected = (live(politics, text) for text in ("bleibt", "gesperrt", "berichtigt"))
    publish(politics.market_id)
    mend_edge()
    restore = backup()
    decide_and_publish(politics, "block", blocked, anna)
    decide_and_publish(politics, "annotate", corrected, anna, context="Nicht wahr")
    late = live(politics, "später")
    publish(politics.market_id)
    before = at_the_edge("de", "politics")
    assert ids(before) == [id_of(late), id_of(corrected), id_of(stays)]
    restore()
    assert mend_edge() == 0
    assert (Closure.objects.get().why, catch_up(), publish(politics.market_id)) == ("edge_ahead", 0, [])
    assert at_the_edge("de", "politics") == before
    assert client.get("/api/v1/feeds/de/politics/").json() == before

    told = reopened()
    assert "DE: 1 stay live, 2 wait again" in told
    after = at_the_edge("de", "politics")
    assert ids(after) == [id_of(stays)]
    assert after["snapshot"] > before["snapshot"]
    assert {gone["id"] for gone in after["removed"]} == {id_of(blocked), id_of(corrected), id_of(late)}
    assert [state_of(one) for one in (stays, blocked, corrected)] == ["approved", "pending", "pending"]
    assert client.get("/api/v1/feeds/de/politics/").json() == after
    assert (closure.stands(), Decision.objects.filter(verb="reopen", by=None).count()) == (False, 2)


@committed
def test_without_files_nothing_stays_live_and_numbers_jump(
    backup: Any, politics: Channel, feed_root: Path, client: Client
) -> None:
    shown = live(politics)
    publish(politics.market_id)
    mend_edge()
    restore = backup()
    restore()
    shutil.rmtree(feed_root)
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    assert mend_edge() == 0
    assert not (feed_root / "ids").exists()
    answer = client.get("/api/v1/feeds/de/politics/")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    told = reopened()
    assert "nothing at the edge of de/politics/" in told
    after = at_the_edge("de", "politics")
    assert (ids(after), state_of(shown)) == ([], State.PENDING)
    assert after["snapshot"] > 1_000_000
    assert [gone["id"] for gone in after["removed"]] == [id_of(shown)]


def test_a_backup_restored_twice_gives_no_number_twice() -> None:
    moment = timezone.now()
    assert reopening.unseen(5, moment) < reopening.unseen(5, moment + timedelta(minutes=20)) - 1000
    assert reopening.unseen(10**9, moment) == 10**9 + 1_000_000


@committed
def test_closed_nobody_writes_and_a_revoked_key_still_ends(
    politics: Channel, anna: User, feed_root: Path, client: Client
) -> None:
    live(politics)
    consumer = open_consumer("A phone", by=None)
    publish(politics.market_id)
    mend_edge()
    before = files.path_of(Place("ids", "de", "politics")).read_bytes()
    assert closure.close(Closure.Why.RESTORED, now=timezone.now())
    assert not closure.close(Closure.Why.EDGE_AHEAD, now=timezone.now())
    late = live(politics, approved_at=timezone.now())
    other = open_consumer("Another", by=None)
    assert (publish(politics.market_id), catch_up(), mend_edge()) == ([], 0, 0)
    assert files.path_of(Place("ids", "de", "politics")).read_bytes() == before
    assert client.get(f"/api/v1/feeds/de/?key={consumer.key}").json()["entries"][0]["text"]
    revoke(consumer, by=None)
    answers = [client.get(f"/api/v1/feeds/de/?key={one.key}").status_code for one in (consumer, other)]
    assert (answers, files.folder_of(consumer.key).exists()) == ([403, 403], False)
    strange = files.folder_of("0123456789abcdef")
    strange.mkdir()
    assert (mend_edge(), strange.exists()) == (1, False), "revoked by another process"
    reopened()
    assert id_of(late) in ids(at_the_edge("de", "politics")), "approved after publishing had closed: looked at anew"
    assert client.get(f"/api/v1/feeds/de/?key={other.key}").status_code == 200


@committed
def test_a_key_that_was_revoked_since_stays_so(backup: Any, politics: Channel, feed_root: Path) -> None:
    kept, gone = open_consumer("Kept", by=None), open_consumer("Gone", by=None)
    publish(politics.market_id)
    mend_edge()
    restore = backup()
    revoke(gone, by=None)
    live(politics)
    publish(politics.market_id)
    restore()
    mend_edge()
    assert "The key of Gone is revoked" in reopened()
    mend_edge()
    assert [files.folder_of(one.key).exists() for one in (kept, gone)] == [True, False]


@committed
def test_what_could_come_up_later_waits_too(backup: Any, politics: Channel) -> None:
    """Beyond the feed's length, older than it shows, or for another hour: each could have been blocked since."""
    now = timezone.now()
    Channel.objects.filter(pk=politics.pk).update(feed_length=1)
    politics.refresh_from_db()
    old = live(politics, approved_at=now - timedelta(days=9))
    planned = live(politics, go_live_at=now + timedelta(hours=1))
    beyond = live(politics, approved_at=now - timedelta(hours=1))
    over = live(politics, expire_at=now - timedelta(minutes=1), approved_at=now - timedelta(hours=1))
    shown = live(politics, approved_at=now - timedelta(minutes=1))
    publish(politics.market_id)
    mend_edge()
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    reopened()
    assert [state_of(one) for one in (old, planned, beyond, over, shown)] == [
        "pending", "pending", "pending", "approved", "approved",
    ]  # fmt: skip
    assert operations.lapse_old(now=timezone.now()) == 1
    assert (state_of(old), ids(at_the_edge("de", "politics"))) == (State.LAPSED, [id_of(shown)])


@committed
def test_a_hold_of_a_snapshot_ends_a_blank_one_stays_and_older_ones_cannot_be_restored(
    de: Market, politics: Channel, anna: User, client: Client
) -> None:
    live(politics)
    publish(de.pk)
    economy = Channel.objects.exclude(pk=politics.pk).get(market=de, category__slug="economy")
    holding.hold(de, politics, "current", reason="Wait", by=anna)
    holding.hold(de, economy, "blank", reason="Wait", by=anna)
    number = Feed.objects.get(channel=politics).number
    mend_edge()
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    assert "the hold of de/politics/ ends" in reopened()
    held = dict(Feed.objects.filter(channel__in=[politics, economy]).values_list("channel__category__slug", "hold"))
    assert held == {"politics": "", "economy": "blank"}
    with pytest.raises(holding.LostSince):
        holding.hold(de, politics, number, reason="Wait", by=anna)
    Membership.objects.filter(user=anna).update(role=Role.LEAD)
    client.force_login(anna)
    assert client.get(f"/feed/de/politics/snapshots/{number}/").status_code == 200
    asked = {"snapshot": number, "reason": "Wait"}
    answer = client.post("/feed/de/politics/hold/", asked)
    assert (answer.status_code, "Wait" in answer.content.decode()) == (422, True)
    holding.hold(de, politics, "current", reason="Wait", by=anna)


@committed
def test_it_closes_by_itself_when_a_file_is_ahead_and_not_before(politics: Channel) -> None:
    """What is published while one looks: tests/feeds/test_files.py."""
    publish(politics.market_id)
    mend_edge()
    assert not closure.stands()
    number = files.EPOCH + 2
    os.utime(files.path_of(Place("ids", "de", "politics")), (number, number))
    mend_edge()
    assert closure.stands()


@committed
def test_it_asks_and_changes_nothing_without_yes(politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="not closed"):
        call_command("reopen_feeds")
    shown = live(politics)
    publish(politics.market_id)
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    monkeypatch.setattr("builtins.input", lambda _asked: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reopen_feeds", stdout=StringIO())
    assert (closure.stands(), state_of(shown), Snapshot.objects.filter(checksum="").count()) == (True, "approved", 0)


@committed
def test_without_a_terminal_it_says_what_it_needs(politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    monkeypatch.setattr("sys.stdin", StringIO(""))
    with pytest.raises(CommandError, match="needs a terminal"):
        call_command("reopen_feeds", stdout=StringIO())
    assert closure.stands()


@committed
def test_broken_off_it_is_begun_again(backup: Any, politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, other = live(politics), live(politics)
    publish(politics.market_id)
    files.path_of(Place("ids", "de", "politics")).unlink()
    files.path_of(Place("ids", "de", None)).unlink()
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    with monkeypatch.context() as broken, pytest.raises(ZeroDivisionError):
        broken.setattr(reopening, "go_on", lambda *_: 1 // 0)
        reopened()
    assert (closure.stands(), Rendering.objects.count()) == (True, 0)
    reopened()
    assert (state_of(shown), state_of(other), closure.stands()) == (State.PENDING, State.PENDING, False)
    assert ids(at_the_edge("de", "politics")) == []


@committed
def test_every_page_of_a_market_says_so(politics: Channel, anna: User, client: Client) -> None:
    anna.language = "en"
    anna.save()
    client.force_login(anna)
    assert "Nothing is published." not in client.get("/desk/de/").content.decode()
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    for address in ("/desk/de/", "/desk/de/politics/", "/feed/de/"):
        page = client.get(address).content.decode()
        assert page.count("Nothing is published.") == 1
        assert "the database was restored from a backup" in page


@committed
def test_who_looked_before_a_reopening_does_not_close_again_after_it(politics: Channel) -> None:
    shown = live(politics)
    publish(politics.market_id)
    mend_edge()
    number = files.EPOCH + 40
    os.utime(files.path_of(Place("ids", "de", "politics")), (number, number))
    mend_edge()
    told = reopening.plan()
    assert told
    with ExitStack() as later, transaction.atomic():
        reopening.reopen(told, now=timezone.now())
        later.enter_context(beside(mend_edge))  # sees files ahead of what is not committed yet
        wait_for_a_waiting_lock()
    assert not closure.stands()
    assert state_of(shown) == "approved"


@committed
def test_closed_again_it_does_not_say_open(politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    live(politics)
    publish(politics.market_id)
    closure.close(Closure.Why.RESTORED, now=timezone.now())
    again = partial(closure.close, Closure.Why.RESTORED, now=timezone.now())
    monkeypatch.setattr("feeds.operations.mend_edge", again)
    with pytest.raises(CommandError, match="closed again"):
        reopened()
