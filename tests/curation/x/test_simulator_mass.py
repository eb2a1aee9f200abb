"""Large worlds: many posts at once, found again by every way, and the truth about them."""

from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator
from curation.x.simulator.posts import milliseconds

SEARCH = "/2/tweets/search/recent"
COUNT = 3000


@pytest.fixture
def many(x: Simulator) -> Simulator:
    assert x.mass(COUNT, seed=4, accounts=40) == COUNT
    return x


def pages(ask: Any, path: str, **parameters: str) -> list[str]:
    """The ids on all pages."""
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        body = ask.json(path, max_results=100, **parameters, **more)
        found += [post["id"] for post in body.get("data", [])]
        if "next_token" not in body["meta"]:
            return found
        more = {"pagination_token": body["meta"]["next_token"]}


def everything(x: Simulator) -> list[str]:
    return sorted((number for ids in x.truth().values() for number in ids), key=int)


def test_mass_is_the_same_for_the_same_seed(texts: Path) -> None:
    worlds = []
    for seed in (4, 4, 5):
        with Simulator(texts=texts, rate=0, catalogue=0, clock=lambda: 1_790_000_000.0) as x:
            x.mass(300, seed, accounts=20)
            worlds.append([(post.id, post.author, post.text) for post in x.world.posts.values()])
    assert worlds[0] == worlds[1]
    assert worlds[0] != worlds[2]


def test_mass_is_mixed_and_spread_over_days(many: Simulator) -> None:
    posts = list(many.world.posts.values())
    kinds = [post.kind for post in posts]
    assert all(0.01 < kinds.count(kind) / COUNT < 0.1 for kind in ("retweeted", "quoted", "replied_to"))
    assert len(many.truth()) == 40
    assert many.world.order == sorted(many.world.posts)
    assert 5.9 < (many.world.now() - milliseconds(min(many.world.order))) / 86_400_000 < 6.1


def test_timelines_lists_and_searches_tell_all_of_it(many: Simulator, ask: Any) -> None:
    truth = many.truth()
    german = next(one for one in many.world.lists().values() if (one.language, one.category) == ("de", "politics"))
    for username in ("hafenblatt", "lia_buehne"):
        backwards = truth[username][::-1]
        assert pages(ask, f"/2/users/{ask.user_id(username)}/tweets") == backwards
        assert pages(ask, SEARCH, query=f"from:{username}") == backwards
    members = [number for name in german.members for number in truth[name]]
    assert pages(ask, f"/2/lists/{german.id}/tweets") == sorted(members, key=int, reverse=True)
    assert pages(ask, SEARCH, query=f"list:{german.id}") == sorted(members, key=int, reverse=True)


def test_bounds_in_a_large_world(many: Simulator, ask: Any) -> None:
    ids = many.truth()["hafenblatt"]
    path = f"/2/users/{ask.user_id('hafenblatt')}/tweets"
    assert pages(ask, path, since_id=ids[9], until_id=ids[50]) == ids[10:50][::-1]


def test_new_posts_join_lists_that_were_read(many: Simulator, ask: Any) -> None:
    path = "/2/lists/1500000000000000000/tweets"
    before = pages(ask, path)
    new = many.post("hafenblatt", "Ganz neu")
    assert pages(ask, path) == [new, *before]
    many.account("sv_nordau", category="politics")
    assert set(pages(ask, path)) == {new, *before, *many.truth()["sv_nordau"]}


@pytest.mark.parametrize(
    "query",
    [
        "brücke lang:de",
        '"mehr dazu" -is:retweet',
        "#nordau (from:hafenblatt OR from:sv_nordau)",
        "(brucke lang:de) OR from:limani",
        "(from:hafenblatt lang:de) OR zahlt",
        "lang:el from:limani -is:reply",
        "@hafenblatt lang:de",
        "amp",
    ],
)
def test_narrowed_search_finds_what_the_whole_test_finds(query: str, many: Simulator, ask: Any) -> None:
    from curation.x.simulator.queries import parse
    from curation.x.simulator.search import searchable

    many.post("hafenblatt", "Rat & Stadt")
    asked, world = parse(query), many.world
    whole = [str(post.id) for post in world.descending(1 << 63) if asked.finds(searchable(world, post))]
    assert whole
    assert pages(ask, SEARCH, query=query) == whole


def test_truth_leaves_out_what_is_not_listed(x: Simulator) -> None:
    first, gone, kept = (x.post("hafenblatt", f"Text {n}") for n in range(3))
    second = x.edit(first, "Neu")
    x.delete(gone)
    x.post("sv_nordau", "Zu")
    x.protect("sv_nordau")
    retweet = x.retweet("stadt_nordau", kept)
    assert x.truth() == {"hafenblatt": [kept, second], "stadt_nordau": [retweet]}
    assert x.truth(exclude=["retweets"]) == {"hafenblatt": [kept, second]}


def test_mass_over_http_and_into_the_state(tmp_path: Path, texts: Path) -> None:
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        made = requests.post(f"{x.base_url}/simulator/mass", json={"count": 50, "seed": 2}, timeout=5).json()
        told = requests.get(f"{x.base_url}/simulator/truth", timeout=5).json()
        assert (made, sum(map(len, told.values()))) == ({"made": 50}, 50)
        before = everything(x)
    with Simulator(texts=texts, rate=0, catalogue=0, state=tmp_path / "state") as x:
        assert everything(x) == before
