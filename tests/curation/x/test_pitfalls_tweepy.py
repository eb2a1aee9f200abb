"""tweepy's pitfalls, those of its stream aside: a test for each, with the real tweepy over a real socket.

Where it is cheap to show, a test also shows that tweepy itself still falls in: the day it does not, this says so."""

import copy
import logging
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import tweepy
from django.utils import timezone

from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.models import Cursor, IngestRun, Tweet
from curation.x import outcomes
from curation.x.client import TWEEPY_HOST, Door
from curation.x.wire import Includes, read_post
from regions.models import Channel, Source
from tests.canned import Canned, page, post
from tests.curation.x.pitfalls import ID, SEARCH, TIMELINE


@pytest.fixture
def ask(odd: Canned) -> Door:
    return Door(odd.base_url, odd.token, read_seconds=0.5)


def bare_tweepy(odd: Canned, **options: Any) -> tweepy.Client:
    """tweepy as it comes, but sent to the odd server."""
    client = tweepy.Client(odd.token, **options)

    class Elsewhere(requests.adapters.HTTPAdapter):
        def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
            request.url = (request.url or "").replace(TWEEPY_HOST, odd.base_url)
            return super().send(request, *args, **named)

    client.session.mount(TWEEPY_HOST, Elsewhere())
    return client


def test_requests_go_where_the_settings_say_though_the_host_is_a_constant(odd: Canned, ask: Door) -> None:
    """tweepy knows one host only, and an older one at that."""
    odd.tell(SEARCH, page(post(ID)))
    assert [one["id"] for one in ask.search("lang:de Rat").raw] == [str(ID)]
    assert [path for path, _given in odd.asked] == [SEARCH]


def test_a_silent_X_is_given_up_though_tweepy_would_wait_for_ever(odd: Canned, ask: Door) -> None:
    """Its requests have no timeout."""
    stop = threading.Event()

    def silence() -> Iterator[bytes]:
        stop.wait(20)
        yield b"{}"

    odd.tell(SEARCH, silence)
    began = time.monotonic()
    try:
        with pytest.raises(outcomes.Unreachable):
            ask.search("lang:de Rat")
    finally:
        stop.set()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("body", "headers", "outcome"),
    [
        ({"title": "Too Many Requests"}, {}, outcomes.WindowClosed),
        ({"title": "Too Many Requests"}, {"x_rate_limit_reset": "4102444800"}, outcomes.WindowClosed),
        ({"type": "x/usage-capped"}, {"x_rate_limit_reset": "1"}, outcomes.MonthlyCapReached),
    ],
    ids=["no reset", "a reset far ahead", "usage cap"],
)
def test_a_429_is_asked_once_and_waited_for_elsewhere(
    odd: Canned, ask: Door, body: dict[str, Any], headers: dict[str, str], outcome: type[outcomes.Failure]
) -> None:
    """With wait_on_rate_limit tweepy sleeps in the worker, or without a reset asks hundreds of times, or for ever."""
    odd.tell(SEARCH, body, 429, **headers)
    began = time.monotonic()
    with pytest.raises(outcome):
        ask.search("lang:de Rat")
    assert (len(odd.asked), time.monotonic() - began < 2) == (1, True)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 429, 500])
def test_what_leaves_the_door_can_cross_a_process(odd: Canned, ask: Door, status: int) -> None:
    """tweepy's own exceptions cannot be unpickled: a Celery worker that reports one breaks."""
    odd.tell(SEARCH, {"title": "No", "detail": "Not so."}, status)
    with pytest.raises(tweepy.HTTPException) as theirs:
        bare_tweepy(odd).search_recent_tweets("lang:de Rat")
    with pytest.raises(AttributeError):
        pickle.loads(pickle.dumps(theirs.value))
    with pytest.raises(outcomes.Failure) as ours:
        ask.search("lang:de Rat")
    again = pickle.loads(pickle.dumps(ours.value))
    assert (type(again), str(again), again.__context__) == (type(ours.value), str(ours.value), None)


def test_posts_come_as_plain_objects_that_can_be_copied(odd: Canned, ask: Door) -> None:
    """tweepy's Tweet cannot be copied or pickled, and changes what it was made of."""
    told = post(ID, entities={"hashtags": [{"start": 0, "end": 3, "tag": "Der"}]}, unknown={"of": "X"})
    odd.tell(TIMELINE, page(told))
    (raw,) = ask.timeline("5001").raw
    before = copy.deepcopy(raw)
    found = read_post(raw, Includes({}))
    assert (raw, found.raw) == (told, told)
    assert (before, pickle.loads(pickle.dumps(found))) == (told, found)
    with pytest.raises((AttributeError, RecursionError, TypeError)):
        copy.copy(tweepy.Tweet(told))


