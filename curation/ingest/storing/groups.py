"""Finds what a new candidate is similar to: within its channel, posted within 48 hours of it.

It joins the oldest group of those that it is alike (curation.likeness); a group is the id of its founder. Compared are
founders and the shown ones, so a thousand copies cost one comparison. Candidates of one transaction are looked at in
the order of their ids, and passes one after the other (behind the arrivals' lock), so the same posts give the same
groups whichever pass brings them. Who is alike two groups joins the older; groups are never joined.

Only an edit that makes another post of one lets it leave its group."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min

from curation.grouping import settle_arrivals
from curation.ingest.storing.bulk import as_array, update
from curation.likeness import NEARLY, RELATED, Likeness, in_channel, likeness
from curation.locks import ARRIVALS_LOCK
from curation.matching import words_of
from curation.models import Candidate, State

WITHIN = timedelta(hours=48)
# Until the commit no other pass gives ids to candidates: so they become visible in the order of their ids,
# and who has seen one has seen all before it. The desk counts what is new by that; and of two alike one is the first.
IN_ORDER = f"SELECT pg_advisory_xact_lock({ARRIVALS_LOCK}, 0)"
COUNTED = (State.PENDING, State.APPROVED)
# A few newcomers' keys at a time: of a long list PostgreSQL expects so many rows that it reads them all, and each row
# that it finds it holds against every key of the list. OFFSET keeps it from joining the other way round.
AT_A_TIME = 10
FELLOWS = """
WITH near AS MATERIALIZED (
    SELECT DISTINCT ON (one.id) one.* FROM unnest(%s::text[]) AS wanted(keys) CROSS JOIN LATERAL (
        SELECT id, tweet_id, coalesce(group_id, id) AS founder, state, alike, posted_at,
            NOT hidden OR group_id IS NULL AS told
        FROM curation_candidate
        WHERE alike && wanted.keys::bigint[] AND state IN ('pending', 'approved') OFFSET 0
    ) AS one
)
SELECT near.id, founder, state = 'approved', alike, posted_at, text, (wire #> '{entities,urls}')::text
FROM near JOIN curation_tweet AS tweet ON tweet.id = tweet_id
WHERE told AND posted_at BETWEEN %s AND %s AND near.id <> ALL(%s::bigint[]) ORDER BY near.id
"""


@dataclass(slots=True)
class Fellow:
    """A candidate that others may be similar to. `group`: its founder's id, or its own."""

    pk: int
    group: int
    live: bool
    posted_at: datetime
    likeness: Likeness


@dataclass(slots=True)
class Newcomer:
    """A candidate that looks for its group. `counts`: whether others may join it (it is not blocked)."""

    channel_id: int
    posted_at: datetime
    likeness: Likeness
    counts: bool = True
    pk: int = 0
    group: int | None = None
    similar: float = 0.0
    keys: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = in_channel(self.channel_id, self.likeness.keys)

    def compare(self, fellows: Iterable[Fellow]) -> None:
        """Finds its group, and how similar it is (0 to 1) to something live."""
        for fellow in fellows:
            if abs(fellow.posted_at - self.posted_at) > WITHIN:
                continue
            agreement = self.likeness.agrees(fellow.likeness)
            if agreement >= NEARLY:
                self.group = min(self.group or fellow.group, fellow.group)
            if fellow.live:
                self.similar = max(self.similar, (agreement - RELATED) / (100 - RELATED))


class Grouping:
    """Newcomers looking for their groups, one after the other; who is there already was read at the start.

    `joined`: the groups that got a member so far. `but`: rows that are not compared."""

    def __init__(self, newcomers: Sequence[Newcomer], but: Collection[int] = ()) -> None:
        self.joined: set[int] = set()
        self.by_key: dict[int, list[Fellow]] = defaultdict(list)
        for fellow, keys in _fellows(newcomers, but):
            self._meet(fellow, keys)

    def place(self, one: Newcomer) -> None:
        """Gives it its group. In the order of their ids, each once."""
        met = {fellow.pk: fellow for key in one.keys for fellow in self.by_key.get(key, ())}
        if met:
            one.compare(met.values())
        if one.group is not None:
            self.joined.add(one.group)
        elif one.counts:
            self._meet(Fellow(one.pk, one.pk, False, one.posted_at, one.likeness), one.keys)

    def _meet(self, fellow: Fellow, keys: Iterable[int]) -> None:
        for key in keys:
            self.by_key[key].append(fellow)


def _fellows(newcomers: Sequence[Newcomer], but: Collection[int]) -> list[tuple[Fellow, list[int]]]:
    """Those in the database that share a key with a newcomer, with their keys."""
    wanted = [
        as_array({key for one in newcomers[first : first + AT_A_TIME] for key in one.keys})
        for first in range(0, len(newcomers), AT_A_TIME)
    ]
    if not newcomers:
        return []
    times = [one.posted_at for one in newcomers]
    window = min(times) - WITHIN, max(times) + WITHIN
    with connection.cursor() as cursor:
        cursor.execute(FELLOWS, [wanted, *window, as_array(but)])
        return [
            (Fellow(pk, founder, live, posted_at, likeness(words_of(text), {"urls": json.loads(urls or "[]")})), alike)
            for pk, founder, live, alike, posted_at, text, urls in cursor.fetchall()
        ]


def regroup(tweet_ids: Collection[int]) -> None:
    """Tweets that got another text: their candidates leave their groups and look for one anew.

    In the caller's transaction, which holds their channels. What waited behind an edited founder goes on under the
    oldest of them."""
    candidates = list(Candidate.objects.filter(tweet__in=tweet_ids).select_related("tweet").order_by("pk"))
    if not candidates:
        return
    hold_arrivals()
    left = _left({row.pk for row in candidates}) | {row.group_id for row in candidates if row.group_id}
    newcomers = [
        Newcomer(row.channel_id, row.posted_at, likeness(words_of(row.tweet.text), row.tweet.part("entities") or {}),
                 row.state in COUNTED, row.pk)
        for row in candidates
    ]  # fmt: skip
    grouping = Grouping(newcomers, [one.pk for one in newcomers])
    for one in newcomers:
        grouping.place(one)
    update(
        "curation_candidate",
        {"id": "bigint", "founder": "bigint", "keys": "text"},
        [(one.pk, one.group, as_array(one.keys)) for one in newcomers],
        sets="group_id = r.founder, alike = r.keys::bigint[], hidden = false",
        where="true",
    )
    settle_arrivals(left | grouping.joined, {row.channel_id for row in candidates})


def hold_arrivals() -> None:
    """Lets no other pass make candidates until the commit. No lock is asked for after this one."""
    with connection.cursor() as cursor:
        cursor.execute(IN_ORDER)


def take_away(candidates: Collection[Candidate]) -> None:
    """Removes candidates that nobody decided on, as if they had never come; their groups go on without them.

    In the caller's transaction, which holds their channels."""
    hold_arrivals()
    gone = {row.pk for row in candidates}
    groups = _left(gone) | {row.group_id for row in candidates if row.group_id and row.group_id not in gone}
    Candidate.objects.filter(pk__in=gone).delete()
    settle_arrivals(groups, {row.channel_id for row in candidates})


def _left(founders: set[int]) -> set[int]:
    """The groups of these founders go on under the oldest of their other members; gives the new names."""
    others = Candidate.objects.filter(group__in=founders).exclude(pk__in=founders)
    heirs = dict(others.values_list("group").annotate(heir=Min("pk")))
    for founder, heir in heirs.items():
        others.filter(group=founder).exclude(pk=heir).update(group=heir)
        Candidate.objects.filter(pk=heir).update(group=None)
    return set(heirs.values())
