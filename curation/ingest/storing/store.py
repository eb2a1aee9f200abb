"""What was read becomes rows: tweets, system decisions, candidates. In the caller's one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DataError, IntegrityError, connection, transaction

from curation import operations
from curation.ingest.polling.reading import Reading
from curation.ingest.storing.candidates import Arrivals, offer
from curation.ingest.storing.groups import regroup
from curation.ingest.storing.tweets import Stored, store_people, store_tweets
from curation.tombstones import erased
from curation.x.wire import Person, Post
from regions.models import Channel, Source


def store(reading: Reading, source: Source | None, channels: list[Channel], now: datetime) -> tuple[Stored, Arrivals]:
    """Stores the posts of a reading and offers them to the channels; without channels they are only brought up to date.

    What the database refuses is set aside in the reading."""
    return Storing(reading, source, channels, now).whole()


class Storing:
    def __init__(self, reading: Reading, source: Source | None, channels: list[Channel], now: datetime) -> None:
        self.reading, self.source, self.channels, self.now = reading, source, channels, now

    def whole(self) -> tuple[Stored, Arrivals]:
        """All posts at once; when the database refuses one, each by itself and that one set aside."""
        spared = erased({post.author_id for post in self.reading.posts.values()})
        posts = [post for post in self.reading.posts.values() if post.author_id not in spared]
        try:
            with transaction.atomic():
                return self._together(posts)
        except (DataError, IntegrityError):
            return self._one_by_one(posts)

    def _together(self, posts: list[Post]) -> tuple[Stored, Arrivals]:
        stored = store_tweets(posts, self.reading.people, self.now, self.channels)
        self._lock_and_decide(stored)
        arrived = offer(stored.to_offer(), self.source, self.channels, self.now, stored.new)
        settle()
        return stored, arrived

    def _lock_and_decide(self, stored: Stored) -> None:
        """Every channel that changes is locked here, once: so the pass crosses no other and no editor.

        New candidates change no channel: editors go on deciding while they are stored."""
        stored.followed = operations.obey(stored.to_obey(), edited=stored.edited, back=stored.back, now=self.now)
        if stored.edited or stored.back:
            regroup({*stored.edited, *stored.back})

    def _one_by_one(self, posts: list[Post]) -> tuple[Stored, Arrivals]:
        """In the same order of locks as together: all authors, all posts, the channels, then the candidates."""
        stored, arrived = Stored(), Arrivals()
        wanted = {post.author_id for post in posts}
        authors = {x_id: person for x_id, person in sorted(self.reading.people.items()) if x_id in wanted}
        refused = {x_id for x_id, person in authors.items() if not self._author_stored(person, stored)}
        by_first_id = {post.first_id: post for post in posts}
        for _first, post in sorted(by_first_id.items()):
            with self._set_aside_if_refused(post):
                if post.author_id in refused:
                    raise DataError
                one = store_tweets([post], {}, self.now, self.channels)
                settle()
                stored.add(one)
        self._lock_and_decide(stored)
        for first, tweet in stored.tweets.items():
            with self._set_aside_if_refused(by_first_id[first]):
                its = offer([tweet], self.source, self.channels, self.now, stored.new)
                settle()
                arrived.add(its)
        return stored, arrived

    def _author_stored(self, person: Person, stored: Stored) -> bool:
        try:
            with transaction.atomic():
                stored.authors |= store_people([person], self.now)
        except (DataError, IntegrityError):
            return False
        return True

    @contextmanager
    def _set_aside_if_refused(self, post: Post) -> Iterator[None]:
        try:
            with transaction.atomic():
                yield
        except (DataError, IntegrityError) as error:
            self.reading.set_aside(f"the database refuses it: {type(error).__name__}", post.raw, post.page)


def settle() -> None:
    """Constraints that wait for the commit are looked at now, while a refusal can still be traced to its post."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
