"""What happens at X while the house works: posts come, are edited, deleted and withheld, authors hide and return."""

from __future__ import annotations

import threading
import time
from random import Random
from typing import Any

from curation.x.simulator import Simulator
from tests.soak.promises.files import Lines
from tests.soak.promises.texts import words_of_a_post

PLAIN, LOUD, SHY, STREAMED = ("a", "b"), "c", "d", "e"
PACE = 1.3  # posts a second
HIDDEN = (60.0, 240.0)
LATELY = 400  # posts from which one is taken that something happens to


class XHand(threading.Thread):
    """`countries` by market. Authors are `de_a` and so on: c is loud, d hides and returns, e comes by the stream."""

    def __init__(self, x: Simulator, countries: dict[str, str], out: Lines, seed: int) -> None:
        super().__init__(daemon=True)
        self.x, self.countries, self.out, self.chance = x, countries, out, Random(f"x {seed}")
        self.stop = threading.Event()
        self.posts: dict[int, dict[str, Any]] = {}  # by the id of the first version
        self.newest: dict[int, int] = {}
        self.hidden: dict[str, tuple[float, str, dict[str, Any]]] = {}
        self.authors: dict[int, str] = {}
        self.wrong: list[str] = []
        for market in countries:
            for name in (*PLAIN, LOUD, SHY, STREAMED):
                account = x.account(
                    f"{market}_{name}", name=f"{market} <tdkx> {name}", category="politics", language="de"
                )
                self.authors[account.id] = account.username

    def author(self, username: str) -> int:
        return next(number for number, name in self.authors.items() if name == username)

    def run(self) -> None:
        try:
            while not self.stop.wait(self.chance.expovariate(PACE)):
                self.turn()
        except Exception as error:
            self.wrong.append(f"X's hand ended: {error!r}")
            raise

    def turn(self) -> None:
        self.return_some()
        throw = self.chance.random()
        if throw < 0.86 or len(self.posts) < 20:
            self.post()
        elif throw < 0.90:
            self.edit(self.pick())
        elif throw < 0.95:
            self.delete(self.pick())
        elif throw < 0.985:
            self.withhold(self.pick())
        else:
            self.hide()

    def pick(self) -> int:
        return self.chance.choice([first for first in list(self.posts)[-LATELY:] if self.posts[first]["lasts"]])

    def post(self, username: str = "") -> None:
        names = (*PLAIN, *PLAIN, LOUD, SHY, STREAMED)
        username = username or f"{self.chance.choice(sorted(self.countries))}_{self.chance.choice(names)}"
        text = words_of_a_post(self.chance, len(self.posts))
        number = int(self.x.post(username, text))
        lasts = username not in self.hidden
        told = {"author": self.author(username), "versions": [number], "texts": {str(number): text}, "lasts": lasts}
        self.posts[number], self.newest[number] = told, number

    def edit(self, first: int) -> None:
        post, old = self.posts[first], self.newest[first]
        if len(post["versions"]) > 3:
            return
        text = words_of_a_post(self.chance, first % 10_000)
        try:
            new = int(self.x.edit(old, text))
        except ValueError:  # too late, says X
            return
        post["versions"].append(new)
        post["texts"][str(new)] = text
        self.newest[first] = new
        self.happened("edit", [old])

    def delete(self, first: int) -> None:
        self.posts[first]["lasts"] = False
        self.x.delete(self.newest[first])
        self.happened("delete", self.posts[first]["versions"])

    def withhold(self, first: int) -> None:
        self.posts[first]["lasts"] = False
        mine = self.countries[self.authors[self.posts[first]["author"]].partition("_")[0]]
        countries = [self.chance.choice((mine, mine, "XX"))]
        self.x.withhold(self.newest[first], countries)
        self.happened("withhold", self.posts[first]["versions"], countries=countries)

    def hide(self) -> None:
        username = f"{self.chance.choice(sorted(self.countries))}_{SHY}"
        if username in self.hidden:
            return
        how = self.chance.choice(("protect", "suspend"))
        getattr(self.x, how)(username, True)
        mine = [post for post in self.posts.values() if post["author"] == self.author(username)]
        for post in mine:
            post["lasts"] = False
        ids = [number for post in mine for number in post["versions"]]
        event = {"at": time.time(), "kind": how, "ids": ids}
        self.hidden[username] = (time.time() + self.chance.uniform(*HIDDEN), how, event)

    def return_some(self, everyone: bool = False) -> None:
        for username, (until, how, event) in list(self.hidden.items()):
            if everyone or time.time() > until:
                self.out.write(event | {"until": time.time()})
                getattr(self.x, how)(username, False)
                del self.hidden[username]

    def happened(self, kind: str, ids: list[int], **more: Any) -> None:
        self.out.write({"at": time.time(), "kind": kind, "ids": ids, **more})

    def charged(self) -> dict[str, dict[str, int]]:
        """What X has charged each market, by day, in posts: an account is two. Each author is read for one market."""
        found: dict[str, dict[str, int]] = {}
        authors = {number: post["author"] for post in list(self.posts.values()) for number in list(post["versions"])}
        for one in self.x.meter.charges():
            name = self.authors.get(authors.get(one.id, 0) if one.kind == "post" else one.id)
            if name:
                day, market = found.setdefault(one.day, {}), name.partition("_")[0]
                day[market] = day.get(market, 0) + (2 if one.kind == "user" else 1)
        return found
