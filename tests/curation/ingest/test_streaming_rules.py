"""The stream's rules follow the sources, without a new connection, and no rule is there that is not ours."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from curation.ingest.polling import gaps
from curation.models import Cursor, IngestRun, Pause
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.wire import id_at, instant_of_id
from regions.models import Channel, Source
from regions.operations import pause_source
from tests.curation.ingest.listening import Listening, catch_up, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SourceOf = Callable[..., Source]
STREAM = Source.Kind.STREAM


def at_x(x: Simulator) -> dict[str, str | None]:
    with x.world.lock:
        return {rule.value: rule.tag for rule in x.rules}


def connects() -> int:
    return IngestRun.objects.filter(source=None).count()


def test_rules_follow_the_sources_without_a_new_connection(x: Simulator, source_of: SourceOf) -> None:
    first = source_of(STREAM, "Brücke")
    with hearing(x):
        assert at_x(x) == {"Brücke": f"source:{first.pk}"}
        second = source_of(STREAM, "Rathaus")
        assert eventually(lambda: at_x(x) == {"Brücke": f"source:{first.pk}", "Rathaus": f"source:{second.pk}"})
        Source.objects.filter(pk=first.pk).update(value="Tunnel")
        assert eventually(lambda: at_x(x) == {"Tunnel": f"source:{first.pk}", "Rathaus": f"source:{second.pk}"})
        pause_source(second, "Zu viel.", by=None, now=timezone.now())
        assert eventually(lambda: at_x(x) == {"Tunnel": f"source:{first.pk}"})
        wanted = x.post("rathaus", "Der Tunnel am Rathaus.")
        assert eventually(lambda: stored(first) == {wanted})
    assert connects() == 1
    assert stored(second) == set()


def test_a_source_that_feeds_no_channel_has_no_rule(x: Simulator, source_of: SourceOf, de_politics: Channel) -> None:
    source_of(STREAM, "Brücke")
    other = source_of(STREAM, "Rathaus", market=None, channel=None, scope="all")
    with hearing(x):
        assert eventually(lambda: set(at_x(x)) == {"Brücke", "Rathaus"})
        Channel.objects.filter(pk=de_politics.pk).update(active=False)
        assert eventually(lambda: at_x(x) == {"Rathaus": f"source:{other.pk}"})


def test_foreign_rules_go(x: Simulator, ask: Door, source_of: SourceOf) -> None:
    ask.add_stream_rules([("Fremdes", "fremd"), ("Brücke", "auch fremd")])
    source = source_of(STREAM, "Brücke")
    with hearing(x):
        assert at_x(x) == {"Brücke": f"source:{source.pk}"}


def test_a_refused_rule_pauses_its_source_alone(x: Simulator, source_of: SourceOf) -> None:
    wrong, long, good = source_of(STREAM, "list:5"), source_of(STREAM, "a" * 1025), source_of(STREAM, "Brücke")
    with hearing(x):
        assert eventually(lambda: at_x(x) == {"Brücke": f"source:{good.pk}"})
    for source in (wrong, long, good):
        source.refresh_from_db()
    assert "invalid operator 'list:5'" in wrong.paused_reason
    assert "maximum length is 1024" in long.paused_reason
    assert good.paused_at is None


def test_without_a_rule_nothing_is_asked(x: Simulator, db: None) -> None:
    with Listening(x) as listening:
        assert eventually(lambda: listening.streamer.leader)
        assert not eventually(lambda: listening.connected, 0.5)
    assert (connects(), x.windows.used) == (0, {})


def test_the_last_rule_takes_the_connection_with_it(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(STREAM, "Brücke")
    with hearing(x) as listening:
        pause_source(source, "Genug.", by=None, now=timezone.now())
        assert eventually(lambda: not listening.connected and x.streaming == 0)
        assert not eventually(lambda: listening.connected, 0.3)
        Source.objects.update(paused_at=None)
        assert eventually(lambda: listening.connected)
    assert connects() == 2


def test_a_rule_that_x_lost_comes_back_with_a_gap(x: Simulator, ask: Door, source_of: SourceOf) -> None:
    """Somebody deletes it at X: from the last time it was seen there, nobody knows what it would have matched."""
    source, other = source_of(STREAM, "from:rathaus"), source_of(STREAM, "from:stadtblatt")
    with hearing(x):
        with x.world.lock:
            (rule,) = [rule for rule in x.rules if rule.value == "from:rathaus"]
            x.rules.delete(rule.id)
        missed = x.post("rathaus", "Das hört keiner.")
        assert eventually(lambda: set(at_x(x)) == {"from:rathaus", "from:stadtblatt"})
        assert eventually(lambda: Cursor.objects.get(pk=source.pk).gap_floor_id is not None)
        assert (Cursor.objects.get(pk=source.pk).gap_floor_id or 0) < int(missed)
        assert Cursor.objects.get(pk=other.pk).gap_floor_id is None
        assert missed not in stored()
    catch_up(x, ask, source)
    assert stored() == {missed}


def test_a_rule_that_is_new_while_we_listen_begins_now(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "Brücke")
    with hearing(x):
        x.post("rathaus", "Der Tunnel von gestern.")
        source = source_of(STREAM, "Tunnel")
        assert eventually(lambda: "Tunnel" in at_x(x))
        assert eventually(lambda: Cursor.objects.get(pk=source.pk).newest_id)
        cursor = Cursor.objects.get(pk=source.pk)
        assert cursor.gap_floor_id is None
        assert abs(instant_of_id(cursor.newest_id or 0) - timezone.now()) < timedelta(seconds=5)
    assert stored(source) == set()


def test_a_rule_that_was_paused_catches_up(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source_of(STREAM, "Brücke")
    source = source_of(STREAM, "from:rathaus")
    with hearing(x):
        assert eventually(lambda: Cursor.objects.get(pk=source.pk).newest_id)
        pause_source(source, "Kurz.", by=None, now=timezone.now())
        assert eventually(lambda: set(at_x(x)) == {"Brücke"})
        missed = x.post("rathaus", "In der Pause.")
        Source.objects.update(paused_at=None)
        assert eventually(lambda: Cursor.objects.get(pk=source.pk).gap_floor_id is not None)
    catch_up(x, ask, source)
    assert stored() == {missed}


@pytest.mark.parametrize("status", [503, 429])
def test_rules_that_x_does_not_tell_are_asked_again(status: int, x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "Brücke")
    headers = {"x-rate-limit-reset": str(int(timezone.now().timestamp()))} if status == 429 else {}
    x.fail("/2/tweets/search/stream/rules", status=status, headers=headers, times=2)
    with hearing(x):
        assert set(at_x(x)) == {"Brücke"}
    assert connects() == 1


def test_who_is_turned_away_does_not_hammer(x: Simulator, source_of: SourceOf) -> None:
    source_of(STREAM, "Brücke")
    with Listening(x, token="wrong", barred=60.0) as listening:
        assert eventually(lambda: Pause.objects.filter(market=None, cause="token", ended_at=None).exists())
        asked = x.windows.used
        assert not eventually(lambda: x.windows.used != asked or listening.connected, 0.5)
    assert connects() == 0


def test_a_gap_reaches_from_the_floor_that_is_doubted(source_of: SourceOf) -> None:
    source, now = source_of(STREAM, "Brücke"), timezone.now()
    Cursor.objects.update(newest_id=id_at(now))
    gaps.open_gaps([source.pk], now, timedelta(seconds=1), heard_at=now - timedelta(seconds=30))
    assert Cursor.objects.get().gap_floor_id == id_at(now - timedelta(seconds=30))
