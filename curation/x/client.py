"""The door to X: the only module that imports tweepy. Every failure leaves it as one of curation.x.outcomes.

Pitfalls of tweepy that are met here, all of X_API's section 4 that concern polling: no timeout, fixed host,
redirects, sleeping on rate limits, exceptions that cannot be pickled, error bodies that break its exceptions.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import tweepy
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, ReadTimeoutError

from curation.shared_clock import epoch_seconds
from curation.x.lines import Lines
from curation.x.outcomes import Answer, Failure, Unreachable, WindowClosed, failure_of
from curation.x.transport import (
    CONNECT_SECONDS,
    LARGEST_BODY,
    READ_SECONDS,
    WHOLE_SECONDS,
    Redirected,
    Refusing,
    TooLong,
    never_reached,
)
from curation.x.windows import OwnWindows, Rate, SharedWindows, Windows

logging.getLogger("tweepy.client").setLevel(logging.INFO)  # at DEBUG it prints the bearer token

TWEEPY_HOST = "https://api.twitter.com"
RULES = "/2/tweets/search/stream/rules"
CLOSED = "X closed the stream."
MOST_ON_A_PAGE = 10_000  # X gives at most 100
TROUBLE = (
    tweepy.TweepyException,
    requests.RequestException,
    HTTPError,
    ValueError,
    AttributeError,
    TypeError,
    KeyError,
    RecursionError,
)
TWEET_FIELDS = (
    "id,text,attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,"
    "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,public_metrics,referenced_tweets,withheld"
)
USER_FIELDS = "id,name,username,profile_image_url,protected,public_metrics,verified,verified_type,withheld"
FIELDS = {
    "tweet_fields": TWEET_FIELDS,
    "user_fields": USER_FIELDS,
    "media_fields": "media_key,type,url,preview_image_url,width,height,alt_text,variants,duration_ms",
    "poll_fields": "id,options,end_datetime,voting_status,duration_minutes",
    "expansions": (
        "author_id,attachments.media_keys,attachments.poll_ids,referenced_tweets.id,"
        "referenced_tweets.id.author_id,referenced_tweets.id.attachments.media_keys"
    ),
}


@dataclass(frozen=True)
class Page:
    """One answer: `raw` holds its posts or users as X gave them, unchecked.

    `left_out`: ids of a look-up that X was not asked about, since the budget did not reach."""

    raw: list[Any] = field(default_factory=list)
    includes: dict[str, Any] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    next_token: str | None = None
    oldest_id: int | None = None
    left_out: list[int] = field(default_factory=list)
    rate: Rate | None = None

    @classmethod
    def of(cls, body: dict[str, Any], rate: Rate | None) -> Page:
        data, includes, errors, meta = (body.get(name) for name in ("data", "includes", "errors", "meta"))
        meta = meta if isinstance(meta, dict) else {}
        token, oldest = meta.get("next_token"), meta.get("oldest_id")
        return cls(
            raw=data if isinstance(data, list) else [] if data is None else [data],
            includes=includes if isinstance(includes, dict) else {},
            errors=[entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else [],
            next_token=token if isinstance(token, str) and token else None,
            oldest_id=int(oldest) if isinstance(oldest, str) and re.fullmatch("[0-9]{1,19}", oldest) else None,
            rate=rate,
        )


def keep_to_x(session: requests.Session, adapter: HTTPAdapter) -> None:
    """A session that reaches X through the adapter, and nobody else."""
    session.trust_env = False  # a netrc file or a proxy in the environment would see the token
    session.mount("https://", Refusing())
    session.mount("http://", Refusing())
    session.mount(TWEEPY_HOST + "/", adapter)


COMPLIANCE = "/2/compliance/jobs"


class Door:
    """Asks X. Not shared between threads. `rates` holds each endpoint's window as last told to this door.

    `windows` counts the requests that are left; by default this door's alone."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        read_seconds: float = READ_SECONDS,
        whole_seconds: float = WHOLE_SECONDS,
        clock: Callable[[], float] = time.time,
        windows: Windows | None = None,
    ) -> None:
        self.clock = clock
        self.windows = windows or OwnWindows()
        self.rates: dict[str, Rate] = {}
        self._adapter = Redirected(base_url, read_seconds, whole_seconds)
        self._client = tweepy.Client(token, return_type=dict, wait_on_rate_limit=False)
        keep_to_x(self._client.session, self._adapter)

    def timeline(self, user_id: str, *, max_results: int = 100, **bounds: Any) -> Page:
        """An account's posts but replies, newest first; bounds: since_id, until_id, pagination_token."""
        ask = self._client.get_users_tweets
        return self._ask("timeline", ask, id=user_id, exclude="replies", max_results=max_results, **FIELDS, **bounds)

    def list_tweets(self, list_id: str, *, max_results: int = 100, pagination_token: str | None = None) -> Page:
        """A list's posts, newest first. X knows no since_id here."""
        ask = self._client.get_list_tweets
        return self._ask("list", ask, id=list_id, max_results=max_results, pagination_token=pagination_token, **FIELDS)

    def search(self, query: str, *, max_results: int = 100, **bounds: Any) -> Page:
        """Posts of the last seven days, newest first; bounds: since_id, until_id, pagination_token."""
        bounds["next_token"] = bounds.pop("pagination_token", None)
        ask = self._client.search_recent_tweets
        return self._ask("search", ask, query=query, max_results=max_results, **FIELDS, **bounds)

    def tweets(self, ids: Sequence[int | str]) -> Page:
        """Up to 100 posts by id; those that are gone stand in `errors`."""
        return self._ask("tweets", self._client.get_tweets, ids=[str(number) for number in ids], **FIELDS)

    def users(self, *, ids: Sequence[int | str] = (), usernames: Sequence[str] = ()) -> Page:
        """Up to 100 accounts, by ids or by usernames."""
        if usernames:
            return self._ask("usernames", self._client.get_users, user_fields=USER_FIELDS, usernames=list(usernames))
        told = [str(number) for number in ids]
        return self._ask("users", self._client.get_users, user_fields=USER_FIELDS, ids=told)

    def usage(self, days: int = 7) -> Page:
        """What X counted: `raw` holds one object, its numbers are strings."""
        asked = {"days": days, "usage.fields": "daily_project_usage,project_usage,project_cap,cap_reset_day"}
        return self._ask("usage", self.request, route="/2/usage/tweets", params=asked)

    def stream_rules(self) -> Page:
        """The rules of the filtered stream: `raw` holds {"id", "value", "tag"}."""
        return self._ask("rules", self.request, route=RULES)

    def add_stream_rules(self, rules: Sequence[tuple[str, str]]) -> Page:
        """Adds rules, each value and tag; those that X does not take stand in `errors` with their value."""
        sent = {"add": [{"value": value, "tag": tag} for value, tag in rules]}
        return self._ask("rules changed", self._post, route=RULES, sent=sent)

    def delete_stream_rules(self, ids: Sequence[int | str]) -> Page:
        sent = {"delete": {"ids": [str(number) for number in ids]}}
        return self._ask("rules changed", self._post, route=RULES, sent=sent)

    def begin_compliance_job(self, name: str) -> Page:
        """Orders a job about posts: `raw` holds it, with the address to put their ids to."""
        return self._ask("compliance", self._post, route=COMPLIANCE, sent={"type": "tweets", "name": name})

    def compliance_job(self, number: int) -> Page:
        """How far a job is: `raw` holds it, with its status and the address of its result; nothing if X has none."""
        return self._ask("compliance", self.request, route=f"{COMPLIANCE}/{number}")

    def _post(self, route: str, sent: dict[str, Any]) -> Any:
        return self._client.request("POST", route, json=sent).json()

    def request(self, route: str, params: dict[str, Any] | None = None) -> Any:
        """A GET that tweepy has no method for; its body as JSON."""
        return self._client.request("GET", route, params=params).json()

    def _ask(self, endpoint: str, call: Callable[..., Any], **parameters: Any) -> Page:
        self._wait_for_window(endpoint)
        self._adapter.answer = None
        trouble: Exception | None = None
        try:
            body = call(**parameters)
        except TROUBLE as error:
            trouble = error
        failure = self._failure(trouble, endpoint) if trouble else None
        rate = Rate.of(self._adapter.answer)
        if rate:
            self.rates[endpoint] = rate
            self.windows.tell(endpoint, rate, self.clock())
        if isinstance(failure, WindowClosed) and not (rate and rate.remaining == 0):
            self.windows.tell(endpoint, Rate(rate.limit if rate else 0, 0, failure.reset_at), self.clock())
        if failure:
            raise failure  # outside the except block: tweepy's exception must not travel along
        if not isinstance(body, dict):
            raise Unreachable("X's answer could not be read.")
        page = Page.of(body, rate)
        if len(page.raw) > MOST_ON_A_PAGE:
            raise Unreachable("X's answer holds more than was asked for.")
        return page

    def _wait_for_window(self, endpoint: str) -> None:
        reset_at = self.windows.take(endpoint, self.clock())
        if reset_at is not None:
            raise WindowClosed("Too many requests in this window.", reset_at, endpoint)

    def _failure(self, error: Exception, endpoint: str) -> Failure:
        """By what X answered, never by the exception's words: those may hold the token."""
        if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
            return Unreachable("X did not answer in time.")
        if isinstance(error, requests.TooManyRedirects):
            return Unreachable("X's answer points to another address.", free=True)
        if isinstance(error, TooLong):
            return Unreachable(f"X's answer is longer than {LARGEST_BODY >> 20} MiB: it was not read to its end.")
        if never_reached(error):
            return Unreachable("X cannot be reached.", free=True)
        failure = failure_of(self._adapter.answer, self.clock())
        if isinstance(failure, WindowClosed):
            return WindowClosed(failure.message, failure.reset_at, endpoint)
        return failure