@pytest.mark.parametrize("told", ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z", "2026-11-22T11:00:00+01:00"])
def test_dates_need_no_fractions(odd: Canned, ask: Door, told: str) -> None:
    """tweepy parses one way of writing times only."""
    odd.tell(TIMELINE, page(post(ID, created_at=told)))
    (raw,) = ask.timeline("5001").raw
    assert read_post(raw, Includes({})).created_at.isoformat() == "2026-11-22T10:00:00+00:00"
    with pytest.raises(ValueError, match="does not match format"):
        tweepy.Tweet(post(ID, created_at="2026-11-22T10:00:00Z"))


def test_the_log_does_not_show_the_token_though_everything_is_logged(
    odd: Canned, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG tweepy logs all headers, the bearer token among them: its logger is kept above that."""
    odd.tell(SEARCH, page())
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "tweepy")
    ask = Door(odd.base_url, "s3cret-t0ken")
    ask.search("lang:de Rat")
    assert "s3cret-t0ken" not in caplog.text
    caplog.set_level(logging.DEBUG, "tweepy.client")
    ask.search("lang:de Rat")
    assert "s3cret-t0ken" in caplog.text


@pytest.fixture
def source(de_politics: Channel) -> Source:
    source = Source.objects.create(kind="account", value="stadtblatt", channel=de_politics, least_seconds=10)
    leases.add_missing_cursors()
    return source


@pytest.fixture
def read(source: Source, ask: Door) -> Callable[[], IngestRun]:
    def now() -> IngestRun:
        at = timezone.now()
        Cursor.objects.update(due_at=at)
        run = poll(source.pk, now=at, ask=ask)
        assert run is not None
        return run

    return now


@pytest.mark.django_db
def test_a_failure_between_pages_loses_no_post_and_no_place(odd: Canned, read: Callable[[], IngestRun]) -> None:
    """tweepy's Paginator forgets its token when a page fails; we remember in the database what is still open."""
    posts = {n: post(ID + n) for n in range(1, 7)}
    odd.tell(TIMELINE, page(posts[1]), times=1)
    odd.tell(TIMELINE, page(posts[6], posts[5], meta={"next_token": "second"}), times=1)
    odd.tell(TIMELINE, {"title": "Service Unavailable"}, 503, times=1)
    odd.tell(TIMELINE, page(posts[4], posts[3], posts[2]), times=1)
    odd.tell(TIMELINE, {"meta": {"result_count": 0}})
    outcome = [read().outcome for _ in range(2)]
    cursor = Cursor.objects.get()
    assert (cursor.newest_id, cursor.gap_floor_id, cursor.gap_until_id) == (ID + 6, ID + 1, ID + 5)
    assert [*outcome, read().outcome] == ["read", "failed", "read"]
    bounds = odd.asked[-2][1]
    assert (bounds["since_id"], bounds["until_id"]) == (str(ID + 1), str(ID + 5))
    assert set(Tweet.objects.values_list("first_id", flat=True)) == {ID + n for n in posts}
    assert Cursor.objects.get().gap_floor_id is None


ODD_BODIES: list[Any] = [[], [1], "<html></html>", b"", b"\xff\xfe", {"errors": "none"}, {"errors": [None]}]


@pytest.mark.parametrize("body", ODD_BODIES, ids=repr)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_an_error_with_any_body_is_that_error(odd: Canned, ask: Door, status: int, body: Any) -> None:
    """A list or a page of HTML in an error breaks the constructor of tweepy's own exception."""
    odd.tell(SEARCH, body, status)
    expected = {
        400: outcomes.QueryRefused,
        401: outcomes.BadToken,
        403: outcomes.NotPermitted,
        429: outcomes.WindowClosed,
    }
    with pytest.raises(outcomes.Failure) as caught:
        ask.search("lang:de Rat")
    assert type(caught.value) is expected.get(status, outcomes.Unreachable)
    assert caught.value.message


def test_tweepy_itself_breaks_on_a_list(odd: Canned) -> None:
    """Why every kind of exception is caught at the door, not only tweepy's."""
    odd.tell(SEARCH, [1], 500)
    with pytest.raises(AttributeError):
        bare_tweepy(odd).search_recent_tweets("lang:de Rat")


def test_usage_can_be_asked_and_its_numbers_are_strings(odd: Canned, ask: Door) -> None:
    """tweepy has no method for it, and X sends digits in quotes."""
    odd.tell("/2/usage/tweets", {"data": {"project_usage": "1234", "project_cap": "3000000", "cap_reset_day": 1}})
    (told,) = ask.usage().raw
    assert (told["project_usage"], told["cap_reset_day"]) == ("1234", 1)
    assert odd.asked[0][1]["days"] == "7"


def test_doors_of_many_threads_do_not_mix_their_answers(odd: Canned) -> None:
    """A session of requests is not made for several threads: each has a door of its own."""
    for n in range(8):
        odd.tell(f"/2/users/{n}/tweets", page(post(ID + n)), x_rate_limit_limit="9", x_rate_limit_remaining=str(n))

    def ask_for(n: int) -> set[str]:
        ask = Door(odd.base_url, odd.token)
        return {one["id"] for _ in range(5) for one in ask.timeline(str(n)).raw}

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask_for, range(8))) == [{str(ID + n)} for n in range(8)]
