"""Real input: recorded exchanges of X, replayed over a socket, read by the real tweepy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Candidate, Cursor, IngestRun, Quarantined, State
from curation.x import outcomes
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Source


@pytest.fixture
def replayed(recorded: Path) -> Iterator[Simulator]:
    with Simulator(replay=recorded, rate=0) as simulator:
        yield simulator


@pytest.fixture
def ask_x(replayed: Simulator) -> Door:
    return Door(replayed.base_url, replayed.token)


def recorded_posts(recorded: Path, name: str) -> list[dict[str, Any]]:
    posts: list[dict[str, Any]] = json.loads((recorded / name).read_text())[0]["body"]["data"]
    return posts


def read(channel: Channel, ask: Door, kind: str, value: str) -> IngestRun:
    source, _new = Source.objects.get_or_create(kind=kind, value=value, channel=channel)
    leases.add_missing_cursors()
    now = timezone.now()
    Cursor.objects.update(due_at=now)
    run = poll(source.pk, now=now, ask=ask)
    assert run is not None
    return run


def test_recorded_posts_become_candidates_with_their_exact_text(
    recorded: Path, ask_x: Door, de_politics: Channel
) -> None:
    posts = recorded_posts(recorded, "client_get_users_tweets.json")
    run = read(de_politics, ask_x, Source.Kind.ACCOUNT, "Twitter")
    found = Candidate.objects.select_related("tweet__author").order_by("-tweet__first_id")
    assert [(str(one.tweet.current_id), one.tweet.text) for one in found] == [(one["id"], one["text"]) for one in posts]
    assert {(one.tweet.author and one.tweet.author.username, one.state) for one in found} == {
        ("Twitter", State.PENDING)
    }
    assert [one.tweet.created_at.year for one in found] == [2022, 2022]
    assert (run.outcome, run.fresh, run.quarantined) == ("read", len(posts), 0)
    again = read(de_politics, ask_x, Source.Kind.ACCOUNT, "Twitter")
    assert (again.outcome, again.fresh, Candidate.objects.count()) == ("read", 0, len(posts))


def test_recorded_posts_that_name_no_author_are_set_aside_with_the_reason(
    recorded: Path, ask_x: Door, de_politics: Channel
) -> None:
    """Recorded without fields: we could not show them as X demands."""
    posts = recorded_posts(recorded, "client_search_recent_tweets.json")
    run = read(de_politics, ask_x, Source.Kind.SEARCH, "Tweepy")
    assert (run.outcome, run.read, run.quarantined, run.candidates) == ("read", len(posts), len(posts), 0)
    assert set(Quarantined.objects.values_list("reason", flat=True)) == {"the post names no author"}


def test_recorded_posts_by_id_and_one_that_is_gone(recorded: Path, ask_x: Door) -> None:
    posts = recorded_posts(recorded, "client_get_tweets.json")
    page = ask_x.tweets([one["id"] for one in posts] + ["4711"])
    assert sorted(one["text"] for one in page.raw) == sorted(one["text"] for one in posts)
    (error,) = page.errors
    assert (error["parameter"], error["resource_id"], error["title"]) == ("ids", "4711", "Not Found Error")


def test_recorded_users(ask_x: Door) -> None:
    assert [one["username"] for one in ask_x.users(usernames=["Twitter", "TwitterDev"]).raw] == [
        "Twitter",
        "TwitterDev",
    ]


def test_an_account_that_was_not_recorded_pauses_its_source(ask_x: Door, de_politics: Channel) -> None:
    run = read(de_politics, ask_x, Source.Kind.ACCOUNT, "niemand_da")
    assert (run.outcome, "niemand_da" in Source.objects.get().paused_reason) == ("refused", True)


ERRORS: list[tuple[str, type[outcomes.Failure], str]] = [
    (
        "400_bad_tweet_fields",
        outcomes.QueryRefused,
        "The `tweet.fields` query parameter value [tweet.fields=attachments]",
    ),
    ("400_duplicate_param", outcomes.QueryRefused, "Duplicate parameters are not allowed: the `id` query parameter"),
    ("402_credits_depleted", outcomes.OutOfCredits, "does not have any credits to fulfill this request."),
    ("404_usage_credits_empty", outcomes.Unreachable, "X knows no such address (404)."),
    ("429_too_many_requests", outcomes.WindowClosed, "Too Many Requests"),
    ("429_usage_cap_exceeded", outcomes.MonthlyCapReached, "Usage cap exceeded: Monthly product cap"),
    ("429_stream_too_many_connections", outcomes.WindowClosed, "maximum allowed connection limit"),
    ("503_headers_search_recent", outcomes.Unreachable, "X answered 503."),
    ("503_headers_create_tweet_2023", outcomes.Unreachable, "X answered 503."),
    ("stream_operational_disconnect", outcomes.Unreachable, ""),
]


@pytest.mark.parametrize(
    ("name", "outcome", "words"), ERRORS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_recorded_error_has_its_outcome(
    replayed: Simulator, ask_x: Door, name: str, outcome: type[outcomes.Failure], words: str
) -> None:
    status = {"status": 503} if name.startswith("stream") else {}
    replayed.fail("/2/", recording=f"errors/{name}.json", **status)
    with pytest.raises(outcomes.Failure) as caught:
        ask_x.search("Tweepy")
    assert (type(caught.value), words in caught.value.message) == (outcome, True), caught.value.message


def test_every_recorded_error_is_tried(recorded: Path) -> None:
    assert {file.stem for file in (recorded / "errors").glob("*.json")} == {name for name, _outcome, _words in ERRORS}


@pytest.mark.parametrize(
    ("name", "outcome", "paused"),
    [
        ("400_bad_tweet_fields", "refused", True),
        ("402_credits_depleted", "failed", False),
        ("429_too_many_requests", "waiting", False),
        ("429_usage_cap_exceeded", "failed", False),
        ("503_headers_search_recent", "failed", False),
    ],
)
def test_each_recorded_error_leaves_its_run(
    replayed: Simulator, ask_x: Door, de_politics: Channel, name: str, outcome: str, paused: bool
) -> None:
    replayed.fail("/2/tweets/", recording=f"errors/{name}.json")
    run = read(de_politics, ask_x, Source.Kind.SEARCH, "Tweepy")
    source = Source.objects.get()
    assert (run.outcome, source.paused_at is not None, source.paused_reason == run.error) == (outcome, paused, paused)
    assert (Candidate.objects.count(), Cursor.objects.get().newest_id) == (0, None)
