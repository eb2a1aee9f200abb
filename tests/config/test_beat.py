"""Beat rings on, whatever the machine's clock is set to meanwhile: an hour or a day ahead, and back again."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from celery.beat import Scheduler
from celery.utils.imports import symbol_by_name
from django.conf import settings
from django.utils import timezone
from kombu import Connection, Message
from kombu.pools import producers

from curation import operations
from curation.config.celery import app
from curation.models import Tweet
from curation.tasks import recheck_pending
from feeds import operations as feeds
from feeds.tasks import recheck_live
from regions.models import Channel, User
from tests.cast import make_candidate


@pytest.mark.parametrize(
    "off", [timedelta(hours=1), timedelta(days=1), -timedelta(hours=1), -timedelta(days=1)], ids=str
)
def test_a_clock_that_was_off_neither_silences_it_nor_makes_it_ring_twice(off: timedelta) -> None:
    right = timezone.now()
    beat = Scheduler(app, lazy=True)
    beat.setup_schedule()
    with time_machine.travel(right + off):
        rung = {name: next(entry) for name, entry in beat.schedule.items()}
        assert [name for name, entry in rung.items() if entry.is_due().is_due] == []
    with time_machine.travel(right):
        late = {name: entry.is_due().next - entry.schedule.run_every.total_seconds() for name, entry in rung.items()}
    assert max(late.values()) <= 0, late


def test_a_start_rings_for_all_and_for_each_once() -> None:
    beat = Scheduler(app, lazy=True)
    beat.setup_schedule()
    assert {name for name, entry in beat.schedule.items() if entry.is_due().is_due} == set(
        settings.CELERY_BEAT_SCHEDULE
    )
    assert not [name for name, entry in beat.schedule.items() if next(entry).is_due().is_due]


def test_nothing_of_its_times_is_kept_in_a_file() -> None:
    assert symbol_by_name(settings.CELERY_BEAT_SCHEDULER) is Scheduler


# What lies in the queue


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Message]]]:
    """A broker in this process: what lies in its queues, taken out."""
    with Connection("memory://") as broker:
        monkeypatch.setattr(app.amqp, "_producer_pool", producers[broker])

        def taken() -> list[Message]:
            lanes = [broker.SimpleQueue(name) for name in ("celery", "ingest")]
            return [lane.get_nowait() for lane in lanes for _ in range(lane.qsize())]

        taken()
        yield taken


def test_no_job_is_dropped_by_a_clock_that_is_off(queues: Callable[[], list[Message]]) -> None:
    """Celery compares `expires`, a time of day by the sender's clock, with the worker's own."""
    beat = Scheduler(app, lazy=True)
    beat.setup_schedule()
    for entry in beat.schedule.values():
        beat.apply_async(entry, advance=False)
    rung = queues()
    assert [one.headers["expires"] for one in rung] == [None] * len(settings.CELERY_BEAT_SCHEDULE)
    bounds = {one.headers["task"]: one.properties.get("expiration") for one in rung}
    assert bounds["curation.tasks.poll_due_sources"] == bounds["curation.tasks.carry_blocks"] == "10000"


@pytest.mark.django_db
def test_nor_what_a_job_rings_for(queues: Callable[[], list[Message]], de_politics: Channel, anna: User) -> None:
    old = timezone.now() - timedelta(hours=7)
    waits, live = (make_candidate(de_politics, str(n)) for n in range(2))
    operations.approve(live, by=anna, version=1)
    feeds.catch_up()
    Tweet.objects.update(checked_at=old)
    recheck_pending()
    recheck_live()
    told = queues()
    assert {one.headers["task"] for one in told} == {"curation.tasks.recheck_tweets"}
    assert {one.headers["expires"] for one in told} == {None}
    asked = {pk for one in told for pk in one.payload[1]["tweet_ids"]}
    assert asked == {waits.tweet_id, live.tweet_id}
