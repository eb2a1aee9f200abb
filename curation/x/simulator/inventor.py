"""Keeps inventing: new posts from the texts, and what befalls posts afterwards."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from threading import Event, Thread

from curation.x.simulator.accounts import CATEGORIES, Account, seeded
from curation.x.simulator.posts import Post
from curation.x.simulator.remarks import CORRECTIONS, COUNTRIES, QUOTES, REPLIES
from curation.x.simulator.texts import Filler, Language, Template
from curation.x.simulator.world import World

log = logging.getLogger("x_simulator")
CATALOGUE_HOURS = 6
HOUR = 3_600_000
SHARES = {"retweet": 0.06, "quote": 0.03, "reply": 0.04, "edit": 0.03, "delete": 0.02, "withhold": 0.01}
SENSITIVE = 0.02


class Inventor:
    """`rate` posts a minute over all languages; everything drawn from one seed."""

    def __init__(self, world: World, languages: dict[str, Language], seed: int, rate: float) -> None:
        self.world = world
        self.languages = {code: language for code, language in languages.items() if language.accounts}
        self.rate = rate
        # A restarted simulator must not tell the same stories in the same order again.
        self.chance = seeded(seed, len(world.posts))
        self.decks: dict[tuple[str, str], list[Template]] = {}
        self.counts: Counter[str] = Counter()
        self.stopped = Event()
        self.thread = Thread(target=self._run, name="inventor", daemon=True)

    def start(self) -> None:
        if self.rate > 0 and self.languages:
            self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        if self.thread.is_alive():
            self.thread.join(timeout=5)

    def catalogue(self, per_language: int) -> int:
        """Posts of the last hours, up to `per_language` each; after a pause only what the pause left out."""
        now, newest = self.world.now(), self.world.order[-1:]
        last = self.world.posts[newest[0]].created if newest else 0
        span = min(now - last, CATALOGUE_HOURS * HOUR)
        count = per_language * len(self.languages) * span // (CATALOGUE_HOURS * HOUR)
        times = sorted(now - self.chance.randrange(1, max(2, span)) for _ in range(count))
        codes = list(self.languages)
        for n, at in enumerate(times):
            self.happen(codes[n % len(codes)], at)
        return count

    def happen(self, code: str, at: int) -> None:
        """One new post in that language, and now and then something else beside it."""
        self.invent(self.languages[code], at)
        happenings: dict[str, Callable[[str, int], None]] = {
            "retweet": self.retweet,
            "quote": self.quote,
            "reply": self.reply,
            "edit": self.edit,
            "delete": self.delete,
            "withhold": self.withhold,
        }
        for name, act in happenings.items():
            if self.chance.random() < SHARES[name]:
                act(code, at)
                self.counts[name] += 1

    def invent(self, language: Language, at: int) -> Post:
        template = self._next_template(language)
        filler = Filler(language.fills, self.chance)
        self.counts["post"] += 1
        return self.world.post(
            self._author(language, template),
            filler.fill(template.text),
            at=at,
            category=template.category,
            media=[template.media] if template.media else [],
            alt=filler.fill(template.alt),
            poll=[filler.fill(option)[:25] for option in template.poll],
            sensitive=template.sensitive or self.chance.random() < SENSITIVE,
            spam=template.spam,
        )

    def retweet(self, code: str, at: int) -> None:
        found = self._recent(code, at)
        if found:
            self.world.post(self._other(code, found), "", at=at + 1, kind="retweeted", ref=found.id)

    def quote(self, code: str, at: int) -> None:
        self._remark(code, at, "quoted", QUOTES[code])

    def reply(self, code: str, at: int) -> None:
        self._remark(code, at, "replied_to", REPLIES[code])

    def edit(self, code: str, at: int) -> None:
        found = self._recent(code, at, hours=1)
        if found and not found.poll:
            self.world.edit(found.id, f"{CORRECTIONS[code]} {found.text}", at=at + 2)

    def delete(self, code: str, at: int) -> None:
        found = self._recent(code, at)
        if found:
            self.world.change(found.id, deleted=True)

    def withhold(self, code: str, at: int) -> None:
        found = self._recent(code, at)
        if found:
            self.world.change(found.id, withheld=[self.chance.choice([COUNTRIES[code]] * 4 + ["XY"])])

    def _remark(self, code: str, at: int, kind: str, sentences: tuple[str, ...]) -> None:
        found = self._recent(code, at)
        if found:
            author = self._other(code, found)
            name = f"@{self.world.author(found).username} " if kind == "replied_to" else ""
            text = name + self.chance.choice(sentences)
            self.world.post(author, text, at=at + 1, kind=kind, ref=found.id)

    def _next_template(self, language: Language) -> Template:
        """Every text of a category comes once before any comes again."""
        category = self.chance.choice([c for c in CATEGORIES if language.templates[c]])
        deck = self.decks.setdefault((language.code, category), [])
        if not deck:
            deck.extend(language.templates[category])
            self.chance.shuffle(deck)
        return deck.pop()

    def _author(self, language: Language, template: Template) -> Account:
        named = self.world.account(template.by) if template.by else None
        if named:
            return named
        fitting = [a for a in language.accounts if a.category == template.category]
        return self.world.accounts[self.chance.choice(fitting or list(language.accounts)).username.lower()]

    def _other(self, code: str, post: Post) -> Account:
        """Another account of the language, of the post's category if there is one."""
        accounts = [a for a in self.languages[code].accounts if a.id != post.author]
        fitting = [a for a in accounts if a.category == post.category] or accounts
        chosen = self.chance.choice(fitting) if fitting else self.world.author(post)
        return self.world.accounts[chosen.username.lower()]

    def _recent(self, code: str, at: int, hours: int = 3) -> Post | None:
        found = self.world.latest(code, at - hours * HOUR)
        return self.chance.choice(found) if found else None

    def _run(self) -> None:
        told = self.world.now()
        while not self.stopped.wait(60 / self.rate * self.chance.uniform(0.4, 1.6)):
            with self.world.lock:
                self.happen(self.chance.choice(list(self.languages)), self.world.now())
            if self.world.now() - told >= 60_000:
                told = self.world.now()
                self._tell()

    def _tell(self) -> None:
        said = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        log.info("happened in the last minute: %s", said)
        self.counts.clear()
