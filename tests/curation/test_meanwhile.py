"""Who comes too late is told in words what happened, where nobody but the system decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curation import operations
from curation.models import Candidate, Tweet
from regions.models import Block, Channel, Role, Source, User
from tests.cast import make_candidate, make_tweet, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 18, 4, 5, tzinfo=UTC)


def told(candidate: Candidate, reader: User) -> str:
    """What the reader is told who saw it as it came; the clocks of Germany show 19:04:05."""
    with pytest.raises(operations.StaleVersion) as refusal:
        operations.block(candidate, by=reader, version=99)
    problem = refusal.value.problem()
    assert problem["by"] is None
    return f"{problem['verb']}: {problem['detail']}"


def edited(row: Candidate) -> None:
    operations.edit([row.tweet_id], now=NOW)


def gone(cause: str) -> Callable[[Candidate], None]:
    def withdraw(row: Candidate) -> None:
        Tweet.objects.filter(pk=row.tweet_id).update(gone_at=NOW, gone_cause=cause)
        operations.withdraw([row.tweet_id], cause=cause, now=NOW)

    return withdraw


def back(row: Candidate) -> None:
    Tweet.objects.filter(pk=row.tweet_id).update(gone_at=NOW, gone_cause="unverified")
    operations.withdraw([row.tweet_id], cause="unverified", now=NOW)
    Tweet.objects.filter(pk=row.tweet_id).update(gone_at=None, gone_cause="")
    operations.obey([row.tweet_id], now=NOW)


def lapsed(row: Candidate) -> None:
    Candidate.objects.filter(pk=row.pk).update(pending_since=NOW - timedelta(days=99))
    operations.lapse_old(now=NOW)


def block_of_lena(effect: str = "block", **until: Any) -> Block:
    lena = make_user("lena", {"de": Role.LEAD}, first_name="Lena", last_name="Linde")
    de = lena.membership_set.get().market
    laid = operations.lay_block("term", "brücke", by=lena, market=de, effect=effect, now=NOW, **until)
    operations.carry_blocks(now=NOW)
    return laid.block


def blocked(row: Candidate) -> None:
    block_of_lena()


def lifted(row: Candidate) -> None:
    block = block_of_lena()
    operations.lift_block(block, by=User.objects.get(username="lena"), now=NOW)
    operations.carry_blocks(now=NOW)


def ended(row: Candidate) -> None:
    block_of_lena(ends_at=NOW + timedelta(microseconds=1))
    operations.end_blocks(now=NOW + timedelta(seconds=1))
    operations.carry_blocks(now=NOW)


def held(row: Candidate) -> None:
    block_of_lena("hold")


def held_no_more(row: Candidate) -> None:
    block = block_of_lena("hold")
    operations.lift_block(block, by=User.objects.get(username="lena"), now=NOW)
    operations.carry_blocks(now=NOW)


def by_rule(row: Candidate) -> None:
    name = row.tweet.author.username if row.tweet.author else ""
    source = Source.objects.create(kind="account", value=name, channel=row.channel, auto_approve=True)
    Candidate.objects.filter(pk=row.pk).update(source=source, arrived_at=NOW)
    assert operations.approve_by_rule(source, now=NOW) == 1


@pytest.mark.parametrize(
    ("happens", "sentence"),
    [
        (edited, "edit: X showed an edit of this post meanwhile (19:04:05)."),
        (gone("deleted"), "withdraw: This post was withdrawn meanwhile: deleted at X (19:04:05)."),
        (
            gone("suspended"),
            "withdraw: This post was withdrawn meanwhile: its author is suspended at X (19:04:05).",
        ),
        (back, "restore: This post was withdrawn; now X shows it again (19:04:05)."),
        (lapsed, "lapse: Nobody decided in time, so this post lapsed (19:04:05)."),
        (blocked, "block: A block of Lena Linde took this post out meanwhile (19:04:05)."),
        (lifted, "lift: Lena Linde lifted a block, and this post waits again (19:04:05)."),
        (ended, "lift: A block ended, and this post waits again (19:04:05)."),
        (held, "hold: A block of Lena Linde holds this post for a second look (19:04:05)."),
        (held_no_more, "hold: A block ended, and this post is held no more (19:04:05)."),
        (by_rule, "approve: A rule of its source approved this post meanwhile (19:04:05)."),
    ],
    ids=lambda told: told.split(":")[0] if isinstance(told, str) else "",
)
def test_it_is_told_in_words(
    happens: Callable[[Candidate], None], sentence: str, anna: User, de_politics: Channel
) -> None:
    row = make_candidate(de_politics, tweet=make_tweet("Die Brücke steht."))
    happens(row)
    assert told(row, anna) == sentence
