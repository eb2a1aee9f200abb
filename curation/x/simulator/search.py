"""Posts as queries see them."""

from __future__ import annotations

from dataclasses import dataclass

from curation.x.simulator.accounts import list_id
from curation.x.simulator.fields import View, Wanted, context, conversation, source_of
from curation.x.simulator.posts import Post
from curation.x.simulator.queries import WORD, Fold, Query, Searchable, exact, folded
from curation.x.simulator.wording import wording
from curation.x.simulator.world import World

KINDS = {"retweeted": "is:retweet", "quoted": "is:quote", "replied_to": "is:reply"}


@dataclass(frozen=True)
class Need:
    """A post needs one of these authors, languages, or words in its text as typed."""

    authors: frozenset[int]
    languages: frozenset[str]
    words: tuple[str, ...]


class Narrowing:
    """What a query needs, told before a post is worded: that is what takes long."""

    def __init__(self, world: World, query: Query) -> None:
        self.world = world
        self.words = query.words
        found = [Need(self._authors(terms), frozenset(_of("lang", terms)), _of("word", terms)) for terms in query.needs]
        self.needs = sorted(found, key=lambda need: len(need.words))

    def allows(self, post: Post) -> bool:
        if self.words and post.kind == "retweeted":
            return False
        return all(self._met(need, post) for need in self.needs)

    def order(self) -> list[int] | None:
        """The ids of the only authors it can be, oldest first; None when it can be anyone."""
        only = [need.authors for need in self.needs if not (need.languages or need.words)]
        if not only:
            return None
        authors = min(only, key=len)
        if len(authors) == 1:
            return self.world.authored[next(iter(authors))]
        return sorted(number for author in authors for number in self.world.authored[author])

    def _met(self, need: Need, post: Post) -> bool:
        if post.author in need.authors or post.lang in need.languages:
            return True
        if not need.words:
            return False
        if post.withheld:  # its text may be a notice
            return True
        plain = self.world.plain.get(post.id)
        if plain is None:
            plain = self.world.plain[post.id] = folded(post.text)
        return any(word in plain for word in need.words)

    def _authors(self, terms: frozenset[str]) -> frozenset[int]:
        named, listed = _of("from", terms), _of("list", terms)
        found = {account.id for name in named if (account := self.world.account(name))}
        found |= {int(name) for name in named if name.isdecimal() and int(name) in self.world.by_id}
        for xlist in self.world.lists().values() if listed else ():
            if str(xlist.id) in listed:
                found |= {self.world.accounts[name.lower()].id for name in xlist.members}
        return frozenset(found)


def _of(kind: str, terms: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(term.partition(":")[2] for term in terms if term.startswith(f"{kind}:")))


def searchable(world: World, post: Post) -> Searchable:
    """Made once a version, and kept for a while."""
    known: Searchable | None = world.searchable.get(post.id)
    return known or world.remember(world.searchable, post.id, _searchable(world, post, folded))


def streamable(world: World, post: Post) -> Searchable:
    """As the rules of the stream see it: with its diacritics."""
    return _searchable(world, post, exact)


def _searchable(world: World, post: Post, fold: Fold) -> Searchable:
    said = wording(world, post)
    author = world.author(post)
    entities = said.note.get("entities", {}) if said.note else said.entities
    whole = said.note["text"] if said.note else said.text
    links = [entry["expanded_url"] for entry in entities.get("urls", []) if "media_key" not in entry]
    parent = world.posts.get(post.ref)
    return Searchable(
        author=author.username.lower(),
        author_id=str(author.id),
        lang=post.lang,
        text=whole,
        words=WORD.findall(fold(whole)),
        flags=_flags(world, post, entities, links),
        tags={fold(entry["tag"]) for entry in entities.get("hashtags", [])},
        cashtags={entry["tag"] for entry in entities.get("cashtags", [])},
        mentions={entry["username"].lower() for entry in entities.get("mentions", [])},
        links=links,
        lists={str(list_id(author.language, author.category))},
        contexts={f"{c['domain']['id']}.{c['entity']['id']}" for c in context(post) or []},
        replies_to=_username(world, parent) if post.kind == "replied_to" else "",
        retweets=_username(world, parent) if post.kind == "retweeted" else "",
        conversation=str(conversation(world, post)),
        metrics=lambda: View(world, "", Wanted()).metrics(post),
    )


def _username(world: World, post: Post | None) -> str:
    return world.author(post).username.lower() if post else ""


def _flags(world: World, post: Post, entities: dict[str, list[dict[str, str]]], links: list[str]) -> set[str]:
    media = source_of(world, post).media
    truths = {
        KINDS.get(post.kind, ""): True,
        "is:verified": world.author(post).verified_type != "none",
        "has:links": bool(links or media),
        "has:media": bool(media),
        "has:images": any(entry.type == "photo" for entry in media),
        "has:videos": any(entry.type == "video" for entry in media),
        "has:hashtags": "hashtags" in entities,
        "has:mentions": "mentions" in entities,
        "has:cashtags": "cashtags" in entities,
    }
    return {flag for flag, true in truths.items() if flag and true}
