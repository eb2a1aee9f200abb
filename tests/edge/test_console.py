"""What stands behind the edge: the console, its events and its API, and where the limits are."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from regions.models import Channel
from tests.edge.asking import Answer, ask, over
from tests.edge.nginx import ROOT, Edge, nginx
from tests.edge.standing_in import Asked, StandIn, standing_in

BURSTS = {"/": 200, "/api/": 100}
FEED = "/api/v1/feeds/de/politics/"


class House(NamedTuple):
    edge: Edge
    web: StandIn
    heard: threading.Event

    def status_of(self, line: HTTPConnection, path: str, times: int) -> list[int]:
        return [over(line, path).status for _ in range(times)]


@pytest.fixture(scope="module")
def house(nginx_here: None, feeds_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One request a second for each address, so that only the burst is left."""
    heard, folder = threading.Event(), tmp_path_factory.mktemp("console")
    (folder / "static").mkdir()

    def events(asked: Asked) -> None:
        """The second event comes when the first was heard."""
        asked.send_response(200)
        asked.send_header("Content-Type", "text/event-stream")
        asked.send_header("Connection", "close")
        asked.end_headers()
        asked.wfile.write(b"data: 1\n\n")
        heard.wait(10)
        asked.wfile.write(b"data: 2\n\n")
        asked.close_connection = True

    def web(asked: Asked) -> None:
        asked.answer(b"page", X_Frame_Options="DENY", Content_Type="text/plain")

    with (
        standing_in(web) as behind,
        standing_in(events) as beside,
        nginx(
            folder / "nginx", feeds_folder, web=behind.place, events=beside.place, rate="1r/s", static=folder / "static"
        ) as edge,
    ):
        yield House(edge, behind, heard)


def test_limits_hit_the_console_and_the_api_and_no_feed(house: House, politics: Channel) -> None:
    line = house.edge.line()
    for path, burst in (("/desk/de/", BURSTS["/"]), ("/api/v1/candidates/", BURSTS["/api/"])):
        told = house.status_of(line, path, burst + 30)
        assert told[:burst] == [200] * burst
        assert 429 in told[burst:]
    refused = over(line, "/api/v1/candidates/")
    assert (refused.status, refused.headers["content-type"]) == (429, "application/problem+json")
    assert json.loads(refused.text)["code"] == "throttled"
    assert over(line, "/api/v1/feeds/de/hold/", method="POST", body=b"{}").status == 429
    for path in (FEED, "/api/v1/feeds/", "/ticker/de/"):
        assert house.status_of(line, path, 400) == [200] * 400
    line.close()


def test_events_come_at_once(house: House) -> None:
    line = HTTPConnection("127.0.0.1", house.edge.port, timeout=8)
    line.request("GET", "/events/?market=de", headers={"Cookie": "sessionid=x"})
    reply = line.getresponse()
    assert reply.status == 200
    assert reply.readline() == b"data: 1\n", "before the second was written"
    house.heard.set()
    assert reply.read() == b"\ndata: 2\n\n"
    line.close()


def test_the_web_hears_who_asks_from_nginx_and_nobody_else(house: House) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https", "X-Real-IP": "1.2.3.4", "Cookie": "a=b",
              "X-Request-ID": "mine"}  # fmt: skip
    answer = ask(house.edge, "/ticker/de/", forged)
    _line, headers = house.web.seen[-1]
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"], headers["cookie"]) == ("127.0.0.1", "http", "a=b")
    assert headers["host"] == f"127.0.0.1:{house.edge.port}"
    assert "x-real-ip" not in headers
    assert answer.headers["x-frame-options"] == "DENY"
    assert "x-content-type-options" not in answer.headers, "Django's, not ours"
    reference = answer.headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", reference) and headers["x-request-id"] == reference
    lines = logged(house, lambda lines: any(line.endswith(f" {reference}") for line in lines))
    assert any(line.endswith(f" {reference}") for line in lines)


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz"])
def test_what_is_for_the_house_stays_in_it(house: House, path: str) -> None:
    before = len(house.web.seen)
    line = HTTPConnection("127.0.0.1", house.edge.port, timeout=20, source_address=("127.0.0.2", 0))
    forged = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"}
    assert [over(line, one, forged).status for one in (path, f"{path}?a=b")] == [404] * 2
    line.close()
    assert len(house.web.seen) == before


def test_this_machine_may_ask_through_nginx_whether_it_lives_but_for_no_figures(house: House) -> None:
    assert [ask(house.edge, path).status for path in ("/livez", "/readyz", "/metrics")] == [200, 200, 404]


def test_a_sheet_may_be_large_and_nothing_larger(house: House) -> None:
    line = house.edge.line()
    assert over(line, "/ticker/", method="POST", body=b"x" * 6_500_000).status == 200
    line.close()
    assert ask(house.edge, "/ticker/", {"Content-Length": "8000000"}, "POST").status == 413


