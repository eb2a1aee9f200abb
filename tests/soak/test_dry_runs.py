"""A dry run of each kind of block reads the candidates of its scope's last seven days and no others, as EXPLAIN tells:
in a house of 10,000 candidates and of a million (SOAK=short: 100,000)."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench.stock import stock
from curation.blocking import reach
from curation.models import Candidate
from curation.operations.blocking import Entry
from curation.operations.naming import name_of
from regions.models import Market
from tests.curation.test_blocks_tried import most_rows

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
MANY = 100_000 if os.environ.get("SOAK") == "short" else 1_000_000
KINDS = [("term", "heute"), ("term", "Brückenfest"), ("hashtag", "#Haushalt"), ("domain", "bote.example")]
KINDS += [("author", "@blatt_5")]


@pytest.mark.parametrize("size", [10_000, MANY])
def test_a_dry_run_reads_seven_days_of_its_scope(size: int, capsys: pytest.CaptureFixture[str]) -> None:
    stock(size)
    market = Market.objects.get(code="de")
    now = timezone.now()
    scope = Candidate.objects.filter(channel__market=market)
    week, approved = scope.filter(posted_at__gte=now - timedelta(days=7)).count(), scope.approved().count()
    told = [f"{size:,} candidates, {scope.count():,} in scope, {week:,} of seven days"]
    for kind, value in KINDS:
        with CaptureQueriesContext(connection) as asked:
            trial = reach.try_out(Entry(name_of(kind, value), market=market), now)
        reads = [one["sql"] for one in asked if one["sql"].startswith(("\nWITH", "WITH", 'SELECT "curation'))]
        of_live = [sql for sql in reads if "approved" in sql and not sql.lstrip().startswith("WITH")]
        most = max(most_rows(sql) for sql in reads if sql not in of_live)
        told.append(f"{value}: {trial.hit} hits of {trial.read:,} read; at most {most:,} rows a step")
        assert reads, kind
        assert most <= week, told[-1]
        assert trial.late is False
        assert max(map(most_rows, of_live), default=0) <= max(approved, week), kind
    with capsys.disabled():
        print("\n" + "\n".join(told))
