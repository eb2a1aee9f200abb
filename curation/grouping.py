"""Groups of similar candidates: one founder, whose id names the group for ever; one shown, the others behind it.

Shown is, of those pending, the best by rank, unless a member is approved: then all pending ones wait behind that.
Blocked, lapsed and withdrawn members count for nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial

from django.db import connection, transaction

from regions.models import Channel

# Which members wait behind another, as it should be; only rows that are otherwise are written.
SETTLE = """
WITH members AS (
    SELECT id, state, hidden, bool_or(state = 'approved') OVER whole AS decided,
        row_number() OVER (whole ORDER BY state = 'pending' DESC, rank DESC, id DESC) AS place
    FROM curation_candidate WHERE id = ANY(%(groups)s) OR group_id = ANY(%(groups)s)
    WINDOW whole AS (PARTITION BY coalesce(group_id, id))
)
UPDATE curation_candidate AS one SET hidden = NOT one.hidden FROM members
WHERE one.id = members.id AND (%(free)s::bigint[] IS NULL OR one.id = ANY(%(free)s))
AND members.hidden <> (members.state = 'pending' AND (decided OR place > 1))
"""
MEMBERS = """
SELECT id FROM curation_candidate WHERE (id = ANY(%(groups)s) OR group_id = ANY(%(groups)s))
AND state IN ('pending', 'approved') ORDER BY id
"""


def settle(groups: Collection[int], free: Collection[int] | None = None) -> None:
    """Shows the right one of each group, writing no others than the `free` members, where those are given.

    Who calls holds these, or the channels."""
    if groups:
        told = {"groups": sorted(groups), "free": None if free is None else list(free)}
        with connection.cursor() as cursor:
            cursor.execute(SETTLE, told)


def settle_arrivals(groups: Collection[int], channels: Iterable[int]) -> None:
    """The same for groups that got new members: waits for nobody who decides on one of them at this moment.

    What is being decided is settled after the commit, when nothing else is held. The members are held to the
    commit: who decides on one afterwards sees the new ones."""
    if not groups:
        return
    told = {"groups": sorted(groups)}
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, told)
        members = cursor.fetchall()
        cursor.execute(f"{MEMBERS} FOR NO KEY UPDATE SKIP LOCKED", told)
        free = cursor.fetchall()
    settle(groups, [row[0] for row in free])
    if members != free:
        transaction.on_commit(partial(settle_again, sorted(groups), sorted(channels)), robust=True)


def settle_again(groups: Collection[int], channels: Collection[int]) -> None:
    """In a transaction of its own, after those who decided."""
    with transaction.atomic():
        list(Channel.objects.select_for_update(no_key=True).filter(pk__in=channels).order_by("pk").values_list("pk"))
        settle(groups)
