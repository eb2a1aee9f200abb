"""Pages of many channels: merged from the beginning of each, they are what one plain sort would give, without a gap."""

from datetime import timedelta
from itertools import pairwise, product
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.keyset import ORDERS, page
from curation.models import Candidate, State, Tweet
from curation.queue import Place, counted, counted_marks
from regions.models import Channel, Market
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.curation.test_desk import rows_of

LANGUAGES, MARKS = ("de", "tr", ""), ("held", "sensitive", "edited", "offered")
WORDS = ("brucke", "rathaus", "inchannel99")


def place_of(market: str, *categories: str) -> Place:
    home = Market.objects.get(code=market)
    channels = [channel_of(market, category) for category in categories]
    return Place(home, channels, channels[0] if len(channels) == 1 else None)


def many_candidates(seed: int, count: int) -> list[int]:
    """Candidates of five channels of two markets, many of one rank or time; gives their authors."""
    chance, now = Random(seed), timezone.now()
    authors = [make_author(f"blatt_{n}") for n in range(3)]
    channels = [*Channel.objects.filter(market__code="de"), channel_of("nl", "sport")]
    tweets = Tweet.objects.bulk_create(
        Tweet(first_id=n + 1, current_id=n + 1, text="x", created_at=now, author=chance.choice(authors))
        for n in range(count)
    )
    Candidate.objects.bulk_create(
        Candidate(
            channel=chance.choice(channels),
            tweet=tweet,
            rank=chance.choice((1.5, 2.0, 1e9 / 3, -4)),
            posted_at=now - timedelta(minutes=chance.randrange(4)),
            state=chance.choice((State.PENDING, State.PENDING, State.PENDING, State.BLOCKED)),
            hidden=chance.random() < 0.1,
            folded=" ".join(chance.sample(WORDS, 2)),
            author_id=tweet.author_id,
            lang=chance.choice(LANGUAGES),
            **{mark: chance.random() < 0.5 for mark in MARKS},
        )
        for tweet in tweets
    )
    return [author.pk for author in authors]


def plainly(place: Place, order: str, asked: dict[str, Any]) -> list[int]:
    """What a reader would put together from all candidates there are."""
    told = {"author": "author_id", "lang": "lang"}
    rows = [row for row in Candidate.objects.all() if row.state == "pending" and not row.hidden]
    rows = [row for row in rows if row.channel_id in {channel.pk for channel in place.shown}]
    rows = [row for row in rows if all(getattr(row, told[name]) == asked[name] for name in told if name in asked)]
    rows = [row for row in rows if "show" not in asked or getattr(row, asked["show"])]
    rows = [row for row in rows if asked.get("q", "") in row.folded]
    return [row.pk for row in sorted(rows, key=lambda row: (getattr(row, ORDERS[order]), row.pk), reverse=True)]


def walked(place: Place, order: str, asked: dict[str, Any], size: int) -> list[int]:
    """Page after page to the end."""
    found, cursor = [], ""
    while True:
        told = page(place.queues(**asked), order=order, cursor=cursor, size=size)
        found += [row.pk for row in told.rows]
        assert len(told.rows) == size or not told.next
        if not (cursor := told.next):
            return found


@pytest.fixture
def authors(db: None) -> list[int]:
    return many_candidates(seed=5, count=120)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "show": st.sampled_from(MARKS),
        "author": st.integers(0, 2),
        "lang": st.sampled_from(LANGUAGES[:2]),
        "q": st.sampled_from(WORDS),
    },
)
PLACES = st.sampled_from([("politics",), ("politics", "sport"), ("politics", "economy", "sport", "celebrity")])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PLACES, st.sampled_from(list(ORDERS)), FILTERS, st.sampled_from([7, 12, 33]))
def test_merged_pages_are_what_a_plain_sort_gives(
    authors: list[int], categories: tuple[str, ...], order: str, asked: dict[str, Any], size: int
) -> None:
    place = place_of("de", *categories)
    if "author" in asked:
        asked = asked | {"author": authors[asked["author"]]}
    assert walked(place, order, asked, size) == plainly(place, order, asked)


