"""Dry runs: what one block would have hit, candidate by candidate, and how much is read for it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation.blocking import reach
from curation.folding import fold
from curation.models import Candidate, State, Tweet
from curation.operations.blocking import Entry
from curation.operations.naming import name_of
from regions.models import Channel
from tests.cast import channel_of, ids, make_author, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
LATELY, LONG_AGO = 300, 6000


def fill(channel: Channel, number: int, age: timedelta) -> None:
    """Candidates in four states, every tenth with the word."""
    at = timezone.now() - age
    texts = ["Brücke" if n % 10 == 0 else "Nebel über dem Fluss" for n in range(number)]
    tweets = Tweet.objects.bulk_create(
        Tweet(first_id=pk, current_id=pk, text=text, created_at=at, wire={"entities": {}})
        for text, pk in zip(texts, ids, strict=False)
    )
    states = (State.PENDING, State.BLOCKED, State.LAPSED, State.WITHDRAWN)
    Candidate.objects.bulk_create(
        Candidate(channel=channel, tweet=tweet, state=states[n % 4], posted_at=at, folded=fold(tweet.text))
        for n, tweet in enumerate(tweets)
    )


KINDS = [("term", "Brücke"), ("hashtag", "#Bruecke"), ("domain", "bote.example"), ("author", "@lindmark")]


def test_a_dry_run_reads_the_seven_days_of_its_scope_alone(de_politics: Channel) -> None:
    make_author("lindmark")
    fill(de_politics, LATELY, timedelta(days=2))
    fill(de_politics, LONG_AGO, timedelta(days=30))
    fill(channel_of("nl", "politics"), LONG_AGO, timedelta(days=2))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE curation_candidate; ANALYZE curation_tweet")
    for kind, value in KINDS:
        entry = Entry(name_of(kind, value), market=de_politics.market)
        with CaptureQueriesContext(connection) as asked:
            trial = reach.try_out(entry, timezone.now())
        assert (trial.hit, trial.read) == (30 if kind == "term" else 0, 0 if kind == "author" else LATELY), kind
        reads = [one["sql"] for one in asked if one["sql"].startswith(("\nWITH", "WITH", 'SELECT "curation'))]
        assert reads, kind
        for sql in reads:
            assert most_rows(sql) <= LATELY, sql


def most_rows(sql: str) -> int:
    """The most rows of candidates or tweets that a step of the query met, over all its loops."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        return max(_met(cursor.fetchone()[0][0]["Plan"]), default=0)


def _met(step: dict[str, Any]) -> list[int]:
    gave = step["Actual Rows"] + step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
    own = [round(gave * step["Actual Loops"])] if step.get("Relation Name", "").startswith("curation_") else []
    return own + [n for below in step.get("Plans", ()) for n in _met(below)]


def test_hits_are_told_by_state_and_live_ones_with_their_marks(de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Die &amp; Brücke", state="approved")
    soon = make_candidate(de_politics, "Brücke", state="approved", go_live_at=timezone.now() + timedelta(hours=2))
    make_candidate(de_politics, "Brücke")
    make_candidate(de_politics, "Brückenbauer")
    trial = reach.try_out(Entry(name_of("term", "brucke"), channel=de_politics), timezone.now())
    assert (trial.hit, dict(trial.states), trial.read) == (3, {"approved": 2, "pending": 1}, 4)
    assert ([one.candidate for one in trial.live], len(trial.taken)) == ([live], 2)
    assert "<mark>Brücke</mark>" in trial.live[0].words
    assert soon in [one.candidate for one in trial.taken]


def test_of_a_hashtag_the_suspects_are_looked_at_closely(de_politics: Channel) -> None:
    entities = {"entities": {"hashtags": [{"start": 0, "end": 7, "tag": "Brücke"}]}}
    make_candidate(de_politics, tweet=make_tweet("#Brücke", wire=entities))
    make_candidate(de_politics, "Brücke ohne Zeichen")
    assert reach.try_out(Entry(name_of("hashtag", "#brücke"), channel=de_politics), timezone.now()).hit == 1


def test_more_than_is_told_is_told_as_more(de_politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "MOST_TOLD", 2)
    monkeypatch.setattr(reach, "MOST_WALKED", 4)
    for _n in range(6):
        make_candidate(de_politics, "Brücke")
    trial = reach.try_out(Entry(name_of("term", "Brücke"), channel=de_politics), timezone.now())
    assert (trial.hit, trial.more, len(trial.hits), trial.read, trial.cut) == (3, True, 2, 4, True)
    assert (trial.share, trial.wide) == (1.0, False), "too few to judge by"


def test_what_takes_too_long_is_given_up(de_politics: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    make_candidate(de_politics, "Brücke", state="approved")
    monkeypatch.setattr(reach, "MOST_SECONDS", 0.001)
    slow = reach.WEEK.replace("WHERE {condition}", "WHERE {condition} AND pg_sleep(2) IS NOT NULL")
    monkeypatch.setattr(reach, "WEEK", slow)
    trial = reach.try_out(Entry(name_of("term", "Brücke"), channel=de_politics), timezone.now())
    assert (trial.late, trial.hits, len(trial.live)) == (True, (), 1), "live ones are told in any case"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert re.fullmatch(r"\d+(ms|s|min)?", cursor.fetchone()[0])
