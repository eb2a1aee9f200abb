"""X's pictures through the edge: pictures alone, from their host alone, without a word about who asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.edge.asking import Answer, Headers, ask
from tests.edge.nginx import Edge, nginx
from tests.edge.standing_in import Asked, StandIn, certified, standing_in

HOME = "https://pbs.twimg.com"
JPEG, PNG = b"\xff\xd8\xff\xe0" + b"j" * 3000, b"\x89PNG\r\n\x1a\n" + b"p" * 3000
ABOUT_ME = {
    "Cookie": "guest=1", "User-Agent": "Phone", "Referer": "https://host.example/page", "Accept-Language": "el",
    "X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7", "Authorization": "Token 1",
    "Range": "bytes=0-9",
    "If-None-Match": '"x"', "DNT": "1",
}  # fmt: skip


def reply(asked: Asked) -> None:
    """Answers as the path says."""
    path = asked.path.split("?")[0]
    kept = {"Cache-Control": "max-age=604800", "Set-Cookie": "guest=1", "ETag": '"theirs"', "X-Own": "1"}
    headers = {name.replace("-", "_"): told for name, told in kept.items()}
    if path.endswith("moved.jpg"):
        asked.answer(b"", 302, Location=f"{HOME}/media/a.jpg")
    elif path.endswith("page.jpg"):
        asked.answer(b"<html><script>alert(1)</script>" + b" " * 3000, Content_Type="image/jpeg")
    elif path.endswith("drawn.jpg"):
        asked.answer(b"<svg xmlns='http://www.w3.org/2000/svg'/>" + b" " * 300, Content_Type="image/svg+xml")
    elif path.endswith("huge.jpg"):
        asked.answer(b"\xff\xd8\xff\xe0" + b"h" * 6_000_000, Content_Type="image/jpeg")
    elif path.endswith("slow.jpg"):
        time.sleep(7)
    elif path.endswith("gone.jpg"):
        asked.answer(b"no", 404, Content_Type="text/plain")
    elif path.endswith("broken.jpg"):
        asked.answer(b"no", 500, Content_Type="image/jpeg")
    elif path.endswith(".png"):
        asked.answer(PNG, Content_Type="text/html", **headers)
    else:
        asked.answer(JPEG, Content_Type="image/jpeg", **headers)


class House(NamedTuple):
    edge: Edge
    host: StandIn

    def picture(self, address: str, headers: Headers | None = None, method: str = "GET") -> Answer:
        """As the ticker asks: media-base + encodeURIComponent(address)."""
        return ask(self.edge, "/pictures/" + quote(address, safe="-_.!~*'()"), headers, method)

    def asked_for(self) -> list[str]:
        return [line.split()[1] for line, _headers in self.host.seen]


@pytest.fixture(scope="module")
def house(nginx_here: None, feeds_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Over TLS, by a certificate for X's host."""
    folder = tmp_path_factory.mktemp("pictures")
    tls, authority = certified(folder, "pbs.twimg.com")
    with (
        standing_in(reply, tls) as host,
        nginx(folder / "nginx", feeds_folder, pictures=f"https://{host.place}", authority=authority) as edge,
    ):
        yield House(edge, host)


def test_a_picture_comes_as_it_is(house: House) -> None:
    answer = house.picture(f"{HOME}/profile_images/1859/Xy-_z.0_normal.jpg")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, JPEG, "image/jpeg")
    assert house.picture(f"{HOME}/media/F00_-x?format=jpg&name=small").status == 200
    assert house.asked_for()[-2:] == ["/profile_images/1859/Xy-_z.0_normal.jpg", "/media/F00_-x?format=jpg&name=small"]
    named = house.picture(f"{HOME}/media/a.png")
    assert (named.body, named.headers["content-type"]) == (PNG, "image/png"), (
        "what its bytes are, whatever it was called"
    )


