"""What the stream does otherwise than one expects, and tweepy with it: a test for each pitfall."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from curation.ingest.polling import leases
from curation.models import Candidate, IngestRun, Pause, Quarantined, Tweet
from curation.x.simulator import Simulator
from regions.models import Channel, Source
from tests.curation.ingest.listening import Listening, eventually, hearing, stored

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
RuleOf = Callable[[str], Source]
STREAM = "/2/tweets/search/stream"


@pytest.fixture
def x() -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0, keep_alive=0.2) as simulator:
        for name in ("stadtblatt", "rathaus"):
            simulator.account(name, name=name.title(), category="politics", language="de")
        yield simulator


@pytest.fixture
def rule_of(de_politics: Channel) -> RuleOf:
    def make(value: str) -> Source:
        source = Source.objects.create(kind="stream", value=value, channel=de_politics)
        leases.add_missing_cursors()
        return source

    return make


def connects(x: Simulator) -> int:
    """How many the simulator counted in its window."""
    return x.windows.used.get(f"GET {STREAM}", (0, 0))[1]


def refuse(x: Simulator, **order: Any) -> None:
    """Faults for the stream alone, not for its rules."""
    x.fail(f"{STREAM}/rules", times=None)
    x.fail(STREAM, **order)


def test_a_clean_close_brings_no_storm_of_connects(x: Simulator, rule_of: RuleOf) -> None:
    """tweepy connects again at once, some 800 times a second, where X allows 50 in a quarter of an hour."""
    rule_of("from:rathaus")
    with hearing(x, tcp_step=0.3, tcp_most=0.6) as listening:
        for _ in range(2):
            x.break_stream("close")
            assert eventually(lambda: not listening.connected)
            assert eventually(lambda: listening.connected)
    assert connects(x) == 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_that_stays_is_not_asked_for_again_and_again(x: Simulator, rule_of: RuleOf, status: int) -> None:
    """tweepy tries 401 and 403 for ever."""
    rule_of("from:rathaus")
    refuse(x, status=status, times=None)
    with Listening(x, barred=60.0) as listening:
        assert eventually(lambda: IngestRun.objects.filter(outcome="refused").exists())
        assert not eventually(lambda: listening.connected, 0.5)
    assert (Pause.objects.filter(cause="token").exists(), IngestRun.objects.filter(source=None).count() <= 2) == (
        status == 401,
        True,
    )


def test_rules_without_tags_and_with_numbers_for_ids_are_told_apart(x: Simulator, rule_of: RuleOf) -> None:
    """The tag is optional, and a rule's id was once a number: in tweepy that ends the stream without a word."""
    first, second = rule_of("from:rathaus"), rule_of("from:stadtblatt")
    with hearing(x):
        x.break_stream("bare_rules")
        posts = [x.post(name, "Ohne Namen.") for name in ("rathaus", "stadtblatt")]
        assert eventually(lambda: [stored(first), stored(second)] == [{one} for one in posts])


def test_a_cut_line_is_set_aside_and_the_stream_goes_on(x: Simulator, rule_of: RuleOf) -> None:
    """Half a line is no JSON: tweepy's thread dies of it."""
    rule_of("from:rathaus")
    with hearing(x) as listening:
        x.break_stream("garbage")
        wanted = x.post("rathaus", "Danach.")
        assert eventually(lambda: stored() == {wanted})
        assert listening.connected
    assert eventually(lambda: Quarantined.objects.get().reason == "the line is not JSON")


def test_a_message_of_an_unknown_kind_is_set_aside(x: Simulator, rule_of: RuleOf) -> None:
    rule_of("from:rathaus")
    with hearing(x):
        x.break_stream("unknown")
        wanted = x.post("rathaus", "Danach.")
        assert eventually(lambda: stored() == {wanted})
    assert Quarantined.objects.get().reason == "a message of a kind that is not known"


def test_posts_come_twice_and_in_any_order(x: Simulator, rule_of: RuleOf) -> None:
    rule_of("from:rathaus")
    with hearing(x):
        for kind in ("duplicates", "disorder"):
            x.break_stream(kind)
        wanted = {x.post("rathaus", f"Nummer {n}.") for n in range(8)}
        assert eventually(lambda: stored() == wanted)
    assert Candidate.objects.count() == Tweet.objects.count() == 8


