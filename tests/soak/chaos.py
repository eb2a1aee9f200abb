"""Four workers read an X that misbehaves by a seed, on budgets that run out: the run of test_chaos.

Time is X's and ours in common: it runs as it does, and leaps to what is due next whenever nobody is at work. So
quarters of an hour pass in a moment, while an answer under way takes as long as it takes."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from django.db import connections
from django.db.models import Min

from curation.ingest import pauses
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.rechecking.rechecks import recheck
from curation.ledger.metered import Metered, clock_from
from curation.models import Author, BudgetDay, Candidate, Charge, Cursor, IngestRun, Pause, Tweet
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.simulator.accounts import list_id
from curation.x.simulator.chaos import KINDS
from curation.x.simulator.faults import Fault
from curation.x.simulator.kinds import ARRIVING, REPLACING
from curation.x.simulator.turns import TURNS
from curation.x.windows import SharedWindows
from regions.models import Channel, Market, Source

WORKERS = 4
MARKETS = ("de", "nl")
RECHECKED = "/2/tweets"
ASKED = tuple(kind for kind in KINDS if not kind.startswith("stream."))
GENTLE = {*TURNS, "slow", "trickle"}
EXPECTED = dict.fromkeys((*REPLACING, *ARRIVING), "failed") | {
    "forbidden": "refused",
    "window": "waiting",
    "window_v1": "waiting",
    "window_bare": "waiting",
}
WORDS = ("Rat", "Tor", "Hafen", "Brücke", "Markt", "Wahl", "Zug", "Bühne")


class Clock:
    """Real time, moved ahead now and then."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self.now().timestamp()

    def leap_to(self, moment: datetime) -> None:
        self.ahead += max(timedelta(), moment - self.now())


@dataclass(frozen=True)
class Dealt:
    at: datetime
    path: str
    kind: str


class Recording(Simulator):
    """A simulator that notes which fault it dealt out where and when."""

    def __init__(self, clock: Clock, **options: Any) -> None:
        super().__init__(rate=0, catalogue=0, limit_scale=100, clock=clock.seconds, **options)
        self.watch = clock
        self.dealt: list[Dealt] = []

    def befalls(self, path: str) -> Fault | None:
        fault = super().befalls(path)
        if fault and fault.kind:
            self.dealt.append(Dealt(self.watch.now(), path, fault.kind))
        return fault


@dataclass
class Report:
    """What a run came to; everything but `dealt`, `runs` and the sums should be empty."""

    dealt: Counter[str]
    errors: list[str] = field(default_factory=list)
    wrong_outcomes: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    overruns: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    by_x: dict[str, int] = field(default_factory=dict)
    by_us: dict[str, int] = field(default_factory=dict)

    def told(self) -> str:
        """One line: faults, runs by outcome, posts that X charged and that our ledger counts, and what went wrong."""
        wrong = [*self.untried, *self.errors, *self.differences, *self.overruns, *self.wrong_outcomes]
        charged = f"{sum(self.by_x.values())} charged by X, {sum(self.by_us.values())} by us, on {len(self.by_x)} days"
        return f"{sum(self.dealt.values())} faults, runs {dict(self.runs)}, {charged}, wrong: {wrong}"

    @property
    def untried(self) -> list[str]:
        return [kind for kind in ASKED if not self.dealt[kind]]


