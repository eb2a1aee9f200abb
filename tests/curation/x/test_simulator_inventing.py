"""What it invents, what it keeps over a restart, and the command that runs it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator
from curation.x.simulator.world import World

ROOT = Path(__file__).parents[3]


def told(world: World) -> list[tuple[str, str, str, bool]]:
    posts = sorted(world.posts.values(), key=lambda post: post.id)
    return [(post.text, post.kind, post.lang, post.deleted) for post in posts]


def test_catalogue_fills_the_last_hours(texts: Path, ask_of: Any) -> None:
    with Simulator(texts=texts, rate=0, catalogue=60) as x:
        posts = [post for post in x.world.posts.values() if not post.kind and post.first == post.id]
        assert {lang: sum(post.lang == lang for post in posts) for lang in ("de", "el")} == {"de": 60, "el": 60}
        now = x.world.now()
        assert all(now - 6 * 3_600_000 <= post.created <= now for post in posts)
        assert not [post for post in posts if "{" in post.text]
        assert len(ask_of(x).json("/2/lists/1500000000000000020/tweets")["data"]) >= 40


def test_everything_happens_in_time(texts: Path) -> None:
    with Simulator(texts=texts, rate=0, catalogue=400) as x:
        posts = list(x.world.posts.values())
        assert {"retweeted", "quoted", "replied_to", ""} == {post.kind for post in posts}
        assert any(post.deleted for post in posts)
        assert any(post.withheld for post in posts)
        assert any(post.sensitive for post in posts)
        assert any(post.first != post.id for post in posts)
        assert any(post.media for post in posts) and any(post.poll for post in posts)
        shared = [post.text for post in posts if "zahlt" in post.text]
        assert all(text.count("Nordau") - 1 in (0, 2) for text in shared)


def test_the_same_seed_tells_the_same(texts: Path) -> None:
    def tell(seed: int) -> list[tuple[str, str, str, bool]]:
        with Simulator(texts=texts, rate=0, catalogue=50, seed=seed, clock=lambda: 1_790_000_000.0) as x:
            return told(x.world)

    assert tell(7) == tell(7)
    assert tell(7) != tell(8)


def test_it_keeps_posting(texts: Path) -> None:
    with Simulator(texts=texts, rate=3000, catalogue=0) as x:
        deadline = time.monotonic() + 10
        while len(x.world.posts) < 20 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(x.world.posts) >= 20


def test_state_survives_a_restart(texts: Path, tmp_path: Path, ask_of: Any) -> None:
    file = tmp_path / "x.sqlite"
    with Simulator(texts=texts, rate=0, catalogue=30, state=file) as x:
        old = x.post("hafenblatt", "Um 14 Uhr", media=["port"])
        new = x.edit(old, "Um 15 Uhr")
        gone = x.post("hafenblatt", "Weg")
        x.delete(gone)
        x.suspend("lia_buehne")
        x.account("neu_hier", followers=5)
        before = told(x.world)
    with Simulator(texts=texts, rate=0, catalogue=30, state=file) as x:
        assert told(x.world) == before
        ask = ask_of(x)
        assert ask.json(f"/2/tweets/{old}")["data"]["edit_history_tweet_ids"] == [old, new]
        assert "data" not in ask.json(f"/2/tweets/{gone}")
        assert ask.json("/2/users/by", usernames="lia_buehne,neu_hier")["errors"][0]["title"] == "Forbidden"
        assert int(x.post("neu_hier", "Da")) > int(gone)


def test_a_pause_is_filled_and_old_posts_are_forgotten(texts: Path, tmp_path: Path) -> None:
    now = [1_790_000_000.0]
    chosen: dict[str, Any] = {
        "texts": texts,
        "rate": 0,
        "catalogue": 60,
        "state": tmp_path / "x",
        "clock": lambda: now[0],
    }
    with Simulator(**chosen) as x:
        first = set(x.world.posts)
    now[0] += 3 * 3600
    with Simulator(**chosen) as x:
        added = [post for number, post in x.world.posts.items() if number not in first]
        assert 55 <= sum(not post.kind and post.first == post.id for post in added) <= 70
    now[0] += 30 * 86_400
    with Simulator(**chosen) as x:
        assert not first & set(x.world.posts)


def test_stop_ends_kept_connections(texts: Path) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0) as x, requests.Session() as session:
        health = f"{x.base_url}/simulator/health"
        assert session.get(health, timeout=5).status_code == 200
        x.stop()
        with pytest.raises(requests.ConnectionError):
            session.get(health, timeout=5)
        x.stop = lambda: None  # type: ignore[method-assign]


def command(*options: str) -> subprocess.Popen[str]:
    # A database that cannot be reached: the command must not ask for one.
    environment = os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", "x_simulator", *options],
        cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    running = command("--port", "0", "--rate", "0", "--token", "geheim", "--state", str(tmp_path / "x"))
    assert running.stdout
    lines = [line for line in (running.stdout.readline(), running.stdout.readline()) if "X simulator on" in line]
    running.send_signal(signal.SIGINT)
    rest = running.communicate(timeout=20)[0]
    assert (running.returncode, rest) == (0, "")
    assert lines[0].startswith("X simulator on http://127.0.0.1:")


def test_command_says_what_is_wrong(x: Simulator, tmp_path: Path) -> None:
    port = str(x.server.server_address[1])
    for options, words in (
        (("--port", port), f"Port {port} is taken."),
        (("--replay", str(tmp_path)), "no recordings"),
    ):
        running = command(*options)
        said = running.communicate(timeout=30)[0]
        assert running.returncode == 1
        assert words in said and "Traceback" not in said
