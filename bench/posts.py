"""Invented pages of X, as its JSON: words of the simulator's posts in new orders, so that hardly two are alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from curation.x.wire import id_at

SPOKEN = Path(__file__).parents[1] / "curation/x/simulator/posts"
AUTHORS = 200
PAGE = 100
KNOWN = 0.30  # share of posts that came before
REPEATED = 0.03  # share of new posts that say what another said, with another link
FOREIGN = 0.05  # share of posts in another language than the channel's


class Inventor:
    """Pages of one X: ids rise, authors and words are drawn by chance of a seed."""

    def __init__(self, seed: int, begin: datetime) -> None:
        self.chance = Random(seed)
        self.begin = begin
        self.numbers = count()
        self.words = {lang: vocabulary(lang) for lang in ("de", "nl")}
        self.told: list[dict[str, Any]] = []
        self.people = [self._person(n) for n in range(AUTHORS)]

    def pages(self, posts: int) -> list[str]:
        """JSON of pages of 100, shuffled, a share of it known from earlier pages."""
        known = self.chance.sample(self.told, min(len(self.told), int(posts * KNOWN)))
        fresh = [self._post() for _ in range(posts - len(known))]
        given = fresh + known
        self.told = (self.told + fresh)[-20_000:]
        self.chance.shuffle(given)
        return [json.dumps(self._page(given[first : first + PAGE])) for first in range(0, posts, PAGE)]

    def _page(self, posts: list[dict[str, Any]]) -> dict[str, Any]:
        authors = {post["author_id"] for post in posts}
        keys = {key for post in posts for key in post.get("attachments", {}).get("media_keys", ())}
        return {
            "data": posts,
            "includes": {
                "users": [person for person in self.people if person["id"] in authors],
                "media": [medium(key) for key in sorted(keys)],
            },
            "meta": {"result_count": len(posts)},
        }

    def _person(self, number: int) -> dict[str, Any]:
        return {
            "id": str(2_000_000_000 + number * 7_919),
            "username": f"blatt_{number}",
            "name": f"Stadtblatt {number}",
            "profile_image_url": f"https://pictures.example/{number}.png",
            "protected": False,
            "verified_type": "business" if number % 7 == 0 else "none",
            "public_metrics": {"followers_count": number * 997, "tweet_count": number * 31},
        }

    def _post(self) -> dict[str, Any]:
        chance, number = self.chance, next(self.numbers)
        at = self.begin + timedelta(milliseconds=200 * number)
        pk = str(id_at(at) + number % 4096)
        text = self._text(number)
        post: dict[str, Any] = {
            "id": pk,
            "text": text,
            "author_id": chance.choice(self.people)["id"],
            "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conversation_id": pk,
            "edit_history_tweet_ids": [pk],
            "lang": "de" if number % 20 else chance.choice(("und", "nl", "")),
            "possibly_sensitive": number % 50 == 0,
            "public_metrics": {
                "retweet_count": chance.randint(0, 90),
                "reply_count": chance.randint(0, 40),
                "like_count": chance.randint(0, 900),
                "quote_count": chance.randint(0, 9),
                "bookmark_count": chance.randint(0, 9),
                "impression_count": chance.randint(0, 90_000),
            },
            "entities": entities(text),
        }
        if number % 3 == 0:
            post["attachments"] = {"media_keys": [f"3_{pk}"]}
        return post

    def _text(self, number: int) -> str:
        chance = self.chance
        if self.told and chance.random() < REPEATED:
            words = chance.choice(self.told)["text"].split(" https://")[0]
        else:
            spoken = self.words["nl" if chance.random() < FOREIGN else "de"]
            words = " ".join(chance.choices(spoken, k=chance.randint(12, 34)))[:240]
            words += f" #{chance.choice(spoken).strip('.,:;!?').replace('-', '')}" if number % 4 == 0 else ""
        return words + (f" https://t.co/x{number:09d}" if number % 2 else "")


def vocabulary(language: str) -> list[str]:
    """The words that the simulator's posts of a language use."""
    posts = json.loads((SPOKEN / f"{language}.json").read_text())["posts"]
    words = [word for group in posts.values() for post in group for word in post["text"].split()]
    return [word for word in words if word[0] not in "{@#+" and "://" not in word and "&" not in word]


def entities(text: str) -> dict[str, Any]:
    told: dict[str, Any] = {"hashtags": [], "urls": []}
    at = 0
    for word in text.split(" "):
        place = {"start": at, "end": at + len(word)}
        if word.startswith("#") and word[1:].isalnum():
            told["hashtags"].append(place | {"tag": word[1:]})
        if word.startswith("https://t.co/"):
            page = f"https://blatt-{int(word[-4:]) % 300}.example/{word[-6:]}"
            told["urls"].append(place | {"url": word, "expanded_url": page, "display_url": page[8:30]})
        at += len(word) + 1
    return {kind: found for kind, found in told.items() if found}


def medium(key: str) -> dict[str, Any]:
    return {
        "media_key": key,
        "type": "photo",
        "url": f"https://pictures.example/{key}.jpg",
        "width": 1200,
        "height": 675,
        "alt_text": "Drei Leute stehen vor dem Rathaus und warten.",
    }


def block_values(chance: Random) -> Iterator[tuple[str, str, str]]:
    """Kind, value and effect of 300 blocks: words and phrases, authors, domains, hashtags, posts."""
    spoken = sorted({word.strip('.,:;!?"()') for word in vocabulary("de")} - {""})
    rare = [word for word in spoken if len(word) > 6]
    for n in range(164):
        yield "term", f"Gewinnspiel{n} Anbieter" if n % 3 else f"Abzocke{n}", "block" if n % 2 else "hold"
    for word in chance.sample(rare, 6):
        yield "term", word, "hold"
    for n in range(40):
        yield "author", f"@blatt_{n * 5}" if n < 4 else f"@niemand_{n}", "block"
    for n in range(50):
        yield "domain", f"blatt-{n}.example" if n < 6 else f"werbung-{n}.example", "block" if n % 2 else "hold"
    for n in range(30):
        yield "hashtag", f"#Werbung{n}", "block"
    for n in range(10):
        yield "tweet", f"https://x.com/i/status/{1_000_000_000_000_000_000 + n}", "block"
