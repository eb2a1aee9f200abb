"""X's two dialects made one. What is not understood raises Unreadable; unknown keys are ignored.

`Post.wire()` is what Tweet.wire holds:

    {"entities": {"urls": [{"start", "end", "url", "expanded_url", "display_url"}],
                  "hashtags": [{"start", "end", "tag"}], "cashtags": [{"start", "end", "tag"}],
                  "mentions": [{"start", "end", "username"}]},
     "media": [{"type": "photo" | "video" | "animated_gif", "url", "preview_url", "width", "height", "alt"}],
     "refs": [{"type": "retweeted" | "quoted" | "replied_to", "id"}],
     "edit_ids": ["..."],
     "poll": {"options": [{"label", "votes"}], "ends_at", "status"},      only with a poll
     "links_before": {short link: address}}      of the text before an edit, which storing adds

Ids in it are strings. `start` and `end` count code points of `Post.text`, in which X escapes &, < and >
once (curation.x.entities.plain_text undoes it).
Metrics: {"likes", "reposts", "replies", "quotes", "bookmarks", "views"}.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json import JSONEncoder
from typing import Any

import orjson

from curation.x.entities import clean, read_entities
from regions.words import straight

by_the_book = JSONEncoder(ensure_ascii=False, allow_nan=False).encode

LARGEST_ID = 2**63 - 1
SNOWFLAKE_EPOCH = 1_288_834_974_657
FIRST_SNOWFLAKE = 1 << 40
ID = re.compile(r"[0-9]{1,19}")
LONGEST_TEXT = 100_000
INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)")
USERNAME = re.compile(r"\w{1,50}", re.ASCII)
LANGUAGE = re.compile(r"[A-Za-z-]{2,8}")
COUNTRY = re.compile(r"[A-Z]{2}")
ADDRESS = re.compile(r"https?://[!-~]+")
METRICS = {
    "like_count": "likes",
    "repost_count": "reposts",
    "retweet_count": "reposts",
    "reply_count": "replies",
    "quote_count": "quotes",
    "bookmark_count": "bookmarks",
    "impression_count": "views",
}


class Unreadable(ValueError):
    """A payload that is not what X documents; `reason` in plain words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Person:
    """An account. `withheld_in`: two-letter country codes, XX worldwide, XY copyright."""

    x_id: int
    username: str
    name: str = ""
    avatar_url: str = ""
    verified_type: str = ""
    followers: int = 0
    protected: bool = False
    withheld_in: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Post:
    """One version of a post. `edit_ids` from the first to the newest known; `raw` is X's payload, `raw_json` the same
    as JSONB accepts it, `page` what X sent beside it and beside the others of its page."""

    id: int
    edit_ids: list[int]
    author_id: int
    text: str
    created_at: datetime
    lang: str
    entities: dict[str, list[dict[str, Any]]]
    media: list[dict[str, Any]]
    refs: list[dict[str, str]]
    poll: dict[str, Any] | None
    metrics: dict[str, int]
    sensitive: bool
    withheld_in: list[str]
    reply_to: int | None
    raw: dict[str, Any]
    raw_json: str = field(default="", compare=False)
    page: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def first_id(self) -> int:
        return self.edit_ids[0]

    @property
    def newest_id(self) -> int:
        return self.edit_ids[-1]

    @property
    def retweeted_id(self) -> int | None:
        """The post that this one merely repeats."""
        return next((int(ref["id"]) for ref in self.refs if ref["type"] == "retweeted"), None)

    @property
    def replies_to_another(self) -> bool:
        return self.reply_to is not None and self.reply_to != self.author_id

    def wire(self) -> dict[str, Any]:
        told = {"entities": self.entities, "media": self.media, "refs": self.refs}
        told["edit_ids"] = [str(number) for number in self.edit_ids]
        return told | ({"poll": self.poll} if self.poll else {})


class Includes:
    """What a page brings beside its posts, by id, in either dialect. Broken entries are left out; `given` has them."""

    def __init__(self, includes: dict[str, Any]) -> None:
        self.given = includes
        self.media = _by(includes.get("media"), "media_key")
        self.polls = _by(includes.get("polls"), "id")
        self.posts = _by(includes.get("tweets"), "id") | _by(includes.get("posts"), "id")
        self.people = people(includes.get("users"))


