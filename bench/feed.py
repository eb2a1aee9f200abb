"""The published feed, by nginx and by Django, beside a DRF view of the same posts.

Everything is asked in turn, round by round, by wrk over a socket, with as many connections each, while feeds are
published five times a second: whoever is measured shares the two cores with that, and with wrk."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.rest import POSTS
from bench.table import Measured, circumstances, table
from curation.config.demo.ports import HOST, free_port
from curation.config.demo.program import Program, running
from curation.config.demo.programs import answer, granian
from curation.models import Candidate, State, Tweet
from feeds import files
from feeds.models import Consumer, Mode, Place
from feeds.operations import mend_edge, open_consumer, publish
from regions.models import Channel
from tests.cast import make_author, make_candidate, make_tweet
from tests.edge.nginx import Edge, nginx
from tests.edge.reading import Reader, disagreeing

LINE = "Der Rat von Lindmark hat am Abend den Neubau der Brücke beschlossen, mit 31 zu 12 Stimmen, Nummer {}. {}"
FEED, A_SECOND = "/api/v1/feeds/de/politics/", 5
EACH, CONNECTIONS = 4, 8  # seconds of a turn, and how many ask at once
PLAIN = """
server {{
    listen {place};
    access_log {folder}/plain.log;
    location / {{
        root {folder}/plain;
        types {{ }}
        default_type application/json;
        gzip_static always;
        add_header Cache-Control "public, max-age=15";
    }}
}}
"""
BARE, SERVED, DJANGO, REST, WHOLE = "untouched", "nginx", "django", "rest", "house"
SETTINGS = {DJANGO: "curation.config.settings", REST: "bench.rest_settings", WHOLE: "bench.rest_house"}
TOLD = {
    BARE: "nginx as it comes, gzip_static, a file that nobody touches",
    SERVED: "nginx, deploy/nginx.conf, from FEED_ROOT, with a key",
    DJANGO: "Django without nginx, with a key",
    REST: "DRF, the middleware of a new project",
    WHOLE: "DRF, the middleware of this house",
}
RATIOS = (
    ("nginx from FEED_ROOT, of an untouched file", SERVED, BARE, ">= 0.95"),
    ("nginx from FEED_ROOT, of DRF", SERVED, REST, ">= 300"),
    ("nginx from FEED_ROOT, of DRF in this house", SERVED, WHOLE, "-"),
    ("Django, of DRF", DJANGO, REST, ">= 20"),
    ("Django, of DRF in this house", DJANGO, WHOLE, "-"),
)


def run(rounds: int, stored: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row."""
    assert shutil.which("wrk"), "wrk asks: install the package wrk"
    key = prepare()
    connection.close()
    taken: dict[str, list[Turn]] = {name: [] for name in TOLD}
    with served(key) as (edge, asked), publishing() as made:
        readers = [Reader(edge, f"{FEED}{query}", pause=0.05) for query in ("", f"?key={key}", f"?key={key}")]
        with ExitStack() as stack:
            for one in readers:
                stack.enter_context(one)
            for turn in range(rounds + 1):
                for name in list(asked) if turn % 2 else list(reversed(asked)):
                    measured = asked[name].measured()
                    if turn:  # the first warms up
                        taken[name].append(measured)
    wrong = [told for one in readers for told in one.wrong] + disagreeing(readers)
    assert not wrong, wrong
    seen = sum(one.answers for one in readers), sum(len(one.bodies) for one in readers), made.value
    return "The published feed", words_of(taken, seen, circumstances(command))


def prepare() -> str:
    """Twenty live posts with links, tags and pictures; the key of a product that reads them."""
    channel = Channel.objects.get(market__code="de", category__slug="politics")
    Channel.objects.filter(pk=channel.pk).update(feed_length=POSTS)
    if not Candidate.objects.exists():
        for n in range(POSTS):
            make_candidate(channel, tweet=post(n), state=State.APPROVED, approved_at=timezone.now(), context="Zum Bau")
        open_consumer("Bench", by=None)
    publish(channel.market_id)
    mend_edge()
    stored = files.read(files.path_of(Place(Mode.FULL, "de", "politics")))
    assert stored and len(json.loads(gzip.decompress(stored[1]))["entries"]) == POSTS
    return str(Consumer.objects.get(name="Bench").key)


def post(n: int) -> Tweet:
    link, page = f"https://t.co/{n:010}", f"blatt.example/{n}"
    wire = {
        "entities": {
            "urls": [{"start": 90, "end": 113, "url": link, "expanded_url": f"https://{page}", "display_url": page}],
            "hashtags": [{"start": 114, "end": 123, "tag": "Lindmark"}],
        },
        "media": [{"type": "photo", "url": f"https://pbs.twimg.com/media/{n}.jpg", "preview_url": None, "width": 1200,
                   "height": 800, "alt": "Die Brücke am Abend"}],
        "refs": [],
        "edit_ids": [],
    }  # fmt: skip
    author = make_author(avatar_url=f"https://pbs.twimg.com/profile_images/{n}.jpg")
    return make_tweet(LINE.format(n, f"{link} #Lindmark"), wire=wire, author=author)


@dataclass(frozen=True)
class Turn:
    """Answers a second, and seconds of the processors that the server's own programs took for one."""

    rate: float
    work: float


@dataclass(frozen=True)
class Server:
    """An address, and the program that answers there with its children."""

    url: str
    pid: int

    def measured(self) -> Turn:
        before = self.worked()
        rate, answers = asked_by_wrk(self.url)
        return Turn(rate, (self.worked() - before) / answers)

    def worked(self) -> float:
        one = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (one, *one.children(recursive=True))]
        return sum(each.user + each.system for each in times)


