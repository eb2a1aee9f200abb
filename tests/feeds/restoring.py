"""Many holds at old snapshots, judged by one who knows nothing of how a feed is selected.

The judge keeps, from the served bytes alone, what each snapshot showed; by hand, what happened to each post since, and
a plain list of what stands approved. A feed that is held must then show the old entries without what was lost."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from curation import operations
from curation.models import Candidate, Tweet
from curation.operations.blocking import Entry
from curation.operations.following import obey
from curation.operations.naming import name_of
from curation.operations.purging import empty
from feeds.holding import CURRENT, hold, release
from feeds.operations import publish
from regions.models import Channel, Market, Role, User
from tests.cast import channel_of, make_candidate, make_user
from tests.feeds.conftest import at_the_edge

PLACES = (None, "politics", "sport")
KINDS = ("block", "term", "withdraw", "withhold", "edit", "purge")
MOST = 40  # posts that stand approved at once, all of which fit into every feed
Shown = dict[str, Any]


@dataclass
class Post:
    """What the judge knows of one: `number` is X's, as it was approved."""

    candidate: Candidate
    category: str
    number: str
    word: str


@dataclass
class Judge:
    """`history`: by place and number, the entries as they were served. `lost`: X's number and what happened to it."""

    history: dict[str | None, dict[int, list[Shown]]] = field(default_factory=lambda: {place: {} for place in PLACES})
    together: dict[int, dict[str | None, list[Shown]]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def remember(self) -> None:
        """What is served now, of all places; the market's number names the moment."""
        bodies = {place: served(place) for place in PLACES}
        for place, body in bodies.items():
            self.history[place].setdefault(body["snapshot"], body["entries"])
        self.together.setdefault(bodies[None]["snapshot"], {place: body["entries"] for place, body in bodies.items()})

    def left(self, entries: list[Shown]) -> list[Shown]:
        """The same without what was lost since; a hold knows no end."""
        self.seen.update(f"left out: {self.lost[entry['id']]}" for entry in entries if entry["id"] in self.lost)
        return [entry | {"expires_at": None} for entry in entries if entry["id"] not in self.lost]

    def compare(self, what: str, place: str | None, expected: list[Shown]) -> None:
        shown = served(place)["entries"]
        self.seen["compared"] += 1
        self.seen["entries"] += len(expected)
        if shown != expected:
            here, there = [one["id"] for one in shown], [one["id"] for one in expected]
            self.found.append(f"{what}, {place or 'market'}: {here} instead of {there}")


def served(place: str | None) -> Any:
    """What the edge serves to a product that may show posts."""
    return at_the_edge("de", place, mode="full")


class World:
    """Two categories of a market whose posts come, go, and have things happen to them."""

    def __init__(self, seed: int) -> None:
        self.chance, self.judge = Random(seed), Judge()
        self.market = Market.objects.get(code="de")
        self.lead: User = make_user("lena", {"de": Role.LEAD})
        self.channels: dict[str, Channel] = {slug: channel_of("de", slug) for slug in ("politics", "sport")}
        self.standing: list[Post] = []
        self.ever: dict[str, Post] = {}
        self.deck: list[str] = []
        self.made = 0
        Channel.objects.filter(market=self.market).update(feed_length=100, live_hours=1000, slots=3)
        Market.objects.filter(pk=self.market.pk).update(feed_length=100)

    # --- what editors do ----------------------------------------------------------------------------------------
    def approve(self) -> Post:
        self.made += 1
        word, category = f"wort{self.made}x", self.chance.choice(list(self.channels))
        words = {"context": f"Zeile {self.made}."} if self.chance.random() < 0.3 else {}
        words |= {"label": "Anzeige"} if self.chance.random() < 0.1 else {}
        ends = {"expire_at": timezone.now() + timedelta(days=9)} if self.chance.random() < 0.2 else {}
        told = words | ends | {"state": "approved", "approved_at": timezone.now()}
        row = make_candidate(self.channels[category], f"Hier steht {word} und sonst nichts.", **told)
        post = Post(row, category, str(row.tweet.current_id), word)
        self.standing.append(post)
        return post

    def end(self, post: Post) -> None:
        """Reopened: it leaves the present, and is lost to no snapshot."""
        self.standing.remove(post)
        fresh = Candidate.objects.get(pk=post.candidate.pk)
        operations.reopen(fresh, by=self.lead, version=fresh.version)

    def pin(self, post: Post) -> None:
        fresh = Candidate.objects.get(pk=post.candidate.pk)
        slot = self.chance.choice((1, 2, 3))
        holder = Candidate.objects.filter(channel=fresh.channel_id, slot=slot).exists()
        if fresh.slot is None and not holder:
            operations.pin(fresh, by=self.lead, version=fresh.version, slot=slot)

    def rewrite(self, post: Post) -> None:
        """Another line beside it: snapshots before keep theirs."""
        fresh = Candidate.objects.get(pk=post.candidate.pk)
        operations.annotate(fresh, by=self.lead, version=fresh.version, context=f"Neu {self.made}.", label="")

    def live_on(self) -> None:
        """One turn: something is published."""
        self.approve()
        if len(self.standing) > MOST:
            self.end(self.chance.choice(self.standing))
        act = self.chance.choice((self.pin, self.rewrite, self.end, None, None))
        if act and self.standing:
            act(self.chance.choice(self.standing))
        publish(self.market.pk)

    # --- what happens to posts ----------------------------------------------------------------------------------
    def strike(self) -> None:
        """To any post that ever stood in a snapshot: now and then to one that stands now."""
        self.meet()
        ever = [post for post in self.ever.values() if post.number not in self.judge.lost]
        now = [post for post in ever if post in self.standing]
        post = self.chance.choice(now if now and self.chance.random() < 0.5 else ever)
        acts = {"block": self.block, "term": self.term, "withdraw": self.withdraw, "withhold": self.withhold}
        acts |= {"edit": self.edit, "purge": self.purge, "elsewhere": self.elsewhere, "abroad": self.abroad}
        self.deck = self.deck or self.chance.sample(list(acts), len(acts))  # each as often as any other
        kind = self.deck.pop()
        acts[kind](post)
        self.judge.seen[kind] += 1
        if kind not in ("elsewhere", "abroad"):
            self.judge.lost[post.number] = kind
            if post in self.standing:
                self.standing.remove(post)
        publish(self.market.pk)

    def meet(self) -> None:
        """Keeps in mind what stood in a snapshot."""
        self.ever |= {post.number: post for post in self.standing}

    def mend(self) -> None:
        """What an editor blocked is open again: no reason any more to leave it out of an old snapshot."""
        blocked = [number for number, kind in self.judge.lost.items() if kind == "block"]
        if blocked:
            number = self.chance.choice(blocked)
            fresh = Candidate.objects.get(tweet__current_id=number, channel__market=self.market)
            operations.reopen(fresh, by=self.lead, version=fresh.version)
            del self.judge.lost[number]
            self.judge.seen["mended"] += 1

    def block(self, post: Post) -> None:
        fresh = Candidate.objects.get(pk=post.candidate.pk)
        operations.block(fresh, by=self.lead, version=fresh.version)

    def term(self, post: Post) -> None:
        self.lay(post, self.market)

    def elsewhere(self, post: Post) -> None:
        """The list of another market is no concern of this one."""
        self.lay(post, Market.objects.get(code="nl"))

    def lay(self, post: Post, market: Market) -> None:
        chief = User.objects.filter(username="chief").first() or make_user("chief", is_superuser=True)
        operations.lay_blocks([Entry(name_of("term", post.word), market=market)], by=chief)

    def withdraw(self, post: Post) -> None:
        operations.withdraw([post.candidate.tweet_id], cause=Tweet.Gone.DELETED, now=timezone.now())

    def withhold(self, post: Post, country: str = "DE") -> None:
        """Whether the candidates follow at once or not yet."""
        Tweet.objects.filter(pk=post.candidate.tweet_id).update(withheld_in=[country])
        if self.chance.random() < 0.5:
            obey([post.candidate.tweet_id], now=timezone.now())

    def abroad(self, post: Post) -> None:
        self.withhold(post, "NL")

    def edit(self, post: Post) -> None:
        row = Tweet.objects.get(pk=post.candidate.tweet_id)
        row.current_id, row.text = row.current_id + 10**15, f"{row.text} Korrigiert."
        row.save()
        operations.edit([row.pk], now=timezone.now())

    def purge(self, post: Post) -> None:
        """Its time is over; what feeds show is spared, so it leaves them first."""
        if post in self.standing:
            self.end(post)
        empty([post.candidate.tweet_id], now=timezone.now())


def run_holds(holds: int, turns: int, seed: int, *, blows: float = 0.3) -> Judge:
    """Some history; then again and again a random old snapshot, with publications before and after. `blows`: how
    probable it is that something happens to a post before a hold; of what comes after, a third are blows."""
    world = World(seed)
    judge, began = world.judge, time.monotonic()
    for _turn in range(turns):
        world.live_on()
        judge.remember()
        world.meet()
    for turn in range(holds):
        hold_once(world, turn, blows)
    judge.seen["seconds"] = int(time.monotonic() - began)
    judge.seen["snapshots"] = sum(len(kept) for kept in judge.history.values())
    judge.seen["holds"] = holds
    return judge


def hold_once(world: World, turn: int, blows: float) -> None:
    judge, chance = world.judge, world.chance
    place = chance.choice(PLACES)
    number = chance.choice(sorted(judge.together if place is None else judge.history[place]))
    channel = world.channels[place] if place else None
    if chance.random() < blows:
        world.strike()
    if chance.random() < 0.05:
        world.mend()
    hold(world.market, channel, number, reason=f"Probe {turn}", by=world.lead)
    publish(world.market.pk)
    expect_held(world, place, number, f"hold {turn} at {number}")
    for _later in range(chance.choice((0, 1, 2))):
        chance.choice((world.strike, world.live_on, world.live_on))()
        expect_held(world, place, number, f"hold {turn} at {number}, later")
    if chance.random() < 0.2:
        hold(world.market, channel, CURRENT, reason=f"Probe {turn}, still", by=world.lead)
        expect_held(world, place, number, f"hold {turn} at {number}, frozen as it was")
    release(world.market, channel, by=world.lead)
    publish(world.market.pk)
    expect_present(world, f"after hold {turn}")
    judge.remember()


def expect_held(world: World, place: str | None, number: int, what: str) -> None:
    judge = world.judge
    if place is None:
        for part, entries in judge.together[number].items():
            judge.compare(what, part, judge.left(entries))
        return
    judge.compare(what, place, judge.left(judge.history[place][number]))
    other = next(slug for slug in world.channels if slug != place)
    expected = {post.number for post in world.standing if post.category == other}
    expected |= {entry["id"] for entry in judge.left(judge.history[place][number])}
    expect_ids(judge, f"{what}, beside it", None, expected)


def expect_present(world: World, what: str) -> None:
    """Each feed shows all that stands approved: pins by slot, then the newest first."""
    judge = world.judge
    for place in PLACES:
        here = [post for post in world.standing if place in (None, post.category)]
        expect_ids(judge, what, place, {post.number for post in here})
    for place in world.channels:
        flow = [entry["id"] for entry in served(place)["entries"] if not entry["pinned"]]
        order = [post.number for post in reversed(world.standing) if post.number in flow]
        if flow != order:
            judge.found.append(f"{what}, {place}: {flow} in the wrong order")


def expect_ids(judge: Judge, what: str, place: str | None, expected: set[str]) -> None:
    shown = {entry["id"] for entry in served(place)["entries"]}
    judge.seen["compared"] += 1
    if shown != expected:
        judge.found.append(f"{what}, {place or 'market'}: too many {shown - expected}, too few {expected - shown}")
