"""Pages, bounds, and what stands in which timeline."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curation.x.simulator import Simulator, lists


def filled(x: Simulator, count: int, author: str = "hafenblatt") -> list[str]:
    """Ids, newest first."""
    return [x.post(author, f"Meldung {n}") for n in range(count)][::-1]


def ids(body: dict[str, Any]) -> list[str]:
    return [post["id"] for post in body.get("data", [])]


PLACES = [
    ("/2/users/{user}/tweets", "pagination_token", {}),
    ("/2/lists/1500000000000000000/tweets", "pagination_token", {}),
    ("/2/tweets/search/recent", "next_token", {"query": "Meldung"}),
]


@pytest.mark.parametrize("mark", [{}, {"post.fields": "created_at"}])
@pytest.mark.parametrize(("path", "token", "own"), PLACES)
def test_pages_lose_and_repeat_nothing(
    path: str, token: str, own: dict[str, str], mark: dict[str, str], x: Simulator, ask: Any
) -> None:
    expected = filled(x, 34)
    address = path.format(user=ask.user_id("hafenblatt"))
    seen: list[str] = []
    sizes: list[int] = []
    at: dict[str, str] = {}
    while True:
        body = ask.json(address, max_results=10, **own, **mark, **at)
        seen += ids(body)
        sizes.append(len(body["data"]))
        assert body["meta"]["result_count"] == len(body["data"])
        # What arrives between two pages belongs to neither.
        x.post("hafenblatt", "Meldung dazwischen")
        if "next_token" not in body["meta"]:
            break
        at = {token: body["meta"]["next_token"]}
    assert (seen, sizes) == (expected, [10, 10, 10, 4])


def test_previous_token_leads_back(x: Simulator, ask: Any) -> None:
    filled(x, 15)
    address = f"/2/users/{ask.user_id('hafenblatt')}/tweets"
    first = ask.json(address, max_results=5)
    second = ask.json(address, max_results=5, pagination_token=first["meta"]["next_token"])
    back = ask.json(address, max_results=5, pagination_token=second["meta"]["previous_token"])
    assert ids(back) == ids(first)
    assert "previous_token" not in first["meta"]
    again = ask.json(address, max_results=5, pagination_token=back["meta"]["next_token"])
    assert ids(again) == ids(second)


def test_meta_names_the_ends_but_not_for_lists(x: Simulator, ask: Any) -> None:
    made = filled(x, 6)
    meta = ask.json(f"/2/users/{ask.user_id('hafenblatt')}/tweets")["meta"]
    assert meta == {"result_count": 6, "newest_id": made[0], "oldest_id": made[-1]}
    assert ask.json("/2/lists/1500000000000000000/tweets")["meta"] == {"result_count": 6}


def test_bounds_by_id_are_exclusive(x: Simulator, ask: Any) -> None:
    made = filled(x, 6)
    address = f"/2/users/{ask.user_id('hafenblatt')}/tweets"
    assert ids(ask.json(address, since_id=made[4], until_id=made[1])) == made[2:4]
    assert ask.json(address, since_id=made[0]) == {"meta": {"result_count": 0}}


def test_bounds_by_time(x: Simulator, ask: Any) -> None:
    noon = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=5)
    made = [x.post("hafenblatt", "Wort", at=noon + timedelta(minutes=n)) for n in range(4)]
    stamps = [(noon + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(4)]
    body = ask.json("/2/tweets/search/recent", query="Wort", start_time=stamps[1], end_time=stamps[3])
    assert ids(body) == [made[2], made[1]]


def test_search_goes_seven_days_back(x: Simulator, ask: Any) -> None:
    old = x.post("hafenblatt", "Wort", at=datetime.now(UTC) - timedelta(days=7, hours=1))
    assert ids(ask.json("/2/tweets/search/recent", query="Wort")) == []
    refused = ask.get("/2/tweets/search/recent", query="Wort", since_id=old)
    assert refused.status_code == 400
    assert "'since_id' must be a tweet id created after" in refused.json()["errors"][0]["message"]


def test_replies_and_retweets_can_be_left_out(x: Simulator, ask: Any) -> None:
    other = x.post("stadt_nordau", "Beschluss")
    plain = x.post("hafenblatt", "Text")
    reply = x.post("hafenblatt", "@stadt_nordau Danke", reply_to=other)
    retweet = x.retweet("hafenblatt", other)
    address = f"/2/users/{ask.user_id('hafenblatt')}/tweets"
    assert ids(ask.json(address)) == [retweet, reply, plain]
    assert ids(ask.json(address, exclude="replies")) == [retweet, plain]
    assert ids(ask.json(address, exclude="replies,retweets")) == [plain]


def test_lists_hold_the_accounts_of_language_and_category(texts: Any, x: Simulator, ask: Any) -> None:
    found = {xlist.id: xlist.members for xlist in lists(texts)}
    assert len(found) == 20
    assert found[1500000000000000000] == ("hafenblatt", "stadt_nordau")
    assert found[1500000000000000020] == ("limani",)
    economy, greek = x.post("boerse_nord", "Kurse"), x.post("limani", "Πλοίο")
    assert ids(ask.json("/2/lists/1500000000000000001/tweets")) == [economy]
    assert ids(ask.json("/2/lists/1500000000000000020/tweets")) == [greek]
    shown = ask.json("/2/lists/1500000000000000000", list__fields="member_count,owner_id", expansions="owner_id")
    assert shown["data"]["member_count"] == 2
    assert shown["includes"]["users"][0]["username"] == "hafenblatt"


def test_newest_version_alone_stands_in_timelines(x: Simulator, ask: Any) -> None:
    old = x.post("hafenblatt", "Um 14 Uhr")
    new = x.edit(old, "Um 15 Uhr")
    gone = x.post("hafenblatt", "Weg")
    x.delete(gone)
    body = ask.json(f"/2/users/{ask.user_id('hafenblatt')}/tweets")
    assert body["data"] == [{"id": new, "text": "Um 15 Uhr", "edit_history_tweet_ids": [old, new]}]
    assert ids(ask.json("/2/tweets/search/recent", query='"14 Uhr"')) == []
