"""Whatever X sends, through a whole reading: set aside or refused with the reason, the rest stored, memory bounded."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import brotli
import pytest

from curation.models import Author, Candidate, Cursor, IngestRun, Quarantined, Tweet
from curation.x.client import LARGEST_BODY
from regions.models import Source
from tests.canned import USER, Body, Canned, page, post

pytestmark = pytest.mark.django_db
Read = Callable[[], IngestRun]
ID = 2_000_000_000_000_000_000
TIMELINE = "/2/users/5001/tweets"
GOOD = [post(ID + 1, "Davor."), post(ID + 3, "Danach.")]


def texts() -> list[str]:
    return list(Tweet.objects.order_by("first_id").values_list("text", flat=True))


def still_alive(odd: Canned, read_odd: Read) -> None:
    """The next reading finds what the broken one did not bring."""
    odd.tell(TIMELINE, page(*GOOD))
    run = read_odd()
    assert (run.outcome, texts()) == ("read", ["Davor.", "Danach."])


# --- answers that cannot be read at all
WHOLE = json.dumps(page(*GOOD))
UNREADABLE: dict[str, Body] = {
    "nothing": b"",
    "half": WHOLE[: len(WHOLE) // 2],
    "a comma too many": WHOLE[:-1] + ",}",
    "two answers": WHOLE + WHOLE,
    "words": "Over capacity",
    "HTML": "<!DOCTYPE html><html><body>Oops</body></html>",
    "a list": [1, 2],
    "null": b"null",
    "a number": b"42",
    "a string": b'"data"',
    "deep": "[" * 200_000,
    "deep in data": '{"data":' + "[" * 200_000,
    "an endless number": '{"data":' + "9" * 200_000 + "}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_malformed_json_fails_the_reading_and_stores_nothing(odd: Canned, read_odd: Read, body: Body) -> None:
    odd.tell(TIMELINE, body, times=1)
    run = read_odd()
    assert (run.outcome, run.error, texts()) == ("failed", "X's answer could not be read.", [])
    assert (Cursor.objects.get().newest_id, Cursor.objects.get().failures) == (None, 1)
    still_alive(odd, read_odd)


HEADERS: dict[str, tuple[int, Body, dict[str, str]]] = {
    "not gzip": (200, WHOLE, {"content_encoding": "gzip"}),
    "cut gzip": (200, gzip.compress(WHOLE.encode())[:-40], {"content_encoding": "gzip"}),
    "shorter than it says": (200, WHOLE, {"content_length": "99999"}),
    "two lengths": (200, WHOLE, {"content_length": "5, 7"}),
    "chunks that are none": (200, WHOLE, {"transfer_encoding": "chunked"}),
    "a line too long": (200, WHOLE, {"x_long": "x" * 70_000}),
    "no such status": (299, b"", {}),
    "no words at all": (204, b"", {}),
}


@pytest.mark.parametrize(("status", "body", "headers"), HEADERS.values(), ids=HEADERS)
def test_broken_http_fails_the_reading_and_stores_nothing(
    odd: Canned, read_odd: Read, status: int, body: Body, headers: dict[str, str]
) -> None:
    odd.tell(TIMELINE, body, status, times=1, **headers)
    run = read_odd()
    assert (run.outcome, run.error != "", texts()) == ("failed", True, [])
    still_alive(odd, read_odd)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(odd: Canned, read_odd: Read, status: int) -> None:
    with Canned() as elsewhere:
        elsewhere.tell("/", page(*GOOD))
        odd.tell(TIMELINE, b"", status, times=1, location=elsewhere.base_url + TIMELINE)
        run = read_odd()
        assert (run.outcome, run.error, elsewhere.asked) == ("failed", "X's answer points to another address.", [])
    still_alive(odd, read_odd)


# --- memory
def in_parts(part: bytes, megabytes: int) -> Callable[[], Iterable[bytes]]:
    return lambda: (part for _ in range(megabytes * 1_000_000 // len(part)))


def packed(make: Any, megabytes: int) -> bytes:
    """An object whose one string is that long, packed."""
    body = b'{"data":"' + b"x" * (megabytes << 20) + b'"}'
    return bytes(make(body))


BOMBS: dict[str, tuple[Callable[[], Body], dict[str, str]]] = {
    "50 MB": (lambda: in_parts(b"x" * 100_000, 50), {}),
    "a long page": (lambda: in_parts(json.dumps(page(*GOOD)).encode(), 50), {}),
    "gzip": (lambda: packed(gzip.compress, 200), {"content_encoding": "gzip"}),
    "gzip in gzip": (lambda: gzip.compress(packed(gzip.compress, 200)), {"content_encoding": "gzip, gzip"}),
    "deflate": (lambda: packed(zlib.compress, 200), {"content_encoding": "deflate"}),
    "brotli": (lambda: packed(lambda body: brotli.compress(body, quality=1), 200), {"content_encoding": "br"}),
}


@pytest.mark.parametrize(("make", "headers"), BOMBS.values(), ids=BOMBS)
def test_a_huge_answer_is_refused_before_it_fills_the_memory(
    odd: Canned, read_odd: Read, make: Callable[[], Body], headers: dict[str, str]
) -> None:
    odd.tell(TIMELINE, make(), times=1, **headers)
    tracemalloc.start()
    try:
        run = read_odd()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (run.outcome, "16 MiB" in run.error, texts()) == ("failed", True, [])
    assert peak < 3 * LARGEST_BODY, f"{peak / 1e6:.0f} MB"
    still_alive(odd, read_odd)


def test_a_page_of_a_hundred_thousand_nothings_is_refused(odd: Canned, read_odd: Read) -> None:
    """Each would be a row of quarantine."""
    odd.tell(TIMELINE, b'{"data":[' + b"{}," * 100_000 + b"{}]}", times=1)
    run = read_odd()
    assert (run.outcome, run.error) == ("failed", "X's answer holds more than was asked for.")
    assert Quarantined.objects.count() == 0
    still_alive(odd, read_odd)


# --- single posts
def without(name: str) -> dict[str, Any]:
    told = post(ID + 2)
    del told[name]
    return told


BROKEN: dict[str, tuple[Any, str]] = {
    "null": (None, "the post is not an object"),
    "a string": ("post", "the post is not an object"),
    "a list": ([post(ID + 2)], "the post is not an object"),
    "no id": (without("id"), "id is not an id"),
    "an id of words": (post(ID + 2, id="latest"), "id is not an id"),
    "an id with a fraction": (post(ID + 2, id=2.5e18), "id is not an id"),
    "an id from the future": (post(2**63 - 1), "its id is from the future"),
    "no text": (without("text"), "text is missing"),
    "a text of another kind": (post(ID + 2, text={"de": "Ja"}), "text is missing"),
    "a text without end": (post(ID + 2, "x" * 100_001), "text is too long"),
    "an author of words": (post(ID + 2, author_id="stadtblatt"), "author_id is not an id"),
    "a date of words": (post(ID + 2, created_at="gestern"), "created_at is not a time"),
    "a date that is none": (post(ID + 2, created_at="2026-02-30T10:00:00Z"), "created_at is not a time"),
    "a history of words": (post(ID + 2, edit_history_tweet_ids="1"), "the edit history is not a list"),
    "a reference to nothing": (
        post(ID + 2, referenced_tweets=[{"type": "quoted", "id": None}]),
        "a referenced id is not an id",
    ),
    "an author of nobody": (post(ID + 2, author_id="4711"), "its author is not known"),
}


@pytest.mark.parametrize(("payload", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_post_is_set_aside_with_the_reason_and_the_rest_stored(
    odd: Canned, read_odd: Read, payload: Any, reason: str
) -> None:
    odd.tell(TIMELINE, page(GOOD[1], payload, GOOD[0]))
    run = read_odd()
    assert (run.outcome, run.fresh, run.candidates, run.quarantined) == ("read", 2, 2, 1)
    assert (texts(), Quarantined.objects.get().reason) == (["Davor.", "Danach."], reason)
    assert Cursor.objects.get().newest_id == ID + 3


def test_everything_broken_at_once_is_set_aside_one_by_one(odd: Canned, read_odd: Read) -> None:
    payloads = [payload for payload, _reason in BROKEN.values()]
    odd.tell(TIMELINE, page(*payloads[:8], *GOOD, *payloads[8:]))
    run = read_odd()
    assert (run.fresh, texts()) == (2, ["Davor.", "Danach."])
    reasons = sorted(Quarantined.objects.values_list("reason", flat=True))
    assert reasons == sorted(reason for _payload, reason in BROKEN.values())


def test_what_is_set_aside_is_kept_whole_unless_it_is_long(odd: Canned, read_odd: Read) -> None:
    """Null is kept as null; of what is long, the beginning."""
    long = {"id": "x", "text": "y" * 200_000}
    odd.tell(TIMELINE, page(None, {"id": "x"}, long))
    assert read_odd().quarantined == 3
    kept = list(Quarantined.objects.order_by("pk").values_list("payload", flat=True))
    assert kept == [None, {"id": "x"}, json.dumps(long)[:100_000]]


def test_a_page_in_another_encoding_is_read_and_its_odd_signs_replaced(odd: Canned, read_odd: Read) -> None:
    """JSON is UTF-8: nobody guesses what else it may be."""
    body = json.dumps(page(post(ID, "Größe"), *GOOD), ensure_ascii=False).encode("latin-1")
    odd.tell(TIMELINE, body, content_type="application/json")
    assert (read_odd().fresh, texts()) == (3, ["Gr\ufffd\ufffde", "Davor.", "Danach."])


# --- posts that are odd and yet can be read
ODD: dict[str, dict[str, Any]] = {
    "ids as numbers": {"id": ID + 2, "author_id": 5001, "edit_history_tweet_ids": [ID + 2]},
    "a date without fractions": {"created_at": "2026-11-22T10:00:00Z"},
    "a date in another zone": {"created_at": "2026-11-22T12:00:00+02:00"},
    "no date": {"created_at": None},
    "attachments that are not included": {"attachments": {"media_keys": ["3_1"], "poll_ids": ["9"]}},
    "attachments of another kind": {"attachments": "none"},
    "a quoted post that is not included": {"referenced_tweets": [{"type": "quoted", "id": "7"}]},
    "a reference of an unknown kind": {"referenced_tweets": [{"type": "remixed", "id": "7"}]},
    "figures beyond bigint": {"public_metrics": {"like_count": 10**30, "reply_count": -1, "quote_count": "5"}},
    "entities elsewhere": {"entities": {"urls": [{"start": 900, "end": 10**12, "url": "https://t.co/x"}]}},
    "entities of another kind": {"entities": ["x"], "note_tweet": ["x"], "withheld": None},
    "a language of its own": {"lang": "x" * 500},
    "unknown keys": {"zzz": {"deep": [[[[{}]]]]}, "": None},
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_an_odd_post_is_read_as_far_as_it_can_be(odd: Canned, read_odd: Read, change: dict[str, Any]) -> None:
    odd.tell(TIMELINE, page(*GOOD, post(ID + 2, "Sonderbar.") | change))
    run = read_odd()
    assert (run.outcome, run.fresh, run.quarantined) == ("read", 3, 0)
    assert texts() == ["Davor.", "Sonderbar.", "Danach."]
    told = Tweet.objects.get(first_id=ID + 2)
    assert (told.wire["media"], told.wire.get("poll"), told.author_id) == ([], None, 5001)


PEOPLE: dict[str, Any] = {
    "null": None,
    "words": "none",
    "an object": {"5001": USER},
    "broken ones": [None, 5, {"id": "5001"}, {"username": "stadtblatt"}],
    "a name of spaces": [USER | {"username": "   "}],
    "a name without end": [USER | {"username": "x" * 51}],
    "an id of another make": [USER | {"id": "9" * 30}],
}


@pytest.mark.parametrize("users", PEOPLE.values(), ids=PEOPLE)
def test_authors_missing_from_the_includes_are_asked_for(odd: Canned, read_odd: Read, users: Any) -> None:
    """Once here: the account was found by its name, so what the page says of others is what is missing."""
    odd.tell("/2/users", {"data": [{"id": "6001", "username": "rathaus", "name": "Rathaus"}]})
    odd.answers = [one for one in odd.answers if one[1].body != {"data": []}]
    body = page(*GOOD, post(ID + 2, "Vom Rathaus.", author_id="6001")) | {"includes": {"users": users}}
    odd.tell(TIMELINE, body)
    run = read_odd()
    assert (run.outcome, run.fresh, run.quarantined) == ("read", 3, 0)
    assert ("/2/users", "6001") in [(path, given.get("ids")) for path, given in odd.asked]
    assert sorted(Author.objects.values_list("username", flat=True)) == ["rathaus", "stadtblatt"]


REPOSTS = [post(ID + n, "RT @rathaus: V…", referenced_tweets=[{"type": "retweeted", "id": "77"}]) for n in (1, 2)]
ORIGINAL = post(77, "Vom Rathaus.", author_id="6001")
RATHAUS = {"id": "6001", "username": "rathaus", "name": "Rathaus"}


def test_an_original_missing_from_the_includes_is_fetched(odd: Canned, read_odd: Read) -> None:
    odd.tell(TIMELINE, page(*REPOSTS))
    odd.tell("/2/tweets", page(ORIGINAL, users=[RATHAUS]))
    run = read_odd()
    assert (run.outcome, run.fresh, run.missing, texts()) == ("read", 1, 0, ["Vom Rathaus."])
    assert [given["ids"] for path, given in odd.asked if path == "/2/tweets"] == ["77"]


def test_an_original_that_X_calls_gone_is_not_asked_for(odd: Canned, read_odd: Read) -> None:
    error = {"parameter": "referenced_tweets.id", "resource_id": "77", "type": "x/resource-not-found"}
    odd.tell(TIMELINE, page(*REPOSTS, errors=[error]))
    run = read_odd()
    assert (run.outcome, run.fresh, run.missing) == ("read", 0, 2)
    assert [path for path, _given in odd.asked if path == "/2/tweets"] == []


def test_an_original_that_cannot_be_had_now_is_read_again(odd: Canned, read_odd: Read) -> None:
    odd.tell(TIMELINE, page(post(ID)), times=1)
    odd.tell(TIMELINE, page(*REPOSTS))
    odd.tell("/2/tweets", {"title": "Service Unavailable"}, 503, times=1)
    odd.tell("/2/tweets", page(ORIGINAL, users=[RATHAUS]))
    outcomes = [read_odd().outcome for _ in range(3)]
    assert (outcomes, Tweet.objects.filter(text="Vom Rathaus.").count()) == (["read", "failed", "read"], 1)
    assert Cursor.objects.get().gap_floor_id is None


def test_a_page_without_includes_and_meta_is_read(odd: Canned, read_odd: Read) -> None:
    odd.tell(TIMELINE, {"data": GOOD})
    assert (read_odd().fresh, texts()) == (2, ["Davor.", "Danach."])


@pytest.mark.parametrize("part", [{"includes": [1]}, {"meta": "x"}, {"errors": ["x", None, 5]}, {"errors": {"a": 1}}])
def test_odd_parts_of_a_page_leave_its_posts(odd: Canned, read_odd: Read, part: dict[str, Any]) -> None:
    odd.tell(TIMELINE, {"data": GOOD} | part)
    assert (read_odd().fresh, texts()) == (2, ["Davor.", "Danach."])


@pytest.mark.parametrize("token", [7, {"next": 1}, [], True, "", None])
def test_a_page_token_of_another_kind_is_none(odd: Canned, read_odd: Read, token: Any) -> None:
    odd.tell(TIMELINE, page(*GOOD, meta={"next_token": token}))
    read_odd()
    asked = len(odd.asked)
    odd.tell(TIMELINE, page(*GOOD, meta={"next_token": token}))
    assert (read_odd().outcome, len(odd.asked) - asked) == ("read", 1)


def test_tokens_that_turn_in_a_circle_end_the_reading(odd: Canned, read_odd: Read) -> None:
    odd.tell(TIMELINE, page(GOOD[0]), times=1)
    odd.tell(TIMELINE, page(GOOD[1], meta={"next_token": "round"}))
    outcomes = [read_odd().outcome for _ in range(3)]
    assert (outcomes, texts()) == (["read"] * 3, ["Davor.", "Danach."])
    assert len([path for path, _given in odd.asked if path == TIMELINE]) < 12


# --- what PostgreSQL cannot store
@pytest.mark.parametrize("sign", ["\x00", "\ud800", "\udfff", "\udc00\ud800"], ids=ascii)
def test_nul_and_lone_surrogates_are_replaced_wherever_they_stand(odd: Canned, read_odd: Read, sign: str) -> None:
    ours = "\ufffd" * len(sign)
    told = post(
        ID + 2,
        f"a{sign}b #Ei{sign}",
        lang=f"d{sign}",
        entities={"hashtags": [{"start": 3 + len(sign), "end": 6 + 2 * len(sign), "tag": f"Ei{sign}"}]},
        attachments={"media_keys": [f"3_{sign}"]},
        note_tweet={"text": f"lang{sign}", "entities": {"urls": [{"start": 0, "end": 1, "url": sign}]}},
    )
    told[f"key{sign}"] = [sign, {sign: sign}]
    includes = {
        "users": [
            USER | {"name": f"Stadt{sign}blatt", "verified_type": sign, "profile_image_url": f"https://x/{sign}"}
        ],
        "media": [{"media_key": f"3_{sign}", "type": sign, "alt_text": f"Bild{sign}", "url": f"https://x/{sign}"}],
    }
    odd.tell(TIMELINE, page(told, *GOOD, {"id": sign, "text": sign}, includes=includes))
    run = read_odd()
    assert (run.outcome, run.fresh, run.quarantined, Candidate.objects.count()) == ("read", 3, 1, 3)
    assert (Tweet.objects.get(first_id=ID + 2).text, Author.objects.get().name) == (f"lang{ours}", f"Stadt{ours}blatt")
    assert Quarantined.objects.get().payload == {"id": ours, "text": ours}


@pytest.mark.parametrize("sign", ["\x00", "\ud800"], ids=ascii)
@pytest.mark.parametrize("status", [400, 403, 429, 503])
def test_nul_and_lone_surrogates_in_an_error_are_replaced_too(
    odd: Canned, read_odd: Read, odd_source: Source, status: int, sign: str
) -> None:
    odd.tell(TIMELINE, {"title": f"No{sign}", "detail": f"Not{sign}so."}, status)
    run = read_odd()
    odd_source.refresh_from_db()
    assert "Not\ufffdso." in run.error
    assert odd_source.paused_reason in ("", run.error)
