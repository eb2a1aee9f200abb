"""A small world for the simulator, asked over a real socket."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from curation.ingest.polling import leases
from curation.x.simulator import Simulator
from regions.models import Channel, Source
from tests.canned import USER, Canned

ACCOUNTS = [
    ("hafenblatt", "politics", 90_000, "business"),
    ("stadt_nordau", "politics", 20_000, "government"),
    ("boerse_nord", "economy", 8_000, "blue"),
    ("sv_nordau", "sport", 40_000, "none"),
    ("lia_buehne", "celebrity", 300_000, "blue"),
]
TEXTS = [
    "Der Rat von {place} tagt heute ab {n:14-19} Uhr. Die Vorlage: https://nordau.example/vorlage",
    "{place} baut um, {place} zahlt. #Nordau",
    "Mehr dazu bei @hafenblatt.",
]


def document(language: str, accounts: list[tuple[str, str, int, str]]) -> dict[str, Any]:
    posts: list[dict[str, Any]] = [{"text": text} for text in TEXTS]
    posts.append({"text": "Die neue Brücke in {place}", "media": "bridge", "alt": "Brücke in {place}"})
    posts.append({"text": "Was meint ihr?", "poll": ["Ja", "Nein"]})
    return {
        "language": language,
        "accounts": [
            {"username": name, "name": name.title(), "description": "Erfunden.", "category": category}
            | {"followers": followers, "verified_type": verified}
            for name, category, followers, verified in accounts
        ],
        "fills": {"place": ["Nordau", "Südau"]},
        "posts": dict.fromkeys(("politics", "economy", "sport", "celebrity"), posts),
    }


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of post texts: German with five accounts, Greek with one."""
    folder = tmp_path_factory.mktemp("texts")
    for language, accounts in (("de", ACCOUNTS), ("el", [("limani", "politics", 5_000, "none")])):
        (folder / f"{language}.json").write_text(json.dumps(document(language, accounts)))
    return folder


@pytest.fixture
def x(texts: Path) -> Iterator[Simulator]:
    """A simulator without posts, that invents none; its stream breathes quickly."""
    with Simulator(texts=texts, rate=0, catalogue=0, keep_alive=0.2) as simulator:
        yield simulator


class Stream:
    """A reader of the stream, line by line; b"" is a sign of life."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self.bytes = answer.iter_content(chunk_size=1)

    def line(self) -> bytes:
        """Raises StopIteration at a clean end and requests' exceptions at any other."""
        line = b""
        while not line.endswith(b"\r\n"):
            line += next(self.bytes)
        return line[:-2]

    def post(self) -> dict[str, Any]:
        """The next line that says something, within five seconds."""
        line, end = b"", time.monotonic() + 5
        while not line:
            assert time.monotonic() < end, "nothing but signs of life"
            line = self.line()
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.answer.close()


class Asker:
    """Asks a simulator as an app does; `get` gives the answer, `json` its body."""

    def __init__(self, simulator: Simulator, token: str = "simulator") -> None:
        self.simulator = simulator
        self.session = requests.Session()
        self.session.headers["authorization"] = f"Bearer {token}"

    def get(self, path: str, **parameters: Any) -> requests.Response:
        asked = {name.replace("__", "."): value for name, value in parameters.items()}
        return self.session.get(self.simulator.base_url + path, params=asked, timeout=10)

    def json(self, path: str, **parameters: Any) -> dict[str, Any]:
        answer = self.get(path, **parameters)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def post(self, path: str, sent: Any, **parameters: Any) -> requests.Response:
        return self.session.post(self.simulator.base_url + path, json=sent, params=parameters, timeout=10)

    def stream(self, **parameters: str) -> Stream:
        address = self.simulator.base_url + "/2/tweets/search/stream"
        asked = {name.replace("__", "."): value for name, value in parameters.items()}
        answer = self.session.get(address, params=asked, timeout=5, stream=True)
        assert answer.status_code == 200, answer.text
        return Stream(answer)

    def rule(self, value: str, tag: str | None = None) -> str:
        """Adds a rule; its id."""
        entry = {"value": value} | ({"tag": tag} if tag is not None else {})
        made = self.post("/2/tweets/search/stream/rules", {"add": [entry]})
        assert made.status_code == 201, made.text
        number: str = made.json()["data"][0]["id"]
        return number

    def user_id(self, username: str) -> str:
        account = self.simulator.world.account(username)
        assert account
        return str(account.id)


@pytest.fixture
def ask(x: Simulator) -> Iterator[Asker]:
    asker = Asker(x)
    yield asker
    asker.session.close()


@pytest.fixture
def ask_of() -> Iterator[type[Asker]]:
    """For tests that start a simulator of their own."""
    yield Asker


@pytest.fixture
def odd() -> Iterator[Canned]:
    """An X that says what it is told to say; it knows the account 5001."""
    with Canned() as canned:
        canned.tell("/2/users/by", {"data": [USER]})
        yield canned


@pytest.fixture
def source_of(de_politics: Channel) -> Callable[..., Source]:
    def make(kind: str, value: str) -> Source:
        source = Source.objects.create(kind=kind, value=value, channel=de_politics, least_seconds=10)
        leases.add_missing_cursors()
        return source

    return make
