"""The door to X over a real socket: the real tweepy, every failure as our own outcome."""

import gzip
import json
import pickle
import re
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from curation.x import outcomes
from curation.x.client import LARGEST_BODY, Door, Rate, door
from curation.x.simulator import Simulator
from tests.canned import Canned

TOKEN = "simulator"


@pytest.fixture
def ask_x(x: Simulator) -> Door:
    return Door(x.base_url, TOKEN, read_seconds=1)


class Answering:
    """A server that gives one answer, whatever is asked, and counts how often it was asked."""

    def __init__(self, status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> None:
        outer = self
        self.paths: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.paths.append(self.path)
                self.send_response(status)
                for name, value in ({"content-length": str(len(body))} | (headers or {})).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    opened: list[Answering] = []

    def start(*args: Any, **kwargs: Any) -> Answering:
        opened.append(Answering(*args, **kwargs))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def test_a_timeline_comes_newest_first_with_everything_asked_for(x: Simulator, ask_x: Door) -> None:
    x.post("stadt_nordau", "Erster.")
    second = x.post("stadt_nordau", "Zweiter mit Bild.", media=["bridge"], alt="Brücke")
    (user,) = ask_x.users(usernames=["stadt_nordau"]).raw
    page = ask_x.timeline(user["id"])
    assert [post["text"].split(" https")[0] for post in page.raw] == ["Zweiter mit Bild.", "Erster."]
    assert page.raw[0]["id"] == second
    assert {"author_id", "created_at", "edit_history_tweet_ids", "public_metrics"} <= set(page.raw[0])
    assert page.includes["media"][0]["alt_text"] == "Brücke"
    assert page.includes["users"][0]["username"] == "stadt_nordau"


def test_since_id_and_page_tokens(x: Simulator, ask_x: Door) -> None:
    ids = [x.post("stadt_nordau", f"Nummer {n}.") for n in range(12)]
    (user,) = ask_x.users(usernames=["stadt_nordau"]).raw
    first = ask_x.timeline(user["id"], max_results=5, since_id=ids[1])
    second = ask_x.timeline(user["id"], max_results=5, since_id=ids[1], pagination_token=first.next_token)
    assert [post["id"] for post in first.raw + second.raw] == ids[:1:-1]
    assert second.next_token is None


def test_a_list_a_search_and_posts_by_id(x: Simulator, ask_x: Door) -> None:
    post = x.post("stadt_nordau", "Die Brücke ist offen.")
    (xlist,) = [one for one in x.world.lists().values() if (one.language, one.category) == ("de", "politics")]
    assert [one["id"] for one in ask_x.list_tweets(str(xlist.id)).raw] == [post]
    assert [one["id"] for one in ask_x.search("Brücke lang:de").raw] == [post]
    found = ask_x.tweets([post, 4711])
    assert [one["id"] for one in found.raw] == [post]
    assert [(error["parameter"], error["resource_id"]) for error in found.errors] == [("ids", "4711")]


def test_nothing_found_is_an_empty_page(ask_x: Door) -> None:
    page = ask_x.search("Nirgends lang:de")
    assert (page.raw, page.errors, page.next_token) == ([], [], None)


def test_the_window_is_read_from_the_headers_by_endpoint(ask_x: Door) -> None:
    page = ask_x.search("Brücke lang:de")
    assert page.rate is not None
    assert (page.rate.limit, page.rate.remaining) == (450, 449)
    assert ask_x.rates == {"search": page.rate}
    assert 0 < page.rate.reset_at - time.time() <= 901


def test_a_closed_window_is_not_knocked_at_again(x: Simulator, answering: Callable[..., Answering]) -> None:
    reset = int(time.time()) + 300
    rate = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
    server = answering(200, b'{"meta":{"result_count":0}}', rate)
    ask = Door(server.url, TOKEN)
    ask.search("Brücke lang:de")
    with pytest.raises(outcomes.WindowClosed) as closed:
        ask.search("Brücke lang:de")
    assert (closed.value.reset_at, len(server.paths)) == (reset, 1)
    ask.tweets([1])
    assert len(server.paths) == 2
    ask.clock = lambda: reset + 1
    ask.search("Brücke lang:de")
    assert len(server.paths) == 3


FAULTS: list[tuple[dict[str, Any], type[outcomes.Failure], str]] = [
    ({"status": 400, "body": {"errors": [{"message": "no such operator"}]}}, outcomes.QueryRefused, "no such operator"),
    ({"status": 401}, outcomes.BadToken, "token"),
    ({"status": 402}, outcomes.OutOfCredits, "credits"),
    ({"status": 403, "body": {"title": "Forbidden", "detail": "Not on your tier."}}, outcomes.NotPermitted, "tier"),
    ({"status": 404, "body": "<html>Not Found</html>"}, outcomes.Unreachable, "no such address"),
    ({"status": 404, "body": {"title": "Not Found Error", "detail": "No list."}}, outcomes.QueryRefused, "No list."),
    ({"status": 429}, outcomes.WindowClosed, "Too Many Requests"),
    (
        {"status": 429, "body": {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}},
        outcomes.WindowClosed,
        "Rate limit",
    ),
    (
        {"status": 429, "body": {"title": "UsageCapExceeded", "period": "Monthly", "type": "https://x/usage-capped"}},
        outcomes.MonthlyCapReached,
        "UsageCapExceeded",
    ),
    ({"status": 500, "body": ""}, outcomes.Unreachable, "500"),
    ({"status": 502, "body": "<html>Bad Gateway</html>"}, outcomes.Unreachable, "502"),
    ({"status": 503}, outcomes.Unreachable, "503"),
    ({"status": 500, "body": ["a", "list"]}, outcomes.Unreachable, "500"),
    ({"status": 400, "body": ["a", "list"]}, outcomes.QueryRefused, "without saying why"),
    ({"status": 400, "body": {"errors": "none"}}, outcomes.QueryRefused, "without saying why"),
    ({"status": 200, "body": "<html>hello</html>"}, outcomes.Unreachable, "could not be read"),
    ({"status": 200, "body": ["a", "list"]}, outcomes.Unreachable, "could not be read"),
    ({"status": 200, "body": "[" * 100_000}, outcomes.Unreachable, "could not be read"),
    ({"status": 418, "body": ""}, outcomes.Unreachable, "418"),
    ({"slow": 1.5}, outcomes.Unreachable, "in time"),
    ({"cut": True}, outcomes.Unreachable, "broke off"),
]


@pytest.mark.parametrize(("order", "outcome", "words"), FAULTS, ids=lambda value: str(value)[:40])
def test_each_failure_has_its_outcome(
    x: Simulator, ask_x: Door, order: dict[str, Any], outcome: type[outcomes.Failure], words: str
) -> None:
    x.fail("/2/tweets/search/recent", **order)
    with pytest.raises(outcomes.Failure) as caught:
        ask_x.search("Brücke lang:de")
    failure = caught.value
    assert (type(failure), words in str(failure)) == (outcome, True), failure
    assert failure.__cause__ is None
    assert failure.__context__ is None
    again = pickle.loads(pickle.dumps(failure))
    assert (type(again), str(again), vars(again)) == (outcome, str(failure), vars(failure))
    ask_x.clock = lambda: time.time() + 1000
    assert ask_x.search("Brücke lang:de").raw == []


def test_without_a_reset_header_we_wait_a_minute(answering: Callable[..., Answering]) -> None:
    server = answering(429, b'{"title":"Too Many Requests"}')
    ask = Door(server.url, TOKEN, clock=lambda: 1_000_000)
    with pytest.raises(outcomes.WindowClosed) as closed:
        ask.search("Brücke lang:de")
    assert (closed.value.reset_at, len(server.paths)) == (1_000_060, 1)


def test_redirects_are_not_followed(answering: Callable[..., Answering]) -> None:
    elsewhere = answering()
    server = answering(302, b"", {"location": elsewhere.url + "/2/tweets"})
    with pytest.raises(outcomes.Unreachable, match="another address"):
        Door(server.url, TOKEN).tweets([1])
    assert elsewhere.paths == []


def test_nobody_listening_is_unreachable(answering: Callable[..., Answering]) -> None:
    server = answering()
    server.close()
    with pytest.raises(outcomes.Unreachable, match="cannot be reached"):
        Door(server.url, TOKEN).tweets([1])


def test_a_gzip_bomb_is_not_unpacked(answering: Callable[..., Answering]) -> None:
    """A gigabyte in a megabyte: unpacking ends at the bound, and memory with it."""
    packer, parts = zlib.compressobj(9, wbits=31), [b""]
    for _ in range(1024):
        parts.append(packer.compress(bytes(1_048_576)))
    bomb = b"".join([*parts, packer.flush()])
    server = answering(200, bomb, {"content-encoding": "gzip"})
    ask = Door(server.url, TOKEN)
    tracemalloc.start()
    with pytest.raises(outcomes.Unreachable, match="longer than 16 MiB") as told:
        ask.tweets([1])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (told.value.free, peak < 3 * LARGEST_BODY) == (False, True)


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_of_50_megabytes_is_not_read_to_its_end(answering: Callable[..., Answering], status: int) -> None:
    server = answering(status, b" " * 50_000_000)
    with pytest.raises(outcomes.Unreachable, match="longer than 16 MiB"):
        Door(server.url, TOKEN).tweets([1])


def test_what_was_packed_arrives_whole(answering: Callable[..., Answering]) -> None:
    body = gzip.compress(json.dumps({"data": [{"id": str(n), "text": "a" * 99} for n in range(9999)]}).encode())
    server = answering(200, body, {"content-encoding": "gzip"})
    assert len(Door(server.url, TOKEN).tweets([1]).raw) == 9999


def test_an_answer_that_trickles_is_given_up_in_bounded_time() -> None:
    """Each byte comes in time; the whole never would."""
    with Canned() as x:
        x.tell("/2/tweets", lambda: (time.sleep(0.1) or b" " for _ in range(100)))
        began = time.monotonic()
        with pytest.raises(outcomes.Unreachable, match="in time"):
            Door(x.base_url, TOKEN, read_seconds=1, whole_seconds=0.5).tweets([1])
        assert time.monotonic() - began < 5


def test_what_certainly_cost_nothing_is_known(x: Simulator, ask_x: Door, answering: Callable[..., Answering]) -> None:
    orders = [({"status": 503}, True), ({"status": 404, "body": "<html>"}, True), ({"status": 402}, True)]
    orders += [({"cut": True}, False), ({"slow": 1.5}, False), ({"status": 200, "body": "x"}, False)]
    free = {}
    for order, _ in orders:
        x.fail("/2/tweets/search/recent", **order)
        with pytest.raises(outcomes.Failure) as told:
            ask_x.search("Brücke lang:de")
        free[str(order)] = told.value.free
    assert free == {str(order): expected for order, expected in orders}
    gone = answering()
    gone.close()
    with pytest.raises(outcomes.Unreachable, match="cannot be reached") as told:
        Door(gone.url, TOKEN).tweets([1])
    assert told.value.free is True


def test_usage_comes_as_X_counts_it(x: Simulator, ask_x: Door) -> None:
    x.post("stadt_nordau", "Eins.")
    ask_x.search("from:stadt_nordau")
    (told,) = ask_x.usage(2).raw
    assert [day["usage"] for day in told["daily_project_usage"]["usage"]] == ["1", "0"]


def test_the_token_is_in_no_failure() -> None:
    secret = "s3cret\n-token"
    with pytest.raises(outcomes.Failure) as caught:
        Door("http://127.0.0.1:9", secret).tweets([1])
    assert "s3cret" not in repr(caught.value)
    assert "s3cret" not in str(vars(caught.value))


def test_the_environment_and_other_hosts_see_nothing(
    answering: Callable[..., Answering], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy, netrc = answering(), tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    server = answering()
    ask = Door(server.url, TOKEN)
    ask.tweets([1])
    assert (len(server.paths), proxy.paths) == (1, [])


def test_rates_that_are_no_numbers_are_passed_over() -> None:
    headers = {"x-rate-limit-limit": "many", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "1"}
    assert Rate.of(outcomes.Answer(200, headers, b"")) is None


def test_a_thread_keeps_its_door_until_the_settings_change() -> None:
    with override_settings(X_API_BASE_URL="http://127.0.0.1:1"):
        first = door()
        assert door() is first
    with override_settings(X_API_BASE_URL="http://127.0.0.1:2"):
        assert door() is not first


def test_nobody_else_imports_tweepy() -> None:
    house = Path(__file__).parents[3]
    files = [file for room in ("regions", "curation", "feeds") for file in (house / room).rglob("*.py")]
    importing = re.compile(r"^\s*(import|from) tweepy", re.MULTILINE)
    found = [file.relative_to(house).as_posix() for file in files if importing.search(file.read_text())]
    assert found == ["curation/x/client.py"]
