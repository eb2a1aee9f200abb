"""A decision to other editors' browsers: the web's and the events' own processes, decisions by the desk's form over
HTTP, and hundreds of desks that listen."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from bench.listening import Change, Heard, listen
from bench.stock import stock
from bench.table import Measured, circumstances, table
from curation.config.demo.ports import free_port
from curation.config.demo.program import Program, running
from curation.config.demo.programs import answer, granian
from curation.config.demo.static import collect
from curation.models import Candidate
from regions.models import Channel, Market, Membership, Role, User

DESKS = (200, 1_000)
EACH, PAUSE = 15, 1.0  # decisions of each of four editors in a round, and seconds between two of one
STOCKED = 60_000
BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass
class Decided:
    """A decision that was acknowledged: when its request went out, and when the answer was there."""

    change: Change
    asked: float
    answered: float


def run(rounds: int, stored: Sequence[int] | None, command: str) -> tuple[str, str]:
    """Title and words of this row."""
    collect()
    stock(STOCKED)
    market = Market.objects.get(code="de")
    people = [signed_in(person) for person in readers(market, max(DESKS))]
    editors = [signed_in(person) for person in User.objects.filter(username__in=[f"de{n}" for n in range(4)])]
    waiting = {channel: open_ones(channel) for channel in Channel.objects.filter(market=market)}
    connection.close()
    taken: dict[int, list[tuple[list[Decided], Heard]]] = {desks: [] for desks in DESKS}
    with processes() as (web, events):
        for turn in range(rounds + 1):
            for desks in DESKS:
                told = round_of(web, f"{events}/events/?market=de", people[:desks], editors, waiting)
                if turn:  # the first warms up
                    taken[desks].append(told)
    return "A decision to other editors' browsers", words_of(taken, circumstances(command))


def readers(market: Market, count: int) -> list[User]:
    people = User.objects.bulk_create(User(username=f"reader{n}", password="!") for n in range(count))
    Membership.objects.bulk_create(Membership(user=one, market=market, role=Role.EDITOR) for one in people)
    return people


def signed_in(person: User) -> str:
    """The session's key, as the cookie holds it."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(person.pk), BACKEND
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def open_ones(channel: Channel) -> Iterator[int]:
    ids = Candidate.objects.in_channel(channel).pending().leading().best_first().values_list("pk", flat=True)
    return iter(list(ids))


@contextmanager
def processes() -> Iterator[tuple[str, str]]:
    """Web and events as docs/operating.md runs them, on free ports; their addresses."""
    ports = {"wsgi": free_port(), "asgi": free_port()}
    folder = Path(settings.STATIC_ROOT).parent
    shared = dict(os.environ) | {"SECURE": "false"}
    more = {"wsgi": ("--workers", "2", "--blocking-threads", "4"), "asgi": ("--workers", "1")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}

    def program(name: str) -> Program:
        made = granian(name, shared, name, ports[name], *more[name])
        return replace(made, log=folder / f"{name}.log", ready=lambda: answer(f"{urls[name]}/livez")[0] == 200)

    with running(program("wsgi")), running(program("asgi")):
        yield urls["wsgi"], urls["asgi"]


def round_of(
    web: str, events: str, desks: list[str], editors: list[str], waiting: dict[Channel, Iterator[int]]
) -> tuple[list[Decided], Heard]:
    """Each editor decides in a channel of their own, while all desks listen."""
    forking = multiprocessing.get_context("fork")
    ready, stop, answers = forking.Event(), forking.Event(), forking.Queue()
    ears = forking.Process(target=listen, args=(events, settings.REDIS_URL, desks, ready, stop, answers))
    ears.start()
    assert ready.wait(60), "the desks do not open"
    decided: list[Decided] = []
    at_work = [
        threading.Thread(target=decide, args=(web, session, channel, ids, n * PAUSE / len(editors), decided))
        for n, (session, (channel, ids)) in enumerate(zip(editors, waiting.items(), strict=True))
    ]
    for one in at_work:
        one.start()
    for one in at_work:
        one.join()
    stop.set()
    heard = answers.get(timeout=60)
    ears.join()
    return decided, heard


