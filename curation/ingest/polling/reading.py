"""What a source has to tell since it was last read: pages from X, made into posts. Nothing is stored here."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from curation.ingest.storing.aside import Aside, put_aside
from curation.ledger.metered import Metered
from curation.models import Author, Cursor
from curation.models.ingest import INDEXED
from curation.x.client import Door, Page
from curation.x.outcomes import Failure, Gone, NotPermitted, QueryRefused, Unreachable, cause_of, message_of
from curation.x.wire import (
    Includes,
    Person,
    Post,
    Unreadable,
    id_at,
    people,
    read_id,
    read_person,
    read_post,
)
from regions.models import Source

PAGES = 5
LIST_PAGES = 16
LIST_PAGE = 50  # X keeps about 800 posts of a list
BATCH = 100
PATIENCE = 40.0  # seconds; one page more may take 35, and a task has 90
SEARCHABLE = timedelta(days=7) - timedelta(minutes=10)  # X searches seven days and refuses an older since_id
AHEAD = timedelta(minutes=10)  # by which X's clock and ours may differ
SEARCHED = (Source.Kind.SEARCH, Source.Kind.STREAM)  # a stream rule is a query too: what the stream missed is searched
ABOUT_ASKED = {"id", "ids", "username", "usernames"}


@dataclass
class Reading:
    """What was read. `newest_id` and the gap are where the cursor may stand once all of it is stored."""

    newest_id: int | None = None
    gap_until_id: int | None = None
    gap_floor_id: int | None = None
    x_id: str = ""
    read: int = 0
    missing: int = 0
    posts: dict[int, Post] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    broken: list[Aside] = field(default_factory=list)
    failure: Failure | None = None
    remark: str = ""

    def set_aside(self, reason: str, payload: Any, includes: dict[str, Any]) -> None:
        """`includes`: what X sent beside the payload."""
        self.broken.append(put_aside(reason, payload, includes))


class Reader:
    """Reads one source once. Raises Failure when nothing could be read."""

    def __init__(self, source: Source, cursor: Cursor, door: Door | Metered, now: datetime) -> None:
        self.source = source
        self.door = door
        self.now = now
        self.began = time.monotonic()
        self.offered_replies = source.kind in SEARCHED
        self.streamed = source.kind == Source.Kind.STREAM and not cursor.stream_is_away(now)
        self.bounded = set[int]()  # ids on the pages, within what was asked for
        self.brought_by: defaultdict[int, set[int]] = defaultdict(set)  # the ids on the pages by a post's first one
        self.bare: list[Post] = []  # reposts that came without their original, though X does not say that it is gone
        self.later = set[int]()  # those of them that could not be made whole now
        self.reading = Reading(
            newest_id=cursor.newest_id,
            gap_until_id=cursor.gap_until_id,
            gap_floor_id=cursor.gap_floor_id,
            x_id=source.x_id,
        )

    def result(self) -> Reading:
        if self.source.kind == Source.Kind.LIST:
            self._list()
        else:
            self._since()
        self._originals()
        self._newest_versions()
        self._authors()
        self._reopen()
        return self.reading

    def delivered(self, pages: Iterable[Page]) -> Reading:
        """What the stream brought, made into posts as what is asked for is. What is not whole stands in `later`."""
        for page in pages:
            self._take(page)
        self._originals()
        self._newest_versions()
        self._authors()
        return self.reading

    # Walking through pages

    def _since(self) -> None:
        """Accounts and searches: first what an earlier pass left open, then what is new, unless a stream brings it."""
        ask, told = self._asked(), self.reading
        if told.newest_id is None:
            self._walk(ask, pages=1)
            return
        if told.gap_floor_id is not None and not self._gap_closed(ask):
            return
        if self.streamed:
            return
        floor = told.newest_id
        complete, oldest = self._walk(ask, pages=PAGES, since_id=self._searchable(floor))
        if not complete and oldest is not None:
            told.gap_floor_id, told.gap_until_id = floor, oldest

    def _gap_closed(self, ask: Callable[..., Page]) -> bool:
        told = self.reading
        floor, until = told.gap_floor_id, told.gap_until_id
        since = self._searchable(floor or 0)
        if until is None or since + 1 < until:
            complete, oldest = self._walk(ask, pages=PAGES, since_id=since, until_id=until)
            if not complete:
                told.gap_until_id = oldest or until
                return False
        told.gap_floor_id = told.gap_until_id = None
        return True

    def _list(self) -> None:
        """X knows no since_id for lists: down from the top to what is known."""
        ask, told = (
            partial(self.door.list_tweets, list_number(self.source.value), max_results=LIST_PAGE),
            self.reading,
        )
        if told.newest_id is None:
            self._walk(ask, pages=1)
            return
        floor = told.gap_floor_id or told.newest_id
        complete, oldest = self._walk(ask, pages=LIST_PAGES, floor=floor)
        open_at = oldest if told.failure else None
        told.gap_floor_id, told.gap_until_id = (floor, open_at) if open_at else (None, None)
        if not complete and not told.failure:
            told.remark = "More new posts than X shows of a list: the oldest are left out."

    def _walk(
        self, ask: Callable[..., Page], *, pages: int, floor: int = 0, **bounds: int | None
    ) -> tuple[bool, int | None]:
        """Whether the end or the floor was reached, and the id from which everything was read.

        Posts of other pages that X repeats on a page say nothing of how far it goes: what lies outside the bounds,
        or is newer than the first page, does not count for the cursor."""
        token, seen, oldest = None, set[str](), None
        for _ in range(pages):
            try:
                self._hurry()
                page = ask(pagination_token=token, **bounds)
            except Failure as failure:
                if not self.reading.read:
                    raise
                self.reading.failure = failure
                return False, oldest
            ids = within(self._take(page), **bounds)
            self.bounded.update(number for number in ids if number > floor)
            if ids and oldest is None and "until_id" not in bounds:
                self.reading.newest_id = self._settled(ids)
            oldest = min([*ends(ids, page), *([oldest] if oldest else [])], default=None)
            token = page.next_token
            if token is None or reached(ids, floor):
                return True, oldest
            if token in seen:
                return False, oldest
            seen.add(token)
        return False, oldest

    def _settled(self, ids: list[int]) -> int:
        """Where the cursor may stand: X indexes some posts late, so what a search gives of the last seconds is
        asked for again, which costs nothing on that day."""
        known, newest = self.reading.newest_id or 0, max(ids)
        if self.source.kind in SEARCHED:
            newest = max(min(ids), min(newest, id_at(self.now - INDEXED)))
        return max(newest, known)

    def _hurry(self) -> None:
        """A pass ends well within the time a task may take; what is left follows by the gap."""
        if time.monotonic() - self.began > PATIENCE and self.reading.read:
            raise Unreachable("X is slow: the rest follows.")

    def _asked(self) -> Callable[..., Page]:
        if self.source.kind in SEARCHED:
            return partial(self.door.search, self.source.value)
        self.reading.x_id = self.reading.x_id or self._account_id()
        return partial(self.door.timeline, self.reading.x_id)

    def _account_id(self) -> str:
        page = self.door.users(usernames=[self.source.value.strip().lstrip("@")])
        refuse_if_gone(page)
        person = read_person(page.raw[0]) if page.raw else None
        if person is None:
            raise Gone("X knows no such account.", "deleted")
        self.reading.people[person.x_id] = person
        return str(person.x_id)

    def _searchable(self, since_id: int) -> int:
        return max(since_id, id_at(self.now - SEARCHABLE)) if self.source.kind in SEARCHED else since_id

    # Making posts of payloads

    def _take(self, page: Page) -> list[int]:
        """Adds a page's posts; returns their ids, of broken ones too."""
        refuse_if_gone(page)
        told, includes = self.reading, Includes(page.includes)
        told.people |= includes.people
        told.read += len(page.raw)
        ids = [number for payload in page.raw for number in self._one(payload, includes)]
        gone = {str(error.get("resource_id")) for error in page.errors}
        kept = [post for post in self.bare if str(post.retweeted_id) not in gone]
        told.missing += len(self.bare) - len(kept)
        self.bare = kept
        return ids

    def _one(self, payload: Any, includes: Includes) -> Iterator[int]:
        try:
            post = read_post(payload, includes, self._default_author())
            if post.newest_id > id_at(self.now + AHEAD):
                raise Unreadable("its id is from the future")
        except Unreadable as wrong:
            self.reading.set_aside(wrong.reason, payload, includes.given)
            yield from self._id_of_broken(payload)
            return
        self._offer(post, includes)
        yield post.id

    def _id_of_broken(self, payload: Any) -> Iterator[int]:
        """It is stored, in quarantine: so the cursor may pass it, unless its id is what is broken."""
        try:
            number = read_id(payload.get("id")) if isinstance(payload, dict) else 0
        except Unreadable:
            return
        if 0 < number <= id_at(self.now + AHEAD):
            yield number

    def _default_author(self) -> int | None:
        return int(self.reading.x_id) if self.source.kind == Source.Kind.ACCOUNT else None

    def _offer(self, post: Post, includes: Includes) -> None:
        """A repost offers the original: X wants it shown whole and under its author's name."""
        shown = post.id
        if post.retweeted_id is not None:
            original = includes.posts.get(str(post.retweeted_id))
            if original is None:
                self.bare.append(post)
                return
            try:
                post = read_post(original, includes)
            except Unreadable as wrong:
                self.reading.set_aside(wrong.reason, original, includes.given)
                return
        if self.offered_replies or not post.replies_to_another:
            self.brought_by[post.first_id].add(shown)
            self._keep(post)

    def _keep(self, post: Post) -> None:
        known = self.reading.posts.get(post.first_id)
        if known is None or known.id <= post.id:
            self.reading.posts[post.first_id] = post

    # What the pages left open

    def _originals(self) -> None:
        """X left them out of the page: they are fetched by their ids."""
        unasked, bare = set[int](), {post.id: post for post in self.bare}
        for page in self._looked_up(self.door.tweets, {post.retweeted_id or 0 for post in self.bare}, unasked):
            includes = Includes(page.includes | {"tweets": page.raw})
            self.reading.people |= includes.people
            for post in [one for one in bare.values() if str(one.retweeted_id) in includes.posts]:
                self._offer(bare.pop(post.id), includes)
        later = {post.id for post in bare.values() if post.retweeted_id in unasked}
        self.later |= later
        self.reading.missing += len(bare) - len(later)

    def _newest_versions(self) -> None:
        """X answers an old id with the old text: the newest version is fetched in its place."""
        told = self.reading
        stale = {post.newest_id: post.first_id for post in told.posts.values() if post.newest_id != post.id}
        unasked = set[int]()
        for page in self._looked_up(self.door.tweets, stale, unasked):
            includes = Includes(page.includes)
            told.people |= includes.people
            for payload in page.raw:
                try:
                    post = read_post(payload, includes)
                except Unreadable as wrong:
                    told.set_aside(wrong.reason, payload, includes.given)
                    continue
                if post.first_id in told.posts:  # X may tell what nobody asked for; it is no source's
                    self._keep(post)
        for newest, first in stale.items():
            if told.posts[first].id == newest:
                continue
            del told.posts[first]
            if newest in unasked:
                self.later |= self.brought_by[first]
            else:
                told.missing += 1

    def _looked_up(self, ask: Callable[[list[int]], Page], ids: Iterable[int], unasked: set[int]) -> Iterator[Page]:
        """What X could not be asked about now goes into `unasked`; the rest of what was paid for is stored."""
        for batch in batches(ids):
            while batch:
                try:
                    self._hurry()
                    page = ask(batch)
                except (QueryRefused, NotPermitted):
                    raise
                except Failure as failure:
                    self.reading.failure = self.reading.failure or failure
                    unasked.update(batch)
                    break
                yield page
                batch = page.left_out

    def _authors(self) -> None:
        """Asks for the accounts that neither X's pages nor our tables have."""
        told = self.reading
        wanted = {post.author_id for post in told.posts.values()} - set(told.people)
        wanted -= set(Author.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        unasked = set[int]()
        for page in self._looked_up(lambda ids: self.door.users(ids=ids), wanted, unasked):
            told.people |= people(page.raw)
        for post in [post for post in told.posts.values() if post.author_id in wanted - set(told.people)]:
            del told.posts[post.first_id]
            if post.author_id in unasked:
                self.later |= self.brought_by[post.first_id]
            else:
                told.set_aside("its author is not known", post.raw, post.page)

    def _reopen(self) -> None:
        """What could not be made whole is read again: the gap reaches over it."""
        told, ids = self.reading, self.later & self.bounded
        if ids:
            told.gap_floor_id = min([*ids, (told.gap_floor_id or max(ids)) + 1]) - 1
            told.gap_until_id = max(*ids, (told.gap_until_id or 0) - 1) + 1


def within(ids: list[int], since_id: int | None = None, until_id: int | None = None) -> list[int]:
    """The ids that were asked for."""
    return [number for number in ids if (since_id or 0) < number and (until_id is None or number < until_id)]


def ends(ids: list[int], page: Page) -> list[int]:
    """The oldest id of a page, if it has one: X's own word for it where it stands on the page, else the lowest."""
    return [page.oldest_id if page.oldest_id in ids else min(ids)] if ids else []


def reached(ids: list[int], floor: int) -> bool:
    """Whether a page goes down to what is known. Out of order, a known post may come from elsewhere: one page more."""
    ordered = ids == sorted(ids, reverse=True)
    return bool(ids) and (min(ids) if ordered else max(ids)) <= floor


def list_number(value: str) -> str:
    """A list's id, also from its address."""
    match = re.search(r"(\d{1,19})/?$", value.strip())
    return match[1] if match else value


def batches(ids: Iterable[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    return (ordered[at : at + BATCH] for at in range(0, len(ordered), BATCH))


def refuse_if_gone(page: Page) -> None:
    """Raises Gone when the answer is no page but says that the account or list is not there; Unreachable when it says
    something else of it."""
    about = [error for error in page.errors if error.get("parameter") in ABOUT_ASKED]
    if page.raw or not about:
        return
    said, cause = message_of({"errors": about[:1]}), cause_of(about[0])
    if not cause:
        raise Unreachable(said or "X shows nothing of the source, and does not say why.")
    raise Gone(said, cause)
