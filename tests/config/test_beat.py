"""Beat rings on, whatever the machine's clock is set to meanwhile: an hour or a day ahead, and back again."""

from datetime import timedelta

import pytest
import time_machine
from celery.beat import Scheduler
from celery.utils.imports import symbol_by_name
from django.conf import settings
from django.utils import timezone

from curation.config.celery import app


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


def test_nothing_of_its_times_is_kept_in_a_file() -> None:
    assert symbol_by_name(settings.CELERY_BEAT_SCHEDULER) is Scheduler