def decide(web: str, session: str, channel: Channel, ids: Iterator[int], late: float, decided: list[Decided]) -> None:
    """One editor's decisions, at an even pace, by the desk's own form."""
    channel.refresh_from_db(fields=["revision"])
    connection.close()
    where = urlsplit(web)
    line = HTTPConnection(where.hostname or "", where.port, timeout=30)
    token = secrets.token_hex(16)
    head = {
        "Cookie": f"sessionid={session}; csrftoken={token}",
        "X-CSRFToken": token,
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    began = time.monotonic() + late
    for n in range(EACH):
        time.sleep(max(0.0, began + n * PAUSE - time.monotonic()))
        verb, pk = ("approve", "block")[n % 2], next(ids)
        form = urlencode({"verb": verb, "version": 1, "key": secrets.token_hex(16)})
        asked = time.monotonic()
        line.request("POST", f"/desk/de/{channel.category.slug}/candidates/{pk}/", form, head)
        told = line.getresponse()
        told.read()
        assert told.status == 200, told.status
        change = channel.category.slug, channel.revision + n + 1
        decided.append(Decided(change, asked, time.monotonic()))
    line.close()


def words_of(taken: dict[int, list[tuple[list[Decided], Heard]]], where: str) -> str:
    heads = ("open desks", "decisions", "events at desks", "lost", "told of a gap", "answer to who decided, ms: p50",
             "press to another's desk, ms: p50", "p99", "longest", "Redis to that desk, ms: p50", "p99")  # fmt: skip
    rows = []
    for desks, told in taken.items():
        asked = [[(one.answered - one.asked) * 1000 for one in decided] for decided, _heard in told]
        pressed = [times_from({one.change: one.asked for one in decided}, heard) for decided, heard in told]
        rung = [times_from(heard.rung, heard) for _decided, heard in told]
        lost = [
            desks * len(decided) - sum(len(heard.at.get(one.change, ())) for one in decided) for decided, heard in told
        ]
        rows.append((
            f"{desks:,}", f"{sum(len(decided) for decided, _heard in told):,}", f"{sum(map(len, pressed)):,}",
            sum(lost), sum(heard.gaps for _decided, heard in told),
            over(asked, 50), over(pressed, 50), over(pressed, 99), over(pressed, 100), over(rung, 50), over(rung, 99),
        ))  # fmt: skip
    return f"{table(heads, rows)}\n\n{EXPLAINED}\n\n{where}"


def came(decided: list[Decided], heard: Heard) -> int:
    """How many desks heard of decisions, each counted for each."""
    return sum(len(heard.at.get(one.change, ())) for one in decided)


def times_from(began: dict[Change, float], heard: Heard) -> list[float]:
    """Milliseconds from the beginning of each change to each desk that heard of it."""
    return [(at - began[change]) * 1000 for change, times in heard.at.items() if change in began for at in times]


def over(rounds: list[list[float]], percent: int) -> Measured:
    """A percentile of each round."""
    found = [sorted(one)[min(len(one) - 1, len(one) * percent // 100)] for one in rounds]
    return Measured(found, 1)


EXPLAINED = f"""\
Medians of the rounds, with the least and the most, of a percentile over a round's decisions and desks. Four
editors of DE decide by the desk's form over HTTP, {4 / PAUSE:g} times a second together, approving and blocking in
turn; the web (granian, two workers of four threads) commits, publishes the feeds, tells Redis and answers; the events
process (one worker) tells every open desk of the market. A desk is a stream of server-sent events over a socket of its
own, with a session of its own; all are read by one process on the same machine. "Lost": acknowledged decisions that a
desk did not hear of; "told of a gap": the desk was told to ask anew. "Press" is the moment at which the request goes
out, so everything is in it: the web's work, the commit, the feeds."""
