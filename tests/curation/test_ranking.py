"""The rank: parts an editor can read, and a time that never ages."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.ingest.storing.candidates import history_of, is_ours
from curation.models import Candidate, State
from curation.ranking import POINTS_A_HALF_LIFE, engagement, parts, rank, weights_of
from regions.models import Channel, Market, Source, User
from tests.cast import make_author, make_candidate, make_tweet

pytestmark = pytest.mark.django_db


TOLD = {"trust": 50, "approved": 0, "blocked": 0, "similar": 0.0, "ours": True}


def points(channel: Channel, **fields: Any) -> dict[str, float]:
    """The parts of a German tweet without figures; `fields` of the tweet or of what `parts` is told beside it."""
    told = {name: fields.pop(name, usual) for name, usual in TOLD.items()}
    tweet = make_tweet("Guten Tag.", **{"lang": "de"} | fields)
    return parts(tweet, channel, **told, now=timezone.now())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, {"source": 10.0, "language": 10.0}),
        ({"trust": 0}, {"language": 10.0}),
        ({"trust": 100}, {"source": 20.0, "language": 10.0}),
        ({"sensitive": True}, {"source": 10.0, "language": 10.0, "sensitive": -15.0}),
        ({"lang": "nl"}, {"source": 10.0, "language": -20.0}),
        ({"lang": "nl", "lang_guess": "de"}, {"source": 10.0, "language": 10.0}),
        ({"lang": "und"}, {"source": 10.0}),
        ({"lang": "zxx", "lang_guess": "el"}, {"source": 10.0, "language": -20.0}),
        ({"approved": 8}, {"source": 10.0, "language": 10.0, "author": 12.0}),
        ({"blocked": 8}, {"source": 10.0, "language": 10.0, "author": -12.0}),
        ({"approved": 3, "blocked": 3}, {"source": 10.0, "language": 10.0}),
        ({"similar": 1.0}, {"source": 10.0, "language": 10.0, "similar": -20.0}),
        ({"similar": 0.25}, {"source": 10.0, "language": 10.0, "similar": -5.0}),
        ({"lang": "de-AT"}, {"source": 10.0, "language": 10.0}),
    ],
)
def test_the_parts(de_politics: Channel, fields: dict[str, Any], expected: dict[str, float]) -> None:
    assert points(de_politics, **fields) == expected


@pytest.mark.parametrize(
    ("lang", "guess", "chosen", "found"),
    [
        ("hr", "", 10.0, 10.0),
        ("bs", "", 10.0, 0.0),
        ("sr", "", 10.0, 0.0),
        ("sh", "", 10.0, 0.0),
        ("sr-Latn", "", 10.0, 0.0),
        ("sl", "hr", 10.0, 0.0),
        ("und", "hr", 10.0, 10.0),
        ("sl", "", -20.0, -20.0),
        ("sl", "sl", -20.0, -20.0),
    ],
)
def test_the_source_decides_what_is_croatian(lang: str, guess: str, chosen: float, found: float, db: None) -> None:
    """An account or list that the market chose speaks Croatian; what a search found may be Serbian as well."""
    channel = Channel.objects.get(market__code="hr", category__slug="sport")
    for ours, expected in ((True, chosen), (False, found)):
        assert points(channel, lang=lang, lang_guess=guess, ours=ours).get("language", 0.0) == expected


@pytest.mark.parametrize(
    ("kind", "scope", "expected"),
    [
        ("account", "channel", True),
        ("list", "market", True),
        ("search", "channel", False),
        ("stream", "market", False),
        ("account", "", False),
    ],
)
def test_a_market_chose_who_speaks_in_its_own_accounts_and_lists(
    kind: str, scope: str, expected: bool, de_politics: Channel
) -> None:
    where = {"channel": {"channel": de_politics}, "market": {"market": de_politics.market}, "": {}}[scope]
    assert is_ours(Source(kind=kind, value="x", **where), de_politics) is expected


def test_a_link_by_hand_was_chosen(de_politics: Channel) -> None:
    assert is_ours(None, de_politics) is True


def test_engagement_is_a_speed() -> None:
    now = timezone.now()
    few, many = {"likes": 10}, {"likes": 1000, "reposts": 200, "quotes": 20, "replies": 90}
    hour = now - timedelta(hours=1)
    assert engagement({}, hour, now) == 0
    assert 0 < engagement(few, hour, now) < engagement(many, hour, now) < 1
    assert engagement(many, now - timedelta(hours=9), now) < engagement(many, hour, now)
    assert engagement(few, now, now) == engagement(few, now - timedelta(minutes=15), now)
    assert engagement({"likes": 10**9}, hour, now) == 1
    assert engagement(few, now + timedelta(hours=1), now) < 1


def test_one_half_life_weighs_its_points_and_order_never_changes(de_politics: Channel) -> None:
    now = timezone.now()
    older = now - timedelta(minutes=de_politics.half_life_minutes)
    assert rank({"source": POINTS_A_HALF_LIFE}, older, de_politics) == pytest.approx(rank({}, now, de_politics))
    assert rank({"source": POINTS_A_HALF_LIFE + 0.1}, older, de_politics) > rank({}, now, de_politics)


def test_a_channels_weights_stand_over_its_markets_over_ours(de_politics: Channel) -> None:
    Market.objects.filter(code="de").update(rank_weights={"source": 40, "language": 0, "nonsense": 9})
    Channel.objects.filter(pk=de_politics.pk).update(rank_weights={"source": 30, "author": "much"})
    channel = Channel.objects.select_related("market").get(pk=de_politics.pk)
    assert weights_of(channel) == {
        "source": 30, "engagement": 20.0, "author": 15.0, "language": 0, "sensitive": 15.0, "similar": 20.0
    }  # fmt: skip
    assert points(channel) == {"source": 15.0}


def test_an_authors_history_counts_what_editors_of_this_channel_decided(
    de_politics: Channel, nl_politics: Channel
) -> None:
    author, now = make_author(), timezone.now()
    tweets = [make_tweet(author=author, created_at=now - timedelta(days=n)) for n in (0, 1, 2, 3, 40)]
    make_candidate(de_politics, tweet=tweets[0], state=State.APPROVED)
    make_candidate(de_politics, tweet=tweets[1], state=State.BLOCKED)
    make_candidate(de_politics, tweet=tweets[2], state=State.BLOCKED, blocked_by_lists=True)
    make_candidate(de_politics, tweet=tweets[3])
    make_candidate(de_politics, tweet=tweets[4], state=State.APPROVED)
    make_candidate(nl_politics, tweet=tweets[0], state=State.BLOCKED)
    assert Candidate.objects.count() == 6
    assert history_of([author.pk], [de_politics], now) == {(de_politics.pk, author.pk): (1, 1)}


def test_an_authors_history_is_counted_anew_after_a_decision(de_politics: Channel, anna: User) -> None:
    author, now = make_author(), timezone.now()
    first = make_candidate(de_politics, tweet=make_tweet(author=author))
    assert history_of([author.pk], [de_politics], now) == {(de_politics.pk, author.pk): (0, 0)}
    operations.approve(first, by=anna, version=1)
    de_politics.refresh_from_db()
    assert history_of([author.pk], [de_politics], now) == {(de_politics.pk, author.pk): (1, 0)}


def test_no_more_than_an_authors_last_posts_are_counted(de_politics: Channel) -> None:
    author, now = make_author(), timezone.now()
    for n in range(60):
        tweet = make_tweet(author=author, created_at=now - timedelta(hours=n))
        make_candidate(de_politics, tweet=tweet, state=State.APPROVED if n < 5 or n >= 48 else State.PENDING)
    assert history_of([author.pk], [de_politics], now) == {(de_politics.pk, author.pk): (7, 0)}
