"""Jobs: safe to run twice, and to run late."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation.config.celery import app
from curation.models import Candidate, IdempotencyKey, IngestRun, State, UsageReading
from curation.tasks import forget_old_keys, lapse_old_candidates, poll_source, reconcile_usage, tidy_ingest
from curation.x.simulator import Simulator
from regions.models import Channel, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db


def test_old_keys_are_forgotten_and_others_kept(anna: User) -> None:
    now = timezone.now()
    for days in (6, 8):
        IdempotencyKey.objects.create(user=anna, key=str(days), body_hash="", created_at=now - timedelta(days=days))
    forget_old_keys()
    forget_old_keys()
    assert [key.key for key in IdempotencyKey.objects.all()] == ["6"]


def test_old_candidates_lapse(de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, pending_since=timezone.now() - timedelta(days=30))
    lapse_old_candidates()
    lapse_old_candidates()
    found = Candidate.objects.get(pk=candidate.pk)
    assert (found.state, found.version) == (State.LAPSED, 2)


def test_a_source_that_is_gone_is_no_error() -> None:
    poll_source(source_id=4711)


def test_every_job_that_beat_rings_for_is_there(settings: Any) -> None:
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    app.loader.import_default_modules()
    assert rung - set(app.tasks) == set()


def test_usage_that_X_does_not_tell_now_is_left_for_the_next_hour(settings: Any) -> None:
    settings.X_API_BASE_URL = "http://127.0.0.1:9"
    reconcile_usage()
    assert UsageReading.objects.count() == 0


def test_usage_is_read_and_old_runs_go(settings: Any) -> None:
    IngestRun.objects.create(started_at=timezone.now() - timedelta(days=91))
    with Simulator(rate=0, catalogue=0) as x:
        settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
        reconcile_usage()
    tidy_ingest()
    assert (UsageReading.objects.count(), IngestRun.objects.count()) == (3, 0)
