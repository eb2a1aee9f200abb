"""The world the simulator speaks of: accounts, their posts, and what happens to them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from threading import RLock
from typing import Any, TypeVar

from curation.x.simulator.accounts import CATEGORIES, LANGUAGES, Account, XList, list_id, lists_of
from curation.x.simulator.posts import Media, Post, snowflake
from curation.x.simulator.state import State

KEPT_DAYS = 8
REMEMBERED = 50_000
Kept = TypeVar("Kept")


class World:
    """Every verb takes the lock; readers hold it while they build an answer."""

    def __init__(self, accounts: Iterable[Account], state: State, clock: Callable[[], float]) -> None:
        self.lock = RLock()
        self.state = state
        self.clock = clock
        self.accounts: dict[str, Account] = {}
        self.by_id: dict[int, Account] = {}
        self.posts: dict[int, Post] = {}
        self.order: list[int] = []
        self.authored: defaultdict[int, list[int]] = defaultdict(list)
        self.versions: dict[int, list[int]] = {}
        self.list_orders: dict[int, list[int]] = {}
        self.searchable: dict[int, Any] = {}
        self.worded: dict[int, Any] = {}
        self.plain: dict[int, str] = {}
        self.listeners: list[Callable[[Post], None]] = []
        for account in [*accounts, *state.accounts()]:
            self._enter(account)
        state.forget_before(snowflake(self.now() - KEPT_DAYS * 86_400_000))
        for post in state.posts():
            self._insert(post)

    def now(self) -> int:
        """Unix milliseconds."""
        return int(self.clock() * 1000)

    # Reading

    def account(self, username: str) -> Account | None:
        return self.accounts.get(username.lower())

    def author(self, post: Post) -> Account:
        return self.by_id[post.author]

    def history(self, post: Post) -> list[int]:
        """The ids of its versions; of a post never edited only its own."""
        return self.versions.get(post.first) or [post.first]

    def newest(self, post: Post) -> bool:
        return post.first not in self.versions or self.versions[post.first][-1] == post.id

    def listed(self, post: Post) -> bool:
        """Whether the post stands in timelines, lists and searches."""
        return not post.deleted and self.newest(post) and self.author(post).readable

    def lists(self) -> dict[int, XList]:
        """By id, with their members of this moment."""
        return {xlist.id: xlist for xlist in lists_of(list(self.accounts.values()))}

    def list_order(self, xlist: XList) -> list[int]:
        """The ids of the posts of a list's members, oldest first."""
        if xlist.id not in self.list_orders:
            members = [self.accounts[username.lower()].id for username in xlist.members]
            self.list_orders[xlist.id] = sorted(number for one in members for number in self.authored[one])
        return self.list_orders[xlist.id]

    def remember(self, kept: dict[int, Any], number: int, made: Kept) -> Kept:
        """Keeps what is dear to make; a full memory starts anew."""
        if len(kept) >= REMEMBERED:
            kept.clear()
        kept[number] = made
        return made

    def descending(self, below: int, order: list[int] | None = None) -> Iterator[Post]:
        """Listed posts with an id under `below`, newest first; `order` narrows to those ids."""
        order = self.order if order is None else order
        start = bisect_left(order, below)
        found = (self.posts[order[i]] for i in range(start - 1, -1, -1))
        return (post for post in found if self.listed(post))

    def ascending(self, above: int, order: list[int] | None = None) -> Iterator[Post]:
        """Listed posts with an id over `above`, oldest first; `order` narrows to those ids."""
        order = self.order if order is None else order
        start = bisect_left(order, above + 1)
        found = (self.posts[order[i]] for i in range(start, len(order)))
        return (post for post in found if self.listed(post))

    def latest(self, language: str, since: int) -> list[Post]:
        """Listed original posts of a language, not older than `since` (milliseconds), newest first."""
        found = []
        for post in self.descending(1 << 63):
            if post.created < since:
                break
            if post.lang == language and not post.kind:
                found.append(post)
        return found

    # Happening

    def enter(self, account: Account) -> Account:
        with self.lock:
            self._enter(account)
            self.state.keep_account(account)
        return account

    def post(self, author: Account, text: str, *, at: int | None = None, **fields: Any) -> Post:
        """A new post; `at` in Unix milliseconds; `media` is a list of scenes or of Media."""
        with self.lock:
            number = self._free_id(self.now() if at is None else at)
            media = [self._media(number, n, entry, fields) for n, entry in enumerate(fields.pop("media", []))]
            fields.pop("alt", None)
            fields.setdefault("lang", author.language)
            fields.setdefault("category", author.category)
            post = Post(id=number, author=author.id, text=text, media=media, **fields)
            return self._keep(post)

    def edit(self, post_id: int, text: str, *, at: int | None = None) -> Post:
        """The next version, under a new id; the old one keeps its text."""
        with self.lock:
            old = self.posts[self.history(self.posts[post_id])[-1]]
            number = self._free_id(max(self.now() if at is None else at, old.created))
            document = old.document() | {"id": number, "text": text}
            return self._keep(Post.from_document(document))

    def change(self, post_id: int, **fields: Any) -> None:
        """Sets fields on every version of a post: deleted, withheld, sensitive."""
        with self.lock:
            for number in self.history(self.posts[post_id]):
                post = self.posts[number]
                for name, value in fields.items():
                    setattr(post, name, value)
                self.worded.pop(number, None)
                self.searchable.pop(number, None)
                self.state.keep_post(post)

    def change_account(self, username: str, **fields: Any) -> None:
        """Sets fields on an account: protected, suspended, withheld."""
        with self.lock:
            account = self.accounts[username.lower()]
            for name, value in fields.items():
                setattr(account, name, value)
            self.list_orders.clear()
            self.state.keep_account(account)

    def insert_many(self, posts: list[Post]) -> None:
        """Posts with ids of their own, oldest first, none of them an edit; no listener hears of them."""
        with self.lock:
            self.state.begin()
            for post in posts:
                self.posts[post.id] = post
                self.order.append(post.id)
                self.authored[post.author].append(post.id)
                self.state.keep_post(post)
            self.state.commit()
            for order in (self.order, *self.authored.values()):
                order.sort()
            self.list_orders.clear()

    # Inside

    def _enter(self, account: Account) -> None:
        self.accounts[account.username.lower()] = account
        self.by_id[account.id] = account
        self.list_orders.clear()
        self.worded.clear()  # its name may have been spoken before it was there

    def _insert(self, post: Post) -> None:
        if post.author in self.by_id:
            self.posts[post.id] = post
            insort(self.order, post.id)
            insort(self.authored[post.author], post.id)
            if post.id != post.first:
                insort(self.versions.setdefault(post.first, [post.first]), post.id)
            self._list(post)

    def _list(self, post: Post) -> None:
        author = self.by_id[post.author]
        if author.language in LANGUAGES and author.category in CATEGORIES:
            order = self.list_orders.get(list_id(author.language, author.category))
            if order is not None:
                insort(order, post.id)

    def _keep(self, post: Post) -> Post:
        self._insert(post)
        self.state.keep_post(post)
        for listener in self.listeners:
            listener(post)
        return post

    def _free_id(self, at: int) -> int:
        # A worker's bits, as in real ids: without them every id would end in the same zeros.
        number = snowflake(at) + 0x4B000 + len(self.order) % 97
        while number in self.posts:
            number += 1
        newest = self.order[-1] if self.order else 0
        return newest + 1 if number < newest and at >= self.now() - 1000 else number

    @staticmethod
    def _media(number: int, n: int, entry: str | Media, fields: dict[str, Any]) -> Media:
        if isinstance(entry, Media):
            return entry
        return Media(key=f"3_{number + n}", scene=entry, alt=fields.get("alt") or "")
