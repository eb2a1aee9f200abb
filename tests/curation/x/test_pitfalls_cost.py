"""What X charges and what its queries mean, otherwise than one expects: a test for each pitfall."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.rechecking.rechecks import recheck
from curation.language import grouped
from curation.ledger.metered import Metered
from curation.ledger.usage import reconcile
from curation.models import BudgetDay, Candidate, Charge, Cursor, IngestRun, Tweet, UsageReading
from curation.x import outcomes
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Market, Source
from tests.canned import Canned, page, post

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ID = 2_000_000_000_000_000_000
Read = Callable[..., IngestRun]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(clock: Clock) -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0, clock=clock) as simulator:
        for name in ("stadtblatt", "rathaus"):
            simulator.account(name, name=name.title(), category="politics", language="de")
        yield simulator


@pytest.fixture
def ask(x: Simulator, clock: Clock) -> Door:
    return Door(x.base_url, x.token, clock=clock)


@pytest.fixture
def de() -> Market:
    return Market.objects.get(code="de")


@pytest.fixture
def read(ask: Door, clock: Clock) -> Read:
    def now(kind: str, value: str, channel: Channel) -> IngestRun:
        source, _ = Source.objects.get_or_create(kind=kind, value=value, channel=channel, least_seconds=10)
        leases.add_missing_cursors()
        Cursor.objects.filter(pk=source.pk).update(due_at=clock.now)
        run = poll(source.pk, now=clock.now, ask=ask)
        assert run is not None
        return run

    return now


def used(market: Market) -> int:
    return sum(row.used for row in BudgetDay.objects.filter(market=market))


# --- cost
def test_no_header_tells_the_cost_so_it_is_counted_by_what_came(x: Simulator, ask: Door, de: Market) -> None:
    """The posts of an answer cost, not the answer, and not what it includes beside them."""
    original = x.post("rathaus", "Das Original.")
    x.retweet("stadtblatt", original)
    metered = Metered(ask, de)
    found = metered.search("from:stadtblatt")
    assert (len(found.raw), len(found.includes["tweets"])) == (1, 1)
    assert (metered.charged, used(de), x.meter.posts()) == (1, 1, 1)


def test_hourly_costs_what_daily_costs(x: Simulator, ask: Door, clock: Clock, de_politics: Channel, read: Read) -> None:
    """X charges a post once a UTC day however often it is read; after midnight it charges it again."""
    x.post("stadtblatt", "Steht.")
    read("search", "from:stadtblatt", de_politics)
    ids = list(Tweet.objects.values_list("pk", flat=True))
    for hour in range(1, 14):
        clock.now = NOON + timedelta(hours=hour)
        recheck(ids, market=de_politics.market, now=clock.now, ask=Metered(ask, de_politics.market, "recheck"))
    days = dict(Charge.objects.values_list("day", "x_id").order_by("day"))
    assert ([day.day for day in days], used(de_politics.market), x.meter.posts()) == ([22, 23], 2, 2)
    assert x.meter.reads["post"] == 14


def test_an_account_costs_twice_a_post(x: Simulator, ask: Door, de: Market) -> None:
    metered = Metered(ask, de)
    metered.users(usernames=["stadtblatt"])
    assert (metered.charged, x.meter.cents()) == (2, 1.0)


def test_authors_are_kept_so_that_they_are_paid_once(x: Simulator, read: Read, de_politics: Channel) -> None:
    """Whether X charges for authors that come along is not known: what we have is not asked for again."""
    for n in range(3):
        x.post("stadtblatt", f"Nummer {n}.")
        x.fail("/2/tweets/", kind="missing_includes")
        read("search", "from:stadtblatt", de_politics)
    assert (Tweet.objects.count(), x.meter.users(), x.meter.reads["user"]) == (3, 1, 1)


@pytest.mark.parametrize(("endpoint", "least"), [("timeline", 5), ("search", 10), ("list_tweets", 1)])
def test_less_than_X_gives_at_least_is_not_asked_for(de: Market, clock: Clock, endpoint: str, least: int) -> None:
    """Each endpoint has its own least max_results: with less budget than that, asking would be a 400."""
    Market.objects.filter(pk=de.pk).update(posts_a_day=least + 1, recheck_reserve=0)
    with Canned() as odd:
        for path in ("/2/users/5/", "/2/tweets/", "/2/lists/5/"):
            odd.tell(path, page(post(ID), post(ID + 1)))
        metered = Metered(Door(odd.base_url, odd.token, clock=clock), de)
        getattr(metered, endpoint)("5")
        asked = [int(given["max_results"]) for _path, given in odd.asked]
        BudgetDay.objects.update(used=2)
        with pytest.raises(outcomes.BudgetSpent):
            getattr(metered, endpoint)("5")
    assert (asked, len(odd.asked)) == ([least + 1], 1)


def test_a_post_for_two_markets_is_paid_by_the_first(
    x: Simulator, read: Read, de_politics: Channel, nl_politics: Channel
) -> None:
    """X knows one app and no markets: the second that reads a post on a day has it for nothing."""
    x.post("stadtblatt", "Für beide.")
    runs = [read("search", "from:stadtblatt", channel) for channel in (de_politics, nl_politics)]
    assert [(run.candidates, run.charged) for run in runs] == [(1, 1), (1, 0)]
    assert [used(channel.market) for channel in (de_politics, nl_politics)] == [1, 0]
    assert x.meter.posts() == 1


@pytest.mark.parametrize("kind", ["cut", "malformed"])
def test_half_an_answer_is_paid_for(x: Simulator, ask: Door, de: Market, kind: str) -> None:
    """What X sent it charges, whether it arrived or not: what was drawn for it stays drawn."""
    x.post("stadtblatt", "Halb.")
    x.fail("/2/tweets/", kind=kind)
    metered = Metered(ask, de)
    with pytest.raises(outcomes.Unreachable):
        metered.search("from:stadtblatt")
    assert (x.meter.posts(), used(de)) == (1, 100)


def test_X_counts_its_usage_in_strings(x: Simulator, ask: Door, de: Market) -> None:
    x.post("stadtblatt", "Eins.")
    Metered(ask, de).search("from:stadtblatt")
    (told,) = ask.usage().raw
    reconcile(ask, NOON)
    kept = UsageReading.objects.get(day=NOON.date())
    assert (told["project_usage"], kept.by_x, kept.by_us) == ("1", 1, 1)


# --- queries
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lang:de", "at least one positive"),
        ("Rat -(Tor OR Hafen)", "negat"),
        ("(Rat lang:de", "("),
    ],
    ids=["a language alone", "a negated group", "an open parenthesis"],
)
def test_a_query_that_X_refuses_pauses_its_source_in_words(
    read: Read, de_politics: Channel, query: str, words: str
) -> None:
    """A language must be combined with something, terms are negated one by one, and groups must be closed."""
    run = read("search", query, de_politics)
    assert (run.outcome, words in Source.objects.get().paused_reason.lower()) == ("refused", True), run.error


def test_Greece_is_el_as_a_language_and_gr_as_a_market(x: Simulator, read: Read) -> None:
    """The code of the country is no language: searches say lang:el."""
    channel = Channel.objects.select_related("market").get(market__code="gr", category__slug="politics")
    x.account("limani", name="Limani", category="politics", language="el")
    x.post("limani", "Το λιμάνι ανοίγει ξανά.")
    assert (channel.market.country, channel.market.languages) == ("GR", ["el"])
    assert [read("search", f"λιμάνι lang:{code}", channel).fresh for code in ("el", "gr")] == [1, 0]


def test_croatian_is_one_group_with_its_neighbours() -> None:
    """X often takes Croatian for Serbian or Bosnian: for a market they are one; Slovenian is not."""
    assert {grouped(code) for code in ("hr", "bs", "sr", "sh", "sr-Latn")} == {"hr"}
    assert grouped("sl") == "sl"


def test_a_croatian_source_is_not_marked_down_for_what_X_calls_serbian(x: Simulator, read: Read) -> None:
    channel = Channel.objects.select_related("market").get(market__code="hr", category__slug="politics")
    x.account("luka", name="Luka", category="politics", language="hr")
    for lang in ("hr", "sr", "de"):
        x.post("luka", f"{len(lang)}:{ord(lang[0])}", lang=lang)
    read("account", "luka", channel)
    parts = {one.tweet.lang: one.rank_parts["language"] for one in Candidate.objects.select_related("tweet")}
    assert parts == {"hr": 10.0, "sr": 10.0, "de": -20.0}


def test_a_search_for_words_finds_no_reposts(x: Simulator, read: Read, de_politics: Channel) -> None:
    """Since May 2026; whoever wants them must name whose."""
    x.retweet("rathaus", x.post("stadtblatt", "Die Brücke ist offen."))
    assert [read("search", query, de_politics).read for query in ("Brücke lang:de", "from:rathaus")] == [1, 1]


def test_and_binds_before_or(x: Simulator, read: Read, de_politics: Channel) -> None:
    """Without parentheses the language belongs to the last word only."""
    x.post("stadtblatt", "De brug is open.", lang="nl")
    loose, meant = "brug OR Brücke lang:de", "(brug OR Brücke) lang:de"
    assert [read("search", query, de_politics).read for query in (loose, meant)] == [1, 0]


def test_search_does_not_mind_diacritics(x: Simulator, read: Read, de_politics: Channel) -> None:
    """The stream does: its rules list both spellings."""
    x.post("stadtblatt", "Die Brücke ist offen.")
    assert read("search", "brucke lang:de", de_politics).read == 1


def test_a_list_can_be_searched(x: Simulator, read: Read, de_politics: Channel) -> None:
    """Though the stream refuses it."""
    x.post("stadtblatt", "Auf der Liste.")
    assert read("search", "list:1500000000000000000 -is:retweet", de_politics).fresh == 1


def test_a_search_reaches_seven_days_back_and_asks_for_no_more(
    x: Simulator, read: Read, clock: Clock, de_politics: Channel
) -> None:
    """An older since_id is a 400: after a long pause the bound is moved."""
    x.post("stadtblatt", "Vor langem.")
    assert read("search", "from:stadtblatt", de_politics).fresh == 1
    clock.now = NOON + timedelta(days=9)
    x.post("stadtblatt", "Heute.")
    run: Any = read("search", "from:stadtblatt", de_politics)
    assert (run.outcome, run.fresh) == ("read", 1)