def _by(entries: Any, key: str) -> dict[str, dict[str, Any]]:
    found = (entry for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    return {str(entry[key]): entry for entry in found if key in entry}


def people(entries: Any) -> dict[int, Person]:
    """Every account that can be read, by its id."""
    found: dict[int, Person] = {}
    for entry in entries if isinstance(entries, list) else ():
        try:
            person = read_person(entry)
        except Unreadable:
            continue
        found[person.x_id] = person
    return found


def cleaned(payload: Any, depth: int = 0) -> Any:
    """A JSON value that JSONB accepts."""
    if depth > 50:
        return None
    if isinstance(payload, str):
        return clean(payload)
    if isinstance(payload, dict):
        return {clean(str(key)): cleaned(value, depth + 1) for key, value in payload.items()}
    if isinstance(payload, list):
        return [cleaned(value, depth + 1) for value in payload]
    if isinstance(payload, float) and payload - payload != 0:
        return None
    return payload


def as_json(value: Any) -> str:
    """JSON as PostgreSQL takes it, of what JSON can say. What is no number becomes null."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # numbers over 64 bits
        return by_the_book(value)


def storable(payload: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The payload and its JSON, as JSONB accepts it; hardly one needs to be cleaned for that."""
    try:
        text = orjson.dumps(payload).decode()
    except TypeError:  # lone surrogates, numbers over 64 bits, endless depth
        text = ""
    if text and "\\u0000" not in text:
        return payload, text
    kept = cleaned(payload)
    return kept, as_json(kept)


def read_id(value: Any, what: str = "id") -> int:
    """An id: 1 to 19 digits as X says, or the same as a number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and ID.fullmatch(text) and 0 < int(text) <= LARGEST_ID:
        return int(text)
    raise Unreadable(f"{what} is not an id")


def read_instant(value: Any) -> datetime:
    """A time with or without fractions of a second, in UTC."""
    match = INSTANT.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise Unreadable("created_at is not a time")
    moment, fraction, zone = match.groups()
    try:
        return datetime.fromisoformat(f"{moment}.{(fraction or '0'):0<6}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Unreadable("created_at is not a time") from error


def instant_of_id(number: int) -> datetime:
    """When X gave out an id, by the milliseconds in its upper bits."""
    if number < FIRST_SNOWFLAKE:
        raise Unreadable("created_at is missing")
    return datetime.fromtimestamp(((number >> 22) + SNOWFLAKE_EPOCH) / 1000, UTC)


def id_at(moment: datetime) -> int:
    """The lowest id of a moment."""
    return max(0, int(moment.timestamp() * 1000) - SNOWFLAKE_EPOCH) << 22


def read_person(payload: Any) -> Person:
    if not isinstance(payload, dict):
        raise Unreadable("the account is not an object")
    username = payload.get("username")
    if not isinstance(username, str) or not USERNAME.fullmatch(username):
        raise Unreadable("the account has no username")
    return Person(
        x_id=read_id(payload.get("id"), "the account's id"),
        username=username,
        name=straight(clean(_text(payload, "name")))[:200],
        avatar_url=_address(payload.get("profile_image_url"), 500),
        verified_type=clean(_text(payload, "verified_type"))[:20],
        followers=_count(payload.get("public_metrics"), "followers_count"),
        protected=payload.get("protected") is True,
        withheld_in=_withheld(payload.get("withheld")),
    )


def read_post(payload: Any, includes: Includes, author_id: int | None = None) -> Post:
    """A post in the common form; `author_id` serves where X names none, as in an account's own timeline."""
    if not isinstance(payload, dict):
        raise Unreadable("the post is not an object")
    number = read_id(payload.get("id"))
    named = payload.get("author_id", author_id)
    if named is None:
        raise Unreadable("the post names no author")
    text, entities = _words(payload)
    reply_to = payload.get("in_reply_to_user_id")
    raw, raw_json = storable(payload)
    return Post(
        id=number,
        edit_ids=_edits(payload, number),
        author_id=read_id(named, "author_id"),
        text=text,
        created_at=_created(payload, number),
        lang=_lang(payload),
        entities=entities,
        media=_media(payload, includes),
        refs=_refs(payload),
        poll=_poll(payload, includes),
        metrics=_metrics(payload.get("public_metrics")),
        sensitive=payload.get("possibly_sensitive") is True,
        withheld_in=_withheld(payload.get("withheld")),
        reply_to=None if reply_to is None else read_id(reply_to, "in_reply_to_user_id"),
        raw=raw,
        raw_json=raw_json,
        page=includes.given,
    )


def _words(payload: dict[str, Any]) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """Text and entities: of the long form where there is one."""
    note = payload.get("note_tweet", payload.get("note_post"))
    source = note if isinstance(note, dict) and isinstance(note.get("text"), str) else payload
    given = source.get("text")
    if not isinstance(given, str):
        raise Unreadable("text is missing")
    if len(given) > LONGEST_TEXT:
        raise Unreadable("text is too long")
    given = clean(given)
    return given, read_entities(source.get("entities"), given)


def _created(payload: dict[str, Any], number: int) -> datetime:
    given = payload.get("created_at")
    return instant_of_id(number) if given is None else read_instant(given)


def _lang(payload: dict[str, Any]) -> str:
    lang = _text(payload, "lang")
    return lang if LANGUAGE.fullmatch(lang) else ""


def _edits(payload: dict[str, Any], number: int) -> list[int]:
    given = payload.get("edit_history_tweet_ids", payload.get("edit_history_post_ids"))
    if given is not None and not isinstance(given, list):
        raise Unreadable("the edit history is not a list")
    return sorted({number, *(read_id(entry, "an id of the edit history") for entry in (given or ())[:100])})


def _refs(payload: dict[str, Any]) -> list[dict[str, str]]:
    given = payload.get("referenced_tweets", payload.get("referenced_posts"))
    entries = [entry for entry in given if isinstance(entry, dict)] if isinstance(given, list) else []
    kinds = {
        "retweeted": "retweeted",
        "reposted": "retweeted",
        "quoted": "quoted",
        "replied_to": "replied_to",
    }
    return [
        {"type": kinds[entry["type"]], "id": str(read_id(entry.get("id"), "a referenced id"))}
        for entry in entries
        if isinstance(entry.get("type"), str) and entry["type"] in kinds
    ]


def _attached(payload: dict[str, Any], key: str, known: dict[str, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    attachments = payload.get("attachments")
    keys = attachments.get(key) if isinstance(attachments, dict) else None
    return [known[str(k)] for k in keys if str(k) in known] if isinstance(keys, list) else []


def _media(payload: dict[str, Any], includes: Includes) -> list[dict[str, Any]]:
    return [
        {
            "type": clean(_text(entry, "type"))[:20] or "photo",
            "url": _address(entry.get("url")) or _best_variant(entry.get("variants")),
            "preview_url": _address(entry.get("preview_image_url")),
            "width": _count(entry, "width"),
            "height": _count(entry, "height"),
            "alt": clean(_text(entry, "alt_text"))[:2000],
        }
        for entry in _attached(payload, "media_keys", includes.media)
    ]


def _best_variant(variants: Any) -> str:
    """The address of the MP4 with the highest bit rate."""
    entries = [entry for entry in variants if isinstance(entry, dict)] if isinstance(variants, list) else []
    films = [entry for entry in entries if entry.get("content_type") == "video/mp4" and _address(entry.get("url"))]
    best = max(films, key=lambda entry: _count(entry, "bit_rate"), default={})
    return _address(best.get("url"))


def _poll(payload: dict[str, Any], includes: Includes) -> dict[str, Any] | None:
    for entry in _attached(payload, "poll_ids", includes.polls):
        given = entry.get("options")
        options = [option for option in given if isinstance(option, dict)] if isinstance(given, list) else []
        options.sort(key=lambda option: _count(option, "position"))
        return {
            "options": [
                {"label": clean(_text(option, "label"))[:100], "votes": _count(option, "votes")} for option in options
            ],
            "ends_at": clean(_text(entry, "end_datetime"))[:40],
            "status": clean(_text(entry, "voting_status"))[:20],
        }
    return None


def _metrics(given: Any) -> dict[str, int]:
    if not isinstance(given, dict):
        return {}
    return {ours: _count(given, name) for name, ours in METRICS.items() if given.get(name) is not None}


def _withheld(given: Any) -> list[str]:
    """Country codes; a notice whose countries cannot be read counts as worldwide."""
    if given is None:
        return []
    codes = given.get("country_codes") if isinstance(given, dict) else None
    known = {code.upper() for code in codes if isinstance(code, str)} if isinstance(codes, list) else set()
    return sorted(code for code in known if COUNTRY.fullmatch(code)) or ["XX"]


def _text(payload: dict[str, Any], key: str) -> str:
    value = payload.get(key)
    return value if isinstance(value, str) else ""


def _address(value: Any, longest: int = 2000) -> str:
    fits = isinstance(value, str) and len(value) <= longest and ADDRESS.fullmatch(value)
    return str(value) if fits else ""


def _count(payload: Any, key: str) -> int:
    value = payload.get(key) if isinstance(payload, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ID else 0