def test_silence_without_line_ends_is_a_broken_connection(x: Simulator, rule_of: RuleOf) -> None:
    """X sends at least an empty line every twenty seconds; a connection that says nothing is dead, though open."""
    rule_of("from:rathaus")
    with hearing(x, silence=0.6):
        before = connects(x)
        x.break_stream("silence")
        assert eventually(lambda: connects(x) > before)


def test_a_farewell_in_the_stream_is_told_and_is_no_post(x: Simulator, rule_of: RuleOf) -> None:
    """Before X closes it may say why, in a line of errors among the posts."""
    rule_of("from:rathaus")
    with capture_logs() as lines, hearing(x) as listening:
        x.break_stream("disconnect")
        assert eventually(lambda: connects(x) == 2 and listening.connected)
    told = [line["words"] for line in lines if line["event"] == "stream_farewell"]
    assert told == ["This stream has been disconnected for operational reasons."]
    assert Quarantined.objects.count() == 0


def test_a_line_ends_only_where_X_ends_it(x: Simulator, rule_of: RuleOf) -> None:
    """Texts may hold what Python takes for line ends: vertical tabs, U+0085, U+2028."""
    rule_of("from:rathaus")
    with hearing(x):
        x.post("rathaus", "Eins\x0bzwei\x85drei\u2028vier\x1cfünf.")
        assert eventually(lambda: Tweet.objects.exists())
    assert Tweet.objects.get().text == "Eins\x0bzwei\x85drei\u2028vier\x1cfünf."


def test_without_rules_there_is_no_stream(x: Simulator, db: None) -> None:
    """X answers 409 then: nobody connects."""
    with Listening(x) as listening:
        assert not eventually(lambda: listening.connected, 0.5)
    assert connects(x) == 0


def test_a_second_connection_is_too_many_and_no_closed_window(x: Simulator, rule_of: RuleOf) -> None:
    """A 429 that says nothing of windows: the other connection must end first, which may be our own of a moment ago."""
    rule_of("from:rathaus")
    body = {
        "title": "ConnectionException",
        "detail": "This stream is currently at the maximum allowed connection limit.",
        "connection_issue": "TooManyConnections",
        "type": "https://api.x.com/2/problems/streaming-connection",
    }
    refuse(x, status=429, body=body, headers={"x-none": ""}, times=2)
    with Listening(x) as listening:
        assert eventually(lambda: listening.connected)
    assert IngestRun.objects.filter(outcome="waiting", error__icontains="connection limit").exists()
    assert not Pause.objects.exists()


@pytest.mark.parametrize(("value", "words"), [("list:5", "list:5"), ("wort " * 300, "1024")], ids=["list", "long"])
def test_what_the_stream_refuses_pauses_that_rule_alone(x: Simulator, rule_of: RuleOf, value: str, words: str) -> None:
    """Lists can be searched but not streamed, and rules end at 1,024 characters."""
    wrong, good = rule_of(value.strip()), rule_of("from:rathaus")
    with hearing(x):
        assert eventually(lambda: Source.objects.filter(pk=wrong.pk).exclude(paused_at=None).exists())
        wanted = x.post("rathaus", "Läuft.")
        assert eventually(lambda: stored(good) == {wanted})
    wrong.refresh_from_db()
    assert words in wrong.paused_reason


def test_rules_mind_diacritics(x: Simulator, rule_of: RuleOf) -> None:
    """Where search finds both spellings, a rule finds only its own."""
    rule_of("Brücke")
    with hearing(x):
        x.post("rathaus", "Die Brucke ohne Striche.")
        wanted = x.post("rathaus", "Die Brücke mit.")
        assert eventually(lambda: stored() == {wanted})


def test_the_stream_brings_reposts_and_they_offer_the_original(x: Simulator, rule_of: RuleOf) -> None:
    """Where a search for words brings none."""
    rule_of("Brücke")
    original = x.post("stadtblatt", "Die Brücke ist offen.")
    with hearing(x):
        x.retweet("rathaus", original)
        assert eventually(lambda: stored() == {original})
    assert Tweet.objects.get().author.username == "stadtblatt"
