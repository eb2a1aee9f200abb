"""Stores authors and tweets in bulk: new ones, edits, and what else X changed.

Order of locks: authors, tweets, channels, candidates, each by id; the markets' logs and the arrivals last.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Q

from curation.ingest.storing.bulk import Table, as_array, update
from curation.ingest.storing.offered import Offered
from curation.language import second_opinion
from curation.models import Author, Candidate, Tweet
from curation.operations import Followed
from curation.x.entities import leading_to
from curation.x.wire import Person, Post, as_json
from regions.models import Channel

REFRESH = timedelta(minutes=5)
AUTHOR_CHANGES = ("username", "name", "avatar_url", "verified_type", "protected", "withheld_in")
author_changes = attrgetter(*AUTHOR_CHANGES)
AUTHOR_FIELDS = (*AUTHOR_CHANGES, "followers", "fetched_at")
AUTHORS = Table(Author, "x_id", *AUTHOR_FIELDS)
TWEETS = Table(
    Tweet, "id", "first_id", "current_id", "author", "text", "lang", "lang_guess", "created_at", "wire", "raw",
    "metrics", "sensitive", "withheld_in", "edited_at", "checked_at", "fetched_at", "previous_text", "gone_cause",
)  # fmt: skip
# AUTHOR_CHANGES, in their order
KNOWN_PEOPLE = """
SELECT x_id, username, name, avatar_url, verified_type, protected, withheld_in, fetched_at
FROM curation_author WHERE x_id = ANY(%s::bigint[])
"""
# What tells whether a post that we have says anything new.
THERE = """
SELECT id, first_id, current_id, withheld_in, sensitive, checked_at, gone_at IS NOT NULL OR purged_at IS NOT NULL
FROM curation_tweet WHERE first_id = ANY(%(ids)s::bigint[]) OR current_id = ANY(%(ids)s::bigint[])
"""
# Tweet by tweet in the index: of one long list PostgreSQL may expect so many rows that it reads the whole table.
MET = """
SELECT one.id, (SELECT count(*) FROM curation_candidate WHERE tweet_id = one.id AND channel_id = ANY(%s::bigint[]))
FROM unnest(%s::bigint[]) AS one(id)
"""


@dataclass
class Stored:
    """What became of posts: the ids of tweets by first_id, and which are fresh, edited, withheld anew or back.

    `new`: the fresh ones by id, as they are offered. `quiet`: known ones of which X says nothing new and which every
    channel of the reading has met. `authors`: those whose protection or withholding changed. `followed`: what was
    decided of all that."""

    tweets: dict[int, int] = field(default_factory=dict)
    new: dict[int, Offered] = field(default_factory=dict)
    quiet: set[int] = field(default_factory=set)
    fresh: int = 0
    known: int = 0
    edited: list[int] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)
    authors: set[int] = field(default_factory=set)
    followed: Followed = field(default_factory=Followed)

    def add(self, others: Stored) -> None:
        self.tweets |= others.tweets
        self.new |= others.new
        self.quiet |= others.quiet
        self.fresh += others.fresh
        self.known += others.known
        self.edited += others.edited
        self.changed |= others.changed
        self.back |= others.back
        self.authors |= others.authors

    def to_offer(self) -> set[int]:
        """Tweets that some channel of the reading may not have met."""
        return set(self.tweets.values()) - self.quiet

    def to_obey(self) -> set[int]:
        """Tweets whose candidates may have to go, or to come back."""
        theirs: set[int] = set()
        if self.authors:
            offered = Tweet.objects.filter(author__in=self.authors, candidate__isnull=False)
            theirs = set(offered.values_list("pk", flat=True))
        return self.changed | self.back | theirs


def store_tweets(
    posts: Iterable[Post], people: dict[int, Person], now: datetime, channels: Collection[Channel] = ()
) -> Stored:
    """Stores posts whose authors are in `people` or stored already. In the caller's transaction.

    `channels`: those that they are then offered to."""
    wanted = dict(sorted((post.first_id, post) for post in posts))
    authors = {post.author_id for post in wanted.values()}
    stored = Stored()
    stored.authors = store_people([person for x_id, person in people.items() if x_id in authors], now)
    quiet, told = quiet_ones(wanted.values(), now, channels)
    known = locked(wanted[first] for first in told)
    stored.tweets, stored.quiet, stored.known = quiet, set(quiet.values()), len(quiet)
    fresh = [post for first, post in wanted.items() if first not in known and first not in quiet]
    _insert(fresh, people, stored, now, channels)
    # Another pass was quicker by a moment, perhaps with an older version: what it stored is known by now.
    known |= locked(post for post in fresh if post.first_id not in stored.tweets)
    _change({first: (tweet, wanted[first]) for first, tweet in known.items()}, stored, now, channels)
    return stored


def store_people(people: list[Person], now: datetime) -> set[int]:
    """Stores accounts; returns those whose protection or withholding changed. Unchanged ones are not touched."""
    with connection.cursor() as cursor:  # one array: hundreds of parameters take Django longer than PostgreSQL
        cursor.execute(KNOWN_PEOPLE, [as_array(person.x_id for person in people)])
        before = {x_id: told for x_id, *told in cursor.fetchall()}
    rows, yesterday = [], now - timedelta(days=1)
    for person in sorted(people, key=lambda one: one.x_id):
        told = author_changes(person)
        there = before.get(person.x_id)
        if there is None or tuple(there[:-1]) != told or there[-1] < yesterday:
            rows.append((person.x_id, *told[:-1], as_array(told[-1]), person.followers, now))
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in AUTHOR_FIELDS)
    AUTHORS.insert(rows, conflict=f"(x_id) DO UPDATE SET {sets}")
    return {
        person.x_id
        for person in people
        if (there := before.get(person.x_id)) and there[-3:-1] != [person.protected, person.withheld_in]
    }


def quiet_ones(
    posts: Collection[Post], now: datetime, channels: Collection[Channel]
) -> tuple[dict[int, int], list[int]]:
    """Of posts that we have: those that say nothing new, with their tweets' ids, and the others, by first id.

    The quiet ones need no lock: what others change of them meanwhile is newer than what this reading says."""
    by_id = {number: post for post in posts for number in post.edit_ids}
    if not by_id:
        return {}, []
    quiet: dict[int, int] = {}
    told: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(THERE, {"ids": as_array(by_id)})
        for pk, first_id, current_id, withheld, sensitive, checked_at, gone in cursor.fetchall():
            post = by_id.get(first_id) or by_id[current_id]
            same = (current_id, sensitive, set(withheld)) == (post.id, post.sensitive, set(post.withheld_in))
            if not gone and (current_id > post.id or (same and checked_at >= now - REFRESH)):
                quiet[post.first_id] = pk
            else:
                told.append(post.first_id)
        met = _met(quiet.values(), channels)
    unmet = {first for first, pk in quiet.items() if met.get(pk, 0) < len(channels)}
    return {first: pk for first, pk in quiet.items() if first not in unmet}, [*told, *unmet]


def _met(tweet_ids: Collection[int], channels: Collection[Channel]) -> dict[int, int]:
    """How many of the channels have met each tweet."""
    if not tweet_ids or not channels:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(MET, [as_array(channel.pk for channel in channels), as_array(tweet_ids)])
        return dict(cursor.fetchall())


def locked(posts: Iterable[Post]) -> dict[int, Tweet]:
    """The tweets that are stored already, locked, by the first id of the post that is theirs."""
    by_id = {number: post.first_id for post in posts for number in post.edit_ids}
    if not by_id:
        return {}
    rows = Tweet.objects.filter(Q(first_id__in=by_id) | Q(current_id__in=by_id)).defer("wire", "raw")
    found: dict[int, Tweet] = {}
    for tweet in rows.order_by("first_id").select_for_update(of=("self",)):
        first = by_id.get(tweet.first_id) or by_id[tweet.current_id]
        found.setdefault(first, tweet)
    return found


def languages_of(channels: Iterable[Channel]) -> frozenset[str]:
    """The languages of the markets that are concerned."""
    return frozenset(code for market in {channel.market for channel in channels} for code in market.languages)


def version_of(post: Post, channels: Iterable[Channel]) -> dict[str, Any]:
    """The fields of a tweet that a version of the post gives it."""
    return {
        "current_id": post.id,
        "text": post.text,
        "lang": post.lang,
        "lang_guess": second_opinion(post.lang, post.text, languages_of(channels)),
        "wire": post.wire(),
        "raw": json.loads(post.raw_json),
        "metrics": post.metrics,
        "sensitive": post.sensitive,
        "withheld_in": post.withheld_in,
    }


def row_of(pk: int, post: Post, guessed: str, now: datetime) -> tuple[Any, ...]:
    """A new tweet, as TWEETS takes it."""
    return (
        pk, post.first_id, post.id, post.author_id, post.text, post.lang, guessed, post.created_at,
        as_json(post.wire()), post.raw_json, as_json(post.metrics), post.sensitive,
        as_array(post.withheld_in), now if post.id != post.first_id else None, now, now, "", "",
    )  # fmt: skip


def still_there(author_id: int) -> list[int]:
    """An author's tweets that X showed so far, locked in their order."""
    there = Tweet.objects.filter(author=author_id, gone_at=None).order_by("first_id").select_for_update()
    return list(there.values_list("pk", flat=True))