_kept = threading.local()


def door() -> Door:
    """This thread's door to the X of the settings; its connection is kept."""
    key = (settings.X_API_BASE_URL, settings.X_BEARER_TOKEN)
    if getattr(_kept, "key", None) != key:
        _kept.key, _kept.door = key, Door(*key, windows=SharedWindows(), clock=epoch_seconds)
    return _kept.door


@dataclass(frozen=True)
class Ended:
    """How a connection to the stream ended, in words; `answer` where X refused it; `ours`: a fault on our side."""

    words: str
    answer: Answer | None = None
    ours: bool = False


class Streamed(Redirected):
    """Sends the stream's one request; its lines come as they are, bounded in length and in the silence between."""

    def __init__(
        self, base_url: str, silence_seconds: float, on_end: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        super().__init__(base_url, silence_seconds, WHOLE_SECONDS)
        self.on_end, self.clock = on_end, clock
        self.raw: Any = None
        self.lines: Lines | None = None

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        request.url = self.base_url + asked.path + (f"?{asked.query}" if asked.query else "")
        request.headers["Accept-Encoding"] = "identity"  # packed lines would wait for each other
        options |= {"timeout": (CONNECT_SECONDS, self.read_seconds), "stream": True}
        response = HTTPAdapter.send(self, request, **options)
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code == 200:
            self.answer = Answer(200, headers, b"")
            self.raw, self.lines = response.raw, Lines(response.raw, self.read_seconds, self.clock)
            # requests joins lines without any bound, and waits for whole blocks of 512 bytes.
            response.iter_lines = lambda **_: self._to_the_end()  # type: ignore[method-assign]
            return response
        response._content = self._read(response)
        self.answer = Answer(response.status_code, headers, response._content)
        if response.is_redirect:
            raise requests.TooManyRedirects("X redirects to another address")
        return response

    def _to_the_end(self) -> Iterator[bytes]:
        try:
            yield from self.lines or ()
        finally:
            self.on_end()  # or tweepy would connect again


class Stream(tweepy.StreamingClient):
    """One connection to the filtered stream. It never connects again by itself: tweepy's loop would do so 800
    times a second.

    `connected` is told the window for connects, `hear` each line, b"" for a keep-alive, with a time in epoch seconds
    after which X sent it; both by the thread that reads."""

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        connected: Callable[[Rate | None], None],
        hear: Callable[[bytes, float], None],
        silence_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(token, return_type=dict, wait_on_rate_limit=False, max_retries=0)
        self.connected, self.hear = connected, hear
        self._adapter = Streamed(base_url, silence_seconds, self.disconnect, clock)
        self._words = CLOSED
        self._dropped = self._ours = False
        keep_to_x(self.session, self._adapter)

    def read(self) -> Ended:
        """Connects and reads until the connection ends, whoever ends it."""
        self.filter(**FIELDS)
        answer = self._adapter.answer
        refused = answer if answer and answer.status != 200 and not self._dropped else None
        return Ended(self._words, refused, self._ours)

    def drop(self, words: str, *, ours: bool = False) -> None:
        """Ends the connection, from any thread: only what has arrived by now, and is paid for, is still heard."""
        if self._dropped:
            return
        self._words, self._ours, self._dropped = words, ours, True
        with suppress(RuntimeError, ValueError, OSError, AttributeError):
            self._adapter.raw.shutdown()

    # What tweepy calls. Its own versions retry, parse, or die of what they parse.

    def on_connect(self) -> None:
        if self._dropped:
            self.disconnect()
            return
        self.connected(Rate.of(self._adapter.answer))

    def on_data(self, raw_data: bytes) -> None:
        self.hear(raw_data, self._adapter.lines.sent_after if self._adapter.lines else 0.0)

    def on_keep_alive(self) -> None:
        self.on_data(b"")

    def on_closed(self, response: requests.Response) -> None:
        self.disconnect()

    def on_disconnect(self) -> None:
        """Whoever reads is told by the result of `read`."""

    def on_request_error(self, status_code: int) -> None:
        self._end(f"X answered {status_code}.")

    def on_connection_error(self) -> None:
        self._end("The connection to X broke off or fell silent.")

    def on_exception(self, exception: Exception) -> None:
        self._ours = not isinstance(exception, requests.RequestException)
        self._end(f"The stream could not be read: {type(exception).__name__}.")

    def _end(self, words: str) -> None:
        if not self._dropped:
            self._words = words
        self.disconnect()
