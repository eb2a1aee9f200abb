"""One connection to the stream, its lines, its box, and how long to wait after each way in which it ends."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from curation.x.client import Door, Ended
from curation.x.lines import LONGEST_LINE, Farewell, Lines, read_line, shown
from curation.x.outcomes import Answer
from curation.x.simulator import Simulator
from curation.x.stream import BackOff, Connection, Heard, Inbox, Times, kind_of, reset_of, unclean
from curation.x.wire import Unreadable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLEAN = Ended("X closed the stream.")


def refused(status: int, **headers: str) -> Ended:
    return Ended(f"X answered {status}.", Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, b"{}"))


# Waiting


def test_breaks_wait_not_at_all_then_a_quarter_of_a_second_more_each_time() -> None:
    back_off = BackOff(Times())
    assert [back_off.after(CLEAN) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert [back_off.after(CLEAN) for _ in range(80)][-1] == 16.0
    back_off.proven()
    assert back_off.after(CLEAN) == 0.0


def test_refusals_double_each_in_their_own_measure() -> None:
    back_off = BackOff(Times())
    assert [back_off.after(refused(503)) for _ in range(8)] == [5, 10, 20, 40, 80, 160, 320, 320]
    assert [back_off.after(refused(429)) for _ in range(5)] == [60, 120, 240, 480, 900]
    assert back_off.after(CLEAN) == 0.0
    assert BackOff(Times()).after(Ended("Our fault.", ours=True)) == 5


def test_a_full_window_is_waited_for_and_a_second_connection_is_not() -> None:
    told = {"x_rate_limit_reset": "1795355391"}
    assert reset_of(refused(429, **told, x_rate_limit_remaining="0"), 0.0) == 1795355391
    assert reset_of(refused(429, **told, x_rate_limit_remaining="7"), 0.0) == 0.0
    assert reset_of(CLEAN, 0.0) == 0.0
    assert [kind_of(refused(status)) for status in (429, 409)] == ["limited", "http"]


# The box


def test_a_full_box_refuses_posts_but_not_how_it_ended() -> None:
    inbox = Inbox(most=2)
    assert [inbox.put(Heard(NOW, line)) for line in (b"a", b"", b"b")] == [True, True, False]
    assert inbox.put(Heard(NOW, b""))
    assert inbox.put(Heard(NOW, ended=CLEAN))
    assert [one.line for one in inbox.take(9, 0)] == [b"a", b"", b""]
    assert inbox.bytes == 0


def test_a_box_is_bounded_in_bytes() -> None:
    inbox = Inbox(most_bytes=10)
    assert [inbox.put(Heard(NOW, b"x" * 8)) for _ in range(3)] == [True, True, False]


def test_a_batch_waits_for_company_but_not_for_an_end() -> None:
    inbox = Inbox()
    began = time.monotonic()
    inbox.put(Heard(NOW, b"a"))
    assert len(inbox.take(2, 0.1)) == 1
    assert time.monotonic() - began >= 0.1
    inbox.put(Heard(NOW, b"a"))
    inbox.put(Heard(NOW, ended=CLEAN))
    began = time.monotonic()
    assert len(inbox.take(5, 5)) == 2
    assert time.monotonic() - began < 1


# Lines


class Raw:
    """Parts as a socket gives them; there is always one more."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = iter(parts)
        self.reader, self.writer = socket.socketpair()
        self.writer.send(b".")

    def fileno(self) -> int:
        return self.reader.fileno()

    def read1(self, most: int) -> bytes:
        return next(self.parts, b"")


def test_lines_are_cut_where_x_ends_them_and_nowhere_else() -> None:
    assert list(Lines(Raw(b'{"a"', b":1}\r\n\r", b"\n{", b"}\r\nrest"), 9)) == [b'{"a":1}', b"", b"{}"]
    assert list(Lines(Raw(b"a\x0bb\x85c\r\n"), 9)) == [b"a\x0bb\x85c"]


