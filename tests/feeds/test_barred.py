"""What no feed shows, whatever its state says: blocked, gone, withheld, inactive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation import operations as curation
from curation.models import Tweet
from feeds.models import Feed
from feeds.operations import publish
from regions.models import Block, Channel, Market
from tests.cast import channel_of, make_author, make_block, make_tweet
from tests.feeds.conftest import id_of, live, published, shown

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "value"),
    [("term", "brücke"), ("author", "@LINDMARK_BOTE"), ("hashtag", "#Lindmark"), ("domain", "bote.example")],
)
def test_a_block_holds_whatever_the_state_says(kind: str, value: str, de: Market, politics: Channel) -> None:
    link = {"start": 0, "end": 1, "url": "u", "expanded_url": "https://www.bote.example/1", "display_url": "d"}
    tags = [{"start": 0, "end": 1, "tag": "lindmark"}]
    tweet = make_tweet(
        "Die BRÜCKE steht", author=make_author("lindmark_bote"), wire={"entities": {"urls": [link], "hashtags": tags}}
    )
    live(politics, tweet=tweet)
    other = live(politics, "Etwas anderes")
    assert len(shown(de)) == 2
    make_block(value, kind, market=de)
    assert shown(de) == shown(de, None) == [id_of(other)]


def test_a_block_of_another_channel_or_market_or_that_only_holds_removes_nothing(de: Market, politics: Channel) -> None:
    live(politics, "Die Brücke steht")
    make_block("brücke", channel=channel_of("de", "sport"))
    make_block("brücke", market=Market.objects.get(code="nl"))
    make_block("brücke", effect=Block.Effect.HOLD)
    assert len(shown(de)) == 1


def test_the_end_of_a_block_is_a_moment_of_change(de: Market, politics: Channel) -> None:
    live(politics, "Die Brücke steht")
    ends = timezone.now() + timedelta(minutes=3)
    make_block("brücke", ends_at=ends)
    assert shown(de) == []
    assert Feed.objects.get(channel=politics).next_change_at == ends


@pytest.mark.parametrize(
    "fields",
    [
        {"gone_at": timezone.now()},
        {"withheld_in": ["DE"]},
        {"withheld_in": ["XX"]},
        {"text": "", "author": None, "purged_at": timezone.now()},
    ],
)
def test_gone_withheld_and_purged_tweets_are_not_shown(fields: dict[str, Any], de: Market, politics: Channel) -> None:
    candidate = live(politics)
    assert shown(de) == [id_of(candidate)]
    for name, value in fields.items():
        setattr(candidate.tweet, name, value)
    candidate.tweet.save()
    assert shown(de) == []


def test_withheld_elsewhere_is_shown_and_a_protected_author_is_not(de: Market, politics: Channel) -> None:
    fine = live(politics, tweet=make_tweet(withheld_in=["GR"]))
    live(politics, tweet=make_tweet(author=make_author(protected=True)))
    assert shown(de) == [id_of(fine)]


def test_barred_ones_leave_no_place_empty_however_many(de: Market, politics: Channel) -> None:
    start = timezone.now() - timedelta(hours=1)
    good = [live(politics, f"Gut {n}", approved_at=start - timedelta(minutes=n)) for n in range(3)]
    for n in range(40):
        live(politics, f"Brücke {n}", approved_at=start + timedelta(seconds=n))
    make_block("brücke")
    assert shown(de) == [id_of(candidate) for candidate in good]


def test_an_inactive_channel_publishes_nothing(de: Market, politics: Channel) -> None:
    live(politics)
    publish(de.pk)
    Channel.objects.filter(pk=politics.pk).update(active=False)
    assert shown(de) == shown(de, None) == []


@pytest.fixture
def between(de: Market) -> Iterator[list[Callable[[], None]]]:
    """Calls that run once, as of another connection, before the next publication's statement after its candidates."""
    calls: list[Callable[[], None]] = []

    def slip_in(execute: Any, sql: str, *rest: Any) -> Any:
        answer = execute(sql, *rest)
        if "LATERAL" in sql and calls:
            calls.pop()()
        return answer

    with connection.execute_wrapper(slip_in):
        yield calls


def test_an_edit_between_two_readings_shows_nothing_unapproved(
    de: Market, politics: Channel, between: list[Callable[[], None]]
) -> None:
    candidate = live(politics, "Approved words")

    def edit() -> None:
        current = candidate.tweet.current_id + 1
        Tweet.objects.filter(pk=candidate.tweet_id).update(text="Never approved", current_id=current)
        curation.edit([candidate.tweet_id], now=timezone.now())

    between.append(edit)
    publish(de.pk)
    assert not between
    assert [entry["text"] for entry in published("de", "politics", "full")["entries"]] == ["Approved words"]
    assert shown(de) == []


@pytest.mark.parametrize("window", [{"go_live_at": timedelta(hours=20)}, {"expire_at": -timedelta(seconds=5)}])
@pytest.mark.parametrize("old", [{"slot": 1}, {"go_live_at": -timedelta(days=3)}])
def test_an_old_one_does_not_hide_fresh_ones_behind_those_out_of_their_window(
    old: dict[str, Any], window: dict[str, Any], de: Market, politics: Channel
) -> None:
    now = timezone.now()
    old, window = (
        {name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()}
        for fields in (old, window)
    )
    live(politics, approved_at=now - timedelta(days=3), **old)
    fresh = [live(politics, approved_at=now - timedelta(hours=2, minutes=n)) for n in range(8)]
    for n in range(18):
        live(politics, approved_at=now - timedelta(minutes=10 + n), **window)
    fresh = [live(politics, approved_at=now - timedelta(minutes=n)) for n in range(2)] + fresh
    assert [one for one in shown(de) if one in map(id_of, fresh)][:9] == [id_of(one) for one in fresh][:9]


def test_those_that_went_live_lately_are_found_however_long_ago_they_were_approved(
    de: Market, politics: Channel
) -> None:
    now = timezone.now()
    fresh = [
        live(politics, approved_at=now - timedelta(days=3), go_live_at=now - timedelta(hours=2, minutes=n))
        for n in range(5)
    ]
    fresh = [live(politics, approved_at=now - timedelta(minutes=n)) for n in range(3)] + fresh
    for n in range(25):
        live(
            politics,
            approved_at=now - timedelta(days=2),
            go_live_at=now - timedelta(minutes=1 + n),
            expire_at=now - timedelta(seconds=5),
        )
    assert shown(de) == [id_of(one) for one in fresh]
