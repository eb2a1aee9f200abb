"""`manage.py publisher` as a program of its own: what it guarantees when everyone else is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from feeds import files
from feeds.models import Feed, Place, Snapshot
from feeds.operations import catch_up
from regions.models import Channel, Market
from tests.cast import channel_of, make_candidate
from tests.feeds.conftest import at_the_edge, committed, ids, published

POLITICS = Place("ids", "de", "politics")
DROP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
def program(feed_root: Path) -> Iterator[subprocess.Popen[str]]:
    """The publisher on the tests' database."""
    told = connection.settings_dict
    address = (
        f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST'].replace('/', '%2F')}:{told['PORT']}/{told['NAME']}"
    )
    started = subprocess.Popen(
        [sys.executable, "manage.py", "publisher"],
        env=os.environ | {"DATABASE_URL": address, "FEED_ROOT": str(feed_root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield started
    started.terminate()
    started.wait(5)


def soon(what: Callable[[], Any], seconds: float = 20) -> Any:
    """What it gives once it is true."""
    until = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < until:
        time.sleep(0.02)
    assert found
    return found


def shown() -> list[str]:
    return ids(at_the_edge("de", "politics")) if files.path_of(POLITICS).exists() else []


def change(channel: Channel) -> None:
    """A change whose own publication was lost."""
    Channel.objects.filter(pk=channel.pk).update(revision=channel.revision + 1)
    channel.refresh_from_db()


@committed
def test_it_publishes_mends_and_ends(program: subprocess.Popen[str]) -> None:
    channel = channel_of("de", "politics")
    soon(lambda: files.path_of(POLITICS).exists())
    soon(lambda: Feed.objects.public().count() == 25)

    first = make_candidate(channel, state="approved")
    change(channel)
    soon(lambda: shown() == [str(first.tweet.current_id)])

    files.path_of(POLITICS).unlink()
    soon(lambda: files.path_of(POLITICS).exists())

    second = make_candidate(channel, state="approved", expire_at=timezone.now() + timedelta(seconds=6))
    change(channel)
    soon(lambda: str(second.tweet.current_id) in shown(), 6)
    soon(lambda: str(second.tweet.current_id) not in shown())
    gone = Snapshot.objects.filter(feed__channel=channel).latest("number")
    assert second.expire_at is not None and gone.at - second.expire_at < timedelta(seconds=1.5)

    with connection.cursor() as cursor:
        cursor.execute(DROP)
    third = make_candidate(channel, state="approved")
    change(channel)
    soon(lambda: str(third.tweet.current_id) in shown())

    program.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    assert program.stdout is not None
    lines = list(iter(program.stdout.readline, ""))
    assert "publisher_stopped" in lines[-1]
    assert any("postgresql_lost" in line for line in lines)
    assert program.wait(15) == 0
    assert time.monotonic() - asked < 15  # most of it Python's own leaving, on a busy machine


@pytest.mark.django_db
def test_what_is_due(de_politics: Channel) -> None:
    now = timezone.now()
    nl = Market.objects.get(code="nl")
    assert Feed.objects.due_markets(now) == set(Market.objects.values_list("pk", flat=True))
    assert catch_up() == 5
    assert Feed.objects.due_markets(now) == set()
    Feed.objects.filter(market=nl, channel=None).update(next_change_at=now)
    assert Feed.objects.due_markets(now - timedelta(seconds=1)) == set()
    assert Feed.objects.due_markets(now) == {nl.pk}
    Channel.objects.filter(pk=de_politics.pk).update(revision=9)
    assert Feed.objects.due_markets(now) == {nl.pk, de_politics.market_id}
    assert catch_up(now=now) == 2
    assert Feed.objects.due_markets(now) == set()


@pytest.mark.django_db
def test_a_market_that_fails_keeps_no_other_waiting(de_politics: Channel) -> None:
    catch_up()
    Channel.objects.filter(pk=de_politics.pk).update(revision=9)
    Market.objects.filter(code="de").update(languages=[])
    Channel.objects.filter(market__code="nl").update(revision=9)
    catch_up()
    assert Feed.objects.due_markets(timezone.now()) == {de_politics.market_id}


@pytest.mark.django_db
@pytest.mark.parametrize("what", [Channel, Market])
def test_a_flag_that_nobody_told_of_is_noticed(what: type[Channel] | type[Market], de_politics: Channel) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(revision=3)
    make_candidate(de_politics, state="approved")
    catch_up()
    now, pk = timezone.now(), de_politics.pk if what is Channel else de_politics.market_id
    for active, count in ((False, 0), (True, 1)):
        what._default_manager.filter(pk=pk).update(active=active)
        assert Feed.objects.due_markets(now) == {de_politics.market_id}
        catch_up()
        assert len(ids(published("de"))) == count
        assert Feed.objects.due_markets(now) == set()
