"""What foreign text became: in the bodies of feeds, and in pages."""

from __future__ import annotations

import html
import json
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from tests.soak.promises.history import History, Row

MARK = "tdkx"  # every hostile text holds an element, an attribute or a call of this name
FEED = {
    "version", "market", "category", "language", "snapshot", "published_at", "ttl", "entries", "removed",
}  # fmt: skip
IDS = {"id", "url", "category", "pinned", "context", "label", "expires_at"}
FULL = IDS | {"text", "entities", "lang", "created_at", "edited", "author", "media"}
STANDS_FOR = "\ufffd"  # what X sends and no string can hold


def judge(history: History) -> tuple[int, list[str]]:
    texts = {number: text for post in history.truth.values() for number, text in post["texts"].items()}
    wrong = [f"body {name[:12]}: {words}" for name, body in history.bodies.items() for words in _body(body, texts)]
    wrong += [f"{name}: {words}" for name, page in history.pages.items() for words in _page(name, page)]
    return len(history.bodies) + len(history.pages), wrong


def _once(pairs: list[tuple[str, Any]]) -> Row:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _body(body: bytes, texts: dict[str, str]) -> list[str]:
    try:
        told = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except ValueError as error:
        return [f"no JSON: {error}"]
    if set(told) != FEED:
        return [f"other names: {sorted(set(told) ^ FEED)}"]
    wrong = []
    for entry in told["entries"]:
        if set(entry) not in (IDS, FULL):
            wrong.append(f"an entry with other names: {sorted(set(entry) ^ FULL)}")
        elif "text" in entry and not _same(entry["text"], texts.get(entry["id"])):
            wrong.append(f"{entry['id']} says {entry['text']!r}, X {texts.get(entry['id'])!r}")
    return wrong


def _same(text: str, typed: str | None) -> bool:
    """X escapes three characters; one that no string can hold has a sign in its place."""
    return typed is not None and (html.unescape(text) == typed or STANDS_FOR in text)


def _page(name: str, page: bytes) -> list[str]:
    if name.endswith(".html"):
        reader = Elements()
        reader.feed(page.decode("utf-8"))
        reader.close()
        return reader.wrong
    try:
        json.loads(page) if name.endswith(".json") else ElementTree.fromstring(page)
    except (ValueError, ElementTree.ParseError) as error:
        return [f"not well-formed: {error}"]
    return []


class Elements(HTMLParser):
    """Foreign text is text: none of it became an element, an attribute, a script or a style."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        runs = tag == "style" or (tag == "script" and dict(attrs).get("type") != "application/json")
        self.within = tag if runs else ""
        if MARK in tag:
            self.wrong.append(f"an element <{tag}>")
        for name, told in attrs:
            acts = name.startswith("on") or (
                name in ("href", "src", "action") and (told or "").startswith("javascript")
            )
            if MARK in name or (acts and MARK in (told or "")):
                self.wrong.append(f"an attribute {name}={told!r}")

    def handle_endtag(self, tag: str) -> None:
        self.within = ""

    def handle_data(self, text: str) -> None:
        if self.within and MARK in text:
            self.wrong.append(f"in <{self.within}>")
