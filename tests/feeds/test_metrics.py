"""What Prometheus is told: every metric that is documented or alarmed on is there, and each tells what it says."""

from __future__ import annotations

import os
import re
from collections import Counter
from datetime import datetime, timedelta
from io import StringIO
from math import inf
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from kombu import Connection
from prometheus_client.parser import text_string_to_metric_families

from curation import metrics, nightly, operations
from curation.models import BudgetDay, Cursor, Enforcement, IngestRun, Pause
from curation.operations import Sealer
from feeds import files
from feeds import metrics as feeds_metrics
from feeds.calls import calls_of
from feeds.closure import close
from feeds.live import board
from feeds.models import Closure, Snapshot
from feeds.operations import mend_edge, publish
from regions.models import Channel, Market, Source, User
from tests.cast import make_candidate
from tests.feeds.conftest import committed, live

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
NAMES = re.compile(r"\b(?:tickerdesk|django_http|process)_[a-z_]+")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def scraped() -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, in the order of their names."""
    text = Client().get("/metrics").content.decode()
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples)
    return {(one.name, *(one.labels[name] for name in sorted(one.labels))): one.value for one in samples}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def alerts() -> list[dict[str, Any]]:
    told = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())
    return [rule for group in told["groups"] for rule in group["rules"]]


def test_every_metric_of_an_alert_is_documented_and_told(de: Market, politics: Channel, now: datetime) -> None:
    live(politics)
    publish(de.pk)
    mend_edge()
    Pause.objects.create(market=None, cause=Pause.Cause.TOKEN, until=now + HOUR)
    Client().get("/livez")
    Client().get("/api/v1/feeds/de/")
    page = (ROOT / "docs/metrics.md").read_text()
    documented = {name.removesuffix("_") for name in NAMES.findall(page)} - {"tickerdesk"}
    told = {name for name, *_ in scraped()}
    used = {name for rule in alerts() for name in NAMES.findall(rule["expr"])}
    assert used - told == {"tickerdesk_approval_to_feed_seconds"}
    assert {name.removesuffix("_bucket") for name in used} - documented == set()
    absent = {name for name in documented if not {name, f"{name}_bucket"} & told}
    assert absent == {"tickerdesk_approval_to_feed_seconds"}  # nothing was approved in the last hour
    assert {name for name in told if name.startswith("tickerdesk_")} - documented == set()


def test_feeds_that_django_answers_are_counted_by_format_and_status(de: Market, politics: Channel) -> None:
    publish(de.pk)
    asked = {"de/politics/": ("feed", "200"), "": ("feed", "200"), "de/feed.json": ("json-feed", "200"),
             "de/politics/rss.xml": ("rss", "200"), "xx/rss.xml": ("rss", "404"), "xx/?key=<a>": ("feed", "403"),
             "de/politics/x/y": ("feed", "404")}  # fmt: skip
    before, pages = scraped(), Counter(asked.values())
    told = [str(Client().get(f"/api/v1/feeds/{path}").status_code) for path in asked]
    assert told == [status for _kind, status in asked.values()]
    after, name = scraped(), "tickerdesk_feed_answers_total"
    assert {pair: after[name, *pair] - before.get((name, *pair), 0) for pair in pages} == pages
    Client().get("/api/v1/feeds/de/snapshots/")
    assert {key: value for key, value in scraped().items() if key[0] == name} == {
        key: value for key, value in after.items() if key[0] == name
    }, "the editorial API is counted with everything else"


def test_every_alert_is_explained() -> None:
    page = (ROOT / "docs/metrics.md").read_text()
    assert [rule["alert"] for rule in alerts() if not re.search(rf"\b{rule['alert']}\b", page)] == []
    assert {rule["labels"]["severity"] for rule in alerts()} == {"page", "ticket"}


def test_what_waits_to_be_live_and_what_stands_though_it_was_blocked(
    de: Market, politics: Channel, anna: User, now: datetime
) -> None:
    shown = live(politics)
    publish(de.pk)
    assert scraped()["tickerdesk_standing_seconds", "de"] == 0
    operations.block(shown, by=anna, version=shown.version, reason="spam")
    late = live(politics, approved_at=now - 10 * MINUTE)
    told = scraped()
    assert 0 < told["tickerdesk_standing_seconds", "de"] < 30
    assert 600 <= told["tickerdesk_unpublished_seconds", "de"] < 630
    assert told["tickerdesk_unpublished_seconds", "nl"] == 0
    publish(de.pk)
    told = scraped()
    assert (told["tickerdesk_standing_seconds", "de"], told["tickerdesk_unpublished_seconds", "de"]) == (0, 0)
    assert late.pk in {entry["candidate"] for entry in Snapshot.objects.latest("pk").entries}


def test_how_reading_fares(de: Market, politics: Channel, now: datetime) -> None:
    source = Source.objects.create(channel=politics, kind=Source.Kind.ACCOUNT, value="stadtblatt")
    Cursor.objects.create(source=source, due_at=now - 7 * MINUTE)
    IngestRun.objects.create(market=de, source=source, outcome=IngestRun.Outcome.READ, started_at=now - 5 * MINUTE)
    BudgetDay.objects.create(market=de, day=now.date(), used=40)
    Pause.objects.create(market=de, cause=Pause.Cause.DAY, until=now + HOUR)
    told = scraped()
    assert 420 <= told["tickerdesk_ingest_lag_seconds",] < 450
    assert 300 <= told["tickerdesk_unread_seconds", "de"] < 330
    assert told["tickerdesk_unread_seconds", "nl"] == DAY.total_seconds()
    assert told["tickerdesk_budget_posts", "de", "used", "day"] == 40
    assert told["tickerdesk_budget_posts", "de", "limit", "day"] > 40
    assert told["tickerdesk_ingest_paused", "day", "de"] == 1


def test_the_edge_and_the_publisher(de: Market, politics: Channel, now: datetime) -> None:
    live(politics)
    publish(de.pk)
    mend_edge()
    told = scraped()
    assert (told["tickerdesk_edge_behind_feeds",], told["tickerdesk_publishing_closed",]) == (0, 0)
    assert told["tickerdesk_feed_disk_free_bytes",] > 0
    for one in files.root().glob("ids/de/index.json.gz"):
        one.unlink()
    close(Closure.Why.RESTORED, now=now)
    told = scraped()
    assert (told["tickerdesk_edge_behind_feeds",], told["tickerdesk_publishing_closed",]) == (1, 1)


def test_blocks_and_seals_that_wait(de: Market, politics: Channel, anna: User, lena: User) -> None:
    one = make_candidate(politics)
    operations.approve(one, by=anna, version=one.version)
    assert 0 < scraped()["tickerdesk_unsealed_seconds", "de"] < 30
    assert scraped()["tickerdesk_unsealed_seconds", "nl"] == 0
    assert scraped()["tickerdesk_block_uncarried_seconds",] == 0
    operations.lay_block("term", "brücke", by=lena, market=de)
    assert Enforcement.objects.waiting().exists()
    assert scraped()["tickerdesk_block_uncarried_seconds",] > 0


def test_what_has_no_seal_is_told_by_one_question_for_all_markets(
    de: Market, politics: Channel, anna: User, django_assert_num_queries: Any
) -> None:
    sealed, loose = (make_candidate(politics) for _ in "ab")
    operations.approve(sealed, by=anna, version=1, now=timezone.now() - HOUR)
    operations.seal(now=timezone.now())
    operations.approve(loose, by=anna, version=1, now=timezone.now() - 20 * MINUTE)
    told = scraped()
    assert 1200 <= told["tickerdesk_unsealed_seconds", "de"] < 1230
    assert told["tickerdesk_unsealed_seconds", "nl"] == 0
    assert Market.objects.count() > 1
    with django_assert_num_queries(2):  # the other asks for blocks
        list(metrics.log(timezone.now()))


def test_servers_that_are_away_are_told(settings: Any) -> None:
    told = scraped()
    assert {told[f"tickerdesk_{name}_up",] for name in ("database", "redis", "broker")} == {1.0}
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert scraped()["tickerdesk_redis_up",] == 0


def test_disk_and_backups_are_told_without_the_database(django_assert_num_queries: Any, feed_root: Path) -> None:
    feed_root.mkdir(exist_ok=True)
    with django_assert_num_queries(0):
        told = {one.name for one in feeds_metrics.machine(timezone.now())}
    assert told == {"tickerdesk_backup_age_seconds", "tickerdesk_feed_disk_free_bytes"}


def test_jobs_that_wait_are_counted(settings: Any) -> None:
    before = scraped()["tickerdesk_queue_messages", "ingest"]
    with Connection(settings.CELERY_BROKER_URL) as broker, broker.SimpleQueue("ingest") as queue:
        queue.put("a job")
        told = scraped()
        queue.get(timeout=5).ack()
    assert told["tickerdesk_queue_messages", "ingest"] == before + 1


def test_a_broker_that_is_away_is_told(settings: Any) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:9/0"
    told = scraped()
    assert told["tickerdesk_broker_up",] == 0
    assert ("tickerdesk_queue_messages", "ingest") not in told


@committed
def test_what_is_not_in_the_files_is_not_live_and_what_left_still_stands(
    feed_root: Path, de: Market, politics: Channel, anna: User, now: datetime
) -> None:
    """The database published both; the disk is full."""
    shown, feed = live(politics), feed_root / "ids/de/politics"
    publish(de.pk)
    no_room(feed)
    operations.block(shown, by=anna, version=shown.version, reason="spam")
    new = live(politics, approved_at=now - 2 * MINUTE)
    with pytest.raises(OSError):
        publish(de.pk, now=now - MINUTE)
    assert Snapshot.objects.latest("pk").entries[0]["candidate"] == new.pk
    told = scraped()
    assert 0 < told["tickerdesk_standing_seconds", "de"] < 30
    assert 60 <= told["tickerdesk_unpublished_seconds", "de"] < 90
    assert (told["tickerdesk_edge_behind_feeds",], told["tickerdesk_standing_seconds", "nl"]) == (1, 0)
    assert [line.since for line in board(de, politics, now).lines] == [None], "the desk says so too"
    assert sum(call.late for call in calls_of([de], now + MINUTE)[0].calls) == 1
    (feed / ".index.json.gz.new").rmdir()
    mend_edge()
    told = scraped()
    names = ("standing_seconds", "unpublished_seconds")
    assert [told[f"tickerdesk_{name}", "de"] for name in names] == [0, 0]
    assert [bool(line.since) for line in board(de, politics, now).lines] == [True]


@committed
def test_a_feed_without_a_file_is_not_live(feed_root: Path, de: Market, politics: Channel, now: datetime) -> None:
    live(politics, approved_at=now - 2 * MINUTE)
    publish(de.pk, now=now - MINUTE)
    (feed_root / "ids/de/politics/index.json.gz").unlink()
    assert [line.since for line in board(de, politics, now).lines] == [None]
    assert sum(call.late for call in calls_of([de], now + MINUTE)[0].calls) == 1
    assert scraped()["tickerdesk_unpublished_seconds", "de"] >= 60
    mend_edge()
    assert [bool(line.since) for line in board(de, politics, now).lines] == [True]


def no_room(feed: Path) -> None:
    """Makes the file of a feed one that cannot be written."""
    (feed / ".index.json.gz.new").mkdir()


def test_the_nights_work_that_was_not_done_well_is_told(
    de: Market, politics: Channel, anna: User, now: datetime, settings: Any
) -> None:
    names = ("tickerdesk_backup_age_seconds", "tickerdesk_log_right_age_seconds")
    assert [scraped()[name,] for name in names] == [inf, inf], "never done"
    one = make_candidate(politics)
    operations.approve(one, by=anna, version=one.version)
    Sealer(settings.LOG_SEALS).turn()
    call_command("verify_log", market="de", stdout=StringIO())
    assert scraped()[names[1],] == inf, "of one market only"
    call_command("verify_log", stdout=StringIO())
    assert 0 <= scraped()[names[1],] < 30
    long_ago = (now - 31 * HOUR).timestamp()
    os.utime(nightly.file_of(nightly.LOG_RIGHT), (long_ago, long_ago))
    assert 31 * 3600 <= scraped()[names[1],] < 31 * 3600 + 60
    Path(settings.LOG_SEALS).unlink()
    with pytest.raises(CommandError):
        call_command("verify_log", stdout=StringIO())
    assert [scraped()[name,] for name in names] == [inf, inf]


@pytest.mark.parametrize("well", [True, False])
def test_work_that_cannot_be_noted_is_told(well: bool, tmp_path: Path, settings: Any) -> None:
    (tmp_path / "file").touch()
    settings.LOG_SEALS = tmp_path / "file" / "seals.jsonl"
    with pytest.raises(CommandError, match=r"The rest is done, but .*last-backup cannot be kept"):
        nightly.note(nightly.BACKUP, well=well)
