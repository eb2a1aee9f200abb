"""Four workers read an X that misbehaves by a seed, on budgets that run out: the run of test_chaos.

Time is X's and ours in common: it runs as it does, and leaps to what is due next whenever nobody is at work. So
quarters of an hour pass in a moment, while an answer under way takes as long as it takes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

from django.db import connections
from django.db.models import Min

from curation.ingest import pauses
from curation.ingest.polling import leases
from curation.ingest.polling.poll import poll
from curation.ingest.rechecking.rechecks import close_killed, recheck
from curation.ledger.metered import Metered
from curation.models import Author, BudgetDay, Candidate, Charge, Cursor, IngestRun, Pause, Tweet
from curation.shared_clock import clock_from
from curation.x.simulator.accounts import list_id
from regions.models import Channel, Market, Source
from tests.soak.asked import ASKED, Clock, Named, Recording, Struck
from tests.soak.judging import STOPPED, Judge

WORKERS = 4
DEATHS = 0.06  # of what is asked; the worker's place is taken at once
MARKETS = ("de", "nl")
WORDS = ("Rat", "Tor", "Hafen", "Brücke", "Markt", "Wahl", "Zug", "Bühne")
ACCOUNTS, LISTED, SEARCHED, ELSEWHERE = (0, 1, 2), 3, (4, 5), 6  # numbers of a market's accounts by how they are read


@dataclass
class Report:
    """What a run came to; everything but `dealt`, `struck`, `runs` and the sums should be empty."""

    dealt: Counter[str]
    struck: int = 0
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
        faults = f"{sum(self.dealt.values())} faults, {self.struck} struck, runs {dict(self.runs)}"
        return f"{faults}, {charged}, wrong: {wrong}"

    @property
    def untried(self) -> list[str]:
        return [kind for kind in ASKED if not self.dealt[kind]]


class Chaos:
    """One run by one seed. `posts` a market; a day's budget is used up by some answers that fail, each a full page."""

    def __init__(self, seed: int, *, posts: int = 60, budget: int = 350, rate: float = 0.45) -> None:
        self.seed, self.posts, self.chance = seed, posts, Random(seed)
        self.budget = budget
        self.clock = Clock()
        self.x = Recording(self.clock, seed, rate)
        self.errors: list[str] = []
        self.busy = 0
        self.bell = threading.Event()
        self.lock = threading.Lock()
        self.written: dict[str, set[int]] = {code: set() for code in MARKETS}
        self.theirs: dict[str, list[int]] = {code: [] for code in MARKETS}  # of accounts that are read, so edits too
        self.overruns: set[str] = set()
        self.sources: dict[int, str] = {}  # the market of a source
        self.numbers = count(1)
        self.doors: list[Named] = []
        self.askers: dict[int, str] = {}  # by run
        self.struck = 0

    # The world

    def prepare(self, channels: dict[str, Channel]) -> None:
        """Three accounts, a list and a search for each market, of different accounts; nobody reads the last one."""
        Market.objects.update(posts_a_day=self.budget, posts_a_month=20 * self.budget, recheck_reserve=20)
        for code in MARKETS:
            for n in (*ACCOUNTS, LISTED, *SEARCHED, ELSEWHERE):
                category = {LISTED: "sport", ELSEWHERE: "economy"}.get(n, "politics")
                account = self.x.account(f"{code}_{n}", name=f"{code} {n}", category=category, language=code)
                if n == 0:
                    Author.objects.create(x_id=account.id, username=account.username, name=account.name)
                if n in ACCOUNTS:
                    self._source(channels[code], "account", account.username, str(account.id) if n < 2 else "")
            self._source(channels[code], "list", str(list_id(code, "sport")), "")
            self._source(channels[code], "search", " OR ".join(f"from:{code}_{n}" for n in SEARCHED), "")
        leases.add_missing_cursors()
        Cursor.objects.update(newest_id=1, due_at=self.clock.now())

    def _source(self, channel: Channel, kind: str, value: str, x_id: str) -> None:
        made = Source.objects.create(
            channel=channel, kind=kind, value=value, x_id=x_id, least_seconds=10, most_seconds=60
        )
        self.sources[made.pk] = channel.market.code

    def write(self, posts: int) -> None:
        """New posts in both markets: most plain, some that repeat another's, some versions of earlier ones."""
        for code in MARKETS:
            for _ in range(posts):
                words = f"{' '.join(self.chance.choices(WORDS, k=6))} {len(self.written[code])}."
                throw = self.chance.random()
                if throw < 0.15 and self.theirs[code]:
                    self.x.edit(self.chance.choice(self.theirs[code]), words)
                elif throw < 0.3:
                    self.written[code].add(original := int(self.x.post(f"{code}_{ELSEWHERE}", words)))
                    self.x.retweet(f"{code}_{self.chance.choice(ACCOUNTS)}", original)
                else:
                    author = self.chance.choice((*ACCOUNTS, LISTED, *SEARCHED))
                    self.theirs[code].append(int(self.x.post(f"{code}_{author}", words)))
                    self.written[code].add(self.theirs[code][-1])

    def newest(self) -> set[int]:
        """The ids of the newest versions."""
        with self.x.world.lock:
            posts, history = self.x.world.posts, self.x.world.history
            return {history(posts[number])[-1] for numbers in self.written.values() for number in numbers}

    # The workers

    def door(self, deaths: float = DEATHS) -> Named:
        with self.lock:
            self.doors.append(made := Named(self.x, chance=Random(f"{self.seed} {next(self.numbers)}"), deaths=deaths))
        return made

    def work(self, stop: threading.Event, deaths: float) -> None:
        """What a worker process does: it takes what is due, with a door and a connection of its own."""
        ask = self.door(deaths)
        try:
            while not stop.is_set():
                try:
                    if self.bell.wait(0.1) and not self._one(ask):
                        self.bell.clear()
                except Struck:
                    connections.close_all()
                    ask, self.struck = self.door(deaths), self.struck + 1
        except BaseException as died:
            self.errors.append(f"a worker died: {died!r}")
        finally:
            connections.close_all()

    def _one(self, ask: Named) -> bool:
        with self.at_work():
            now = self.clock.now()
            for source, offered in leases.offer_due(now, 1).items():
                asker = ask.ask_for(self.sources[source], next(self.numbers))
                run = poll(source, now=now, offered=offered, ask=ask)
                if run:
                    self.askers[run.pk] = asker
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
        """Rechecks some of what is stored, what was withdrawn first, as the jobs do, one market after the other."""
        for market in Market.objects.filter(code__in=MARKETS):
            ids = Tweet.objects.filter(candidate__channel__market=market).order_by("gone_at", "checked_at")
            ask, now = self.door(deaths=0), self.clock.now()
            asker = ask.ask_for(market.code, next(self.numbers))
            metered = Metered(ask, market, "recheck", now=clock_from(now))
            run = recheck(list(ids.values_list("pk", flat=True)[:20]), market=market, now=now, ask=metered)
            if run:
                self.askers[run.pk] = asker

    @contextmanager
    def workers(self, deaths: float) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=self.work, args=(stop, deaths)) for _ in range(WORKERS)]
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
            time.sleep(0.04)
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
            with self.workers(DEATHS):
                met = self.pass_time(until=self.enough, seconds=seconds, between=self.meanwhile)
            self.look_at_money(self.budget)
            report = Report(self.x.chaos.counts, errors=self.errors)
            if not met:
                report.differences.append(f"not met: {report.untried}, out of budget: {self.out_of_budget()}")
            self.mend()
            with self.workers(deaths=0):
                if not self.pass_time(until=self.caught_up, seconds=seconds / 2, between=self.restore):
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
        if left and len(self.x.faults.orders) < 3:
            path = self.chance.choice(("/2/users/", "/2/lists/", "/2/tweets/search/"))
            self.x.fail(path, kind=self.chance.choice(left), reset=2.0)
            self.write(2)
        throw = self.chance.random()
        if throw < 0.03:
            self.check_again()
        elif throw < 0.1:
            self.write(1)
        elif throw < 0.25:
            self.look_at_money(self.budget)

    def mend(self) -> None:
        self.x.mend()
        self.x.chaos.rate = 0
        Market.objects.update(posts_a_day=1_000_000, posts_a_month=10_000_000)
        Source.objects.update(paused_at=None, paused_reason="")
        Cursor.objects.update(due_at=self.clock.now())

    def caught_up(self) -> bool:
        gone = Tweet.objects.exclude(gone_at=None).exists()
        stored = set(Tweet.objects.values_list("current_id", flat=True))
        return stored >= self.newest() and not gone and not Cursor.objects.exclude(gap_floor_id=None).exists()

    def restore(self) -> None:
        """What X's trouble left not verified is asked about again."""
        if Tweet.objects.exclude(gone_at=None).exists():
            self.check_again()

    # What came of it

    def look_at_money(self, limit: int | None) -> None:
        """Notes days on which X charged a market more than its budget, or more than our ledger says at this moment.

        X is asked first: what it charged was drawn before."""
        by_x: Counter[tuple[str, str]] = Counter()
        askers, charges = self.x.asked.askers, self.x.meter.charges()
        payers = self.payers()
        for one in charges:
            asker = askers[one.day, one.kind, one.id].partition(" ")[0]
            # Of a look-up X may repeat a post of one market in an answer for another: then who paid by our ledger.
            market = asker if one.subject else payers.get((one.day, one.kind, one.id), asker)
            by_x[(market, one.day)] += 2 if one.kind == "user" else 1
        used = {(row.market.code, str(row.day)): row.used for row in BudgetDay.objects.select_related("market")}
        self.by_x, self.by_us = by_x, Counter(used)
        self.overruns |= {
            f"{code} {day}: {charged} by X, {used.get((code, day), 0)} by us, limit {limit}"
            for (code, day), charged in by_x.items()
            if charged > used.get((code, day), 0) or (limit is not None and charged > limit)
        }

    def payers(self) -> dict[tuple[str, str, int], str]:
        """Who paid for a post or an account on a day, by our ledger."""
        told = Charge.objects.values_list("day", "kind", "x_id", "market__code")
        return {(str(day), kind, number): code for day, kind, number, code in told}

    def conclude(self, report: Report) -> None:
        close_killed(self.clock.now())
        written, newest = set[int]().union(*self.written.values()), self.newest()
        stored = list(Tweet.objects.values_list("first_id", flat=True))
        offered = list(Candidate.objects.values_list("channel", "tweet"))
        gone = Tweet.objects.exclude(gone_at=None).count() + Candidate.objects.exclude(state="pending").count()
        found = {
            "lost": len(written - set(stored)),
            "invented": len(set(stored) - written),
            "old versions": len(newest - set(Tweet.objects.values_list("current_id", flat=True))),
            "doubled": len(stored) - len(set(stored)) + len(offered) - len(set(offered)),
            "not offered once": abs(len(offered) - len(written)),
            "withdrawn": gone,
            "left running": IngestRun.objects.filter(outcome="running").count(),
            "faults of ours": IngestRun.objects.filter(error__contains="on our side").count(),
            "struck but not stopped": abs(self.struck - IngestRun.objects.filter(error=STOPPED).count()),
        }
        report.overruns, report.struck = sorted(self.overruns), self.struck
        report.differences += [f"{many} {words}" for words, many in found.items() if many]
        report.runs = Counter(IngestRun.objects.values_list("outcome", flat=True))
        judge = Judge(self.x.dealt, set().union(*(one.waited for one in self.doors)), self.askers)
        judged = (judge.wrong(run) for run in IngestRun.objects.order_by("pk"))
        report.wrong_outcomes = [wrong for wrong in judged if wrong]
        report.by_x = {" ".join(key): charged for key, charged in self.by_x.items()}
        report.by_us = {" ".join(key): used for key, used in self.by_us.items()}
