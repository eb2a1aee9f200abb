"""manage.py ingest and x_probe: what they do, say and refuse."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.utils import timezone

from curation.ingest.polling import leases
from curation.models import BudgetDay, Cursor, IngestRun, Pause, Reservation, Tweet
from curation.x.simulator import Simulator
from curation.x.wire import id_at
from regions.models import Channel, Market, Source
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation.ingest.conftest import POLITICS_DE

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
ACCOUNT, SEARCH = Source.Kind.ACCOUNT, Source.Kind.SEARCH


@pytest.fixture(autouse=True)
def this_x(x: Simulator, settings: Any) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token


def said(name: str, *arguments: str) -> list[str]:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_ingest_reads_what_is_due_and_says_what_came(x: Simulator, source_of: SourceOf) -> None:
    x.post("stadtblatt", "Neu.")
    due, later = source_of(ACCOUNT, "stadtblatt"), source_of(SEARCH, "from:stadtblatt Neu")
    Cursor.objects.filter(pk=later.pk).update(due_at=timezone.now() + timedelta(hours=1))
    assert said("ingest") == [
        f"{due.pk} @stadtblatt: read: 1 read, 1 new, 1 candidates, 3 charged",
        "2 sources looked at.",
    ]
    assert said("ingest") == ["2 sources looked at."]
    assert said("ingest", "--source", str(later.pk))[0] == f"{later.pk} from:stadtblatt Neu: read: 1 read, 1 known"
    assert len(said("ingest", "--all")) == 3


def test_ingest_leaves_a_source_alone_that_is_being_read(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    lease = leases.take(source.pk, timezone.now())
    said("ingest", "--all")
    assert (Cursor.objects.get().due_at, IngestRun.objects.count()) == (lease, 0)


def test_ingest_says_why_it_does_not_read(x: Simulator, source_of: SourceOf) -> None:
    source = source_of(ACCOUNT, "stadtblatt")
    until = timezone.now() + timedelta(hours=1)
    Pause.objects.create(market=Market.objects.get(code="de"), cause="day", words="Used up.", until=until)
    Market.objects.filter(code="de").update(posts_a_day=0)
    assert said("ingest", "--all")[0] == (
        f"{source.pk} @stadtblatt: not read. Today's budget of its market is used up."
    )


def test_health_sums_up_and_tells_what_needs_someone(x: Simulator, source_of: SourceOf) -> None:
    x.post("stadtblatt", "Neu.")
    source = source_of(ACCOUNT, "stadtblatt")
    said("ingest")
    broken = source_of(SEARCH, "((Rat", paused_at=timezone.now(), paused_reason="no viable alternative")
    told = said("ingest", "--health")
    assert told[0] == "2 sources: 1 fine, 1 paused."
    assert told[1].startswith(f"{broken.pk} ((Rat (search): paused. Paused: no viable alternative. Never read; 24 h: ")
    charged = "DE: 3 charged and 0 held of 20,000 posts today; 3 charged and 0 held of 500,000 this month"
    assert told[2].startswith(f"{charged} ($0.015, at most $0.045 should X charge")
    assert (len(told), IngestRun.objects.count()) == (8, 1)
    every = said("ingest", "--health", "--all")
    assert every[2].startswith(f"{source.pk} @stadtblatt (account): well. Read as it should be. Last ")
    assert "24 h: 1 read, 1 new, 3 charged; 30 d: 1 read, 1 new, 3 charged" in every[2]
    assert "approved per 100" not in every[2], "before anybody decided"
    assert len(every) == 8
    assert said("ingest", "--health", "--source", str(source.pk))[1] == every[2]


def test_health_says_how_long_nothing_is_read(x: Simulator, source_of: SourceOf) -> None:
    source_of(ACCOUNT, "stadtblatt")
    now = timezone.now()
    day, soon = now + timedelta(hours=3), now + timedelta(minutes=15)
    Pause.objects.create(market=Market.objects.get(code="de"), cause="day", words="Used up.", until=day)
    told = said("ingest", "--health", "--all")
    assert told[0] == f"1 source: 0 fine, 1 out of budget. DE has no budget until {day:%d %b %H:%M} UTC."
    assert f"Never read, next {day:%d %b %H:%M} UTC;" in told[1]
    Pause.objects.create(market=None, cause="token", words="Unauthorized", since=now, until=soon)
    told = said("ingest", "--health", "--all")
    assert told[0].endswith(
        f"X turns everyone away since {now:%d %b %H:%M} UTC: X does not accept the token; next try"
        f" {soon:%d %b %H:%M} UTC."
    )


def test_what_the_stream_brings_has_no_next_time(source_of: SourceOf) -> None:
    source = source_of(Source.Kind.STREAM, "Rat")
    Cursor.objects.update(newest_id=id_at(timezone.now()))
    assert "Never read; 24 h" in said("ingest", "--health", "--source", str(source.pk))[1]


def test_a_renewed_token_is_tried_at_once(x: Simulator, source_of: SourceOf, settings: Any) -> None:
    assert said("ingest", "--resume") == ["X turns nobody away: there is nothing to resume."]
    source = source_of(ACCOUNT, "stadtblatt")
    settings.X_BEARER_TOKEN = "old"
    said("ingest")
    assert Pause.objects.filter(market=None, ended_at=None, cause="token").exists()
    with pytest.raises(CommandError, match="X still turns everyone away: X does not accept the bearer token"):
        said("ingest", "--resume")
    settings.X_BEARER_TOKEN = x.token
    assert said("ingest", "--resume") == [
        f"{source.pk} @stadtblatt: read: 0 read, 2 charged".replace("0 read, ", ""),
        "X answers again; everything goes on.",
    ]
    assert not Pause.objects.filter(ended_at=None).exists()


def test_recheck_says_in_words_what_it_did(x: Simulator, de_politics: Channel) -> None:
    author = make_author("stadtblatt", x_id=x.world.account("stadtblatt").id)  # type: ignore[union-attr]
    ids = [int(x.post("stadtblatt", f"Nummer {n}.")) for n in range(3)]
    for n, first in enumerate(ids):
        tweet = make_tweet(f"Nummer {n}.", first_id=first, author=author)
        make_candidate(de_politics, tweet=tweet, state="approved")
    names = [str(one) for one in ids]
    assert said("recheck", *names) == ["DE: X was asked about 3 posts and told of 3. Nothing changed. Cost: 3 charged."]
    x.edit(ids[0], "Anders.")
    x.delete(ids[1])
    assert said("recheck", *names) == [
        "DE: X was asked about 3 posts and told of 3. 1 post found edited: what was live or open is open again."
        " Withdrawn: 1 post. Cost: 1 charged."
    ]
    x.fail(status=503, times=9)
    (told,) = said("recheck", names[2])
    assert told.startswith("DE: X was asked about 1 post and told of 0. ")
    assert "It ended early, failed: " in told
    Pause.objects.create(cause=Pause.Cause.TOKEN, words="no", until=timezone.now() + timedelta(hours=1))
    assert said("recheck", names[2])[0].startswith("DE: X was not asked: reading pauses")


def test_the_usage_of_x_probe_says_what_to_type() -> None:
    usage = " ".join(
        load_command_class("curation", "x_probe").create_parser("manage.py", "x_probe").format_help().split()
    )
    example = "manage.py x_probe '(Stadt OR Rat) lang:de' --market de --hours 24"
    what = "a search query in quotes, an account's name or a list's number"
    for words in ("[--hours N] WHAT", what, "after --", "by default search", example):
        assert words in usage


def test_a_query_may_begin_with_a_hyphen(x: Simulator) -> None:
    x.post("stadtblatt", "Neu.")
    assert said("x_probe", "--market", "nl", "--", "-is:retweet Neu")[0].startswith("1 posts in ")


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(CommandError, match="There is no source 4711"):
        said("ingest", "--source", "4711")


KINDS = [("search", "from:stadtblatt", 3), ("account", "@stadtblatt", 5), ("list", POLITICS_DE, 3)]


@pytest.mark.parametrize(("kind", "value", "charged"), KINDS)
def test_a_probe_tells_what_would_come_and_stores_nothing(x: Simulator, kind: str, value: str, charged: int) -> None:
    start = timezone.now() - timedelta(hours=10)
    for n in range(3):
        x.post("stadtblatt", f"Nummer {n}.", at=start + timedelta(minutes=n))
    x.post("stadtblatt", "Lange her.", at=timezone.now() - timedelta(hours=13))
    told = said("x_probe", value, "--kind", kind, "--hours", "12", "--market", "nl")
    charged += kind == "list"  # X knows no since_id there
    assert told == [
        "3 posts in 12.0 h, 0 of them known. de 3",
        "6 a day: 0.03 dollars a day, 0.09 if X charges authors too.",
        "  @stadtblatt: Nummer 2.",
        "  @stadtblatt: Nummer 1.",
        "  @stadtblatt: Nummer 0.",
        f"Asking cost {charged} posts of NL's budget. Nothing was stored.",
    ]
    assert (Tweet.objects.count(), IngestRun.objects.count(), Source.objects.count()) == (0, 0, 0)
    assert BudgetDay.objects.get(used__gt=0).market.code == "nl"
    assert not Reservation.objects.filter(settled_at=None).exists()


def test_a_probe_of_much_says_so(x: Simulator) -> None:
    start = timezone.now() - timedelta(hours=2)
    for n in range(520):
        x.post("stadtblatt", f"Nummer {n}.", at=start + timedelta(seconds=10 * n))
    told = said("x_probe", "from:stadtblatt")
    assert told[0].startswith("500 posts in 1.")
    assert told[1].startswith("at least ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["  "], "Say what to ask for"),
        (["Rat", "--market", "fr"], "There is no market fr. There are: de, nl, gr, ro, hr."),
        (["Rat", "--hours", "0"], "--hours must be 1 to 167"),
        (["Rat", "--hours", "168"], "--hours must be 1 to 167"),
        (["((Rat"], "X refuses|no viable|errors processing"),
        (["niemand", "--kind", "account"], "."),
        (["123", "--kind", "list"], "."),
        (["Rat", "--kind", "stream"], "invalid choice"),
    ],
)
def test_bad_input_is_refused_in_words(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        said("x_probe", *arguments)


def test_a_probe_needs_budget_and_says_until_when_there_is_none() -> None:
    Market.objects.filter(code="de").update(posts_a_day=0)
    for words in ("budget of DE is used up", "X is not asked until .* budget of DE is used up"):
        with pytest.raises(CommandError, match=words):
            said("x_probe", "Rat lang:de")
