"""A post's text as it must be shown: whole, entities linked, nothing of it executed.

Offsets count code points of the text as X gave it, in which &, < and > are escaped once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from curation.x.entities import plain_text

WORD = re.compile(r"\s+|\w+|.", re.DOTALL)
LONGEST_DIFFERENCE = 4_000


@dataclass(frozen=True)
class Link:
    """Where a part of the text leads, and the words that stand for it; None shows the part itself."""

    start: int
    end: int
    href: str
    words: str | None = None


@dataclass(frozen=True)
class Piece:
    """A run of text in one dress: "", "mark" (a block's word), "ins" or "del" (what an edit changed)."""

    text: str
    dress: str = ""


def shown_text(
    text: str, entities: dict[str, Any] | None, marks: Iterable[tuple[int, int]] = (), before: str = ""
) -> SafeString:
    """The text as HTML. `marks` are spans that a block found, `before` is the text before an edit, if it had one."""
    removed, added = difference(before, text) if before else ({}, [])
    dresses = [(start, end, "mark") for start, end in marks] + [(start, end, "ins") for start, end in added]
    cuts = sorted({0, len(text), *removed, *(edge for start, end, _ in dresses for edge in (start, end))})
    html: list[SafeString] = []
    done = 0
    for link in [*links(entities, text), Link(len(text), len(text), "")]:
        html += [dressed(piece) for piece in pieces(text, done, link.start, cuts, dresses, removed)]
        if link.href:
            html.append(linked(link, text, cuts, dresses, removed))
        done = link.end
    html += [dressed(Piece(removed[len(text)], "del"))] if len(text) in removed else []
    return format_html_join("", "{}", ((part,) for part in html))


def links(entities: dict[str, Any] | None, text: str) -> list[Link]:
    """The entities that can be linked, in order; broken and overlapping ones are left as text."""
    found = sorted(candidates(entities or {}, text), key=lambda link: (link.start, -link.end))
    kept: list[Link] = []
    for link in found:
        if 0 <= link.start < link.end <= len(text) and (not kept or link.start >= kept[-1].end):
            kept.append(link)
    return kept


def candidates(entities: dict[str, Any], text: str) -> Iterator[Link]:
    for kind, maker in MAKERS.items():
        for entity in entities.get(kind) or []:
            try:
                yield from maker(entity, int(entity["start"]), int(entity["end"]))
            except (KeyError, TypeError, ValueError):
                continue


def web_link(entity: dict[str, Any], start: int, end: int) -> Iterator[Link]:
    address = str(entity["url"])
    if urlsplit(address).scheme in ("http", "https"):
        words = entity.get("display_url")
        yield Link(start, end, address, str(words) if words else None)


def tag_link(path: str, key: str) -> Any:
    def make(entity: dict[str, Any], start: int, end: int) -> Iterator[Link]:
        yield Link(start, end, f"https://x.com/{path}{quote(str(entity[key]), safe='')}")

    return make


MAKERS = {
    "urls": web_link,
    "mentions": tag_link("", "username"),
    "hashtags": tag_link("hashtag/", "tag"),
    "cashtags": tag_link("search?q=%24", "tag"),
}


def pieces(
    text: str,
    start: int,
    end: int,
    cuts: list[int],
    dresses: list[tuple[int, int, str]],
    removed: dict[int, str],
) -> Iterator[Piece]:
    """The runs between two places; what an edit removed stands before the place it was taken from."""
    edges = [start, *(cut for cut in cuts if start < cut < end), end]
    for left, right in pairwise(edges):
        if left in removed and left < len(text) and left < right:
            yield Piece(removed[left], "del")
        if left < right:
            dress = next((kind for first, last, kind in dresses if first <= left and right <= last), "")
            yield Piece(text[left:right], dress)


def linked(
    link: Link, text: str, cuts: list[int], dresses: list[tuple[int, int, str]], removed: dict[int, str]
) -> SafeString:
    parts = list(pieces(text, link.start, link.end, cuts, dresses, removed))
    if link.words is not None:
        dress = next((part.dress for part in parts if part.dress in ("mark", "ins")), "")
        parts = [part for part in parts if part.dress == "del"] + [Piece(link.words, dress)]
    body = format_html_join("", "{}", ((dressed(part),) for part in parts))
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>', link.href, body)


def dressed(piece: Piece) -> SafeString:
    words = plain_text(piece.text)
    if not piece.dress:
        return format_html("{}", words)
    return format_html("<{}>{}</{}>", piece.dress, words, piece.dress)


def difference(before: str, after: str) -> tuple[dict[int, str], list[tuple[int, int]]]:
    """What an edit took out, by the place in `after` where it stood, and the spans of `after` that are new."""
    if len(before) + len(after) > LONGEST_DIFFERENCE:
        return {}, []
    old, new = WORD.findall(before), WORD.findall(after)
    places = [0]
    for word in new:
        places.append(places[-1] + len(word))
    removed: dict[int, str] = {}
    added: list[tuple[int, int]] = []
    for kind, first, last, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind in ("delete", "replace"):
            removed[places[start]] = "".join(old[first:last])
        if kind in ("insert", "replace"):
            added.append((places[start], places[end]))
    return removed, added
