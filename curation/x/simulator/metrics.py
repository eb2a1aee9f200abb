"""Numbers under a post: they grow with its age and end where its author's following lets them."""

from __future__ import annotations

from functools import lru_cache
from math import exp

from curation.x.simulator.accounts import Account, seeded
from curation.x.simulator.posts import Post

HALF_LIFE_HOURS = 1.5
SHARES = {"retweet_count": 0.16, "reply_count": 0.11, "quote_count": 0.03, "bookmark_count": 0.05}


def post_metrics(post: Post, author: Account, now: int) -> dict[str, int]:
    """Likes in the end: about one for every 300 followers, from a tenth to tenfold; spam hardly any."""
    luck, shares, views = _drawn(post.first)
    likes = author.followers / 300 * luck * (0.03 if post.spam else 1)
    grown = 1 - exp(-max(0, now - post.created) / 3_600_000 / HALF_LIFE_HOURS)
    seen = {name: int(likes * share * grown) for name, share in shares}
    impressions = int((likes * views + author.followers * 0.08) * grown)
    return seen | {"like_count": int(likes * grown), "impression_count": impressions}


@lru_cache(50_000)
def _drawn(first: int) -> tuple[float, list[tuple[str, float]], float]:
    """Of a post by the id of its first version: its luck, each number's share of the likes, views to a like."""
    chance = seeded("metrics", first)
    luck = chance.lognormvariate(0, 1.1)
    shares = [(name, share * chance.uniform(0.4, 1.8)) for name, share in SHARES.items()]
    return luck, shares, chance.uniform(30, 80)


def account_metrics(account: Account, posted: int) -> dict[str, int]:
    chance = seeded("profile", account.id)
    return {
        "followers_count": account.followers,
        "following_count": chance.randint(80, 1400),
        "tweet_count": chance.randint(900, 30_000) + posted,
        "listed_count": account.followers // 240,
        "like_count": chance.randint(50, 9000),
        "media_count": chance.randint(20, 800),
    }


def votes(post: Post, author: Account, now: int) -> list[int]:
    """Votes for each option of the post's poll."""
    chance = seeded("votes", post.first)
    total = author.followers / 40 * (1 - exp(-max(0, now - post.created) / 3_600_000 / 4))
    shares = [chance.uniform(0.5, 3) for _ in post.poll]
    return [int(total * share / sum(shares)) for share in shares]
