"""Posts as queries see them."""

from __future__ import annotations

from curation.x.simulator.accounts import list_id
from curation.x.simulator.fields import View, Wanted, context, conversation, source_of
from curation.x.simulator.posts import Post
from curation.x.simulator.queries import WORD, Fold, Searchable, exact, folded
from curation.x.simulator.wording import wording
from curation.x.simulator.world import World

KINDS = {"retweeted": "is:retweet", "quoted": "is:quote", "replied_to": "is:reply"}


def searchable(world: World, post: Post) -> Searchable:
    """Made once a version: a version's words never change."""
    if post.id not in world.searchable:
        world.searchable[post.id] = _searchable(world, post, folded)
    found: Searchable = world.searchable[post.id]
    return found


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
