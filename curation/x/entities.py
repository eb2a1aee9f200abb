"""Entities of a text: links, tags and mentions, with their places in the plain text."""

from __future__ import annotations

import re
from typing import Any

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
ESCAPED = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
SIGN = re.compile("|".join(ESCAPED))
KINDS = {"urls": "url", "hashtags": "tag", "cashtags": "tag", "mentions": "username"}
MARKS = {"hashtags": "#＃", "cashtags": "$", "mentions": "@＠"}
WEB = re.compile(r"https?://\S+")
Entity = dict[str, Any]


def clean(text: str) -> str:
    """Without what PostgreSQL cannot store; a replaced character keeps its place, so offsets stay right."""
    return text if text.isprintable() else UNSTORABLE.sub("\ufffd", text)  # those are not; asking is quicker


def plain_text(text: str) -> str:
    """The text as its author wrote it: X's three escaped signs undone, once."""
    return SIGN.sub(lambda match: ESCAPED[match[0]], text) if "&" in text else text


def leading_to(entities: dict[str, Any] | None) -> dict[str, str]:
    """Where the short links of a text lead."""
    told = (entities or {}).get("urls") or []
    return {str(url["url"]): str(url["expanded_url"]) for url in told if url.get("url") and url.get("expanded_url")}


def places_of(text: str) -> list[int]:
    """For each place in plain_text(text) the place in `text`, the end included."""
    places: list[int] = []
    at = 0
    for match in SIGN.finditer(text):
        places += [*range(at, match.start()), match.start()]
        at = match.end()
    return [*places, *range(at, len(text) + 1)]


def read_entities(entities: Any, text: str) -> dict[str, list[Entity]]:
    """The four kinds, in order, none overlapping; those that do not stand where X says are left out.

    Offsets count code points of the text as given, escapes included; where that fits no words, without.
    """
    if not isinstance(entities, dict):
        return {}
    places = places_of(text) if "&" in text else []
    found = [
        (place[0], place[1], kind, entry)
        for kind, key in KINDS.items()
        for entry in _entries(entities.get(kind), key)
        if (place := _place(entry, kind, key, text, places))
    ]
    kept: dict[str, list[Entity]] = {}
    end = 0
    for start, stop, kind, entry in sorted(found, key=lambda one: one[:2]):
        if start >= end:
            kept.setdefault(kind, []).append({"start": start, "end": stop} | _fields(kind, entry))
            end = stop
    return kept


def _entries(given: Any, key: str) -> list[Entity]:
    entries = given if isinstance(given, list) else []
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get(key), str) and entry[key]]


def _place(entry: Entity, kind: str, key: str, text: str, places: list[int]) -> tuple[int, int] | None:
    start, end = entry.get("start"), entry.get("end")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= len(text):
        return None
    counted = [(start, end)] + ([(places[start], places[end])] if end < len(places) else [])
    fitting = (place for place in counted if _stands(text[slice(*place)], kind, entry[key]))
    return next(fitting, None)


def _stands(words: str, kind: str, value: str) -> bool:
    if kind == "urls":
        return words == value
    return words[:1] in MARKS[kind] and words[1:].casefold() == value.casefold() if words else False


def _fields(kind: str, entry: Entity) -> Entity:
    if kind != "urls":
        return {KINDS[kind]: entry[KINDS[kind]]}
    target = entry.get("unwound_url") or entry.get("expanded_url")
    expanded = clean(target) if isinstance(target, str) and WEB.fullmatch(target) else entry["url"]
    given = entry.get("display_url")
    shown = clean(given) if isinstance(given, str) else expanded
    return {"url": entry["url"], "expanded_url": expanded, "display_url": shown}
