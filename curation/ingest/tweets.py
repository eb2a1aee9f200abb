"""Stores authors and tweets in bulk: new ones, edits, and what else X changed.

Order of locks: authors, tweets, channels, candidates, each by id; the markets' logs and the arrivals last.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from curation.ingest.bulk import as_array, insert, update
from curation.language import guess
from curation.models import Author, Candidate, ErasedAuthor, Tweet
from curation.operations import Followed
from curation.x.wire import Person, Post
from regions.models import Channel

REFRESH = timedelta(minutes=5)
AUTHOR_CHANGES = ("username", "name", "avatar_url", "verified_type", "protected", "withheld_in")
VERSION = ("current_id", "text", "lang", "lang_guess", "wire", "raw", "metrics", "sensitive", "withheld_in")
AUTHOR_FIELDS = (*AUTHOR_CHANGES, "followers", "fetched_at")


@dataclass
class Stored:
    """What became of posts: the ids of tweets by first_id, and which are fresh, edited, withheld anew or back.

    `authors`: those whose protection or withholding changed. `followed`: what was decided of all that."""

    tweets: dict[int, int] = field(default_factory=dict)
    fresh: int = 0
    known: int = 0
    edited: list[int] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    back: set[int] = field(default_factory=set)
    authors: set[int] = field(default_factory=set)
    followed: Followed = field(default_factory=Followed)

    def add(self, others: Stored) -> None:
        self.tweets |= others.tweets
        self.fresh += others.fresh
        self.known += others.known
        self.edited += others.edited
        self.changed |= others.changed
        self.back |= others.back
        self.authors |= others.authors

    def to_obey(self) -> set[int]:
        """Tweets whose candidates may have to go, or to come back."""
        theirs: set[int] = set()
        if self.authors:
            offered = Tweet.objects.filter(author__in=self.authors, candidate__isnull=False)
            theirs = set(offered.values_list("pk", flat=True))
        return self.changed | self.back | theirs


def author_digest(x_id: int) -> str:
    """The tombstone of an erased author: HMAC-SHA256 of the id with ERASURE_KEY, hex."""
    return hmac.new(settings.ERASURE_KEY.encode(), str(x_id).encode(), hashlib.sha256).hexdigest()


def erased(x_ids: Iterable[int]) -> set[int]:
    """Those of the authors that were erased: nothing of theirs is stored again."""
    digests = {author_digest(x_id): x_id for x_id in x_ids}
    found = ErasedAuthor.objects.filter(digest__in=digests).values_list("digest", flat=True)
    return {digests[digest] for digest in found}


def store_tweets(
    posts: Iterable[Post], people: dict[int, Person], now: datetime, channels: Collection[Channel] = ()
) -> Stored:
    """Stores posts whose authors are in `people` or stored already. In the caller's transaction.

    `channels`: those that they are then offered to."""
    wanted = {post.first_id: post for post in posts}
    authors = {post.author_id for post in wanted.values()}
    stored = Stored()
    stored.authors = store_people([person for x_id, person in people.items() if x_id in authors], now)
    known = locked(wanted.values())
    _insert([post for first, post in wanted.items() if first not in known], stored, now)
    # Another pass was quicker by a moment, perhaps with an older version: what it stored is known by now.
    known |= locked(post for first, post in wanted.items() if first not in known and first not in stored.tweets)
    _change({first: (tweet, wanted[first]) for first, tweet in known.items()}, stored, now, channels)
    return stored


def store_people(people: list[Person], now: datetime) -> set[int]:
    """Stores accounts; returns those whose protection or withholding changed."""
    ids = [person.x_id for person in people]
    before = {author.x_id: author for author in Author.objects.filter(pk__in=ids)}
    rows = [Author(fetched_at=now, **vars(person)) for person in people]
    old = ", ".join(f"curation_author.{name}" for name in AUTHOR_CHANGES)
    new = ", ".join(f"EXCLUDED.{name}" for name in AUTHOR_CHANGES)
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name in AUTHOR_FIELDS)
    aged = "curation_author.fetched_at < EXCLUDED.fetched_at - interval '1 day'"
    changed = f"({old}) IS DISTINCT FROM ({new}) OR {aged}"
    insert(rows, order="x_id", conflict=f"(x_id) DO UPDATE SET {sets} WHERE {changed}")
    return {
        row.x_id
        for row in rows
        if (author := before.get(row.x_id))
        and (author.protected, author.withheld_in) != (row.protected, row.withheld_in)
    }


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


def tweet_of(post: Post, now: datetime) -> Tweet:
    return Tweet(
        first_id=post.first_id,
        current_id=post.id,
        author_id=post.author_id,
        text=post.text,
        lang=post.lang,
        lang_guess=guess(post.text),
        created_at=post.created_at,
        wire=post.wire(),
        raw=post.raw,
        metrics=post.metrics,
        sensitive=post.sensitive,
        withheld_in=post.withheld_in,
        edited_at=now if post.id != post.first_id else None,
        checked_at=now,
        fetched_at=now,
    )


def still_there(author_id: int) -> list[int]:
    """An author's tweets that X showed so far, locked in their order."""
    there = Tweet.objects.filter(author=author_id, gone_at=None).order_by("first_id").select_for_update()
    return list(there.values_list("pk", flat=True))


