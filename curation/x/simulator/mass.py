"""Many believable posts at once, from the same texts as the few."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from curation.x.simulator.accounts import Account, seeded
from curation.x.simulator.posts import Media, Post, snowflake
from curation.x.simulator.remarks import QUOTES, REPLIES
from curation.x.simulator.texts import Filler, Language, Template
from curation.x.simulator.world import World

DAY = 86_400_000
KINDS = (("retweeted", 0.06), ("quoted", 0.09), ("replied_to", 0.13))


class Mass:
    """`count` posts of the last `days`, by every account that can be read; drawn from a seed."""

    def __init__(self, world: World, languages: dict[str, Language], count: int, seed: int, days: float) -> None:
        self.world = world
        self.languages = languages
        self.chance = seeded("mass", seed)
        self.count = count
        self.span = int(days * DAY)
        self.authors = [a for a in world.accounts.values() if a.readable and a.language in languages]
        self.recent: dict[str, Post] = {}

    def run(self) -> list[int]:
        """The ids, oldest first. Callers hold the world's lock."""
        made = list(self._posts())
        self.world.insert_many(made)
        return [post.id for post in made]

    def _posts(self) -> Iterator[Post]:
        start, last = self.world.now() - self.span, 0
        for n in range(self.count):
            number = max(last + 1, snowflake(start + self.span * n // self.count) + self.chance.getrandbits(20))
            while number in self.world.posts:
                number += 1
            last = number
            yield self._post(number, self.chance.choice(self.authors))

    def _post(self, number: int, author: Account) -> Post:
        drawn = self.chance.random()
        before = self.recent.get(author.language)
        kind = next((kind for kind, share in KINDS if drawn < share), "")
        if kind and before and before.author != author.id:
            return self._about(number, author, before, kind)
        post = self._original(number, author)
        self.recent[author.language] = post
        return post

    def _original(self, number: int, author: Account) -> Post:
        template = _template(self.languages[author.language], author.category, self.chance)
        filler = Filler(self.languages[author.language].fills, self.chance)
        text = filler.fill(template.text)
        media = [Media(f"3_{number}", template.media, filler.fill(template.alt))] if template.media else []
        poll = [filler.fill(option)[:25] for option in template.poll]
        return Post(
            id=number,
            author=author.id,
            text=text,
            lang=author.language,
            category=template.category,
            media=media,
            poll=poll,
            sensitive=template.sensitive,
            spam=template.spam,
        )

    def _about(self, number: int, author: Account, before: Post, kind: str) -> Post:
        text = self.chance.choice((QUOTES if kind == "quoted" else REPLIES)[author.language])
        if kind == "replied_to":
            text = f"@{self.world.author(before).username} {text}"
        text = "" if kind == "retweeted" else text
        return Post(number, author.id, text, author.language, before.category, kind=kind, ref=before.id)


def _template(language: Language, category: str, chance: Random) -> Template:
    found = language.templates[category] or [one for every in language.templates.values() for one in every]
    return chance.choice(found)


def crowd(world: World, languages: dict[str, Language], count: int) -> None:
    """Accounts beside those of the texts, until there are `count`."""
    kinds = [(code, category) for code in languages for category in sorted(languages[code].templates)]
    for n in range(max(0, count - len(world.accounts))):
        code, category = kinds[n % len(kinds)]
        followers = seeded("crowd", n).randint(200, 400_000)
        username = f"{code}_{category[:4]}_{n // len(kinds)}"
        fields = {"description": "", "category": category, "language": code, "followers": followers}
        world.enter(Account(username, f"{category.title()} {code.upper()} {n // len(kinds)}", **fields))  # type: ignore[arg-type]
