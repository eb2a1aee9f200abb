"""Both dialects become one form; what X does not document is refused with a reason, the rest is read."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from curation.x.entities import places_of, plain_text
from curation.x.wire import Includes, Unreadable, cleaned, id_at, instant_of_id, read_instant, read_person, read_post

NONE = Includes({})
ID = "2124447586302865432"
FULL: dict[str, Any] = {
    "id": ID,
    "text": "Kurz und gut … https://t.co/abcdefghij",
    "author_id": "5001",
    "created_at": "2026-11-22T10:00:00.000Z",
    "lang": "de",
    "edit_history_tweet_ids": ["2124447586302865000", ID],
    "note_tweet": {
        "text": "Lang &amp; breit: @rathaus sagt #Brücke",
        "entities": {
            "mentions": [{"start": 18, "end": 26, "username": "rathaus"}],
            "hashtags": [{"start": 32, "end": 39, "tag": "Brücke"}],
        },
    },
    "referenced_tweets": [{"type": "quoted", "id": "2124447586302865001"}],
    "attachments": {"media_keys": ["7_1"], "poll_ids": ["9"]},
    "public_metrics": {"retweet_count": 4, "like_count": 9, "reply_count": 1, "quote_count": 2},
    "possibly_sensitive": True,
    "withheld": {"copyright": False, "country_codes": ["DE"], "scope": "tweet"},
    "something_new": {"of": "X"},
}
INCLUDES: dict[str, Any] = {
    "users": [{"id": "5001", "username": "stadtblatt", "name": "Stadtblatt"}],
    "media": [
        {
            "media_key": "7_1",
            "type": "video",
            "preview_image_url": "https://pbs.twimg.com/p.jpg",
            "width": 1280,
            "height": 720,
            "alt_text": "Eine Brücke",
            "variants": [
                {"content_type": "application/x-mpegURL", "url": "https://video.twimg.com/l.m3u8"},
                {"content_type": "video/mp4", "bit_rate": 256, "url": "https://video.twimg.com/s.mp4"},
                {"content_type": "video/mp4", "bit_rate": 2176, "url": "https://video.twimg.com/b.mp4"},
            ],
        }
    ],
    "polls": [
        {
            "id": "9",
            "options": [{"position": 2, "label": "Nein", "votes": 1}, {"position": 1, "label": "Ja", "votes": 3}],
            "end_datetime": "2026-11-23T10:00:00.000Z",
            "voting_status": "open",
        }
    ],
}
RENAMED = {
    "edit_history_tweet_ids": "edit_history_post_ids",
    "referenced_tweets": "referenced_posts",
    "note_tweet": "note_post",
    "retweet_count": "repost_count",
}


def in_post_dialect(body: dict[str, Any]) -> Any:
    text = json.dumps(body)
    for old, new in RENAMED.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    return json.loads(text.replace('"scope": "tweet"', '"scope": "post"'))


@pytest.mark.parametrize("body", [FULL, in_post_dialect(FULL)], ids=["tweet", "post"])
def test_everything_a_post_can_have(body: dict[str, Any]) -> None:
    post = read_post(body, Includes(INCLUDES))
    assert (post.id, post.first_id, post.newest_id) == (int(ID), 2124447586302865000, int(ID))
    assert post.text == "Lang &amp; breit: @rathaus sagt #Brücke"
    assert post.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert post.metrics == {"likes": 9, "reposts": 4, "replies": 1, "quotes": 2}
    assert (post.author_id, post.lang, post.sensitive, post.withheld_in) == (5001, "de", True, ["DE"])
    assert post.wire() == {
        "entities": {
            "mentions": [{"start": 18, "end": 26, "username": "rathaus"}],
            "hashtags": [{"start": 32, "end": 39, "tag": "Brücke"}],
        },
        "media": [
            {
                "type": "video",
                "url": "https://video.twimg.com/b.mp4",
                "preview_url": "https://pbs.twimg.com/p.jpg",
                "width": 1280,
                "height": 720,
                "alt": "Eine Brücke",
            }
        ],
        "refs": [{"type": "quoted", "id": "2124447586302865001"}],
        "edit_ids": ["2124447586302865000", ID],
        "poll": {
            "options": [{"label": "Ja", "votes": 3}, {"label": "Nein", "votes": 1}],
            "ends_at": "2026-11-23T10:00:00.000Z",
            "status": "open",
        },
    }
    assert post.raw == body


@pytest.mark.parametrize("name", ["tweets", "posts"])
def test_referenced_posts_are_found_in_either_dialect(name: str) -> None:
    assert Includes({name: [{"id": "7", "text": "x"}, "broken", {"no": "id"}]}).posts == {"7": {"id": "7", "text": "x"}}


@pytest.mark.parametrize("kind", ["retweeted", "reposted"])
def test_a_repost_names_its_original(kind: str) -> None:
    post = read_post(FULL | {"referenced_tweets": [{"type": kind, "id": "77"}]}, NONE)
    assert post.retweeted_id == 77


def test_offsets_count_code_points_of_the_text_as_given() -> None:
    text = "😀 A &amp; B &lt;3 #Ei 🥁 $DTE"
    entities = {
        "hashtags": [{"start": text.index("#"), "end": text.index("#") + 3, "tag": "Ei"}],
        "cashtags": [{"start": text.index("$"), "end": text.index("$") + 4, "tag": "DTE"}],
    }
    post = read_post(FULL | {"note_tweet": None, "text": text, "entities": entities}, NONE)
    assert post.text == text
    (tag,), (cash,) = post.entities["hashtags"], post.entities["cashtags"]
    assert post.text[tag["start"] : tag["end"]] == "#Ei"
    assert post.text[cash["start"] : cash["end"]] == "$DTE"


def test_offsets_that_were_counted_without_escapes_are_understood_too() -> None:
    entities = {"hashtags": [{"start": 6, "end": 9, "tag": "Ei"}]}
    post = read_post(FULL | {"note_tweet": None, "text": "A &amp; B #Ei", "entities": entities}, NONE)
    assert post.entities == {"hashtags": [{"start": 10, "end": 13, "tag": "Ei"}]}
    assert post.text[10:13] == "#Ei"


@pytest.mark.parametrize(
    ("given", "plain"),
    [("&amp;lt;", "&lt;"), ("&amp;amp;", "&amp;"), ("&quot;&#39;", "&quot;&#39;"), ("a<b", "a<b"), ("", "")],
)
def test_signs_are_unescaped_once_and_only_the_three(given: str, plain: str) -> None:
    places = places_of(given)
    assert plain_text(given) == plain
    assert (len(places), places[-1]) == (len(plain) + 1, len(given))


@pytest.mark.parametrize(
    "entities",
    [
        {"urls": [{"start": 0, "end": 5, "url": "https://t.co/x"}]},
        {"hashtags": [{"start": -1, "end": 3, "tag": "Ei"}]},
        {"hashtags": [{"start": 0, "end": 10**9, "tag": "Ei"}]},
        {"hashtags": [{"start": "0", "end": 3, "tag": "Ei"}]},
        {"hashtags": ["x", None, {"start": 0, "end": 3}]},
        {"hashtags": "x"},
        "x",
    ],
)
def test_entities_that_do_not_stand_where_they_say_are_left_out(entities: Any) -> None:
    assert read_post(FULL | {"note_tweet": None, "text": "Hallo #Ei", "entities": entities}, NONE).entities == {}


def test_of_entities_that_overlap_the_first_stays() -> None:
    url = {
        "start": 0,
        "end": 14,
        "url": "https://t.co/x",
        "display_url": "x.example",
        "expanded_url": "https://x.example/",
    }
    twice = {"urls": [url | {"media_key": "1"}, url | {"media_key": "2"}]}
    post = read_post(FULL | {"note_tweet": None, "text": "https://t.co/x", "entities": twice}, NONE)
    assert post.entities["urls"] == [url]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-22T10:00:00.000Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00.123456789Z", datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-22T12:00:00+02:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
    ],
)
def test_times_with_and_without_fractions(value: str, moment: datetime) -> None:
    assert read_instant(value) == moment


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None}, "id is not an id"),
        ({"id": "12a"}, "id is not an id"),
        ({"id": "-5"}, "id is not an id"),
        ({"id": "99999999999999999999"}, "id is not an id"),
        ({"id": "9223372036854775808"}, "id is not an id"),
        ({"id": True}, "id is not an id"),
        ({"id": 1.5}, "id is not an id"),
        ({"id": "١٢٣"}, "id is not an id"),
        ({"text": None, "note_tweet": None}, "text is missing"),
        ({"text": 7, "note_tweet": None}, "text is missing"),
        ({"text": "x" * 100_001, "note_tweet": None}, "text is too long"),
        ({"author_id": None}, "the post names no author"),
        ({"author_id": "me"}, "author_id is not an id"),
        ({"created_at": "yesterday"}, "created_at is not a time"),
        ({"created_at": "2026-13-45T10:00:00Z"}, "created_at is not a time"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at is not a time"),
        ({"edit_history_tweet_ids": "x"}, "the edit history is not a list"),
        ({"edit_history_tweet_ids": ["x"]}, "an id of the edit history is not an id"),
        ({"referenced_tweets": [{"type": "quoted"}]}, "a referenced id is not an id"),
    ],
)
def test_malformed_posts_are_refused_with_a_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_post(FULL | change, NONE)


@pytest.mark.parametrize("payload", [None, [], "x", 7, [{}]])
def test_what_is_no_object_is_refused(payload: Any) -> None:
    with pytest.raises(Unreadable, match="not an object"):
        read_post(payload, NONE)


@pytest.mark.parametrize(
    "change",
    [
        {"public_metrics": "x"},
        {"public_metrics": {"like_count": "9"}},
        {"attachments": []},
        {"attachments": {"media_keys": "7_1", "poll_ids": [None]}},
        {"referenced_tweets": "x"},
        {"referenced_tweets": [{"type": ["quoted"], "id": "1"}, None]},
        {"entities": [1, 2]},
        {"lang": {"x": 1}},
        {"possibly_sensitive": "yes"},
        {"note_tweet": "x"},
    ],
)
def test_odd_parts_cost_the_part_not_the_post(change: dict[str, Any]) -> None:
    assert read_post(FULL | change, Includes(INCLUDES)).id == int(ID)


def test_ids_as_numbers_and_a_missing_time_are_read() -> None:
    post = read_post({"id": int(ID), "text": "x"}, NONE, author_id=5001)
    assert (post.id, post.author_id, post.edit_ids) == (int(ID), 5001, [int(ID)])
    assert post.created_at == instant_of_id(int(ID))


def test_an_id_tells_its_time() -> None:
    moment = datetime(2026, 11, 22, 10, 0, 0, 500_000, tzinfo=UTC)
    assert instant_of_id(id_at(moment)) == moment
    assert instant_of_id(id_at(moment) - 1) < moment


def test_a_long_dead_id_has_no_time() -> None:
    with pytest.raises(Unreadable, match="created_at is missing"):
        read_post({"id": "20", "text": "x", "author_id": "5"}, NONE)


@pytest.mark.parametrize(
    ("withheld", "codes"),
    [
        (None, []),
        ({"country_codes": ["de", "FR"]}, ["DE", "FR"]),
        ({"country_codes": ["XY"], "copyright": True}, ["XY"]),
        ({"country_codes": "DE"}, ["XX"]),
        ({"country_codes": []}, ["XX"]),
        ("yes", ["XX"]),
    ],
)
def test_withholding_that_cannot_be_read_counts_as_worldwide(withheld: Any, codes: list[str]) -> None:
    assert read_post(FULL | {"withheld": withheld}, NONE).withheld_in == codes


def test_what_postgresql_cannot_store_is_replaced_in_place() -> None:
    text = "a\x00b\ud800c #Ei"
    post = read_post(
        FULL | {"note_tweet": None, "text": text, "entities": {"hashtags": [{"start": 6, "end": 9, "tag": "Ei"}]}}, NONE
    )
    assert post.text == "a\ufffdb\ufffdc #Ei"
    assert post.text[6:9] == "#Ei"
    assert post.raw["text"] == post.text


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (2**70, 2**70),
        (-(2**70), -(2**70)),
        ("a\x00b", "a\ufffdb"),
        ("a\ud800", "a\ufffd"),
        ("&amp; \u2028 Ä\t", "&amp; \u2028 Ä\t"),
        ("\\u0000", "\\u0000"),
        (1.5, 1.5),
    ],
)
def test_the_json_that_is_stored_says_what_x_said_as_far_as_jsonb_accepts_it(odd: Any, kept: Any) -> None:
    told = read_post(FULL | {"further": [odd]}, NONE).raw_json
    assert json.loads(told) == read_post(FULL, NONE).raw | {"further": [kept]}


def test_cleaned_is_stored_by_jsonb_whatever_it_was() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    odd = {"a\x00": float("inf"), "b": ["\udfff", {"c": float("nan")}], "d": deep}
    told = json.dumps(cleaned(odd), allow_nan=False, ensure_ascii=False).encode()
    assert b"\x00" not in told


def test_a_person_and_what_is_none() -> None:
    told = {
        "id": "5",
        "username": "stadtblatt",
        "name": "x" * 300,
        "protected": True,
        "withheld": {"country_codes": ["DE"]},
    }
    person = read_person(told | {"public_metrics": {"followers_count": 12}, "profile_image_url": "javascript:alert(1)"})
    assert (person.x_id, len(person.name), person.avatar_url, person.followers) == (5, 200, "", 12)
    assert (person.protected, person.withheld_in) == (True, ["DE"])
    for odd in (None, {}, {"id": "5"}, {"id": "5", "username": "<b>"}, {"id": "x", "username": "a"}):
        with pytest.raises(Unreadable):
            read_person(odd)


def test_the_lowest_id_of_a_moment_is_a_bound_for_searches() -> None:
    now = datetime.now(UTC)
    assert id_at(now - timedelta(days=7)) < id_at(now)
