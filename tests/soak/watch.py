"""Holds what is stored against what X really had: at any moment, and in the end."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection, transaction

from curation.models import Candidate, Cursor, Tweet
from regions.models import Source
from tests.soak.world import Told


@dataclass
class Watch:
    """`sample()` says which posts a cursor passed that are not stored; `rest()` how the end differs from the truth."""

    told: Told
    sources: dict[int, int]  # source to author
    truth: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    verified: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    samples: int = 0
    looked_at: int = 0

    def learn(self) -> None:
        for number, author in self.told.further():
            self.truth[author].append(number)

    def sample(self) -> list[tuple[int, int]]:
        """Cursors and tweets of one moment, then the truth, which by then has all that a cursor can have passed."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursors = list(Cursor.objects.exclude(newest_id=None))
            stored = {one.pk: self._stored(one) for one in cursors}
        self.learn()
        self.samples += 1
        return [(one.pk, number) for one in cursors for number in self._passed(one) if number not in stored[one.pk]]

    def _stored(self, cursor: Cursor) -> set[int]:
        newer = Tweet.objects.filter(author=self.sources[cursor.pk], first_id__gt=self.verified[cursor.pk])
        return set(newer.values_list("first_id", flat=True))

    def _passed(self, cursor: Cursor) -> list[int]:
        """The posts that the cursor says were read, but those that an earlier sample saw stored."""
        newest, floor, until = cursor.newest_id or 0, cursor.gap_floor_id, cursor.gap_until_id or 0
        posts = self.truth[self.sources[cursor.pk]]
        new = posts[bisect_right(posts, self.verified[cursor.pk]) : bisect_right(posts, newest)]
        passed = [number for number in new if floor is None or not floor < number < until]
        self.looked_at += len(passed)
        self.verified[cursor.pk] = max(self.verified[cursor.pk], newest if floor is None else min(floor, newest))
        return passed

    @property
    def posts(self) -> int:
        return sum(map(len, self.truth.values()))

    def complete(self) -> bool:
        self.learn()
        wanted = sum(len(self.truth[author]) for author in self.sources.values())
        return self.told.done and Candidate.objects.count() >= wanted

    def rest(self) -> dict[str, int]:
        """How often the end differs from the truth, by way of differing. All should be 0."""
        truth = {number for numbers in self.truth.values() for number in numbers}
        stored = list(Tweet.objects.values_list("first_id", flat=True))
        channels: defaultdict[int, set[int]] = defaultdict(set)
        for source in Source.objects.filter(pk__in=self.sources):
            channels[self.sources[source.pk]].update(source.channels().values_list("pk", flat=True))
        wanted = {(pk, number) for author, pks in channels.items() for pk in pks for number in self.truth[author]}
        offered = list(Candidate.objects.values_list("channel", "tweet__first_id"))
        return {
            "missing": len(truth - set(stored)),
            "invented": len(set(stored) - truth),
            "double": len(stored) - len(set(stored)),
            "not offered": len(wanted - set(offered)),
            "offered wrongly": len(set(offered) - wanted),
            "offered twice": len(offered) - len(set(offered)),
        }
