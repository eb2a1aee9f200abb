"""A plain reading of the decision log, from DESIGN.md 5 and 8 alone: what a feed must show. Imports nothing of ours.

Lines of the log say the verb, by whom, when, and what the verb carried (slot, window, words); in which state a verb
leaves a candidate, what a feed shows of it and what would be refused is worked out here once more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)  # by which a form's times may be behind

FROM = {
    "approve": ("pending", "lapsed"),
    "pin": ("approved", "pending", "lapsed"),
    "unpin": ("approved",),
    "block": ("pending", "approved", "lapsed"),
    "reopen": ("approved", "blocked", "lapsed"),
    "schedule": ("pending", "approved"),
    "annotate": ("pending", "approved"),
    "move": ("pending", "approved"),
    "offer": ("pending", "approved", "blocked", "lapsed", "withdrawn"),
}
APPROVING = ("approve", "pin", "schedule")


@dataclass(frozen=True)
class Stand:
    """How a candidate stands. `since`: approved then; `beside`: an editor lets it stand beside similar ones."""

    version: int = 1
    state: str = "pending"
    slot: int | None = None
    until: datetime | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    context: str = ""
    label: str = ""
    confirmed: str | None = None
    since: datetime | None = None
    beside: bool = False
    by_lists: bool = False

    def pinned_at(self, now: datetime) -> bool:
        return self.slot is not None and not (self.until and self.until <= now)


@dataclass(frozen=True)
class Carried:
    """What the verb carried."""

    slot: int | None
    until: datetime | None
    starts: datetime | None
    ends: datetime | None
    context: str
    label: str
    beside: bool


@dataclass(frozen=True)
class Line:
    """A decision of the log; `by` is None for the system. `undoes`: the act that its act takes back."""

    act: int
    undoes: int | None
    candidate: int
    verb: str
    by: str | None
    at: datetime
    version: int
    carried: Carried


@dataclass
class Post:
    """A tweet: who wrote it, the one word that blocks look for, the countries where X does not show it."""

    author: str
    word: str
    gone: bool = False
    withheld: bool = False


@dataclass(frozen=True)
class Ban:
    """A block that blocks outright, of a channel, of a market, or of all."""

    kind: str
    value: str
    channel: int | None = None
    market: str | None = None
    ends: datetime | None = None


@dataclass
class Room:
    """A channel and its settings."""

    market: str
    position: int
    slots: int = 2
    length: int = 10
    lasts: timedelta = timedelta(hours=24)
    minimum: int = 3
    keeps_older: bool = True
    second_pair: bool = False


@dataclass(frozen=True)
class Shown:
    """An entry of a feed."""

    candidate: int
    slot: int | None
    context: str
    label: str
    ends: datetime | None


@dataclass
class Reading:
    rooms: dict[int, Room]
    posts: dict[int, Post]
    lengths: dict[str, int]  # of the markets' own feeds
    place: dict[int, int] = field(default_factory=dict)  # candidate to channel
    post_of: dict[int, int] = field(default_factory=dict)
    group: dict[int, int] = field(default_factory=dict)
    bans: dict[int, Ban] = field(default_factory=dict)
    stands: dict[int, list[Stand]] = field(default_factory=lambda: defaultdict(list))  # by version, from 1
    first: dict[tuple[int, int], int] = field(default_factory=dict)  # act and candidate to the first version of it

    def arrives(self, candidate: int, channel: int, post: int, group: int, now: datetime) -> None:
        self.place[candidate], self.post_of[candidate], self.group[candidate] = channel, post, group
        banned = self.banned(candidate, now)
        self.stands[candidate] = [Stand(state="blocked" if banned else "pending", by_lists=banned)]

    def leaves(self, candidate: int) -> None:
        for known in (self.place, self.post_of, self.group, self.stands):
            known.pop(candidate)

    def now_stands(self, candidate: int) -> Stand:
        return self.stands[candidate][-1]

    # --- the log
    def read(self, lines: Iterable[Line]) -> None:
        """What happened in one step. Where an act is taken back, slots are given last."""
        told = list(lines)
        back = [line for line in told if line.verb == "undo"]
        restored = {line.candidate: self.before(line.undoes, line.candidate) for line in back}
        for line in told:
            self.first.setdefault((line.act, line.candidate), line.version)
            stand = self.after(line)
            assert line.version == self.now_stands(line.candidate).version + 1, line
            self.stands[line.candidate].append(replace(stand, version=line.version))
        for line in back:
            self._restore(line, restored[line.candidate])

    def before(self, act: int | None, candidate: int) -> Stand:
        """How a candidate stood before an act."""
        assert act
        return self.stands[candidate][self.first[act, candidate] - 2]

    def after(self, line: Line) -> Stand:
        """What a verb makes of a candidate; for an undo, one that has let go of its slot."""
        was, with_it = self.now_stands(line.candidate), line.carried
        if line.verb in APPROVING:
            return self._approved(line, was)
        if line.verb == "annotate":
            return replace(was, context=with_it.context, label=with_it.label)
        off = replace(was, slot=None, until=None, confirmed=None, since=None)
        waiting = replace(off, state="pending", starts=None, ends=None, beside=False, by_lists=False)
        banned = self.banned(line.candidate, line.at)
        match line.verb:
            case "unpin" | "undo":
                return replace(was, slot=None, until=None)
            case "offer" | "hold":
                return was
            case "block" | "move":
                return replace(off, state="blocked", by_lists=line.by is None)
            case "reopen" | "lift":
                return waiting
            case "lapse":
                return replace(was, state="lapsed", confirmed=None)
            case "withdraw":
                return replace(off, state="withdrawn")
            case "edit" if was.state in ("pending", "approved"):
                return replace(off, state="blocked", by_lists=True) if banned else waiting
            case "edit":
                return replace(was, slot=None, until=None, confirmed=None)
            case "restore":
                before = next(one for one in reversed(self.stands[line.candidate]) if one.state != "withdrawn")
                if before.state == "blocked" and not before.by_lists:
                    return replace(off, state="blocked")
                return replace(off, state="blocked", by_lists=True) if banned else waiting
        raise AssertionError(line)

    def _approved(self, line: Line, was: Stand) -> Stand:
        given = replace(was, starts=line.carried.starts, ends=line.carried.ends, beside=line.carried.beside)
        if line.verb != "schedule":
            given = replace(given, context=line.carried.context, label=line.carried.label)
        if self.waits(line.candidate) and line.by is not None:
            return replace(given, state="pending", confirmed=line.by)
        given = replace(given, state="approved", since=was.since if was.state == "approved" else line.at)
        if line.verb == "schedule":
            return given
        return replace(given, slot=line.carried.slot, until=line.carried.until)

    def _restore(self, line: Line, before: Stand) -> None:
        room = self.place[line.candidate]
        free = before.slot and before.slot <= self.rooms[room].slots and not self.holder(room, before.slot)
        back = before if free else replace(before, slot=None, until=None)
        self.stands[line.candidate][-1] = replace(back, version=line.version)

    def waits(self, candidate: int) -> bool:
        """Whether an approval now would be the first of two."""
        stand = self.now_stands(candidate)
        return self.rooms[self.place[candidate]].second_pair and stand.state != "approved" and not stand.confirmed

    def holder(self, channel: int, slot: int) -> int | None:
        return next((pk for pk in self.of_room(channel) if self.now_stands(pk).slot == slot), None)

    def of_room(self, channel: int) -> list[int]:
        return [pk for pk, place in self.place.items() if place == channel]

    def banned(self, candidate: int, now: datetime) -> bool:
        return any(self.hits(ban, candidate, now) for ban in self.bans.values())

    def hits(self, ban: Ban, candidate: int, now: datetime) -> bool:
        post, channel = self.posts[self.post_of[candidate]], self.place[candidate]
        if (ban.ends and ban.ends <= now) or ban.channel not in (None, channel):
            return False
        if ban.market not in (None, self.rooms[channel].market):
            return False
        return ban.value == (post.author if ban.kind == "author" else post.word)

    # --- what is refused
    def refuses(
        self,
        verb: str,
        candidate: int,
        version: int,
        by: str,
        now: datetime,
        *,
        slot: int | None = None,
        until: datetime | None = None,
        starts: datetime | None = None,
        ends: datetime | None = None,
        swap: bool = False,
        there: int | None = None,
    ) -> set[str]:
        """The codes that such a request may be refused with; nothing where it must be done."""
        stand, post = self.now_stands(candidate), self.posts[self.post_of[candidate]]
        if version != stand.version:
            return {"stale_version"}
        if stand.state not in FROM[verb] or (verb == "unpin" and stand.slot is None):
            return {"not_allowed"}
        if verb in (*APPROVING, "reopen") and (post.gone or self.banned(candidate, now)):
            return {"not_allowed", "block_stands"}
        if verb == "offer":
            return {"not_allowed"} if post.gone else set()
        if verb == "move":
            return self._cannot_move(candidate, there or 0, now)
        if verb not in APPROVING:
            return set()
        found = self._bad_window(verb, stand, until, starts, ends, now)
        return found | self._cannot_place(verb, candidate, by, now, slot, swap)

    def _cannot_move(self, candidate: int, there: int, now: datetime) -> set[str]:
        post = self.post_of[candidate]
        if any(self.post_of[pk] == post for pk in self.of_room(there)):
            return {"already_there"}
        probe = Reading(self.rooms, self.posts, self.lengths, {0: there}, {0: post}, bans=self.bans)
        return {"block_stands"} if probe.banned(0, now) else set()

    def _bad_window(
        self,
        verb: str,
        stand: Stand,
        until: datetime | None,
        starts: datetime | None,
        ends: datetime | None,
        now: datetime,
    ) -> set[str]:
        if verb == "schedule" and stand.state == "pending" and not (starts or ends):
            return {"bad_window"}
        known = starts and stand.starts and abs(stand.starts - starts) < MINUTE
        if starts and starts <= now - MINUTE and not known:
            return {"bad_window"}
        if verb != "schedule":
            starts, ends = starts or stand.starts, ends or stand.ends
        past = (until and until <= now) or (ends and ends <= now)
        return {"bad_window"} if past or (starts and ends and ends <= starts) else set()

    def _cannot_place(
        self, verb: str, candidate: int, by: str, now: datetime, slot: int | None, swap: bool
    ) -> set[str]:
        stand, channel = self.now_stands(candidate), self.place[candidate]
        room = self.rooms[channel]
        second = room.second_pair and stand.state != "approved"
        found = {"second_pair_needed"} if second and stand.confirmed == by else set()
        if slot is not None and not 1 <= slot <= room.slots:
            return found | {"no_such_slot"}
        if verb == "schedule" or (verb == "approve" and slot is None) or self.waits(candidate):
            return found
        held = {self.now_stands(pk).slot for pk in self.of_room(channel) if self.pins(pk, now)} - {None}
        others = held - ({stand.slot} if stand.slot and self.holder(channel, stand.slot) == candidate else set())
        wanted = slot or stand.slot or next((n for n in range(1, room.slots + 1) if n not in others), None)
        if wanted is None:
            return found | {"slots_full"}
        return found | ({"slot_taken"} if wanted in others and not swap else set())

    def pins(self, candidate: int, now: datetime) -> bool:
        return self.now_stands(candidate).pinned_at(now)

    # --- what is shown
    def may_show(self, candidate: int, now: datetime) -> bool:
        stand, post = self.now_stands(candidate), self.posts[self.post_of[candidate]]
        if stand.state != "approved" or post.gone or self.banned(candidate, now):
            return False
        if post.withheld and self.rooms[self.place[candidate]].market == "de":
            return False
        return not (stand.starts and stand.starts > now) and not (stand.ends and stand.ends <= now)

    def live_since(self, candidate: int) -> datetime:
        stand = self.now_stands(candidate)
        assert stand.since
        return max(stand.since, stand.starts or stand.since)

    def channel_feed(self, channel: int, now: datetime) -> list[int]:
        """Candidates in order. Of similar ones the first approved shows; one that shows nowhere makes none wait."""
        room = self.rooms[channel]
        contest = [pk for pk in self.of_room(channel) if self.may_show(pk, now)]
        while True:
            chosen = self._chosen(room, contest, now)
            cut = [pk for pk in chosen[room.length :] if sum(self.group[pk] == self.group[one] for one in contest) > 1]
            if not cut:
                break
            contest = [pk for pk in contest if pk not in cut]
        shown = chosen[: room.length]
        return shown if room.keeps_older or len(shown) >= room.minimum else []

    def _chosen(self, room: Room, contest: list[int], now: datetime) -> list[int]:
        fresh = [pk for pk in contest if self.pins(pk, now) or self.live_since(pk) + room.lasts > now]
        chosen = self._first_of_similar(fresh, [])
        missing = room.minimum - len(chosen)
        if room.keeps_older and missing > 0:
            older = self._first_of_similar([pk for pk in contest if pk not in fresh], chosen)
            chosen += self._in_order(older, now)[:missing]
        newer, filled = [pk for pk in chosen if pk in fresh], [pk for pk in chosen if pk not in fresh]
        return self._in_order(newer, now) + filled

    def _first_of_similar(self, found: list[int], standing: list[int]) -> list[int]:
        chosen: list[int] = []
        for pk in sorted(found, key=lambda pk: (self.now_stands(pk).since, pk)):
            taken = {self.group[one] for one in standing + chosen}
            if self.now_stands(pk).beside or self.group[pk] not in taken:
                chosen.append(pk)
        return chosen

    def _in_order(self, found: Iterable[int], now: datetime) -> list[int]:
        pins = sorted((pk for pk in found if self.pins(pk, now)), key=lambda pk: self.now_stands(pk).slot or 0)
        rest = [pk for pk in found if pk not in pins]
        return pins + sorted(rest, key=lambda pk: (self.live_since(pk), pk), reverse=True)

    def market_feed(self, market: str, now: datetime) -> list[int]:
        """Pins by slot, then channel order; then by live time. A tweet once."""
        rooms = [pk for pk, room in self.rooms.items() if room.market == market]
        shown = [pk for room in rooms for pk in self.channel_feed(room, now)]
        position = {pk: self.rooms[self.place[pk]].position for pk in shown}
        pins = [pk for pk in shown if self.pins(pk, now)]
        pins.sort(key=lambda pk: (self.now_stands(pk).slot, position[pk]))
        rest = [pk for pk in shown if pk not in pins]
        rest.sort(key=lambda pk: (-self.live_since(pk).timestamp(), position[pk], -pk))
        once: dict[int, int] = {}
        for pk in pins + rest:
            once.setdefault(self.post_of[pk], pk)
        return list(once.values())[: self.lengths[market]]

    def entries(self, shown: Iterable[int], now: datetime) -> list[Shown]:
        return [
            Shown(pk, one.slot if one.pinned_at(now) else None, one.context, one.label, one.ends)
            for pk, one in ((pk, self.now_stands(pk)) for pk in shown)
        ]
