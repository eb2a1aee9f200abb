"""The desk as a state machine: every verb, clocks and blocks by chance; after each step the feeds are what a plain
reading of the log (reading.py) says. All of a run stands in one transaction that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from curation import operations
from curation.matching import _made
from curation.models import Act, Candidate, Decision, Tweet
from curation.models.candidates import digest
from feeds.edition import Edition
from regions.models import Block, Channel, Market, Role, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user
from tests.curation.reading import APPROVING, FROM, Ban, Carried, Line, Post, Reading, Room, Shown

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WORDS = ("bahnhof", "hafen", "museum", "rathaus", "stadion", "garten", "kloster")
PEOPLE = ("anna", "ben", "lena", "chief")
minutes = st.none() | st.integers(-60, 900)
number = st.integers(0, 10_000)


class World:
    """What all runs begin with: two channels of DE and one of NL, seven posts of three authors, people of all roles."""

    def __init__(self) -> None:
        self.people = {name: make_user(name, {"de": Role.EDITOR, "nl": Role.EDITOR}) for name in PEOPLE[:2]}
        self.people["lena"] = make_user("lena", {"de": Role.LEAD, "nl": Role.LEAD})
        self.people["chief"] = make_user("chief", is_superuser=True)
        self.usernames = {None: None} | {user.pk: name for name, user in self.people.items()}
        self.politics, self.sport, self.nl = map(channel_of, ("de", "de", "nl"), ("politics", "sport", "politics"))
        Channel.objects.filter(market=self.politics.market).update(slots=2, feed_length=3, minimum_fill=2)
        Channel.objects.filter(pk=self.sport.pk).update(feed_length=2, fallback="hide", second_pair=True)
        Market.objects.filter(code="de").update(feed_length=4)
        authors = [make_author(f"blatt_{n}") for n in range(3)]
        self.names = {str(one.x_id): one.username for one in authors}
        self.tweets = [self._tweet(word, authors[n % 3]) for n, word in enumerate(WORDS)]
        for channel, tweets in (
            (self.politics, self.tweets[:5]),
            (self.sport, self.tweets[3:6]),
            (self.nl, self.tweets[:3]),
        ):
            for tweet in tweets:
                make_candidate(channel, tweet=tweet, pending_since=NOON, arrived_at=NOON)
        first, second = Candidate.objects.filter(channel=self.politics).order_by("pk")[:2]
        Candidate.objects.filter(pk=second.pk).update(group=first)

    def _tweet(self, word: str, author: Any) -> Tweet:
        words = f"{word.title()}: was der Rat dazu gestern beschloss, {word[::-1]}."
        return make_tweet(words, author=author, created_at=NOON - timedelta(hours=1))

    def channels(self) -> list[Channel]:
        return list(Channel.objects.select_related("market", "category").filter(market__code__in=("de", "nl")))

    def reading(self) -> Reading:
        rooms = {one.pk: room_of(one) for one in self.channels()}
        posts = {one.pk: Post(one.author.username, word) for one, word in zip(self.tweets, WORDS, strict=True)}
        lengths = dict(Market.objects.values_list("code", "feed_length"))
        reading = Reading(rooms, posts, lengths)
        for row in Candidate.objects.order_by("pk"):
            reading.arrives(row.pk, row.channel_id, row.tweet_id, row.group_id or row.pk, NOON)
        return reading


def room_of(channel: Channel) -> Room:
    return Room(
        channel.market.code,
        channel.position,
        channel.slots,
        channel.feed_length,
        timedelta(hours=channel.live_hours),
        channel.minimum_fill,
        channel.fallback == "keep_older",
        channel.second_pair,
    )


class Desk(RuleBasedStateMachine):
    """`world` is set by the test, whose transaction holds it."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.run = transaction.atomic()
        self.run.__enter__()
        _made.cache_clear()
        self.now = NOON
        self.reading = self.world.reading()
        self.channels = {one.pk: one for one in self.world.channels()}
        self.last = Decision.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        self.keyed: tuple[Any, ...] | None = None
        self.uncarried, self.changed = False, {"de", "nl"}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.run.__exit__(None, None, None)

    # --- what happens
    @initialize(first=number, second=number)
    def begins_with_some_approved(self, first: int, second: int) -> None:
        for which in (first, second):
            self.decide("approve", self.row(which), self.world.people["anna"], {})

    @rule(which=number, verb=number, who=st.sampled_from(PEOPLE), slot=st.none() | st.integers(0, 3), until=minutes,
          starts=minutes, ends=minutes, swap=st.booleans(), beside=st.booleans(), words=st.none() | st.integers(0, 3),
          strange=st.integers(0, 9), keyed=st.booleans())  # fmt: skip
    def decides(self, which: int, verb: int, who: str, strange: int, keyed: bool, **asked: Any) -> None:
        """Mostly a verb that the state allows, sometimes any, sometimes from an old version."""
        pk = self.row(which)
        standing = self.reading.now_stands(pk).state
        verbs = [one for one in FROM if standing in FROM[one] or strange == 0]
        if verbs:
            name = verbs[verb % len(verbs)]
            self.decide(name, pk, self.world.people[who], self.wish(name, verb, **asked), strange == 1, keyed)

    def wish(self, verb: str, chance: int, **asked: Any) -> dict[str, Any]:
        """What the verb may carry, of what was drawn."""
        told: dict[str, Any] = {}
        pins = verb == "pin" or (verb == "approve" and asked["slot"] is not None)
        if verb in APPROVING:
            told = {"go_live_at": self.at(asked["starts"]), "expire_at": self.at(asked["ends"])}
            told["with_similar"] = asked["beside"]
        if pins:
            told |= {"slot": asked["slot"], "until": self.at(asked["until"]), "swap": asked["swap"]}
        if verb in ("approve", "pin", "annotate") and (asked["words"] is not None or verb == "annotate"):
            told |= {"context": f"Zeile {asked['words']}", "label": "Anzeige" if chance % 2 else ""}
        if verb == "move":
            told["category"] = ("politics", "sport", "economy")[chance % 3]
        return told | ({"market": "nl"} if verb == "offer" else {})

    def decide(
        self, verb: str, pk: int, by: User, wish: dict[str, Any], stale: bool = False, keyed: bool = False
    ) -> None:
        version = self.reading.now_stands(pk).version - stale
        if verb == "offer" and self.reading.rooms[self.reading.place[pk]].market == "nl":
            wish = wish | {"market": "de"}
        expected = self.expected(verb, pk, version, by, wish)
        key = f"key-{self.last}" if keyed else ""
        asked = (verb, Candidate(pk=pk), dict(by=by, version=version, key=key, now=self.now, **wish))
        with self.one_act(verb in ("move", "offer")) as refused:
            try:
                done = operations.decide(asked[0], asked[1], **asked[2])
                self.keyed = (asked, done) if keyed else self.keyed
            except Refusal as refusal:
                refused.append(refusal.code)
        assert bool(refused) == bool(expected), (verb, wish, refused, expected, self.reading.now_stands(pk))
        assert set(refused) <= expected, (verb, wish, refused, expected)
        if not refused:
            self.compare_wish(verb, pk, wish)

    def expected(self, verb: str, pk: int, version: int, by: User, wish: dict[str, Any]) -> set[str]:
        there = None
        if verb == "move":
            market = self.reading.rooms[self.reading.place[pk]].market
            there = next(one.pk for one in self.channels.values()
                         if (one.market.code, one.category.slug) == (market, wish["category"]))  # fmt: skip
        told = {name: wish.get(named) for name, named in
                (("slot", "slot"), ("until", "until"), ("starts", "go_live_at"), ("ends", "expire_at"))}  # fmt: skip
        swap = wish.get("swap", False)
        return self.reading.refuses(verb, pk, version, by.username, self.now, there=there, swap=swap, **told)

    def compare_wish(self, verb: str, pk: int, wish: dict[str, Any]) -> None:
        """What was asked for is what the log carries."""
        stand = self.reading.now_stands(pk)
        given = {"starts": wish.get("go_live_at"), "ends": wish.get("expire_at"), "until": wish.get("until")}
        given |= {"slot": wish.get("slot"), "beside": wish.get("with_similar") or None}
        given |= {name: digest(wish[name]) for name in ("context", "label") if wish.get(name) is not None}
        if stand.state == "pending" or verb == "schedule":
            given |= {"slot": None, "until": None}
        told = {name: value for name, value in given.items() if value is not None}
        assert {name: getattr(stand, name) for name in told} == told, (verb, wish, stand)

    @rule(rows=st.lists(number, min_size=2, max_size=5), verb=st.sampled_from(("approve", "block", "reopen", "unpin")),
          who=st.sampled_from(PEOPLE))  # fmt: skip
    def decides_many(self, rows: list[int], verb: str, who: str) -> None:
        by, ids = self.world.people[who], list(dict.fromkeys(map(self.row, rows)))
        seen = {pk: self.reading.now_stands(pk).version for pk in ids}
        expected = {pk: self.expected(verb, pk, seen[pk], by, {}) for pk in ids}
        with self.one_act():
            many = operations.decide_many(verb, seen, by=by, now=self.now)
        done = {one.id for one in many.results if one.status == 201}
        assert done == {pk for pk in ids if not expected[pk]}, (verb, done, expected)

    @precondition(lambda self: self.keyed)
    @rule()
    def repeats_with_its_key(self) -> None:
        assert self.keyed
        (verb, row, told), done = self.keyed
        with self.one_act():
            again = operations.decide(verb, row, **told)
        assert (again.act.pk, again.decision.pk, again.repeated) == (done.act.pk, done.decision.pk, True)

    @rule(which=st.integers(0, 6), who=st.sampled_from(PEOPLE))
    def takes_back(self, which: int, who: str) -> None:
        """One of the last acts."""
        acts = list(Act.objects.exclude(by=None).order_by("-pk")[:7])
        if not acts:
            return
        act, by = acts[which % len(acts)], self.world.people[who]
        with self.one_act(coming=True, going=True, lists=True) as refused:
            try:
                operations.undo(act, by=by, now=self.now)
            except Refusal as refusal:
                refused.append(refusal.code)
        if who in ("anna", "ben") and act.by != by:
            assert refused, f"{who} took back an act of {act.by}"
        if act.at < self.now - timedelta(hours=24):
            assert refused == ["not_undoable"]

    @rule(passed=st.sampled_from((1, 20, 90, 400, 1500)))
    def time_passes(self, passed: int) -> None:
        """Nothing else: pins, windows and blocks end by themselves."""
        self.now += timedelta(minutes=passed)
        self.changed = {"de", "nl"}

    @rule()
    def old_ones_lapse(self) -> None:
        with self.one_act():
            operations.lapse_old(now=self.now)

    @rule(which=number)
    def x_shows_a_newer_version(self, which: int) -> None:
        tweet = self.world.tweets[which % len(WORDS)]
        if self.reading.posts[tweet.pk].gone:
            return
        newer = Tweet.objects.values_list("current_id", flat=True).get(pk=tweet.pk) + 10_000
        Tweet.objects.filter(pk=tweet.pk).update(current_id=newer)
        with self.one_act():
            operations.edit([tweet.pk], now=self.now)

    @rule(which=number, shows=st.booleans())
    def x_withholds(self, which: int, shows: bool) -> None:
        """In Germany, or no more."""
        tweet = self.world.tweets[which % len(WORDS)]
        Tweet.objects.filter(pk=tweet.pk).update(withheld_in=[] if shows else ["DE"])
        self.reading.posts[tweet.pk].withheld = not shows
        with self.one_act():
            operations.obey([tweet.pk], now=self.now)

    @rule(which=number, really=st.integers(0, 3))
    def x_takes_away(self, which: int, really: int) -> None:
        tweet = self.world.tweets[which % len(WORDS)]
        if not really:
            with self.one_act():
                operations.withdraw([tweet.pk], cause="deleted", now=self.now)
            self.reading.posts[tweet.pk].gone = True

    @rule(which=number, kind=st.sampled_from(("author", "term")), ends=st.none() | st.integers(5, 600),
          scope=st.sampled_from(("channel", "market", "global")))  # fmt: skip
    def a_block_is_laid(self, which: int, kind: str, scope: str, ends: int | None) -> None:
        channel = list(self.channels.values())[which % len(self.channels)]
        post = list(self.reading.posts.values())[which % len(WORDS)]
        value = post.author if kind == "author" else post.word
        place = {"channel": {"channel": channel}, "market": {"market": channel.market}, "global": {}}[scope]
        by = self.world.people["chief"]
        with self.one_act(lists=True):
            laid = operations.lay_block(kind, value, by=by, ends_at=self.at(ends), now=self.now, **place)
        assert self.reading.bans[laid.block.pk].value == value

    @rule(which=number, ends=st.none() | st.integers(5, 600))
    def a_block_is_listed(self, which: int, ends: int | None) -> None:
        """Its row alone, as by the admin or while an approval is under way: only the selection looks at it."""
        channel, word = list(self.channels.values())[which % len(self.channels)], WORDS[which % len(WORDS)]
        if all((ban.value, ban.market) != (word, channel.market.code) for ban in self.reading.bans.values()):
            Block.objects.create(kind="term", value=word, market=channel.market, ends_at=self.at(ends))
            self.follow_lists()

    @precondition(lambda self: self.reading.bans)
    @rule(which=number)
    def a_block_is_lifted(self, which: int) -> None:
        pk = sorted(self.reading.bans)[which % len(self.reading.bans)]
        with self.one_act(lists=True):
            operations.lift_block(Block.objects.get(pk=pk), by=self.world.people["chief"], now=self.now)
        assert pk not in self.reading.bans

    @precondition(lambda self: self.uncarried)
    @rule()
    def the_job_carries_blocks(self) -> None:
        with self.one_act():
            operations.carry_blocks(now=self.now)
        self.uncarried = False

    # --- reading on
    def at(self, after: int | None) -> datetime | None:
        return None if after is None else self.now + timedelta(minutes=after)

    def row(self, which: int) -> int:
        rows = sorted(self.reading.place)
        return rows[which % len(rows)]

    @contextmanager
    def one_act(self, coming: bool = False, going: bool = False, lists: bool = False) -> Iterator[list[str]]:
        """What the log says of it is read; candidates come or go, and lists change, only where that was meant. A
        refusal logs nothing."""
        refused: list[str] = []
        with transaction.atomic():
            yield refused
        if lists:
            self.follow_lists()
        lines = self.new_lines()
        assert not (refused and lines), (refused, lines)
        for line in lines:
            self.assert_lists_may(line)
        self.reading.read(lines)
        self.changed |= {self.reading.rooms[self.reading.place[line.candidate]].market for line in lines}
        if lines or coming:
            self.follow_arrivals(coming, going)

    def follow_lists(self) -> None:
        """Undo lifts blocks, and lays them again."""
        standing = Block.objects.filter(lifted_at=None).select_related("market")
        bans = {one.pk: self.ban_of(one) for one in standing}
        if bans != self.reading.bans:
            self.reading.bans, self.uncarried, self.changed = bans, True, {"de", "nl"}

    def ban_of(self, block: Block) -> Ban:
        """Authors are listed by their id."""
        value = self.world.names.get(block.value, block.value).casefold()
        return Ban(block.kind, value, block.channel_id, block.market and block.market.code, block.ends_at)

    def new_lines(self) -> list[Line]:
        rows = list(Decision.objects.filter(pk__gt=self.last).select_related("act").order_by("pk"))
        self.last = rows[-1].pk if rows else self.last
        return [line_of(row, self.world.usernames) for row in rows]

    def assert_lists_may(self, line: Line) -> None:
        """The system blocks only what a block matches, and gives back only what the lists had and have no more."""
        if line.by is None and line.verb == "block":
            assert self.reading.banned(line.candidate, self.now), line
        if line.by is None and line.verb == "lift":
            stand = self.reading.now_stands(line.candidate)
            assert stand.by_lists and not self.reading.banned(line.candidate, self.now), line

    def follow_arrivals(self, coming: bool, going: bool) -> None:
        known = set(self.reading.place)
        there = dict(Candidate.objects.values_list("pk", "channel"))
        assert coming or not set(there) - known
        assert going or not known - set(there)
        for row in Candidate.objects.filter(pk__in=set(there) - known):
            self.reading.arrives(row.pk, row.channel_id, row.tweet_id, row.group_id or row.pk, self.now)
        for pk in known - set(there):
            self.reading.leaves(pk)

    # --- what holds after every step
    @invariant()
    def feeds_are_what_the_log_says(self) -> None:
        for code in sorted(self.changed):
            channels = [one for one in self.channels.values() if one.market.code == code]
            edition = Edition(channels[0].market, channels, [], self.now)
            wanted = [self.reading.market_feed(code, self.now)]
            wanted += [self.reading.channel_feed(one.pk, self.now) for one in channels]
            got = [edition.market_entries(), *(edition.channel_entries(one.pk) for one in channels)]
            told = [[shown_of(entry) for entry in entries] for entries in got]
            assert told == [self.reading.entries(one, self.now) for one in wanted], code
            self.compare_until(edition.next_change(), channels, wanted[1:])
        self.candidates_are_what_the_log_says()

    def compare_until(self, change: datetime | None, channels: list[Channel], shown: list[list[int]]) -> None:
        """Until the next change that was foretold, time alone changes nothing."""
        later = (change or self.now + timedelta(days=60)) - timedelta(seconds=1)
        if later > self.now:
            assert [self.reading.channel_feed(one.pk, later) for one in channels] == shown, (self.now, change)

    def candidates_are_what_the_log_says(self) -> None:
        rows = Candidate.objects.only("version", "state", "slot", "blocked_by_lists") if self.changed else ()
        self.changed = set()
        for row in rows:
            stand = self.reading.now_stands(row.pk)
            wanted = (stand.version, stand.state, stand.slot, stand.by_lists and stand.state == "blocked")
            assert (row.version, row.state, row.slot, row.blocked_by_lists and row.state == "blocked") == wanted, row


def line_of(row: Decision, usernames: dict[int | None, str | None]) -> Line:
    after = row.after
    times = [datetime.fromisoformat(after[name]) if after[name] else None
             for name in ("pinned_until", "go_live_at", "expire_at")]  # fmt: skip
    carried = Carried(after["slot"], *times, after["context"], after["label"], after["with_similar"])
    by = usernames[row.by_id]
    return Line(row.act_id, row.act.undoes_id, row.candidate_id, row.verb, by, row.at, row.version, carried)


def shown_of(entry: Any) -> Shown:
    candidate, _channel, _category, _tweet, slot, context, label, ends = astuple_of(entry)
    return Shown(candidate, slot, digest(context), digest(label), ends)


def astuple_of(entry: Any) -> tuple[Any, ...]:
    return tuple(entry) if isinstance(entry, tuple) else astuple(entry)