def test_a_line_without_end_is_not_read_to_its_end() -> None:
    with pytest.raises(OSError, match="too long"):
        list(Lines(Raw(*[b"x" * 65_536] * (LONGEST_LINE // 65_536 + 2)), 9))


def test_a_line_that_trickles_counts_as_silence() -> None:
    with pytest.raises(OSError, match="no line was finished"):
        list(Lines(Raw(b"a", b"b"), -1))


def test_what_lay_there_is_no_news() -> None:
    """Who was stopped reads later what was sent before; only what had to be waited for was sent since."""
    here, there = socket.socketpair()
    raw, clock = SocketFile(here), iter(range(100, 200))
    lines = Lines(raw, 9, lambda: float(next(clock)))
    told = iter(lines)
    there.send(b"a\r\n")
    assert (next(told), lines.sent_after) == (b"a", 100.0)
    threading.Timer(0.1, there.send, [b"b\r\n"]).start()
    assert (next(told), lines.sent_after) == (b"b", 102.0)
    there.send(b"c\r\n")
    assert (next(told), lines.sent_after) == (b"c", 102.0)
    here.close()
    there.close()


class SocketFile:
    """A socket as urllib3 shows it."""

    def __init__(self, line: socket.socket) -> None:
        self.line = line

    def fileno(self) -> int:
        return self.line.fileno()

    def read1(self, most: int) -> bytes:
        return self.line.recv(most)


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        ({"id": "7", "tag": "source:1"}, (7, "source:1")),
        ({"id": 7}, (7, "")),
        ({"id": "seven", "tag": 5}, (0, "")),
    ],
)
def test_rules_of_a_line_in_every_form(entry: Any, rule: tuple[int, str]) -> None:
    line = json.dumps({"data": {"id": "5"}, "matching_rules": [entry, "nonsense"]}).encode()
    delivery = read_line(line)
    assert (delivery.rules, delivery.post_id) == ([rule], 5)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"data":{"id":"12', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b"[1]", "not an object"),
        (b'{"data":[1]}', "a kind that is not known"),
        (b'{"notice":1}', "a kind that is not known"),
    ],
)
def test_unreadable_lines_have_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_line(line)
    assert "\x00" not in shown(line + b"\x00")


def test_a_farewell_says_why() -> None:
    with pytest.raises(Farewell, match="for operational reasons"):
        read_line(
            json.dumps({"errors": [{"title": "operational-disconnect", "detail": "for operational reasons"}]}).encode()
        )
    with pytest.raises(Farewell, match="without saying why"):
        read_line(b'{"errors": 5}')
    assert read_line(b'{"data": {"id": "1"}, "includes": [], "matching_rules": 3, "errors": []}').rules == []


# Over the socket


@pytest.fixture
def x() -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0, keep_alive=0.1) as simulator:
        simulator.account("rathaus")
        Door(simulator.base_url, simulator.token).add_stream_rules([("from:rathaus", "source:1")])
        yield simulator


@pytest.fixture
def connect(x: Simulator) -> Iterator[Callable[..., Connection]]:
    made: list[Connection] = []

    def make(silence: float = 0.5, token: str = "") -> Connection:
        made.append(Connection(x.base_url, token or x.token, silence, clock=timezone.now))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.drop("The test is over.")
        one.thread.join(5)


def told(connection: Connection) -> list[Heard]:
    """All that it heard, once it is over."""
    connection.thread.join(5)
    assert connection.over()
    return connection.inbox.take(1000, 0)


@pytest.mark.parametrize(
    ("kind", "words", "broken"),
    [
        ("close", "X closed the stream.", False),
        ("disconnect", "X closed the stream.", False),
        ("reset", "The connection to X broke off or fell silent.", True),
        ("cut", "The connection to X broke off or fell silent.", True),
        ("silence", "The connection to X broke off or fell silent.", True),
    ],
)
def test_each_end_is_told_and_nobody_connects_again(
    kind: str, words: str, broken: bool, x: Simulator, connect: Callable[..., Connection]
) -> None:
    connection = connect()
    while not x.streaming:
        time.sleep(0.01)
    first = x.post("rathaus", "Gehört.")
    time.sleep(0.1)
    x.break_stream(kind)
    x.post("rathaus", "Nicht gehört.")
    heard = told(connection)
    posts = [json.loads(one.line)["data"]["id"] for one in heard if one.line.startswith(b'{"data"')]
    ended = heard[-1].ended
    assert (heard[0].connected, posts, ended) == (True, [first], Ended(words))
    assert ended is not None
    assert unclean(ended) is broken
    time.sleep(0.2)
    assert x.windows.used["GET /2/tweets/search/stream"][1] == 1


def test_a_refusal_is_handed_on_whole(connect: Callable[..., Connection]) -> None:
    (heard,) = told(connect(token="wrong"))
    assert heard.ended and heard.ended.answer
    assert (heard.ended.answer.status, heard.ended.answer.problem()["title"]) == (401, "Unauthorized")


def test_a_dropped_connection_still_gives_what_had_arrived(x: Simulator, connect: Callable[..., Connection]) -> None:
    connection = connect(silence=9.0)
    while not x.streaming:
        time.sleep(0.01)
    connection.drop("Enough.", ours=True)
    began = time.monotonic()
    assert told(connection)[-1].ended == Ended("Enough.", ours=True)
    assert time.monotonic() - began < 1


def test_nobody_there(connect: Callable[..., Connection]) -> None:
    connection = Connection("http://127.0.0.1:9", "t", 0.5, clock=timezone.now)
    connection.start()
    (heard,) = told(connection)
    assert heard.ended == Ended("The connection to X broke off or fell silent.")