def _insert(posts: list[Post], stored: Stored, now: datetime) -> None:
    rows = [tweet_of(post, now) for post in posts]
    made = insert(rows, order="first_id", conflict="DO NOTHING", returning="first_id, id")
    stored.tweets |= dict(made)
    stored.fresh += len(made)


def _change(pairs: dict[int, tuple[Tweet, Post]], stored: Stored, now: datetime, channels: Collection[Channel]) -> None:
    """What X says anew of tweets that we have; an older version than ours tells nothing."""
    told = [(tweet, post) for tweet, post in pairs.values() if tweet.current_id <= post.id]
    wanted = _wanted_again([tweet for tweet, _post in told], channels)
    there = [(tweet, post) for tweet, post in told if not tweet.gone_at and not tweet.purged_at]
    newer = [(tweet, post) for tweet, post in there if tweet.current_id < post.id]
    same = [(tweet, post) for tweet, post in there if tweet.current_id == post.id]
    stored.tweets |= {first: tweet.pk for first, (tweet, _post) in pairs.items()}
    stored.known += len(pairs) - len(newer)
    stored.edited = [tweet.pk for tweet, post in newer if _edit(tweet, post, now)]
    stored.changed = {tweet.pk for tweet, post in same if set(tweet.withheld_in) != set(post.withheld_in)}
    stored.back = {tweet.pk for tweet, post in told if tweet.pk in wanted and _fill(tweet, post, now)}
    _refresh(same, now)


def _wanted_again(tweets: list[Tweet], channels: Collection[Channel]) -> set[int]:
    """Of tweets that X shows: those that were gone at X; and those that retention emptied and that some channel
    of this reading has not met yet, where they become candidates with their text."""
    gone = {tweet.pk for tweet in tweets if tweet.gone_at and tweet.gone_cause != Tweet.Gone.ERASED}
    emptied = [tweet.pk for tweet in tweets if tweet.purged_at and not tweet.gone_at]
    if not emptied:
        return gone
    met = Candidate.objects.filter(tweet__in=emptied, channel__in=channels).values_list("tweet_id", flat=True)
    times = Counter(met)
    return gone | {pk for pk in emptied if times[pk] < len(channels)}


def _fill(tweet: Tweet, post: Post, now: datetime) -> bool:
    """X shows it again: everything that was emptied is taken anew."""
    row = tweet_of(post, now)
    fields = {name: getattr(row, name) for name in (*VERSION, "author_id", "created_at")}
    if tweet.text and tweet.current_id != post.id:
        fields |= {"previous_text": tweet.text, "edited_at": now}
    there = {"gone_at": None, "gone_cause": "", "purged_at": None, "checked_at": now, "fetched_at": now}
    return bool(Tweet.objects.filter(pk=tweet.pk).update(**fields, **there))


def _edit(tweet: Tweet, post: Post, now: datetime) -> bool:
    row = tweet_of(post, now)
    fields = {name: getattr(row, name) for name in VERSION}
    mine = Tweet.objects.filter(pk=tweet.pk, current_id__lt=post.id)
    return bool(mine.update(**fields, previous_text=tweet.text, edited_at=now, checked_at=now, fetched_at=now))


def _refresh(pairs: list[tuple[Tweet, Post]], now: datetime) -> None:
    """Withholding and sensitivity at once, figures every five minutes."""
    rows = [
        (tweet.pk, json.dumps(post.metrics), post.sensitive, as_array(post.withheld_in), now, now - REFRESH)
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
