"""While X turns everyone away one reading is let through: who is not asked does not use up that turn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from curation.ingest import pauses
from curation.ingest.polling.poll import poll
from curation.models import Cursor, IngestRun, Pause, RateWindow
from curation.x.client import Door
from curation.x.outcomes import BadToken, BudgetSpent, WindowClosed
from curation.x.simulator import Simulator
from regions.models import Change, Market, Source, User

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
LIST, SEARCH = Source.Kind.LIST, Source.Kind.SEARCH
NOW = timezone.now().astimezone(UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture(autouse=True)
def this_x(x: Simulator, settings: Any) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("ingest", *arguments, stdout=out)
    return out.getvalue().splitlines()


def turned_away(until: datetime, words: str = "The old words.") -> Pause:
    return Pause.objects.create(cause="token", words=words, since=NOW - timedelta(hours=1), until=until)


def shut(endpoint: str, until: datetime) -> None:
    RateWindow.objects.create(endpoint=endpoint, limit=450, remaining=0, reset_at=until)


def standing() -> Pause | None:
    return pauses.of_everyone()


def test_a_closed_window_does_not_use_up_the_automatic_turn(x: Simulator, source_of: SourceOf) -> None:
    closed, open_one = source_of(SEARCH, "lang:de Rat"), source_of(LIST, "1500000000000000000")
    reset = (NOW + 3 * QUARTER).replace(microsecond=0)
    shut("search", reset)
    turned_away(NOW)
    Cursor.objects.update(due_at=NOW)
    ask = Door(x.base_url, x.token)
    assert poll(closed.pk, now=NOW, ask=ask) is None
    assert (Cursor.objects.get(pk=closed.pk).due_at, Pause.objects.get().until) == (reset, NOW)
    run = poll(open_one.pk, now=NOW, ask=ask)
    assert (run.outcome if run else "", standing()) == ("read", None)


def test_where_nobody_can_be_asked_the_turn_is_put_off_until_someone_can(x: Simulator, source_of: SourceOf) -> None:
    source, reset = source_of(SEARCH, "lang:de Rat"), (NOW + timedelta(minutes=4)).replace(microsecond=0)
    shut("search", reset)
    turned_away(NOW)
    Cursor.objects.update(due_at=NOW)
    assert poll(source.pk, now=NOW, ask=Door(x.base_url, x.token)) is None
    assert Pause.objects.get().until == reset
    run = poll(source.pk, now=reset, ask=Door(x.base_url, x.token))
    assert (run.outcome if run else "", standing()) == ("read", None)


@pytest.mark.parametrize(
    "failure",
    [WindowClosed("Too many.", int(NOW.timestamp()) + 60, "search"), BudgetSpent("Spent.", 1, NOW + QUARTER, "day")],
)
def test_who_was_not_asked_gives_the_turn_back(source_of: SourceOf, failure: Any) -> None:
    other = source_of(LIST, "1500000000000000000")
    turned_away(NOW)
    assert pauses.admit(None, NOW) is None
    Cursor.objects.update(due_at=NOW + QUARTER)  # it was refused meanwhile
    later = NOW + timedelta(seconds=1)
    pauses.take_note(failure, None, began=NOW, now=later)
    assert (Cursor.objects.get(pk=other.pk).due_at, pauses.admit(None, later)) == (later, None)


def test_an_answer_before_the_window_closed_ends_the_pause() -> None:
    turned_away(NOW)
    pauses.admit(None, NOW)
    pauses.take_note(WindowClosed("Too many.", 0, "search"), None, began=NOW, now=NOW, answered=True)
    assert standing() is None


def test_resume_passes_over_closed_windows_and_spent_markets(x: Simulator, source_of: SourceOf) -> None:
    source_of(SEARCH, "lang:de Rat")
    nl = Market.objects.get(code="nl")
    source_of(LIST, "1500000000000000000", market=nl)
    reader = source_of(LIST, "1500000000000000000")
    shut("search", NOW + 2 * QUARTER)
    Pause.objects.create(market=nl, cause="day", words="Spent.", until=NOW + timedelta(hours=9))
    Market.objects.filter(pk=nl.pk).update(posts_a_day=0)
    turned_away(NOW + QUARTER)
    told = said("--resume")
    assert (told[0].split(" ")[0], told[-1]) == (str(reader.pk), "X answers again; everything goes on.")


def test_resume_says_that_X_was_not_asked_and_when_it_can_be(x: Simulator, source_of: SourceOf) -> None:
    source_of(SEARCH, "lang:de Rat")
    reset = (NOW + timedelta(minutes=4)).replace(microsecond=0)
    shut("search", reset)
    turned_away(NOW + QUARTER)
    words = f"X was not asked: .* window.* {reset:%H:%M:%S} UTC"
    with pytest.raises(CommandError, match=words):
        said("--resume")
    assert (Pause.objects.get().until, IngestRun.objects.count()) == (reset, 0)


def test_resume_tells_what_came_of_asking_and_not_the_old_words(x: Simulator, source_of: SourceOf) -> None:
    source_of(SEARCH, "lang:de Rat")
    turned_away(NOW + QUARTER)
    x.fail("/2/", status=503, times=None)
    with pytest.raises(CommandError) as told:
        said("--resume")
    assert "The old words" not in str(told.value)
    assert str(told.value).startswith("X was asked and did not say whether it answers again: ")


def test_the_chiefs_button_says_when_X_cannot_be_asked(browse: Any, chief: User, source_of: SourceOf) -> None:
    source_of(SEARCH, "lang:de Rat")
    reset = (NOW + timedelta(minutes=40)).replace(microsecond=0)
    shut("search", reset)
    turned_away(NOW + QUARTER)
    answer = browse(chief).post("/pauses/try-again/", follow=True).content.decode()
    assert "X cannot be asked before " in answer
    assert "within seconds" not in answer
    assert Pause.objects.get().until == reset


def test_a_refused_source_is_resumed_by_its_number(x: Simulator, source_of: SourceOf) -> None:
    x.post("stadtblatt", "Neu.")
    source = source_of(SEARCH, "from:stadtblatt")
    Source.objects.update(paused_at=NOW, paused_reason="no viable alternative")
    IngestRun.objects.create(source=source, outcome="refused", error="no viable alternative", started_at=NOW)
    Cursor.objects.update(due_at=NOW + timedelta(days=1))
    number = str(source.pk)
    words = f"^Source {number} is not read. X refuses it: no viable alternative. Resume it with: .*--resume --source"
    with pytest.raises(CommandError, match=words):
        said("--source", number)
    assert said("--resume", "--source", number) == [f"{number} from:stadtblatt: resumed; it is due now."]
    source.refresh_from_db()
    assert (source.paused_at, source.paused_until, source.paused_reason) == (None, None, "")
    change = Change.objects.get(verb="resume")
    assert (change.by, change.noun_id, change.before) == (None, source.pk, {"reason": "no viable alternative"})
    assert said() == [f"{number} from:stadtblatt: read: 1 read, 1 new, 1 candidates, 1 charged", "1 source looked at."]
    assert said("--resume", "--source", number) == [f"{number} from:stadtblatt: not paused; nothing to resume."]


def test_one_that_a_lead_paused_is_told_as_paused(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(SEARCH, "lang:de Rat", paused_at=NOW, paused_reason="Sommerpause")
    with pytest.raises(CommandError, match=r"is not read\. Paused: Sommerpause\. Resume it with"):
        said("--source", str(source.pk))


def test_a_pause_with_the_token_noted_is_as_before() -> None:
    pauses.take_note(BadToken("no"), None, began=NOW, now=NOW)
    assert Pause.objects.get().until == NOW + QUARTER