def test_static_files_are_packed_and_kept(house: House) -> None:
    folder = house.edge.folder.parent / "static"
    (folder / "ticker.0123456789ab.js").write_text("export {};")
    (folder / "ticker.0123456789ab.js.gz").write_bytes(b"packed")
    (folder / "plain.css").write_text("a{}")
    packed = ask(house.edge, "/static/ticker.0123456789ab.js", {"Accept-Encoding": "gzip"})
    assert (packed.status, packed.body) == (200, b"packed")
    assert packed.headers["cache-control"] == "max-age=315360000, public, immutable"
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    assert packed.headers["access-control-allow-origin"] == "*"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert ask(house.edge, "/static/plain.css").headers["cache-control"] == "max-age=60, public"
    for path in ("nothing.js", "../secret", "%2e%2e/secret", "..%2fsecret"):
        assert ask(house.edge, f"/static/{path}").body != b"secret"
    gone = ask(house.edge, "/static/picture.jpg")
    assert (gone.status, gone.headers["content-type"]) == (404, "text/plain")


def logged(house: House, enough: Callable[[list[str]], bool]) -> list[str]:
    """The log, once it has enough lines: nginx writes them after its answers, its processes in no order."""
    for _ in range(100):
        lines = (house.edge.folder / "access.log").read_text().splitlines()
        if enough(lines):
            break
        time.sleep(0.02)
    return lines


def test_the_log_holds_no_key_no_link_that_lets_in_and_no_phone(house: House) -> None:
    key = "k" * 32
    ask(house.edge, "/static/before.js")
    before = len(logged(house, lambda lines: any("before.js" in line for line in lines)))
    for path in (
        f"{FEED}?key={key}",
        f"{FEED}?key={key[:15]}",
        "/ticker/de/?q=secret",
        "/accounts/invitation/geheim12/",
        "/api/v1/feeds/../../../accounts/invitation/geheim12/",
    ):
        ask(house.edge, path)
    lines = logged(house, lambda lines: len(lines) >= before + 5)[before:]
    assert sorted(line.split(" ")[1:4] for line in lines) == [
        ["-", "GET", "/api/v1/feeds/../../../accounts/invitation/..."],
        ["-", "GET", FEED], ["-", "GET", FEED], ["-", "GET", "/ticker/de/"],
        ["127.0.0.1", "GET", "/accounts/invitation/..."],
    ]  # fmt: skip
    assert key[:15] not in "\n".join(lines)
    assert key[:15] not in (house.edge.folder / "error.log").read_text()


def test_a_web_that_is_away_keeps_no_feed_back(edge: Edge, politics: Channel) -> None:
    assert ask(edge, FEED).status == 200
    away = ask(edge, "/desk/de/")
    assert (away.status, len(away.headers["x-request-id"])) == (502, 32)
    answer = ask(edge, "/api/v1/feeds/de/snapshots/")
    assert len(answer.headers["x-request-id"]) == 32
    assert (answer.status, json.loads(answer.text)["code"]) == (503, "unavailable")


def test_the_real_console_through_it(nginx_here: None, live_server: Any, tmp_path: Path, feed_root: Path) -> None:
    """Every header once, and the log-in works."""
    place = live_server.url.removeprefix("http://")
    with nginx(tmp_path / "nginx", feed_root, web=place) as edge:
        page = ask(edge, "/accounts/login/")
        assert page.status == 200 and "csrfmiddlewaretoken" in page.text
        assert_once(page, "content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy")
        assert ask(edge, "/desk/de/").headers["location"].startswith("/accounts/login/")
        assert ask(edge, "/api/v1/feeds/de/snapshots/").status in (401, 403)


def assert_once(answer: Answer, *names: str) -> None:
    told = {name: answer.headers[name] for name in names}
    assert told["x-frame-options"] == "DENY" and told["x-content-type-options"] == "nosniff"
    assert told["content-security-policy"].count("default-src") == 1
    assert told["referrer-policy"] == "same-origin"


def test_what_stands_in_deploy_is_what_nginx_takes(nginx_here: None, tmp_path: Path) -> None:
    """Every file is read by nginx.conf, and the operator's are the three of here/."""
    rooms = [ROOT / "deploy" / room for room in ("edge", "here")]
    found = [ROOT / "deploy/nginx.conf", *(file for room in rooms for file in room.rglob("*.conf"))]
    read = "".join(file.read_text() for file in found)
    files = [str(file.relative_to(ROOT / "deploy")) for file in found]
    assert [name for name in files if name != "nginx.conf" and f"include {name};" not in read] == []
    assert sorted(name for name in files if name.startswith("here/")) == [
        "here/listen.conf", "here/machine.conf", "here/places.conf",
    ]  # fmt: skip
