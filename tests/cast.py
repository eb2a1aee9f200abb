"""The named cast, and rows to put before them. All people, accounts and posts are invented."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from curation.folding import fold
from curation.models import Author, Candidate, State, Tweet
from regions.models import Block, Channel, Market, Membership, Role, User

ids = count(1_900_000_000_000_000_000)


def make_user(username: str, roles: dict[str, Role] | None = None, **fields: Any) -> User:
    """A person with a role per market code; the password is their name."""
    user = User.objects.create_user(username, password=username, **fields)
    for code, role in (roles or {}).items():
        Membership.objects.create(user=user, market=Market.objects.get(code=code), role=role)
    return user


def channel_of(market: str, category: str) -> Channel:
    return Channel.objects.select_related("market", "category").get(market__code=market, category__slug=category)


def make_author(username: str = "", **fields: Any) -> Author:
    pk = next(ids)
    username = username or f"stadtblatt_{pk % 100_000}"
    return Author.objects.create(
        **{"x_id": pk, "username": username, "name": username.replace("_", " ").title()} | fields
    )


def make_tweet(text: str = "Der Rat von Lindmark hat die neue Brücke beschlossen.", **fields: Any) -> Tweet:
    """A tweet as ingest leaves it; `author` may be given."""
    pk = fields.pop("first_id", None) or next(ids)
    told = {
        "first_id": pk,
        "current_id": pk,
        "text": text,
        "lang": "de",
        "created_at": timezone.now() - timedelta(minutes=5),
        "wire": {"entities": {}, "media": [], "refs": [], "edit_ids": [str(pk)]},
        "author": fields.pop("author", None) or make_author(),
    }
    return Tweet.objects.create(**told | fields)


def make_candidate(channel: Channel, text: str = "", *, tweet: Tweet | None = None, **fields: Any) -> Candidate:
    """A candidate of a channel; pending unless a state is given."""
    tweet = tweet or (make_tweet(text) if text else make_tweet())
    if fields.get("state") == State.APPROVED:
        fields.setdefault("approved_at", timezone.now() - timedelta(minutes=1))
    told = {"posted_at": tweet.created_at, "folded": fold(tweet.text), "rank": 50.0}
    return Candidate.objects.create(channel=channel, tweet=tweet, **told | tweet.repeated() | fields)


def make_block(value: str, kind: str = Block.Kind.TERM, **fields: Any) -> Block:
    """A standing block, global unless a market or a channel is given."""
    return Block.objects.create(kind=kind, value=value, **fields)
