"""One reader at a time, all or nothing, each post once: whatever is repeated, killed or done at the same moment."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from curation.config.celery import app
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Author, Candidate, Cursor, Hit, IngestRun, Quarantined, State, Tweet
from curation.tasks import poll_due_sources
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Source
from tests.cast import make_block
from tests.curation.ingest.conftest import POLITICS_DE

Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT, LIST, SEARCH = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.SEARCH


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """Runs functions in threads of their own, begun together; gives their results or errors."""

    def run(*calls: Callable[[], Any]) -> list[Any]:
        start = threading.Barrier(len(calls))
        results: list[Any] = [None] * len(calls)

        def one(place: int) -> None:
            start.wait(10)
            try:
                results[place] = calls[place]()
            except Exception as error:
                results[place] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=(place,)) for place in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return results

    return run


@pytest.fixture
def refusing() -> Iterator[Callable[[str], None]]:
    """A trigger in the database that refuses rows of a table: as a crash between the fetch and the commit."""
    made: list[str] = []

    def refuse(table: str, when: str = "true", code: str = "P0001") -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"IF {when} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION refuse_{table}()"
            )
        made.append(table)

    yield refuse
    with connection.cursor() as cursor:
        for table in made:
            cursor.execute(f"DROP FUNCTION IF EXISTS refuse_{table}() CASCADE")


@pytest.mark.django_db
def test_a_source_is_read_when_due_and_by_one(source_of: SourceOf, ask: Door) -> None:
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()
    lease = leases.take(source.pk, now)
    assert lease == now + leases.LEASE
    assert leases.take(source.pk, now) is None
    assert poll(source.pk, now=now, ask=ask) is None
    assert leases.take(source.pk, lease) == lease + leases.LEASE


@pytest.mark.django_db
def test_an_offer_serves_once_and_comes_again_when_lost(source_of: SourceOf, ask: Door) -> None:
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()
    (offered,) = leases.offer_due(now, 10).values()
    assert leases.offer_due(now, 10) == {}
    run = poll(source.pk, now=now, offered=offered, ask=ask)
    assert run is not None
    assert poll(source.pk, now=now, offered=offered, ask=ask) is None
    Cursor.objects.update(due_at=offered)
    later = leases.offer_due(offered + timedelta(seconds=1), 10)
    assert list(later) == [source.pk]
    assert later[source.pk] != offered


@pytest.mark.django_db
def test_the_longest_due_come_first_and_paused_ones_not(source_of: SourceOf) -> None:
    now = timezone.now()
    sources = [source_of(ACCOUNT, name) for name in ("a", "b", "c")]
    for minutes, source in zip((1, 3, 2), sources, strict=True):
        Cursor.objects.filter(pk=source.pk).update(due_at=now - timedelta(minutes=minutes))
    Source.objects.filter(pk=sources[2].pk).update(paused_at=now)
    assert list(leases.offer_due(now, 1)) == [sources[1].pk]
    assert list(leases.offer_due(now, 10)) == [sources[0].pk]


@pytest.mark.django_db
def test_a_stream_rule_is_not_polled_at_once(source_of: SourceOf) -> None:
    source_of(Source.Kind.STREAM, "Brücke")
    assert leases.offer_due(timezone.now(), 10) == {}


@pytest.mark.django_db
def test_who_lost_the_lease_stores_nothing(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    """A worker that slept past its lease must not undo what its successor stored."""
    x.post("stadtblatt", "Neu.")
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()

    class Slow(Door):
        def timeline(self, *args: Any, **kwargs: Any) -> Any:
            page = super().timeline(*args, **kwargs)
            Cursor.objects.update(due_at=now + timedelta(hours=1), newest_id=7)
            return page

    run = poll(source.pk, now=now, ask=Slow(x.base_url, x.token))
    assert run is not None
    assert (run.outcome, run.error) == ("failed", "Another worker took over.")
    assert (Tweet.objects.count(), Cursor.objects.get().newest_id) == (0, 7)


@pytest.mark.django_db
def test_who_lost_the_lease_still_says_what_X_did(x: Simulator, source_of: SourceOf) -> None:
    """A window that another pass found closed puts off sources, perhaps one whose reading has just begun."""
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()
    x.fail("/2/users/", kind="window")

    class Slow(Door):
        def timeline(self, *args: Any, **kwargs: Any) -> Any:
            Cursor.objects.update(due_at=now + timedelta(hours=1))
            return super().timeline(*args, **kwargs)

    Source.objects.filter(pk=source.pk).update(x_id="5")
    run = poll(source.pk, now=now, ask=Slow(x.base_url, x.token))
    assert run is not None
    assert (run.outcome, run.error) == ("waiting", "Too Many Requests")
    assert Cursor.objects.get().due_at == now + timedelta(hours=1)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("table", ["curation_author", "curation_tweet", "curation_candidate", "curation_hit"])
def test_a_crash_between_fetch_and_commit_leaves_nothing(
    x: Simulator, source_of: SourceOf, read: Read, refusing: Callable[..., None], table: str
) -> None:
    make_block("Gewinnspiel")
    x.post("stadtblatt", "Großes Gewinnspiel.")
    source = source_of(ACCOUNT, "stadtblatt")
    refusing(table)
    run = read(source)
    counts = [model.objects.count() for model in (Author, Tweet, Candidate, Hit)]
    assert (run.outcome, counts, Cursor.objects.get().newest_id) == ("failed", [0, 0, 0, 0], None)
    assert "refused" not in run.error
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER refuse ON {table}")
    run = read(source)
    counts = [model.objects.count() for model in (Author, Tweet, Candidate, Hit)]
    assert (run.outcome, counts, Cursor.objects.get().newest_id is None) == ("read", [1, 1, 1, 1], False)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_post_that_the_database_refuses_is_set_aside_alone(
    x: Simulator, source_of: SourceOf, read: Read, refusing: Callable[..., None]
) -> None:
    for text in ("Gut.", "Unverdaulich.", "Auch gut."):
        x.post("stadtblatt", text)
    refusing("curation_tweet", "NEW.text = 'Unverdaulich.'", "23514")
    run = read(source_of(ACCOUNT, "stadtblatt"))
    assert (run.outcome, run.fresh, run.candidates, run.quarantined) == ("read", 2, 2, 1)
    aside = Quarantined.objects.get()
    assert (aside.reason, aside.payload["text"]) == ("the database refuses it: IntegrityError", "Unverdaulich.")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_workers_at_one_source_read_it_once(
    x: Simulator, source_of: SourceOf, at_once: Callable[..., list[Any]]
) -> None:
    x.post("stadtblatt", "Nur einmal.")
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()
    runs = at_once(*[lambda: poll(source.pk, now=now, ask=Door(x.base_url, x.token))] * 4)
    assert sorted(run is None for run in runs) == [False, True, True, True]
    assert (IngestRun.objects.count(), Candidate.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_sources_that_tell_the_same_at_once_make_one_candidate_each(
    x: Simulator, source_of: SourceOf, at_once: Callable[..., list[Any]]
) -> None:
    now = timezone.now()
    for n in range(40):
        x.post("stadtblatt" if n % 2 else "rathaus", f"Nummer {n}.", at=now - timedelta(seconds=60 - n))
    told = [(ACCOUNT, "stadtblatt"), (ACCOUNT, "rathaus"), (LIST, POLITICS_DE), (SEARCH, "lang:de Nummer")]
    sources = [source_of(kind, value) for kind, value in told]
    due = timezone.now()
    calls = [lambda pk=source.pk: poll(pk, now=due, ask=Door(x.base_url, x.token)) for source in sources]
    runs = at_once(*calls)
    assert [run.outcome for run in runs] == ["read"] * 4, [run.error for run in runs]
    assert (Tweet.objects.count(), Candidate.objects.count(), Author.objects.count()) == (40, 40, 2)
    assert [sum(run.candidates for run in runs), sum(run.fresh for run in runs)] == [40, 40]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_edit_seen_by_two_at_once_is_decided_once(
    x: Simulator, source_of: SourceOf, read: Read, at_once: Callable[..., list[Any]]
) -> None:
    first = x.post("stadtblatt", "Alt.", at=timezone.now() - timedelta(minutes=5))
    sources = [source_of(ACCOUNT, "stadtblatt"), source_of(LIST, POLITICS_DE)]
    for source in sources:
        read(source)
    Candidate.objects.update(state=State.APPROVED, approved_at=timezone.now())
    x.edit(first, "Neu.")
    now = timezone.now() + timedelta(hours=1)
    runs = at_once(*[lambda pk=source.pk: poll(pk, now=now, ask=Door(x.base_url, x.token)) for source in sources])
    candidate = Candidate.objects.select_related("tweet").get()
    assert sorted(run.edited for run in runs) == [0, 1]
    assert (candidate.state, candidate.version, candidate.tweet.text) == (State.PENDING, 2, "Neu.")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_transaction_is_open_while_X_is_asked(x: Simulator, source_of: SourceOf) -> None:
    source, seen = source_of(ACCOUNT, "stadtblatt"), []

    class Watching(Door):
        def timeline(self, *args: Any, **kwargs: Any) -> Any:
            seen.append(connection.in_atomic_block)
            return super().timeline(*args, **kwargs)

    poll(source.pk, now=timezone.now(), ask=Watching(x.base_url, x.token))
    assert seen == [False]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_beat_rings_for_what_is_due_and_the_worker_reads_it(x: Simulator, source_of: SourceOf, settings: Any) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    app.conf.task_always_eager = True
    try:
        x.post("stadtblatt", "Neu.")
        source = source_of(ACCOUNT, "stadtblatt")
        Cursor.objects.all().delete()
        poll_due_sources()
        assert (Candidate.objects.get().source, IngestRun.objects.count()) == (source, 1)
        poll_due_sources()
        assert IngestRun.objects.count() == 1
    finally:
        app.conf.task_always_eager = False