def _insert(
    posts: list[Post], people: dict[int, Person], stored: Stored, now: datetime, channels: Collection[Channel]
) -> None:
    if not posts:
        return
    spoken = languages_of(channels)
    guesses: dict[int, str] = {}

    def rows() -> Iterator[tuple[Any, ...]]:
        for pk, post in zip(pks, posts, strict=True):
            guesses[pk] = second_opinion(post.lang, post.text, spoken)
            yield row_of(pk, post, guesses[pk], now)

    pks = TWEETS.ids(len(posts))
    made = TWEETS.add(rows, pks)
    stored.tweets |= {post.first_id: pk for pk, post in zip(pks, posts, strict=True) if pk in made}
    stored.fresh += len(made)
    authors: dict[int, Person | Author] = {**_authors_of(posts, people), **people}
    stored.new = {
        pk: Offered.of_post(pk, post, authors[post.author_id], guesses[pk])
        for pk, post in zip(pks, posts, strict=True)
        if pk in made and post.author_id in authors
    }


def _authors_of(posts: Iterable[Post], people: dict[int, Person]) -> dict[int, Author]:
    """The accounts that this reading does not tell, as they are stored."""
    untold = {post.author_id for post in posts} - people.keys()
    return Author.objects.in_bulk(untold) if untold else {}