@contextmanager
def served(key: str) -> Iterator[tuple[Edge, dict[str, Server]]]:
    """nginx twice, the web as docs/operating.md runs it, and the DRF view likewise in two houses."""
    folder = Path(settings.STATIC_ROOT).parent
    asked: dict[str, Server] = {}
    with ExitStack() as stack:
        for name, address in ((SERVED, f"{FEED}?key={key}"), (BARE, "/index.json")):
            port = free_port()
            here = folder / f"nginx-{name}"
            (here / "plain").mkdir(parents=True, exist_ok=True)
            shutil.copy(files.path_of(Place(Mode.FULL, "de", "politics")), here / "plain/index.json.gz")
            edge = stack.enter_context(
                nginx(here, files.root(), more=PLAIN.format(place=f"{HOST}:{port}", folder=here))
            )
            base = edge.url if name == SERVED else f"http://{HOST}:{port}"
            asked[name] = Server(base + address, int((here / "nginx.pid").read_text()))
            if name == SERVED:
                edge_of_feeds = edge
        for name, module in SETTINGS.items():
            port, address = free_port(), f"{FEED}?key={key}" if name == DJANGO else "/entries/"
            base = f"http://{HOST}:{port}"
            stack.enter_context(running(web(name, port, base, module, folder), 40))
            asked[name] = Server(base + address, listening(port))
        yield edge_of_feeds, {name: asked[name] for name in TOLD}


def listening(port: int) -> int:
    """The oldest of our children whose command names the port."""
    found = [one for one in psutil.Process().children(recursive=True) if str(port) in one.cmdline()]
    return int(min(found, key=lambda one: one.create_time()).pid)


def web(name: str, port: int, url: str, module: str, folder: Path) -> Program:
    shared = dict(os.environ) | {"SECURE": "false", "DJANGO_SETTINGS_MODULE": module}
    made = granian(name, shared, "wsgi", port, "--workers", "2", "--blocking-threads", "4")
    return replace(made, log=folder / f"{name}.log", ready=lambda: answer(f"{url}/livez")[0] != 0)


@contextmanager
def publishing() -> Iterator[Any]:
    """Five publications a second in a process of their own; gives how many there were."""
    forking = multiprocessing.get_context("fork")
    stop, made = forking.Event(), forking.Value("i", 0)
    writer = forking.Process(target=publish_on, args=(stop, made))
    writer.start()
    try:
        yield made
    finally:
        stop.set()
        writer.join()


def publish_on(stop: Any, made: Any) -> None:
    channel = Channel.objects.get(market__code="de", category__slug="politics")
    first = Candidate.objects.filter(channel=channel).order_by("pk").values_list("pk", flat=True)[0]
    began, turn = time.monotonic(), 0
    while not stop.wait(max(0.0, began + turn / A_SECOND - time.monotonic())):
        turn += 1
        Candidate.objects.filter(pk=first).update(context=f"Zum Bau, Stand {turn:06}")
        made.value += bool(publish(channel.market_id))


def asked_by_wrk(url: str) -> tuple[float, int]:
    """Answers a second of wrk's connections, and how many there were; every one must be 200."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{EACH}s", "--timeout", "30s", "-H", "Accept-Encoding: gzip", url]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told and "Socket errors" not in told, told
    rate, count = re.search(r"Requests/sec:\s*([\d.]+)", told), re.search(r"(\d+) requests in", told)
    assert rate and count, told
    return float(rate[1]), int(count[1])


def words_of(taken: dict[str, list[Turn]], seen: tuple[int, int, int], where: str) -> str:
    rows = [
        (told, Measured([one.rate for one in taken[name]]), Measured([one.work * 1_000_000 for one in taken[name]]))
        for name, told in TOLD.items()
    ]
    compared = []
    for told, one, other, wanted in RATIOS:
        pairs = list(zip(taken[one], taken[other], strict=True))
        rates, works = [a.rate / b.rate for a, b in pairs], [b.work / a.work for a, b in pairs]
        compared.append((told, wanted, Measured(rates, 2), Measured(works, 2)))
    answers, bodies, made = seen
    watched = (
        f"{made:,} publications meanwhile; three readers looked at {answers:,} answers of nginx with {bodies:,} bodies:"
    )
    return (
        f"{table(('what', 'answers a second', 'processor, us an answer'), rows)}\n\n"
        f"{table(('ratio', 'target', 'by answers', 'by processor'), compared)}\n\n"
        f"{watched} none torn, none older than one before, one body for each ETag.\n\n{EXPLAINED}\n\n{where}"
    )


EXPLAINED = f"""\
Medians of the rounds, with the least and the most; ratios are taken within each round. wrk asks for {EACH} s with one
thread and {CONNECTIONS} connections that stay open, one after the other in each round, forwards and backwards in turn,
while {A_SECOND} publications a second run in a process of their own and write their files. All give the same {POSTS}
posts in full with links, tags, pictures and authors; nginx and Django packed, DRF plain, as it does by itself. Web
servers are granian with two workers of four threads. The DRF view is a ListAPIView with nested ModelSerializers over
one statement by select_related, without authentication or permissions, on an address of its own. "Processor" is what
the server's own programs took of the processors, without wrk and PostgreSQL: other programs disturb it least, while by
the clock wrk takes as much of the two cores as nginx does, which DRF never feels."""
