"""Every failure of X has its own outcome for the run, the source and the next reading."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Candidate, Cursor, Decision, IngestRun, State, Tweet
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Change, Channel, Source
from tests.cast import make_block

pytestmark = pytest.mark.django_db
Read = Callable[..., IngestRun]
SourceOf = Callable[..., Source]
ACCOUNT, LIST, SEARCH = Source.Kind.ACCOUNT, Source.Kind.LIST, Source.Kind.SEARCH
CAP = {
    "title": "UsageCapExceeded",
    "detail": "Usage cap exceeded.",
    "type": "https://api.x.com/2/problems/usage-capped",
}


def due_in(source: Source, run: IngestRun) -> float:
    return (Cursor.objects.get(pk=source.pk).due_at - run.started_at).total_seconds()


def test_a_closed_window_is_waited_for(x: Simulator, source_of: SourceOf, read: Read) -> None:
    reset = int(timezone.now().timestamp()) + 400
    x.fail("/2/tweets/", status=429, headers={"x-rate-limit-reset": str(reset)})
    source = source_of(SEARCH, "lang:de Brücke")
    run = read(source)
    cursor = Cursor.objects.get(pk=source.pk)
    assert (run.outcome, run.error) == ("waiting", "Too Many Requests")
    assert (cursor.due_at, cursor.failures) == (datetime.fromtimestamp(reset, UTC), 0)
    source.refresh_from_db()
    assert source.paused_at is None


def test_a_closed_window_is_closed_for_every_source_of_the_endpoint(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    """Another worker's door does not know of it: so their sources wait, but for one being read or due later."""
    reset = datetime.fromtimestamp(int(timezone.now().timestamp()) + 400, UTC)
    x.fail("/2/tweets/", status=429, headers={"x-rate-limit-reset": str(int(reset.timestamp()))})
    told = [(SEARCH, "lang:de"), (SEARCH, "lang:nl"), (SEARCH, "lang:el"), (SEARCH, "lang:hr"), (ACCOUNT, "rathaus")]
    asked, waits, being_read, later, other = [source_of(kind, value) for kind, value in told]
    now, late = timezone.now(), reset + timedelta(hours=1)
    Cursor.objects.update(due_at=now)
    Cursor.objects.filter(pk=later.pk).update(due_at=late)
    lease = leases.take(being_read.pk, now)  # its run is not begun yet
    read(asked, now)
    due = dict(Cursor.objects.values_list("source", "due_at"))
    assert due == {asked.pk: reset, waits.pk: reset, being_read.pk: lease, later.pk: late, other.pk: now}


def test_a_reset_in_the_past_or_far_ahead_is_bounded(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(SEARCH, "lang:de Brücke")
    for reset, seconds in (("1633593378", 5), ("99999999999", 3600)):
        x.fail("/2/tweets/", status=429, headers={"x-rate-limit-reset": reset})
        assert due_in(source, read(source)) == seconds


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"status": 400, "body": {"errors": [{"message": "no viable alternative at character '('"}]}}, "no viable"),
        ({"status": 403, "body": {"title": "Forbidden", "detail": "Not on your tier."}}, "Not on your tier."),
    ],
)
def test_what_X_refuses_pauses_the_source_with_its_message(
    x: Simulator, source_of: SourceOf, read: Read, ask: Door, order: dict[str, Any], words: str
) -> None:
    x.fail("/2/tweets/", **order)
    source = source_of(SEARCH, "lang:de Brücke")
    run = read(source)
    source.refresh_from_db()
    assert (run.outcome, words in run.error, words in source.paused_reason) == ("refused", True, True)
    assert source.paused_at == run.started_at
    change = Change.objects.get()
    assert (change.verb, change.noun_id, change.by, change.after) == (
        "pause",
        source.pk,
        None,
        {"reason": source.paused_reason},
    )
    assert poll(source.pk, now=timezone.now() + timedelta(days=1), ask=ask) is None