class Chaos:
    """One run by one seed. `posts` a market, of which a day's budget covers `share`."""

    def __init__(self, seed: int, *, posts: int = 60, share: float = 0.6, rate: float = 0.45) -> None:
        self.seed, self.posts, self.chance = seed, posts, Random(seed)
        self.budget = int(posts * share) + 40
        self.clock = Clock()
        self.x = Recording(self.clock, chaos=seed, chaos_rate=rate, chaos_kinds=ASKED)
        self.errors: list[str] = []
        self.busy = 0
        self.bell = threading.Event()
        self.lock = threading.Lock()
        self.written: dict[str, set[int]] = {code: set() for code in MARKETS}
        self.overruns: set[str] = set()
        self.owner: dict[str, str] = {}  # the market of an account or a list, by its id
        self.sources: dict[int, str] = {}  # by the path that its posts are read from

    # The world

    def prepare(self, channels: dict[str, Channel]) -> None:
        """Three accounts and a list for each market, the list of other accounts than those."""
        Market.objects.update(posts_a_day=self.budget, posts_a_month=20 * self.budget, recheck_reserve=20)
        for code in MARKETS:
            for n in range(4):
                category = "sport" if n == 3 else "politics"
                account = self.x.account(f"{code}_{n}", name=f"{code} {n}", category=category, language=code)
                self.owner[str(account.id)] = code
                # Known beforehand: so every fault meets a page of posts, by whose path we know whose it was.
                Author.objects.create(x_id=account.id, username=account.username, name=account.name)
                if n < 3:
                    self._source(channels[code], "account", account.username, str(account.id))
            self.owner[str(list_id(code, "sport"))] = code
            self._source(channels[code], "list", str(list_id(code, "sport")), "")
        leases.add_missing_cursors()
        Cursor.objects.update(newest_id=1, due_at=self.clock.now())

    def _source(self, channel: Channel, kind: str, value: str, x_id: str) -> None:
        made = Source.objects.create(
            channel=channel, kind=kind, value=value, x_id=x_id, least_seconds=10, most_seconds=60
        )
        self.sources[made.pk] = f"/2/users/{x_id}/tweets" if x_id else f"/2/lists/{value}/tweets"

    def write(self, count: int) -> None:
        """New posts in both markets."""
        for code in MARKETS:
            for _ in range(count):
                words = " ".join(self.chance.choices(WORDS, k=6))
                number = self.x.post(f"{code}_{self.chance.randrange(4)}", f"{words} {len(self.written[code])}.")
                self.written[code].add(int(number))

    # The workers

    def work(self, stop: threading.Event) -> None:
        """What a worker process does: it takes what is due, with a door and a connection of its own."""
        ask = Door(self.x.base_url, self.x.token, read_seconds=2, clock=self.clock.seconds, windows=SharedWindows())
        try:
            while not stop.is_set():
                if self.bell.wait(0.1) and not self._one(ask):
                    self.bell.clear()
        except BaseException as died:
            self.errors.append(f"a worker died: {died!r}")
        finally:
            connections.close_all()

    def _one(self, ask: Door) -> bool:
        with self.at_work():
            now = self.clock.now()
            for source, offered in leases.offer_due(now, 1).items():
                poll(source, now=now, offered=offered, ask=ask)
                return True
        return False

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self.lock:
            self.busy += 1
        try:
            yield
        finally:
            with self.lock:
                self.busy -= 1

    def check_again(self) -> None:
        """Rechecks some of what is stored, as the jobs do, one market after the other."""
        for market in Market.objects.filter(code__in=MARKETS):
            ids = list(Tweet.objects.filter(candidate__channel__market=market).values_list("pk", flat=True)[:20])
            ask = Door(self.x.base_url, self.x.token, read_seconds=2, clock=self.clock.seconds, windows=SharedWindows())
            now = self.clock.now()
            metered = Metered(ask, market, "recheck", now=clock_from(now))
            recheck(ids, market=market, now=now, ask=metered)

    @contextmanager
    def workers(self) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=self.work, args=(stop,)) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)

    def pass_time(self, *, until: Callable[[], bool], seconds: float, between: Callable[[], None]) -> bool:
        """Whether it became true within so many real seconds. Whenever all are idle, time leaps to what is due next."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
            due = Cursor.objects.filter(source__paused_at=None).aggregate(at=Min("due_at"))["at"]
            with self.lock:
                now = self.clock.now()
                if self.busy == 0 and due and due > now:
                    self.clock.leap_to(due)
            pauses.resume(self.clock.now())
            self.bell.set()
            between()
        return True

    # The run

    def whole(self, channels: dict[str, Channel], *, seconds: float) -> Report:
        """Chaos until every fault was met and every budget ran out; then all is mended, and what is left is read."""
        with self.x:
            self.prepare(channels)
            self.write(self.posts // 2)
            with self.workers():
                met = self.pass_time(until=self.enough, seconds=seconds, between=self.meanwhile)
            self.look_at_money(self.budget)
            report = Report(self.x.chaos.counts, self.errors)
            if not met:
                report.differences.append(f"not met: {report.untried}, out of budget: {self.out_of_budget()}")
            self.mend()
            with self.workers():
                if not self.pass_time(until=self.caught_up, seconds=60, between=lambda: None):
                    report.differences.append(f"not caught up: {list(Cursor.objects.values())}")
            self.look_at_money(None)
            self.conclude(report)
        return report

    def enough(self) -> bool:
        return not Report(self.x.chaos.counts).untried and self.out_of_budget() == set(MARKETS)

    def out_of_budget(self) -> set[str]:
        """The markets whose lead was told that a budget ran out."""
        told = Pause.objects.filter(cause__in=("day", "month")).values_list("market__code", flat=True)
        return {code for code in told if code}

    def meanwhile(self) -> None:
        """Now and then new posts and a recheck. A lead resumes what X refused; what chaos forgot is ordered."""
        Source.objects.exclude(paused_at=None).update(paused_at=None, paused_reason="")
        left = Report(self.x.chaos.counts).untried
        if left and not self.x.faults.orders:
            self.x.fail(self.chance.choice(("/2/users/", "/2/lists/")), kind=self.chance.choice(left), reset=2.0)
            self.write(2)
        throw = self.chance.random()
        if throw < 0.03:
            self.check_again()
        elif throw < 0.1:
            self.write(1)
        elif throw < 0.4:
            self.look_at_money(self.budget)

    def mend(self) -> None:
        self.x.mend()
        self.x.chaos.rate = 0
        Market.objects.update(posts_a_day=1_000_000, posts_a_month=10_000_000)
        Source.objects.update(paused_at=None, paused_reason="")
        Cursor.objects.update(due_at=self.clock.now())

    def caught_up(self) -> bool:
        written = sum(map(len, self.written.values()))
        return Tweet.objects.count() >= written and not Cursor.objects.exclude(gap_floor_id=None).exists()

    # What came of it

    def look_at_money(self, limit: int | None) -> None:
        """Notes days on which X charged a market more than its budget, or more than our ledger says at this moment.

        X is asked first: what it charged was drawn before."""
        by_x: Counter[tuple[str, str]] = Counter()
        charges = self.x.meter.charges()
        payers = self.payers()
        for one in charges:
            market = self.market_of(one.subject, payers.get((one.day, one.id)), one.id)
            by_x[(market, one.day)] += 2 if one.kind == "user" else 1
        used = {(row.market.code, str(row.day)): row.used for row in BudgetDay.objects.select_related("market")}
        self.by_x, self.by_us = by_x, Counter(used)
        self.overruns |= {
            f"{code} {day}: {charged} by X, {used.get((code, day), 0)} by us, limit {limit}"
            for (code, day), charged in by_x.items()
            if charged > used.get((code, day), 0) or (limit is not None and charged > limit)
        }

    def payers(self) -> dict[tuple[str, int], str]:
        """Who paid for a post on a day, by our ledger."""
        told = Charge.objects.values_list("day", "x_id", "market__code")
        return {(str(day), number): code for day, number, code in told}

    def market_of(self, subject: str, payer: str | None, number: int) -> str:
        """Whose account or list was read. Of a look-up X does not say for whom it was, and may repeat a post of one
        market in an answer for another: then who paid by our ledger, or else whose post it is."""
        owners = (code for code, numbers in self.written.items() if number in numbers)
        return self.owner.get(subject) or payer or next(owners, "nobody")

    def conclude(self, report: Report) -> None:
        written = set[int]().union(*self.written.values())
        stored = list(Tweet.objects.values_list("first_id", flat=True))
        offered = list(Candidate.objects.values_list("channel", "tweet"))
        gone = Tweet.objects.exclude(gone_at=None).count() + Candidate.objects.exclude(state="pending").count()
        found = {
            "lost": len(written - set(stored)),
            "invented": len(set(stored) - written),
            "doubled": len(stored) - len(set(stored)) + len(offered) - len(set(offered)),
            "not offered once": abs(len(offered) - len(written)),
            "withdrawn": gone,
            "left running": IngestRun.objects.filter(outcome="running").count(),
            "faults of ours": IngestRun.objects.filter(error__contains="on our side").count(),
        }
        report.overruns = sorted(self.overruns)
        report.differences += [f"{count} {words}" for words, count in found.items() if count]
        report.runs = Counter(IngestRun.objects.values_list("outcome", flat=True))
        met = self.met()
        judged = (self.judged(run, met.get(run.pk, [])) for run in IngestRun.objects.order_by("pk"))
        report.wrong_outcomes = [wrong for wrong in judged if wrong]
        report.by_x = {" ".join(key): charged for key, charged in self.by_x.items()}
        report.by_us = {" ".join(key): used for key, used in self.by_us.items()}

    def met(self) -> dict[int, list[str]]:
        """The faults that each run met. Runs at one address follow each other: a fault is the last begun one's."""
        begun: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        for run in IngestRun.objects.order_by("started_at", "pk"):
            begun[self.sources.get(run.source_id or 0, RECHECKED)].append((run.started_at, run.pk))
        met: defaultdict[int, list[str]] = defaultdict(list)
        for one in self.x.dealt:
            mine = [pk for at, pk in begun[one.path] if at <= one.at]
            met[mine[-1] if mine else 0].append(one.kind)
        return met

    def judged(self, run: IngestRun, met: list[str]) -> str:
        """What is wrong with a run's outcome, by the faults that it met, or nothing."""
        hard = [kind for kind in met if kind not in GENTLE]
        if hard:
            right = EXPECTED[hard[-1]] == run.outcome
        elif run.outcome == "waiting":
            path = self.sources.get(run.source_id or 0, RECHECKED)
            right = any(self._closed(one, path, run) for one in self.x.dealt)
        else:
            right = run.outcome in ("read", "budget") or run.error == "Another worker took over."
        return "" if right else f"{run.kind} {run.outcome} ({run.error}) after {met}"

    def _closed(self, one: Dealt, path: str, run: IngestRun) -> bool:
        """Whether a fault closed the endpoint's window shortly before the run, or after it had begun."""
        same = one.path.split("/")[2] == path.split("/")[2]
        ended = (run.ended_at or run.started_at) + timedelta(seconds=5)  # the run's clock began a moment late
        return same and one.kind.startswith("window") and run.started_at - timedelta(minutes=2) <= one.at <= ended
