"""The filtered stream from the socket to candidates: what comes is stored, whatever comes beside it."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from curation.ingest.streaming.allotments import Allotments
from curation.ingest.streaming.keeper import MOST_BROKEN, Batch, Keeper
from curation.ingest.streaming.rules import listened
from curation.models import Candidate, Charge, IngestRun, Quarantined, Tweet
from curation.operations.errors import Busy
from curation.x.client import Door
from curation.x.lines import Delivery
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source
from tests.curation.ingest.listening import catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM


def test_what_a_rule_matches_becomes_a_candidate(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(STREAM, "Brücke lang:de")
    with hearing(x):
        x.post("stadtblatt", "Nichts davon.")
        wanted = x.post("rathaus", "Die Brücke ist fertig.")
        assert eventually(lambda: stored(source) == {wanted}), stored()
    assert Candidate.objects.get().tweet.author.username == "rathaus"
    run = IngestRun.objects.get(source=source)
    assert (run.kind, run.outcome, run.read, run.fresh, run.candidates) == ("stream", "read", 1, 1, 1)


def test_runs_are_one_a_source_and_minute_not_one_a_batch(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(STREAM, "Brücke lang:de")
    with hearing(x):
        for n in range(5):
            found = x.post("rathaus", f"Die Brücke, Teil {n}.")
            assert eventually(lambda found=found: found in stored())
    runs = IngestRun.objects.filter(source=source)
    assert (sum(run.read for run in runs), sum(run.charged for run in runs)) == (5, 5)
    assert len(runs) <= 2
    assert {run.started_at.minute for run in runs} == {run.ended_at.minute for run in runs if run.ended_at}


def test_duplicates_disorder_and_bare_rules_change_nothing(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(STREAM, "Brücke lang:de")
    with hearing(x):
        for kind in ("duplicates", "disorder", "bare_rules"):
            x.break_stream(kind)
        wanted = {x.post("rathaus", f"Die Brücke, Teil {n}.") for n in range(12)}
        assert eventually(lambda: stored(source) == wanted), stored()
        x.break_stream("again")
        last = x.post("rathaus", "Die Brücke, zum letzten.")
        assert eventually(lambda: last in stored())
    assert stored(source) == wanted | {last}
    assert Candidate.objects.count() == Tweet.objects.count() == 13
    assert Quarantined.objects.count() == 0


def test_what_is_unreadable_is_set_aside_with_the_reason(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "Brücke lang:de")
    with hearing(x):
        x.break_stream("garbage")
        x.break_stream("unknown")
        wanted = x.post("rathaus", "Die Brücke steht.")
        assert eventually(lambda: stored() == {wanted})
        assert eventually(lambda: Quarantined.objects.count() == 2)
    reasons = {row.reason: row.payload for row in Quarantined.objects.all()}
    assert reasons["a message of a kind that is not known"] == '{"notice":{"code":17,"words":["maintenance"]}}'
    assert reasons["the line is not JSON"].startswith('{"data":{"id":"12')
    run = IngestRun.objects.get(source=None)
    assert (run.kind, run.quarantined, run.outcome) == ("stream", 2, "read")


def test_a_flood_of_garbage_is_counted_and_not_kept() -> None:
    batch = Batch()
    for n in range(MOST_BROKEN + 5):
        batch.set_aside("the line is not JSON", f"garbage {n}".encode() * 1000)
    assert [len(one.payload) for one in batch.broken] == [2000] * MOST_BROKEN + [0] * 5


def test_a_repost_offers_the_original_and_an_edit_replaces(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "from:rathaus")
    original = x.post("stadtblatt", "Das Original.")
    with hearing(x):
        x.retweet("rathaus", original)
        assert eventually(lambda: stored() == {original})
        first = x.post("rathaus", "Um 14 Uhr.")
        assert eventually(lambda: first in stored())
        newer = x.edit(first, "Um 15 Uhr.")
        assert eventually(lambda: stored() == {original, newer})
    assert Tweet.objects.get(current_id=newer).previous_text == "Um 14 Uhr."


def test_a_post_for_two_markets_is_charged_once_to_the_first(
    x: Simulator, source_of: SourceOf, nl_politics: Channel
) -> None:
    first = source_of(STREAM, "Brücke lang:de")
    second = source_of(STREAM, "from:rathaus", market=None, channel=nl_politics)
    with hearing(x):
        wanted = x.post("rathaus", "Die Brücke ist fertig.")
        assert eventually(lambda: (stored(first), stored(second)) == ({wanted}, {wanted}))
    charges = Charge.objects.filter(x_id=int(wanted)).values_list("market__code", flat=True)
    assert list(charges) == ["de"]
    assert x.meter.posts() == 1


def test_the_same_rule_of_two_markets_is_one_at_x(x: Simulator, source_of: SourceOf, nl_politics: Channel) -> None:
    sources = [source_of(STREAM, "Brücke"), source_of(STREAM, " Brücke ", market=None, channel=nl_politics)]
    with hearing(x):
        wanted = x.post("rathaus", "Die Brücke ist fertig.")
        assert eventually(lambda: [stored(source) for source in sources] == [{wanted}] * 2)
        assert [(rule.value, rule.tag) for rule in x.rules] == [("Brücke", f"source:{sources[0].pk}")]


def test_what_cannot_be_stored_is_left_to_search(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source = source_of(STREAM, "Brücke lang:de")
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$")
        cursor.execute("CREATE TRIGGER refuse BEFORE INSERT ON curation_tweet EXECUTE FUNCTION refuse()")
    try:
        with hearing(x) as listening:
            wanted = x.post("rathaus", "Die Brücke ist fertig.")
            assert eventually(lambda: IngestRun.objects.filter(error__startswith="Posts could not be stored").exists())
            assert stored() == set()
            with connection.cursor() as cursor:
                cursor.execute("DROP FUNCTION refuse CASCADE")
            assert eventually(lambda: listening.connected)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION IF EXISTS refuse CASCADE")
    catch_up(x, ask, source)
    assert stored() == {wanted}


def test_who_falls_behind_drops_the_connection_and_searches(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    """A box for six lines, as many as the budget has left, and a table that nobody may write to for a while."""
    source = source_of(STREAM, "Brücke lang:de")
    Market.objects.update(posts_a_day=6, recheck_reserve=0)
    with hearing(x, allotments=Allotments(least=6, most=6, calm=2)) as listening:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE curation_tweet IN EXCLUSIVE MODE")
            heard_by = listening.streamer.connection
            wanted = {x.post("rathaus", f"Die Brücke, Teil {n}.") for n in range(30)}
            full = eventually(lambda: heard_by.full)
            cursor.execute("COMMIT")
        assert full
        Market.objects.update(posts_a_day=20_000)
        assert eventually(lambda: IngestRun.objects.filter(error="More posts came than could be stored.").exists())
        assert eventually(lambda: listening.connected)
    catch_up(x, ask, source)
    assert stored() == wanted


def test_who_meets_busy_rows_over_and_over_says_so(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source_of(STREAM, "from:rathaus")
    x.post("rathaus", "Die Brücke ist fertig.", at=timezone.now() - timedelta(seconds=5))
    page, batch = ask.search("from:rathaus"), Batch()
    batch.add(Delivery(page.raw[0], page.includes), listened())
    other = connection.get_new_connection(connection.get_connection_params())
    try:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE curation_tweet IN EXCLUSIVE MODE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '30ms'")
        with pytest.raises(Busy):
            Keeper(timedelta(0)).keep(batch, None, timezone.now())
    finally:
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
    Keeper(timedelta(0)).keep(batch, None, timezone.now())
    assert len(stored()) == 1


def test_the_markets_first_channel_pays(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "Brücke", market=Market.objects.get(code="nl"))
    with hearing(x):
        wanted = x.post("rathaus", "Die Brücke ist fertig.")
        assert eventually(lambda: stored() == {wanted})
    assert json.loads(json.dumps(list(Charge.objects.values_list("market__code", "x_id")))) == [["nl", int(wanted)]]