def test_a_query_that_X_cannot_read(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(SEARCH, "((Brücke lang:de")
    assert read(source).outcome == "refused"
    source.refresh_from_db()
    assert source.paused_reason != ""


@pytest.mark.parametrize("happening", ["unknown", "suspended", "protected"])
def test_an_account_that_is_gone_pauses_its_source(
    x: Simulator, source_of: SourceOf, read: Read, happening: str
) -> None:
    source = source_of(ACCOUNT, "niemand" if happening == "unknown" else "stadtblatt")
    if happening != "unknown":
        read(source)
        getattr(x, {"suspended": "suspend", "protected": "protect"}[happening])("stadtblatt")
    run = read(source)
    source.refresh_from_db()
    assert (run.outcome, source.paused_reason) == ("refused", run.error)
    assert run.error != ""


@pytest.mark.parametrize("cause", ["suspended", "protected"])
def test_with_an_account_its_posts_are_withdrawn(x: Simulator, source_of: SourceOf, read: Read, cause: str) -> None:
    for text in ("Live.", "Wartet.", "Blockiert.", "Lange her."):
        x.post("stadtblatt", text)
    x.post("rathaus", "Bleibt.")
    source = source_of(ACCOUNT, "stadtblatt")
    read(source)
    read(source_of(ACCOUNT, "rathaus"))
    now = timezone.now()
    Candidate.objects.filter(tweet__text="Live.").update(state=State.APPROVED, approved_at=now)
    Candidate.objects.filter(tweet__text="Blockiert.").update(state=State.BLOCKED)
    Candidate.objects.filter(tweet__text="Lange her.").update(state=State.LAPSED)
    {"suspended": x.suspend, "protected": x.protect}[cause]("stadtblatt")
    run = read(source)
    told = sorted(Candidate.objects.values_list("tweet__text", "tweet__gone_cause", "state"))
    assert told == [("", cause, "withdrawn")] * 4 + [("Bleibt.", "", "pending")]
    assert (run.outcome, run.withdrawn) == ("refused", 4)
    assert set(Decision.objects.values_list("verb", "reason")) == {("withdraw", cause)}


def test_a_list_that_is_gone_pauses_its_source(x: Simulator, source_of: SourceOf, read: Read) -> None:
    assert read(source_of(LIST, "123")).outcome == "refused"


@pytest.mark.parametrize(
    "order", [{"status": 503}, {"status": 500, "body": ""}, {"cut": True}, {"slow": 2.5}, {"status": 200, "body": "x"}]
)
def test_what_is_broken_is_tried_again_later_and_later(
    x: Simulator, source_of: SourceOf, read: Read, order: dict[str, Any]
) -> None:
    x.post("stadtblatt", "Die Brücke ist offen.")
    source = source_of(SEARCH, "lang:de Brücke")
    waits = []
    for _ in range(2):
        x.fail("/2/tweets/", **order)
        run = read(source)
        waits.append(due_in(source, run))
        assert (run.outcome, run.error != "", run.ended_at is not None) == ("failed", True, True)
    assert waits == [20, 40]
    run = read(source)
    assert (run.outcome, run.candidates, Cursor.objects.get(pk=source.pk).failures) == ("read", 1, 0)


def test_the_back_off_ends_at_a_quarter_of_an_hour(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(SEARCH, "lang:de Brücke")
    Cursor.objects.update(failures=32_767)
    x.fail("/2/tweets/", status=503)
    assert due_in(source, read(source)) == 900


@pytest.mark.parametrize(
    ("order", "words"),
    [({"status": 401}, "token"), ({"status": 402}, "credits"), ({"status": 429, "body": CAP}, "Usage cap")],
)
def test_what_concerns_everyone_pauses_no_source_and_blames_none(
    x: Simulator, source_of: SourceOf, read: Read, order: dict[str, Any], words: str
) -> None:
    x.fail("/2/tweets/", **order)
    source = source_of(SEARCH, "lang:de Brücke")
    run = read(source)
    source.refresh_from_db()
    assert (run.outcome, words in run.error, due_in(source, run)) == ("failed", True, 900)
    assert (source.paused_at, Cursor.objects.get().failures) == (None, 0)


def test_a_failure_while_fetching_the_newest_version_stores_nothing(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    first = x.post("rathaus", "Alt.", at=timezone.now() - timedelta(minutes=5))
    x.retweet("stadtblatt", first)
    x.edit(first, "Neu.")
    source = source_of(ACCOUNT, "stadtblatt")
    x.fail("/2/tweets", status=503)
    run = read(source)
    cursor = Cursor.objects.get(pk=source.pk)
    assert (run.outcome, run.missing, Tweet.objects.count()) == ("failed", 0, 0)
    assert (cursor.gap_floor_id, cursor.gap_until_id) == ((cursor.newest_id or 0) - 1, (cursor.newest_id or 0) + 1)
    assert (read(source).outcome, Tweet.objects.get().text) == ("read", "Neu.")


def test_a_quiet_source_is_read_less_and_a_lively_one_more(x: Simulator, source_of: SourceOf, read: Read) -> None:
    source = source_of(ACCOUNT, "stadtblatt", most_seconds=40)
    waits = [due_in(source, read(source)) for _ in range(4)]
    assert waits == [16, 25, 38, 40]
    x.post("stadtblatt", "Es regt sich etwas.")
    assert [due_in(source, read(source)), due_in(source, read(source))] == [20, 31]
    for n in range(3):
        x.post("stadtblatt", f"Und noch etwas, {n}.")
        wait = due_in(source, read(source))
    assert wait == 10


def test_a_source_that_feeds_nothing_is_not_read(x: Simulator, source_of: SourceOf, ask: Door) -> None:
    source, now = source_of(ACCOUNT, "stadtblatt"), timezone.now()
    Channel.objects.update(active=False)
    assert poll(source.pk, now=now, ask=ask) is None
    assert (IngestRun.objects.count(), ask.rates) == (0, {})
    assert Cursor.objects.get().due_at == now + timedelta(seconds=source.most_seconds)


def test_a_run_that_a_killed_worker_left_open_is_ended_by_the_next(
    x: Simulator, source_of: SourceOf, read: Read
) -> None:
    source, other = source_of(ACCOUNT, "stadtblatt"), source_of(ACCOUNT, "rathaus")
    began = timezone.now() - timedelta(minutes=3)
    left, others = [IngestRun.objects.create(source=one, started_at=began) for one in (source, other)]
    run = read(source)
    left.refresh_from_db()
    others.refresh_from_db()
    assert (left.outcome, left.error, left.ended_at) == ("failed", "The worker was stopped.", run.started_at)
    assert (run.outcome, others.outcome, others.ended_at) == ("read", "running", None)


def test_the_log_has_one_line_for_each_pass(x: Simulator, source_of: SourceOf, read: Read) -> None:
    make_block("angeblich", effect="hold")
    x.post("stadtblatt", "Angeblich neu.")
    x.post("stadtblatt", "Neu.")
    source = source_of(ACCOUNT, "stadtblatt", name="Das Stadtblatt")
    reset = str(int(timezone.now().timestamp()) + 400)
    with capture_logs() as lines:
        read(source)
        read(source)
        x.fail("/2/users/", status=503)
        read(source)
        x.fail("/2/users/", status=429, headers={"x-rate-limit-reset": reset})
        read(source)
    same = {"event": "source_read", "source": "Das Stadtblatt", "market": "de"}
    assert lines == [
        same | {"outcome": outcome, "told": told, "error": error, "log_level": level}
        for outcome, told, error, level in [
            ("read", "2 read, 2 new, 2 candidates, 1 held, 4 charged", "", "info"),
            ("read", "nothing", "", "info"),
            ("failed", "nothing", lines[2]["error"], "warning"),
            ("waiting", "nothing", "Too Many Requests", "info"),
        ]
    ]