def test_nothing_of_the_reader_is_passed_on_and_nothing_of_x_but_the_picture(house: House) -> None:
    answer = house.picture(f"{HOME}/media/private.jpg", ABOUT_ME)
    line, headers = house.host.seen[-1]
    assert line == "GET /media/private.jpg HTTP/1.1"
    assert headers == {
        "host": "pbs.twimg.com",
        "user-agent": "Tickerdesk",
        "accept": "image/jpeg, image/png, image/gif, image/webp",
    }
    assert answer.status == 200
    assert set(answer.headers) == {
        "server", "date", "content-type", "content-length", "connection", "x-own", "cache-control",
        "x-content-type-options", "content-security-policy", "cross-origin-resource-policy",
        "access-control-allow-origin",
    }  # fmt: skip
    assert answer.headers["cache-control"] == "public, max-age=1800"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_a_picture_is_fetched_once_for_all(house: House) -> None:
    asking = [threading.Thread(target=house.picture, args=(f"{HOME}/media/crowd.jpg",)) for _ in range(8)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert house.picture(f"{HOME}/media/crowd.jpg", method="HEAD").status == 200
    assert house.asked_for().count("/media/crowd.jpg") == 1


@pytest.mark.parametrize("name", ["moved", "page", "drawn", "huge", "gone", "broken"])
def test_what_is_no_picture_is_not_passed_on(name: str, house: House) -> None:
    before = len(house.host.seen)
    answer = house.picture(f"{HOME}/media/{name}.jpg")
    assert (answer.status, answer.body) == (404, b"There is no such picture.\n")
    assert answer.headers["content-type"] == "text/plain"
    assert "location" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert len(house.host.seen) == before + 1, "no redirect is followed"


def test_who_is_slow_is_not_waited_for(house: House) -> None:
    began = time.monotonic()
    assert house.picture(f"{HOME}/media/slow.jpg").status == 404
    assert time.monotonic() - began < 6.5


STRANGE = (
    "http://pbs.twimg.com/a.jpg", "https://video.twimg.com/a.mp4", "https://pbs.twimg.com.host.example/a.jpg",
    "https://host.example/a.jpg", "https://pbs.twimg.com@host.example/a.jpg", "https://pbs.twimg.com:8443/a.jpg",
    "https://127.0.0.1/a.jpg", "https://pbs.twimg.com", "//pbs.twimg.com/a.jpg", "https://PBS.twimg.com/a.jpg",
    "https://pbs.twimg.com/a.jpg#x", "https://pbs.twimg.com/a b.jpg", "https://pbs.twimg.com/a.jpg\r\nX: 1",
    "https://pbs.twimg.com/a%0d%0aX:1", "https://pbs.twimg.com/a?url=https://host.example/", "https://pbsxtwimg.com/a.jpg",
    "https://pbs.twimg.com/../../host.example/a.jpg", "https://pbs.twimg.com\\@host.example/a.jpg", "",
)  # fmt: skip


def test_no_other_host_is_asked(house: House) -> None:
    before = len(house.host.seen)
    told = {address: house.picture(address).status for address in STRANGE}
    assert told == dict.fromkeys(STRANGE, 404)
    assert len(house.host.seen) == before


def test_a_picture_can_only_be_read(house: House) -> None:
    before = len(house.host.seen)
    answer = house.picture(f"{HOME}/media/sent.jpg", method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.headers["content-type"] == "text/plain"
    assert len(house.host.seen) == before


def test_a_host_with_anothers_certificate_is_not_believed(nginx_here: None, feeds_folder: Path, tmp_path: Path) -> None:
    tls, authority = certified(tmp_path, "host.example")
    with (
        standing_in(reply, tls) as host,
        nginx(tmp_path / "nginx", feeds_folder, pictures=f"https://{host.place}", authority=authority) as edge,
    ):
        assert House(edge, host).picture(f"{HOME}/media/a.jpg").status == 404
        assert host.seen == []
