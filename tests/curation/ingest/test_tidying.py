"""Old runs and payloads set aside go; what is younger stays."""

from datetime import UTC, datetime, timedelta

import pytest

from curation.ingest import tidying
from curation.models import IngestRun, Pause, Quarantined

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(days: int) -> IngestRun:
    return IngestRun.objects.create(started_at=NOW - timedelta(days=days))


def aside(one: IngestRun, days: int) -> Quarantined:
    return Quarantined.objects.create(run=one, reason=str(days), payload={}, at=NOW - timedelta(days=days))


def test_runs_are_kept_ninety_days_and_quarantine_fourteen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "AT_ONCE", 2)
    old = [run(91) for _ in range(5)]
    young = [run(89), run(1)]
    aside(old[0], 91)
    for days in (30, 16, 15):
        aside(young[0], days)
    kept = [aside(young[0], 13), aside(young[1], 1)]
    for _ in range(2):
        tidying.tidy(NOW)
        assert list(IngestRun.objects.order_by("pk")) == young
        assert list(Quarantined.objects.order_by("pk")) == kept


def test_a_pause_that_stands_stays_however_old() -> None:
    long_ago = NOW - timedelta(days=100)
    Pause.objects.create(cause="cap", since=long_ago, until=long_ago, ended_at=long_ago)
    standing = Pause.objects.create(cause="token", since=long_ago, until=long_ago)
    tidying.tidy(NOW)
    assert list(Pause.objects.all()) == [standing]
