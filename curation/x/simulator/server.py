"""The simulator as a whole: a world, a server in a thread, and orders to make things happen."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self

from curation.x.simulator.accounts import Account
from curation.x.simulator.asking import Asking, Request
from curation.x.simulator.chaos import Chaos
from curation.x.simulator.compliance import Compliance
from curation.x.simulator.controls import controlled
from curation.x.simulator.dialects import Dialect, dialect_of
from curation.x.simulator.endpoints import Endpoint, endpoint_of
from curation.x.simulator.faults import Fault, Faults, Reply
from curation.x.simulator.handler import Handler, answer, not_found, unauthorized
from curation.x.simulator.inventor import Inventor
from curation.x.simulator.mass import Mass, crowd
from curation.x.simulator.meter import Meter
from curation.x.simulator.problems import Refused, by_status, invalid_request
from curation.x.simulator.replay import Replay
from curation.x.simulator.rules import Rules
from curation.x.simulator.state import State
from curation.x.simulator.streams import Connection, Streams
from curation.x.simulator.texts import languages
from curation.x.simulator.turns import TURNS, Turner, post_ids
from curation.x.simulator.windows import Rate, Windows
from curation.x.simulator.world import World

log = logging.getLogger("x_simulator")
Parameters = dict[str, list[str]]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.debug("a client went away", exc_info=True)


class Simulator:
    """A server that speaks X API v2. `with Simulator(port=0, rate=0) as x: x.base_url`.

    `rate` posts a minute are invented, after a back-catalogue of `catalogue` posts a language;
    `state` is a file that posts survive in; `replay` a folder of recorded exchanges served instead
    of invention; `recordings` the folder that `fail(recording=...)` names files in (default: replay);
    `texts` the folder of the post texts; `limit_scale` multiplies the rate limits; `pictures_base`
    replaces the own address before /pictures/; `keep_alive` seconds of quiet bring a bare line end
    on the stream; `chaos` is a seed by which `chaos_rate` of all answers meet a fault, one of
    `chaos_kinds` (default: all); compliance jobs take `compliance_seconds`; `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        token: str = "simulator",  # noqa: S107 - opens nothing but this server
        seed: int = 7,
        rate: float = 20.0,
        catalogue: int = 40,
        state: Path | str | None = None,
        replay: Path | str | None = None,
        recordings: Path | str | None = None,
        texts: Path | str | None = None,
        limit_scale: float = 1.0,
        window_seconds: float = 900,
        query_limit: int = 512,
        pictures_base: str = "",
        keep_alive: float = 20.0,
        compliance_seconds: float = 2.0,
        chaos: int | None = None,
        chaos_rate: float = 0.2,
        chaos_kinds: Sequence[str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.catalogue = catalogue
        self.query_limit = query_limit
        self.pictures_base = pictures_base.rstrip("/")
        self.clock = clock
        self.replay = Replay(Path(replay)) if replay else None
        folder = recordings or replay
        self.faults = Faults(Path(folder) if folder else None, clock)
        self.windows = Windows(limit_scale, window_seconds, clock)
        self.connections: set[socket.socket] = set()
        self.server = Server((host, port), type("BoundHandler", (Handler,), {"simulator": self}))
        spoken = languages(Path(texts) if texts else None)
        self.state = State(Path(state) if state else None)
        self.meter = Meter(self.state)
        self.rules = Rules(self.state)
        self.streams = Streams(keep_alive)
        self.chaos = Chaos(chaos or 0, 0 if chaos is None else chaos_rate, chaos_kinds)
        self.streams.chaos = self.chaos.break_
        self.turner = Turner()
        self.world = World([a for one in spoken.values() for a in one.accounts], self.state, clock)
        self.compliance = Compliance(self.world, compliance_seconds, lambda: self.base_url)
        self.world.listeners.append(self.streams.publish)
        self.inventor = Inventor(self.world, spoken, seed, 0 if self.replay else rate)
        self.thread = Thread(target=self.server.serve_forever, args=(0.01,), name="x_simulator", daemon=True)

    # Running

    @property
    def base_url(self) -> str:
        host, port = self.server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> Self:
        if not self.replay:
            self._fill()
        self.thread.start()
        self.inventor.start()
        return self

    def stop(self) -> None:
        """Ends the server, also for clients that keep their connection open."""
        self.inventor.stop()
        self.streams.stop()
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("already closed")
        with self.world.lock:
            self.state.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _fill(self) -> None:
        with self.world.lock:
            self.state.begin()
            count = self.inventor.catalogue(self.catalogue)
            self.state.commit()
        log.info("%d posts were there, %d invented for the last hours", len(self.world.posts) - count, count)

    # Making things happen

    def account(self, username: str, **fields: Any) -> Account:
        """A new account, or a changed one."""
        known = self.world.account(username)
        if known is None:
            return self.world.enter(Account(username=username, **{"name": username} | fields))
        self.world.change_account(username, **fields)
        return known

    def post(self, author_username: str, text: str, **fields: Any) -> str:
        """The id of the new post. Fields: lang, category, media (scenes), alt, poll, sensitive, spam,
        reply_to, quote (ids), at (aware datetime). Raises KeyError for an unknown author."""
        for name, kind in (("reply_to", "replied_to"), ("quote", "quoted"), ("retweet", "retweeted")):
            if name in fields:
                fields |= {"kind": kind, "ref": int(fields.pop(name))}
        if isinstance(fields.get("at"), datetime):
            fields["at"] = int(fields["at"].timestamp() * 1000)
        author = self.world.accounts[author_username.lower()]
        return str(self.world.post(author, text, **fields).id)

    def mass(self, count: int, seed: int = 1, *, accounts: int = 0, days: float = 6.0) -> int:
        """Adds that many posts of the last days quickly, by at least `accounts` accounts; the stream
        does not tell them. How many were added."""
        with self.world.lock:
            crowd(self.world, self.inventor.languages, accounts)
            return len(Mass(self.world, self.inventor.languages, count, seed, days).run())

    def truth(self, exclude: Sequence[str] = ()) -> dict[str, list[str]]:
        """By username, the ids of the posts that stand in timelines, oldest first: without what is deleted,
        protected, suspended or edited since, and without `exclude` (replies, retweets, quotes)."""
        hidden = {{"replies": "replied_to", "retweets": "retweeted", "quotes": "quoted"}[word] for word in exclude}
        with self.world.lock:
            posts, listed = self.world.posts, self.world.listed
            found = {
                account.username: [
                    str(n) for n in self.world.authored[account.id] if posts[n].kind not in hidden and listed(posts[n])
                ]
                for account in self.world.accounts.values()
            }
        return {username: ids for username, ids in found.items() if ids}

    def retweet(self, username: str, id: str | int) -> str:
        return self.post(username, "", retweet=id)

    def edit(self, id: str | int, text: str) -> str:
        """The id of the new version."""
        return str(self.world.edit(int(id), text).id)

    def delete(self, id: str | int) -> None:
        self.world.change(int(id), deleted=True)

    def withhold(self, id: str | int, countries: list[str]) -> None:
        """Withholds a post in these countries; XX is worldwide, XY for copyright, [] lifts it."""
        self.world.change(int(id), withheld=list(countries))

    def withhold_user(self, username: str, countries: list[str]) -> None:
        self.world.change_account(username, withheld=list(countries))

    def protect(self, username: str, on: bool = True) -> None:
        self.world.change_account(username, protected=on)

    def suspend(self, username: str, on: bool = True) -> None:
        self.world.change_account(username, suspended=on)

    def fail(self, path_prefix: str = "/2/", **order: Any) -> None:
        """Orders a fault, see Fault: status, body, headers, times, slow (seconds), cut, recording."""
        self.faults.order(Fault(path_prefix=path_prefix, **order))

    def mend(self) -> None:
        """Takes back every order."""
        self.faults.mend()
        self.streams.mend()

    def break_stream(self, kind: str) -> int:
        """Breaks the stream, see KINDS of streams.py; how many connections that reached."""
        with self.world.lock:
            reached = self.streams.break_(kind)
        self.chaos.dealt(f"stream.{kind}")
        return reached

    @property
    def streaming(self) -> int:
        """How many connections to the stream are open."""
        with self.world.lock:
            return sum(not connection.gone() for connection in self.streams.connections)

    # Answering

    def befalls(self, path: str) -> Fault | None:
        """The fault that the next answer of this address meets: ordered, or by chaos."""
        fault = self.faults.take(path) or self.chaos.fault(path)
        if fault and fault.kind and fault.kind not in TURNS:
            self.chaos.dealt(fault.kind)
        return fault

    def answer(self, asking: Asking) -> Reply:
        if asking.path.startswith("/compliance/"):
            return self.compliance.storage(asking.method, asking.path, asking.sent)
        if asking.authorization != f"Bearer {self.token}":
            return unauthorized()
        if self.replay:
            return self.replay.answer(asking.method, asking.path, asking.parameters)
        found = endpoint_of(asking.method, asking.path)
        if found is None:
            return not_found()
        endpoint, named = found
        rate = self.windows.take(endpoint.window, endpoint.limit)
        if not rate.allowed:
            return answer(429, by_status(429), rate.headers())
        return self._answer(endpoint, {name: [value] for name, value in named.items()}, asking, rate)

    def _answer(self, endpoint: Endpoint, named: Parameters, asking: Asking, rate: Rate) -> Reply:
        given = asking.parameters
        dialect = endpoint.dialect or dialect_of(given)
        headers = rate.headers() | {"api-version": dialect.version}
        # A parameter of the path given again in the query is a duplicate, as X sees it.
        merged = given | {name: value + given.get(name, []) for name, value in named.items()}
        try:
            complaints = endpoint.accepts.complaints(merged, dialect)
            if complaints:
                raise invalid_request(complaints, dialect)
            single = {name: values[0] for name, values in merged.items()}
            request = self._request(endpoint, dialect, single, asking)
            with self.world.lock:
                found = endpoint.answer(request)
        except Refused as refused:
            return answer(refused.status, refused.body, headers)
        if isinstance(found, Connection):
            return Reply(200, b"", headers | {"content-type": "application/json"}, self.streams.lines(found))
        return answer(request.status, self._turned(dialect.outward(found), asking, request), headers)

    def _turned(self, body: Any, asking: Asking, request: Request) -> Any:
        """Posts that only a turn put into the answer are charged too: X would."""
        turned = self.turner.turn(asking.turn, f"{asking.path} {request.subject}", body)
        if turned is not body and turned != body:
            self.chaos.dealt(asking.turn)
            request.charge("post", post_ids(turned) - post_ids(body), request.subject)
        return turned

    def _request(self, endpoint: Endpoint, dialect: Dialect, single: dict[str, str], asking: Asking) -> Request:
        """Raises Refused when what was sent along is no JSON."""
        try:
            sent = json.loads(asking.sent) if asking.sent else None
        except ValueError:
            raise invalid_request([], dialect) from None
        return Request(
            world=self.world,
            dialect=dialect,
            parameters=single,
            pictures=self.pictures_base or self.base_url,
            meter=self.meter,
            rules=self.rules,
            compliance=self.compliance,
            endpoint=endpoint.path,
            sent=sent,
            query_limit=self.query_limit,
            spoiled=asking.spoiled,
            streams=self.streams,
            reader=asking.reader,
        )

    def control(self, method: str, path: str, order: dict[str, Any]) -> tuple[int, Any]:
        return controlled(self, method, path.removeprefix("/simulator/"), order)
