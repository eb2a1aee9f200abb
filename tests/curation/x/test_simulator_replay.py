"""Recorded exchanges come back as they were recorded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from curation.x.simulator import Simulator

TIMELINE = "/2/users/783214/tweets"


@pytest.fixture
def replayed(recorded: Path) -> Iterator[Simulator]:
    with Simulator(replay=recorded) as simulator:
        yield simulator


def send(x: Simulator, exchange: dict[str, Any], more: str = "") -> requests.Response:
    request = exchange["request"]
    address = urlsplit(request["url"])
    url = f"{x.base_url}{address.path}?{address.query}{more}"
    headers = {"authorization": f"Bearer {x.token}"}
    return requests.request(request["method"], url, headers=headers, data=request["body"], timeout=5)


def get(x: Simulator, path: str, **parameters: str) -> requests.Response:
    headers = {"authorization": f"Bearer {x.token}"}
    return requests.get(x.base_url + path, params=parameters, headers=headers, timeout=5)


def test_every_recording_is_served(recorded: Path, replayed: Simulator) -> None:
    count = 0
    for file in sorted(recorded.glob("*.json")):
        for exchange in json.loads(file.read_text()):
            answer = send(replayed, exchange, "&tweet.fields=created_at&expansions=author_id&max_results=50")
            assert (answer.status_code, answer.json()) == (exchange["status"], exchange["body"])
            for name in ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"):
                assert answer.headers[name] == exchange["headers"][name]
            count += 1
    assert count == 9


def test_what_was_not_recorded_is_a_problem(replayed: Simulator) -> None:
    answer = get(replayed, "/2/users/1/tweets")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


def test_behind_the_recording_there_is_nothing(replayed: Simulator) -> None:
    page = get(replayed, TIMELINE).json()
    newest, oldest = page["meta"]["newest_id"], page["meta"]["oldest_id"]
    nothing = {"meta": {"result_count": 0}}
    assert get(replayed, TIMELINE, since_id=newest).json() == nothing
    assert get(replayed, TIMELINE, pagination_token=page["meta"]["next_token"]).json() == nothing
    later = get(replayed, TIMELINE, since_id=oldest).json()
    assert later["data"] == page["data"][:1]
    assert later["meta"] == {"newest_id": newest, "oldest_id": newest, "result_count": 1}


def test_lookups_are_put_together(replayed: Simulator) -> None:
    body = get(replayed, "/2/tweets", ids="1577730467436138524,1293593516040269825,77").json()
    assert [post["id"] for post in body["data"]] == ["1577730467436138524", "1293593516040269825"]
    assert [error["resource_id"] for error in body["errors"]] == ["77"]
    users = get(replayed, "/2/users/by", usernames="twitterdev").json()
    assert users == {"data": [{"id": "2244994945", "name": "Twitter Dev", "username": "TwitterDev"}]}


def test_the_token_is_asked_for(replayed: Simulator) -> None:
    assert requests.get(replayed.base_url + TIMELINE, timeout=5).status_code == 401


def test_every_recorded_error_can_be_ordered(recorded: Path, replayed: Simulator) -> None:
    for file in sorted((recorded / "errors").glob("*.json")):
        real = json.loads(file.read_text())
        replayed.fail(recording=f"errors/{file.name}")
        answer = get(replayed, TIMELINE)
        assert answer.status_code == real.get("status", 200)
        assert (answer.json() if answer.content else None) == (real["body"] or None)
        for name, value in real.get("headers", {}).items():
            if name.startswith("x-"):
                assert answer.headers[name] == value
    assert get(replayed, TIMELINE).status_code == 200


def test_recordings_outside_the_folder_are_refused(replayed: Simulator, x: Simulator) -> None:
    for simulator, name in ((replayed, "../README.md"), (replayed, "errors/none.json"), (x, "errors/a.json")):
        with pytest.raises(ValueError, match="recording"):
            simulator.fail(recording=name)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recordings"):
        Simulator(replay=tmp_path)
