"""The real client reads the simulator over a real socket."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import tweepy
from requests.adapters import HTTPAdapter

from curation.x.simulator import Simulator


class Redirected(HTTPAdapter):
    """Sends what is meant for X to the simulator."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base_url = base_url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        request.url = (request.url or "").replace("https://api.twitter.com", self.base_url)
        return super().send(request, **options | {"timeout": 5})


@pytest.fixture
def client(x: Simulator) -> Iterator[tweepy.Client]:
    found = tweepy.Client("simulator", return_type=dict)
    found.session.mount("https://api.twitter.com/", Redirected(x.base_url))
    yield found
    found.session.close()


def test_timeline(x: Simulator, client: tweepy.Client) -> None:
    made = [x.post("hafenblatt", f"Meldung {n} & mehr") for n in range(7)][::-1]
    user = client.get_user(username="hafenblatt")["data"]
    fields = {"tweet_fields": ["created_at", "public_metrics"], "expansions": "author_id"}
    first = client.get_users_tweets(user["id"], max_results=5, **fields)
    rest = client.get_users_tweets(user["id"], max_results=5, pagination_token=first["meta"]["next_token"])
    assert [post["id"] for post in first["data"] + rest["data"]] == made
    assert first["data"][0]["text"] == "Meldung 6 &amp; mehr"
    assert first["includes"]["users"] == [user]


def test_list_search_and_lookup(x: Simulator, client: tweepy.Client) -> None:
    number = x.post("hafenblatt", "Die Brücke steht")
    assert client.get_list_tweets("1500000000000000000")["data"][0]["id"] == number
    assert client.search_recent_tweets("brucke lang:de")["data"][0]["id"] == number
    found = client.get_tweets([number, "77"])
    assert (len(found["data"]), found["errors"][0]["title"]) == (1, "Not Found Error")
    usage = client.request("GET", "/2/usage/tweets")
    assert usage.json()["data"]["project_usage"] == "1"


def test_models_of_tweepy_can_read_it_too(x: Simulator, client: tweepy.Client) -> None:
    number = x.post("hafenblatt", "Text")
    client.return_type = tweepy.Response
    post = client.get_tweet(number, tweet_fields=["created_at", "edit_controls"]).data
    assert (post.text, post.created_at.microsecond) == ("Text", 0)


ERRORS = [(400, tweepy.BadRequest), (401, tweepy.Unauthorized), (402, tweepy.HTTPException), (403, tweepy.Forbidden),
          (429, tweepy.TooManyRequests), (503, tweepy.TwitterServerError)]  # fmt: skip


@pytest.mark.parametrize(("status", "raised"), ERRORS)
def test_errors_raise_as_with_x(status: int, raised: type[Exception], x: Simulator, client: tweepy.Client) -> None:
    x.fail(status=status)
    with pytest.raises(raised):
        client.get_tweet("1")
