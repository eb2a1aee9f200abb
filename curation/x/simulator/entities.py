"""Texts as X hands them out: links shortened, signs escaped, entities with code-point offsets.

Offsets count code points of the text as it is handed out, escaped signs included.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from curation.x.simulator.accounts import digest

BASE62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKEN = re.compile(
    r"""(?P<urls>https?://[^\s<>"]*[^\s<>".,;:!?)\]»”’…])"""
    r"|(?<![\w&\#])\#(?P<hashtags>\w*[^\W\d_]\w*)"
    r"|(?<![\w@.])@(?P<mentions>[A-Za-z0-9_]{1,15})(?!\w)"
    r"|(?<!\w)\$(?P<cashtags>[A-Z]{1,6})(?!\w)"
)
KINDS = ("hashtags", "mentions", "cashtags", "urls")
Numbered = Callable[[str], int | None]


@dataclass
class Piece:
    """A stretch of text as shown; `kind` names its entity, if it has one."""

    text: str
    kind: str = ""
    fields: list[dict[str, Any]] = field(default_factory=list)


def short_link(*words: object) -> str:
    number, letters = digest("t.co", *words), ""
    for _ in range(10):
        number, rest = divmod(number, 62)
        letters += BASE62[rest]
    return f"https://t.co/{letters}"


def shown_link(url: str) -> str:
    bare = re.sub(r"^https?://(www\.)?", "", url).rstrip("/")
    return bare if len(bare) <= 27 else bare[:26] + "…"


def link_piece(url: str, salt: object, **extra: Any) -> Piece:
    short = short_link(url, salt)
    fields = {"url": short, "expanded_url": url, "display_url": shown_link(url)} | extra
    return Piece(short, "urls", [fields])


def plain(text: str) -> Piece:
    return Piece(html.escape(text, quote=False))


def pieces(raw: str, salt: object, number: Numbered) -> list[Piece]:
    """Cuts what an author typed into plain stretches, links, tags and mentions."""
    found, at = [], 0
    for match in TOKEN.finditer(raw):
        found += [plain(raw[at : match.start()]), _entity(match, salt, number)]
        at = match.end()
    return [piece for piece in [*found, plain(raw[at:])] if piece.text]


def _entity(match: re.Match[str], salt: object, number: Numbered) -> Piece:
    kind = match.lastgroup or ""
    word = match[kind]
    if kind == "urls":
        return link_piece(word, salt, status=200, unwound_url=word)
    if kind == "mentions":
        known = number(word)
        return Piece(match[0], kind, [{"username": word} | ({"id": str(known)} if known else {})])
    return Piece(match[0], kind, [{"tag": word}])


def assembled(parts: list[Piece]) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """The text and its entities by kind."""
    text, entities = "", dict[str, list[dict[str, Any]]]()
    for piece in parts:
        span = {"start": len(text), "end": len(text) + len(piece.text)}
        text += piece.text
        for fields in piece.fields:
            entities.setdefault(piece.kind, []).append(span | fields)
    return text, entities


def length(parts: list[Piece]) -> int:
    """Characters as an author counts them: escaped signs are one, links as shortened."""
    return len(html.unescape("".join(piece.text for piece in parts)))


def cut(parts: list[Piece], limit: int) -> list[Piece]:
    """The first `limit` characters; an entity that does not fit becomes plain text or goes."""
    kept: list[Piece] = []
    for piece in parts:
        room = limit - length(kept)
        if length([piece]) <= room:
            kept.append(piece)
            continue
        if piece.kind != "urls":
            kept.append(plain(html.unescape(piece.text)[:room].rstrip()))
        break
    return [piece for piece in kept if piece.text]
