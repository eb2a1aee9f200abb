"""One run: the house, everybody who works with it, the faults, and what is left behind for the judges."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg2
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerTrouble
from redis.exceptions import RedisError

from curation.config.celery import app
from curation.config.demo.program import eventually
from curation.ingest.polling import leases
from curation.models import Cursor, Tweet
from curation.x.simulator import Simulator
from curation.x.simulator.accounts import account_id
from feeds.operations import open_consumer
from regions.models import Channel, Market, Role, Source, User
from tests.cast import make_user
from tests.edge.nginx import Edge
from tests.soak.deciders import Caller
from tests.soak.decisions import sealed
from tests.soak.newsroom import FEEDS
from tests.soak.promises.editors import Editor, Lead, Newsdesk, Stranger
from tests.soak.promises.faults import Fault, Hand, schedule
from tests.soak.promises.files import Bodies, Lines
from tests.soak.promises.keeping import Sampler, export
from tests.soak.promises.readers import Reader
from tests.soak.promises.whole import Whole
from tests.soak.promises.x_hand import LOUD, PLAIN, SHY, STREAMED, XHand

POOR, LITTLE, PLENTY = "hr", 150, 10_000_000  # a market whose budget ends before its posts do
READ_INTO = {PLAIN[0]: "politics", LOUD: "politics", STREAMED: "politics", PLAIN[1]: "sport", SHY: "sport"}
LIVE_FEED = 25
GROW_OLD_EVERY = 2  # seconds
OLDER = (
    "UPDATE curation_tweet SET checked_at = checked_at - make_interval(secs => %s) WHERE id IN"
    " (SELECT id FROM curation_tweet WHERE gone_at IS NULL FOR UPDATE SKIP LOCKED)"
)
PAGES = ("/desk/{}/", "/desk/{}/politics/", "/desk/{}/politics/?state=approved", "/live/{}/politics/", "/log/{}/")
SYNDICATED = ("politics/rss.xml", "politics/feed.json", "rss.xml", "feed.json")


class Run:
    """`scale`: so many times faster posts grow old for rechecks, where a run is too short to wait for them."""

    def __init__(self, folder: Path, seed: int, *, scale: int) -> None:
        self.folder, self.history, self.seed, self.scale = folder, folder / "history", seed, scale
        self.history.mkdir(parents=True)
        (self.history / "pages").mkdir()
        self.limits: dict[str, int] = {}
        self.authors: dict[int, int] = {}  # by source
        self.roles: list[dict[str, Any]] = []
        self.done: list[Fault] = []
        self.began = time.time()
        self.settled = 0.0  # seconds

    def whole(self, seconds: float) -> None:
        options = {
            "rate": 0,
            "catalogue": 0,
            "limit_scale": 1e4,
            "chaos": self.seed,
            "chaos_rate": 0.0,
            "keep_alive": 2.0,
        }
        with ExitStack() as stack:
            enter = stack.enter_context
            self.x = enter(Simulator(**options))  # type: ignore[arg-type]
            self.house = enter(Whole(self.folder, self.seed, self.x.base_url, self.x.token))
            enter(self.house.connected())
            files = ("clients", "strangers", "looks", "faults", "x", "samples")
            self.lines = {name: enter(Lines(self.history / f"{name}.jsonl")) for name in files}
            self.prepare()
            self.house.collect_static()
            self.house.open()
            edge = enter(self.house.at_the_edge())
            self.x_hand.start()
            with self.read(edge), self.ageing():
                with self.people_at_work():
                    self.break_things(edge, seconds)
                self.settle()
            self.end()
            self.keep_pages(edge)
            self.write_down()

    # --- before
    def prepare(self) -> None:
        call_command("migrate", verbosity=0)
        Channel.objects.update(feed_length=LIVE_FEED, minimum_fill=0)
        Channel.objects.exclude(category__slug__in=READ_INTO.values()).update(active=False)
        self.countries = dict(Market.objects.order_by("code").values_list("code", "country"))
        self.x_hand = XHand(self.x, self.countries, self.lines["x"], self.seed)
        self.set_budgets({code: LITTLE if code == POOR else PLENTY for code in self.countries})
        for code in self.countries:
            for name, slug in READ_INTO.items():
                self.add_source(f"{code}_{name}", Channel.objects.get(market__code=code, category__slug=slug), name)
        leases.add_missing_cursors()
        Cursor.objects.update(newest_id=1)
        self.key = open_consumer("Widget", by=None).key
        self.desk = Newsdesk(self.lines["clients"], self.lines["strangers"])
        self.people = [one for code in self.countries for one in self.people_of(code)]
        for code in self.countries:
            for name in (*PLAIN, *PLAIN, LOUD, SHY):
                self.x_hand.post(f"{code}_{name}")

    def set_budgets(self, limits: dict[str, int]) -> None:
        for code, posts in limits.items():
            self.limits[code] = max(posts, self.limits.get(code, 0))
            Market.objects.filter(code=code).update(
                posts_a_day=posts, posts_a_month=30 * posts, recheck_reserve=posts // 5
            )

    def add_source(self, username: str, channel: Channel, name: str) -> None:
        kind, value = ("stream", f"from:{username}") if name == STREAMED else ("account", username)
        bounds = {"least_seconds": 2, "most_seconds": 6}
        source = Source.objects.create(kind=kind, value=value, channel=channel, **bounds)
        self.authors[source.pk] = account_id(username)

    def people_of(self, code: str) -> Iterator[Editor | Stranger]:
        """Two editors, one of whom also tries other doors, and a lead."""
        loud = account_id(f"{code}_{LOUD}")
        for kind, name, role in ((Editor, "one", Role.EDITOR), (Editor, "two", Role.EDITOR), (Lead, "lead", Role.LEAD)):
            user = make_user(f"{code}_{name}", {code: role})
            self.roles.append({"user": user.username, "market": code, "role": str(role)})
            told = (user.username, code, self.caller_of(user), self.desk, self.seed)
            person = kind(*told, loud=loud, lead=kind is Lead)
            if isinstance(person, Lead):
                person.colleague = f"{code}_two"
            yield person
        yield Stranger(
            f"{code}_one", code, self.caller_of(User.objects.get(username=f"{code}_one")), self.desk, self.seed
        )

    def caller_of(self, user: User) -> Caller:
        return Caller(self.house.port, AuthToken.objects.create(user)[1])

    # --- meanwhile
    @contextmanager
    def read(self, edge: Edge) -> Iterator[None]:
        """Readers, who begin once everything has been published, and who keep what they read."""
        paths = [
            f"{code}/{slug}{key}"
            for code in self.countries
            for slug in ("", "politics/")
            for key in ("", f"?key={self.key}")
        ]
        first = self.house.disk / "feeds" / "consumers" / self.key
        files = [self.house.disk / f"feeds/ids/{path.partition('?')[0]}index.json.gz" for path in paths]
        assert eventually(lambda: first.is_dir() and all(one.exists() for one in files), 60), "nothing is published"
        bodies, stop = Bodies(self.history / "bodies"), Event()
        readers = [Reader(edge, paths[n:] + paths[:n], self.lines["looks"], bodies, stop) for n in (0, 7, 13)]
        polled = {pk: author for pk, author in self.authors.items() if Source.objects.get(pk=pk).kind == "account"}
        sampler = Sampler(self.house.server.url, self.lines["samples"], polled, self.x_hand.charged, self.limits)
        for one in (*readers, sampler):
            one.start()
        try:
            yield
        finally:
            stop.set()
            sampler.stop.set()
            for one in (*readers, sampler):
                one.join(30)

    @contextmanager
    def people_at_work(self) -> Iterator[None]:
        for one in self.people:
            one.start()
        try:
            yield
        finally:
            self.desk.stop.set()
            self.x_hand.stop.set()
            for one in (*self.people, self.x_hand):
                one.join(180)

    def break_things(self, edge: Edge, seconds: float) -> None:
        hand = Hand(self.house, self.x, self.lines["faults"], self.seed)
        hand.edge_port = edge.port
        until = time.time() + seconds
        for fault in schedule(self.seed):
            if time.time() > until:
                return
            hand.do(fault)
            self.done.append(fault)
            time.sleep(hand.chance.uniform(0.5, 2.5))
            self.house.mend()

    @contextmanager
    def ageing(self) -> Iterator[None]:
        """For as long as the edge is read: what is judged by a shorter time must grow old as fast all the while."""
        stop = Event()
        thread = Thread(target=self.grow_old, args=[stop])
        thread.start()
        try:
            yield
            assert thread.is_alive()
        finally:
            stop.set()
            thread.join(30)

    def grow_old(self, stop: Event) -> None:
        aged = time.time()
        while not stop.wait(GROW_OLD_EVERY):
            aged = self.grow_older(aged) if self.scale > 1 else time.time()

    def grow_older(self, since: float) -> float:
        """What was checked a minute ago counts as checked `scale` minutes ago, and beat rings as much more often."""
        now = time.time()
        try:
            link = psycopg2.connect(self.house.server.url, connect_timeout=3, options="-c statement_timeout=5000")
        except psycopg2.OperationalError:
            return since
        with suppress(psycopg2.OperationalError, psycopg2.InterfaceError), closing(link), link, link.cursor() as cursor:
            cursor.execute(OLDER, [(self.scale - 1) * (now - since)])
            since = now
        in_time = {"socket_timeout": 3, "socket_connect_timeout": 3}
        with suppress(BrokerTrouble, RedisError), Connection(self.house.bell.url, transport_options=in_time) as bell:
            app.send_task("feeds.tasks.recheck_live", connection=bell, retry=False)  # the broker may be away
        return since

    # --- after
    def settle(self) -> None:
        """Faults have ended: what X has is read."""
        began = time.time()
        connection.close()  # one of them may have cut it
        self.x.mend()
        self.x_hand.return_some(everyone=True)
        self.house.mend()
        self.house.ready("web")
        hand = Hand(self.house, self.x, self.lines["faults"], self.seed)
        self.set_budgets(dict.fromkeys(self.countries, PLENTY))
        wanted = {first for first, post in self.x_hand.posts.items() if post["lasts"]}
        until = time.time() + 180
        while time.time() < until and not self.stored() >= wanted:
            hand.go_on_reading()
            Cursor.objects.free().update(due_at=timezone.now())
            time.sleep(3)
        self.settled = time.time() - began

    def end(self) -> None:
        """Nobody asks X or decides any more, which would be faster than the log is sealed; all is sealed."""
        for part in ("worker", "worker2", "beat", "stream"):
            self.house.down(part)
        sealed(120)
        time.sleep(6)  # the last seals go to their file, the last files to the edge

    def stored(self) -> set[int]:
        with suppress(OperationalError, InterfaceError):
            return set(Tweet.objects.values_list("first_id", flat=True))
        connection.close()
        return set()

    def keep_pages(self, edge: Edge) -> None:
        """What people and feed readers would see now."""
        for code in self.countries:
            browser = Client()
            browser.force_login(User.objects.get(username=f"{code}_lead"), "django.contrib.auth.backends.ModelBackend")
            link = edge.line()
            for n, page in enumerate(PAGES):
                self.keep(link, page.format(code), f"{code}{n}.html", browser.cookies["sessionid"].value)
            for name in SYNDICATED:
                self.keep(link, f"{FEEDS}/{code}/{name}", f"{code}-{name.replace('/', '-')}")
            link.close()

    def keep(self, link: Any, path: str, name: str, session: str = "") -> None:
        link.request("GET", path, headers={"Cookie": f"sessionid={session}"} if session else {})
        reply = link.getresponse()
        body = reply.read()
        assert reply.status == 200, (path, reply.status, body[:200])
        (self.history / "pages" / name).write_bytes(body)

    def write_down(self) -> None:
        told = {"seed": self.seed, "scale": self.scale, "countries": self.countries, "chiefs": []}
        (self.history / "plan.json").write_text(json.dumps(told | {"seconds": time.time() - self.began}))
        (self.history / "truth.json").write_text(json.dumps(self.x_hand.posts))
        export(self.house.server.url, self.history, self.authors, self.roles, self.house.disk / "seals.jsonl")
        for log in self.folder.glob("*.log"):
            shutil.copy(log, self.history)
        (self.history / "chaos.json").write_text(json.dumps(dict(self.x.chaos.counts)))
