"""What an answer carries beside the posts asked for: `includes`, and an error for each that is missing."""

from __future__ import annotations

from collections.abc import Iterable

from curation.x.simulator.accounts import Account
from curation.x.simulator.dialects import Dialect
from curation.x.simulator.fields import Json, View, source_of
from curation.x.simulator.posts import Post
from curation.x.simulator.problems import Asked
from curation.x.simulator.wording import wording

REFERENCES = {
    "referenced_tweets.id",
    "referenced_tweets.id.author_id",
    "referenced_tweets.id.attachments.media_keys",
}


class Includes:
    """Collects each post, account, picture and poll once."""

    def __init__(self, view: View, dialect: Dialect) -> None:
        self.view = view
        self.world = view.world
        self.dialect = dialect
        self.users: dict[int, Account] = {}
        self.posts: dict[int, Post] = {}
        self.media: dict[str, Json] = {}
        self.polls: dict[int, Post] = {}
        self.errors: dict[tuple[str, str], Json] = {}

    def gather(self, posts: Iterable[Post]) -> None:
        for post in posts:
            self._people(post)
            self._attached(post, "attachments.")
            self._versions(post)
            self._referenced(post)

    def body(self) -> Json:
        """The `includes` object, without empty lists."""
        found = {
            "users": [self.view.user(account) for account in self.users.values()],
            "tweets": [self.view.post(post) for post in self.posts.values()],
            "media": list(self.media.values()),
            "polls": [self.view.poll(post) for post in self.polls.values()],
        }
        return {name: entries for name, entries in found.items() if entries}

    def user(self, account: Account, parameter: str) -> None:
        if account.suspended:
            asked = Asked("user", parameter, account.username if "username" in parameter else str(account.id))
            self._error(asked, asked.suspended(self.dialect))
        else:
            self.users[account.id] = account

    def include_post(self, number: int, parameter: str) -> Post | None:
        """The post, if an app may see it; else an error is noted."""
        post = self.world.posts.get(number)
        asked = Asked("tweet", parameter, str(number))
        if post is None or post.deleted:
            self._error(asked, asked.missing(self.dialect))
        elif self.world.author(post).suspended:
            self._error(asked, asked.suspended(self.dialect))
        elif self.world.author(post).protected:
            self._error(asked, asked.protected(self.dialect))
        else:
            self.posts[post.id] = post
            return post
        return None

    def _asked(self, *expansions: str) -> bool:
        return any(name in self.view.wanted.expansions for name in expansions)

    def _people(self, post: Post) -> None:
        if self._asked("author_id", "username"):
            self.user(self.world.author(post), "author_id")
        parent = self.world.posts.get(post.ref) if post.kind == "replied_to" else None
        if parent and self._asked("in_reply_to_user_id"):
            self.user(self.world.author(parent), "in_reply_to_user_id")
        if self._asked("entities.mentions.username"):
            self._mentioned(post)

    def _mentioned(self, post: Post) -> None:
        for mention in wording(self.world, post).entities.get("mentions", []):
            account = self.world.account(mention["username"])
            if account:
                self.user(account, "entities.mentions.username")
            else:
                asked = Asked("user", "entities.mentions.username", mention["username"])
                self._error(asked, asked.missing(self.dialect))

    def _attached(self, post: Post, prefix: str) -> None:
        source = source_of(self.world, post)
        if self._asked(prefix + "media_keys"):
            self.media |= {media.key: self.view.media(media) for media in source.media}
        if source.poll and self._asked(prefix + "poll_ids"):
            self.polls[source.first] = source

    def _versions(self, post: Post) -> None:
        if self._asked("edit_history_tweet_ids"):
            older = [number for number in self.world.history(post) if number != post.id]
            self.posts |= {number: self.world.posts[number] for number in older}

    def _referenced(self, post: Post) -> None:
        if not (post.kind and self._asked(*REFERENCES)):
            return
        parameter = "referenced_tweets.id"
        found = self.include_post(post.ref, parameter)
        if found and self._asked("referenced_tweets.id.author_id"):
            self.user(self.world.author(found), "referenced_tweets.id.author_id")
        if found and self._asked("referenced_tweets.id.attachments.media_keys"):
            self._attached(found, "referenced_tweets.id.attachments.")

    def _error(self, asked: Asked, problem: Json) -> None:
        self.errors[asked.parameter, asked.value] = problem