@pytest.mark.parametrize("order", ORDERS)
def test_what_comes_and_goes_between_pages_moves_nothing(authors: list[int], order: str) -> None:
    place = place_of("de", "politics", "economy", "sport", "celebrity")
    all_of_them = plainly(place, order, {})
    first = page(place.queues(), order=order, size=20)
    Candidate.objects.filter(pk__in=all_of_them[:15]).update(state=State.BLOCKED)
    Candidate.objects.filter(pk=all_of_them[25]).update(state=State.BLOCKED)
    for channel in place.channels:
        make_candidate(channel, rank=1e10, tweet=make_tweet(created_at=timezone.now() + timedelta(minutes=1)))
    second = page(place.queues(), order=order, cursor=first.next, size=20)
    assert [row.pk for row in first.rows] == all_of_them[:20]
    assert [row.pk for row in second.rows] == [*all_of_them[20:25], *all_of_them[26:41]]


def test_a_place_without_channels_has_an_empty_page(de_politics: Channel) -> None:
    make_candidate(de_politics)
    assert page(Place(de_politics.market, []).queues()).rows == []


def test_a_page_is_one_statement(authors: list[int]) -> None:
    place = place_of("de", "politics", "economy", "sport", "celebrity")
    with CaptureQueriesContext(connection) as queries:
        rows = page(place.queues(), size=20).rows
        assert {row.tweet.author.username for row in rows if row.tweet.author} != set()
        assert {row.channel.market.code for row in rows} == {"de"}
    assert len(queries) == 1


def crowd(count: int = 1100) -> None:
    """So many that wait in each of DE's channels, with statistics of them."""
    now = timezone.now()
    tweets = Tweet.objects.bulk_create(
        Tweet(first_id=n + 1, current_id=n + 1, text="x", created_at=now) for n in range(count)
    )
    Candidate.objects.bulk_create(
        Candidate(channel=channel, tweet=tweet, posted_at=now - timedelta(seconds=n), rank=-n, folded=f"wort{n}",
                  author_id=n % 300, lang="de" if n % 300 else "tr", held=n % 2 == 0, hidden=n % 40 == 7)
        for channel in Channel.objects.filter(market__code="de")
        for n, tweet in enumerate(tweets)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE curation_candidate; ANALYZE curation_tweet; SET LOCAL enable_seqscan = off")


def rows_read(sql: str) -> int:
    """How many candidates PostgreSQL reads for a statement."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        return sum(
            node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
            for node in nodes(cursor.fetchone()[0][0]["Plan"])
            if node.get("Relation Name") == "curation_candidate"
        )


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


def test_pages_read_their_beginnings_and_counts_the_indexes_alone(db: None) -> None:
    crowd()
    place = place_of("de", "politics", "economy", "sport", "celebrity")
    cases: list[dict[str, Any]] = [{}, {"lang": "tr"}, {"author": 7}, {"show": "held"}, {"q": "wort12"}]
    for order, asked in product(ORDERS, cases):
        with CaptureQueriesContext(connection) as queries:
            page(place.queues(**asked), order=order, size=10)
        assert sum(rows_read(query["sql"]) for query in queries) < (4 * 11 * 4 if "q" not in asked else 4 * 450), asked
    channels = place_of("de", "politics", "sport").channels
    with CaptureQueriesContext(connection) as queries:
        assert set(counted(channels).values()) == {1001}
        assert counted_marks(channels)["held"] == 2 * 550
    for query in queries:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE pg_class SET relallvisible = relpages WHERE relname = 'curation_candidate'")
            cursor.execute(f"EXPLAIN {query['sql']}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Only Scan using queue_" in plan, plan


def test_a_search_stays_in_its_channel_whatever_posts_say(browse: Any, anna: Any, de_politics: Channel) -> None:
    sport = channel_of("de", "sport")
    own = make_candidate(de_politics, f"Die Brücke inchannel{sport.pk}")
    make_candidate(sport, f"Die Brücke inchannel{de_politics.pk}")
    for words in ("brucke", f"inchannel{sport.pk}"):
        assert rows_of(browse(anna).get("/desk/de/politics/", {"q": words})) == [own.pk], words
    for words in ("!!!", '""', f"inchannel{de_politics.pk} -brucke"):
        assert rows_of(browse(anna).get("/desk/de/politics/", {"q": words})) == [], words


def test_pages_of_the_api_are_merged_too(api: Any, anna: Any, authors: list[int]) -> None:
    place = place_of("de", "politics", "economy", "sport", "celebrity")
    answer = api(anna).get("/api/v1/candidates/", {"market": "de", "state": "blocked", "order": "newest"})
    told = [row["id"] for row in answer.json()["results"]]
    rows = Candidate.objects.filter(state="blocked", channel__in=place.channels).order_by("-posted_at", "-pk")
    assert told == list(rows.values_list("pk", flat=True)[: len(told)])
    assert len(told) > 10
    assert all(before != after for before, after in pairwise(told))
