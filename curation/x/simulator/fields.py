"""Posts, accounts, pictures and polls as JSON, with the fields that were asked for and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from curation.x.simulator.accounts import Account, XList, digest
from curation.x.simulator.entities import assembled, pieces
from curation.x.simulator.metrics import account_metrics, post_metrics, votes
from curation.x.simulator.posts import Media, Post, iso
from curation.x.simulator.wording import Wording, wording
from curation.x.simulator.world import World

Json = dict[str, Any]
EDIT_HOUR = 3_600_000
POLL_MINUTES = 1440
CONTEXTS = {
    "politics": ("131", "Unified Twitter Taxonomy", "847878884917886977", "Politics"),
    "economy": ("131", "Unified Twitter Taxonomy", "847888632711061504", "Business and finance"),
    "sport": ("11", "Sport", "847900493514891265", "Sports"),
    "celebrity": ("131", "Unified Twitter Taxonomy", "1002697153749774337", "Celebrities"),
}
IMPLIED = {
    "author_id": "author_id",
    "username": "author_id",
    "in_reply_to_user_id": "in_reply_to_user_id",
    "attachments.media_keys": "attachments",
    "attachments.poll_ids": "attachments",
    "entities.mentions.username": "entities",
    "referenced_tweets.id": "referenced_tweets",
    "referenced_tweets.id.author_id": "referenced_tweets",
    "referenced_tweets.id.attachments.media_keys": "referenced_tweets",
    "pinned_tweet_id": "pinned_tweet_id",
    "most_recent_tweet_id": "most_recent_tweet_id",
    "owner_id": "owner_id",
}


@dataclass
class Wanted:
    """Fields by kind and expansions, in the tweet dialect; what is always there included."""

    post: set[str] = field(default_factory=set)
    user: set[str] = field(default_factory=set)
    media: set[str] = field(default_factory=set)
    poll: set[str] = field(default_factory=set)
    list: set[str] = field(default_factory=set)
    usage: set[str] = field(default_factory=set)
    expansions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        implied = {IMPLIED[name] for name in self.expansions if name in IMPLIED}
        self.post |= {"id", "text", "edit_history_tweet_ids"} | implied
        self.user |= {"id", "name", "username"} | implied
        self.media |= {"media_key", "type"}
        self.poll |= {"id", "options"}
        self.list |= {"id", "name"} | implied


def chosen(wanted: Iterable[str], makers: dict[str, Callable[[], Any]]) -> Json:
    """The wanted fields whose maker gives something."""
    made = ((name, maker()) for name, maker in makers.items() if name in wanted)
    return {name: value for name, value in made if value is not None and value != {} and value != []}


class View:
    """Turns the world into JSON; pictures get addresses under `pictures`."""

    def __init__(self, world: World, pictures: str, wanted: Wanted) -> None:
        self.world = world
        self.pictures = pictures
        self.wanted = wanted
        self.now = world.now()
        self.post_makers = [(name, maker) for name, maker in POST_MAKERS.items() if name in wanted.post]

    def post(self, post: Post) -> Json:
        said = wording(self.world, post)
        made = ((name, maker(self, post, said)) for name, maker in self.post_makers)
        return {name: value for name, value in made if value is not None and value != {} and value != []}

    def metrics(self, post: Post) -> dict[str, int]:
        """A retweet carries the retweets of its original and nothing else."""
        original = self.world.posts.get(post.ref) if post.kind == "retweeted" else None
        if original is None:
            return post_metrics(post, self.world.author(post), self.now)
        counts = post_metrics(original, self.world.author(original), self.now)
        return {name: value if name == "retweet_count" else 0 for name, value in counts.items()}

    def edit_controls(self, post: Post) -> Json:
        first = self.world.posts.get(post.first, post)
        return {
            "edits_remaining": max(0, 6 - len(self.world.history(post))),
            "is_edit_eligible": not post.kind and not post.poll,
            "editable_until": iso(first.created + EDIT_HOUR),
        }

    def withheld(self, post: Post) -> Json | None:
        author = self.world.author(post)
        if not (post.withheld or author.withheld):
            return None
        scope = "tweet" if post.withheld else "user"
        codes = post.withheld or author.withheld
        return {"copyright": "XY" in codes, "country_codes": codes, "scope": scope}

    def user(self, account: Account) -> Json:
        return chosen(self.wanted.user, self._profile(account))

    def _profile(self, account: Account) -> dict[str, Callable[[], Any]]:
        return {
            "id": lambda: str(account.id),
            "name": lambda: account.name,
            "username": lambda: account.username,
            "created_at": lambda: iso(1_262_304_000_000 + digest("born", account.username) % 441_763_200_000),
            "description": lambda: account.description,
            "entities": lambda: self._profile_entities(account),
            "profile_image_url": lambda: f"{self.pictures}/pictures/avatars/{account.username}.svg",
            "protected": lambda: account.protected,
            "public_metrics": lambda: account_metrics(account, len(self.world.authored[account.id])),
            "verified": lambda: account.verified_type != "none",
            "verified_type": lambda: account.verified_type,
            "most_recent_tweet_id": lambda: self._most_recent(account),
            "withheld": lambda: user_withheld(account),
        }

    def _profile_entities(self, account: Account) -> Json | None:
        found = assembled(pieces(account.description, account.id, lambda username: None))[1]
        mentions = found.get("mentions", [])
        return {"description": found | ({"mentions": mentions} if mentions else {})} if found else None

    def _most_recent(self, account: Account) -> str | None:
        newest = next(self.world.descending(1 << 63, self.world.authored[account.id]), None)
        return str(newest.id) if newest else None

    def media(self, media: Media) -> Json:
        picture = f"{self.pictures}/pictures/media/{media.scene or 'scene'}-{media.key}.svg"
        video = media.type == "video"
        makers: dict[str, Callable[[], Any]] = {
            "media_key": lambda: media.key,
            "type": lambda: media.type,
            "url": lambda: None if video else picture,
            "preview_image_url": lambda: picture if video else None,
            "duration_ms": lambda: 20_000 if video else None,
            "alt_text": lambda: media.alt or None,
            "width": lambda: media.width,
            "height": lambda: media.height,
        }
        return chosen(self.wanted.media, makers)

    def poll(self, post: Post) -> Json:
        end = post.created + POLL_MINUTES * 60_000
        counts = votes(post, self.world.author(post), self.now)
        makers: dict[str, Callable[[], Any]] = {
            "id": lambda: str(post.first),
            "options": lambda: [
                {"position": n, "label": label, "votes": counts[n - 1]} for n, label in enumerate(post.poll, start=1)
            ],
            "duration_minutes": lambda: POLL_MINUTES,
            "end_datetime": lambda: iso(end),
            "voting_status": lambda: "open" if self.now < end else "closed",
        }
        return chosen(self.wanted.poll, makers)

    def list(self, xlist: XList, owner: Account | None) -> Json:
        makers: dict[str, Callable[[], Any]] = {
            "id": lambda: str(xlist.id),
            "name": lambda: xlist.name,
            "description": lambda: f"Accounts on {xlist.category}, language {xlist.language}.",
            "created_at": lambda: iso(1_646_092_800_000),
            "follower_count": lambda: xlist.id % 100 * 7,
            "member_count": lambda: len(xlist.members),
            "owner_id": lambda: str(owner.id) if owner else None,
            "private": lambda: False,
        }
        return chosen(self.wanted.list, makers)


# Made of the view, the post and its wording; a table, because a page has a hundred posts.
POST_MAKERS: dict[str, Callable[[View, Post, Wording], Any]] = {
    "id": lambda view, post, said: str(post.id),
    "edit_history_tweet_ids": lambda view, post, said: [str(number) for number in view.world.history(post)],
    "author_id": lambda view, post, said: str(post.author),
    "conversation_id": lambda view, post, said: str(conversation(view.world, post)),
    "in_reply_to_user_id": lambda view, post, said: replied_to(view.world, post),
    "referenced_tweets": lambda view, post, said: [{"type": post.kind, "id": str(post.ref)}] if post.kind else None,
    "attachments": lambda view, post, said: attachments(view.world, post),
    "text": lambda view, post, said: said.text,
    "entities": lambda view, post, said: said.entities,
    "note_tweet": lambda view, post, said: said.note,
    "display_text_range": lambda view, post, said: list(said.shown),
    "lang": lambda view, post, said: post.lang,
    "created_at": lambda view, post, said: iso(post.created),
    "edit_controls": lambda view, post, said: view.edit_controls(post),
    "possibly_sensitive": lambda view, post, said: post.sensitive,
    "public_metrics": lambda view, post, said: view.metrics(post),
    "reply_settings": lambda view, post, said: "everyone",
    "context_annotations": lambda view, post, said: context(post),
    "withheld": lambda view, post, said: view.withheld(post),
}


def user_withheld(account: Account) -> Json | None:
    return {"country_codes": account.withheld, "scope": "user"} if account.withheld else None


def conversation(world: World, post: Post) -> int:
    """The id of the post that the thread began with."""
    while post.kind == "replied_to" and post.ref in world.posts:
        post = world.posts[post.ref]
    return post.ref if post.kind == "replied_to" else post.first


def replied_to(world: World, post: Post) -> str | None:
    parent = world.posts.get(post.ref) if post.kind == "replied_to" else None
    return str(parent.author) if parent else None


def source_of(world: World, post: Post) -> Post:
    """Whose pictures and poll a post shows: a retweet those of its original."""
    return world.posts.get(post.ref, post) if post.kind == "retweeted" else post


def attachments(world: World, post: Post) -> Json | None:
    source = source_of(world, post)
    keys = [media.key for media in source.media]
    polls = [str(source.first)] if source.poll else []
    return ({"media_keys": keys} if keys else {}) | ({"poll_ids": polls} if polls else {}) or None


def context(post: Post) -> list[Json] | None:
    if post.category not in CONTEXTS or post.kind == "replied_to":
        return None
    domain, domain_name, entity, entity_name = CONTEXTS[post.category]
    return [{"domain": {"id": domain, "name": domain_name}, "entity": {"id": entity, "name": entity_name}}]