def _change(pairs: dict[int, tuple[Tweet, Post]], stored: Stored, now: datetime, channels: Collection[Channel]) -> None:
    """What X says anew of tweets that we have; an older version than ours tells nothing."""
    told = [(tweet, post) for tweet, post in pairs.values() if tweet.current_id <= post.id]
    wanted = _wanted_again([tweet for tweet, _post in told], now, channels)
    there = [(tweet, post) for tweet, post in told if not tweet.gone_at and not tweet.purged_at]
    newer = [(tweet, post) for tweet, post in there if tweet.current_id < post.id]
    same = [(tweet, post) for tweet, post in there if tweet.current_id == post.id]
    stored.tweets |= {first: tweet.pk for first, (tweet, _post) in pairs.items()}
    stored.known += len(pairs) - len(newer)
    stored.edited = [tweet.pk for tweet, post in newer if _edit(tweet, post, now, channels)]
    stored.changed = {tweet.pk for tweet, post in same if set(tweet.withheld_in) != set(post.withheld_in)}
    stored.back = {tweet.pk for tweet, post in told if tweet.pk in wanted and _fill(tweet, post, now, channels)}
    _refresh(same, now)


def _wanted_again(tweets: list[Tweet], now: datetime, channels: Collection[Channel]) -> set[int]:
    """Of tweets that X shows: those that were gone at X before the reading began (an older answer tells nothing); and
    those that retention emptied and that some channel of this reading has not met yet, where they become candidates
    with their text."""
    before = [tweet for tweet in tweets if tweet.gone_at and tweet.gone_at < now]
    gone = {tweet.pk for tweet in before if tweet.gone_cause != Tweet.Gone.ERASED}
    emptied = [tweet.pk for tweet in tweets if tweet.purged_at and not tweet.gone_at]
    if not emptied:
        return gone
    met = Candidate.objects.filter(tweet__in=emptied, channel__in=channels).values_list("tweet_id", flat=True)
    times = Counter(met)
    return gone | {pk for pk in emptied if times[pk] < len(channels)}


def _fill(tweet: Tweet, post: Post, now: datetime, channels: Collection[Channel]) -> bool:
    """X shows it again: everything that was emptied is taken anew."""
    fields = version_of(post, channels) | {"author_id": post.author_id, "created_at": post.created_at}
    if tweet.text and tweet.current_id != post.id:
        fields = after_an_edit(fields, tweet) | {"edited_at": now}
    there = {"gone_at": None, "gone_cause": "", "purged_at": None, "checked_at": now, "fetched_at": now}
    return bool(Tweet.objects.filter(pk=tweet.pk).update(**fields, **there))


def _edit(tweet: Tweet, post: Post, now: datetime, channels: Collection[Channel]) -> bool:
    mine = Tweet.objects.filter(pk=tweet.pk, current_id__lt=post.id)
    seen = {"edited_at": now, "checked_at": now, "fetched_at": now}
    return bool(mine.update(**after_an_edit(version_of(post, channels), tweet), **seen))


def after_an_edit(fields: dict[str, Any], tweet: Tweet) -> dict[str, Any]:
    """The new version's fields, with what the old one said and where its links led."""
    led_to = leading_to(tweet.part("entities")) if "://" in tweet.text else {}  # `wire` is read for this alone
    wire = fields["wire"] | ({"links_before": led_to} if led_to else {})
    return fields | {"previous_text": tweet.text, "wire": wire}


def _refresh(pairs: list[tuple[Tweet, Post]], now: datetime) -> None:
    """Withholding and sensitivity at once, figures every five minutes."""
    rows = [
        (tweet.pk, as_json(post.metrics), post.sensitive, as_array(post.withheld_in), now, now - REFRESH)
        for tweet, post in pairs
    ]
    update(
        "curation_tweet",
        {
            "id": "bigint",
            "metrics": "text",
            "sensitive": "boolean",
            "withheld": "text",
            "now": "timestamptz",
            "before": "timestamptz",
        },
        rows,
        sets="metrics = r.metrics::jsonb, sensitive = r.sensitive, withheld_in = r.withheld::varchar(2)[], "
        "checked_at = r.now",
        where="(t.sensitive, t.withheld_in) IS DISTINCT FROM (r.sensitive, r.withheld::varchar(2)[]) "
        "OR t.checked_at < r.before",
    )
