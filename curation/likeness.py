"""When two posts say the same: keys by which similar ones are found, and the comparison that decides.

Compared is the folded text without links, mentions, signs and emoji, at most its first 2,000 characters. Two posts are
alike when they

- name the same link: an address without protocol, `www.`, fragment and tracking parameters; bare home pages and
  X's own links tell nothing;
- or have texts of which NEARLY per cent agree (rapidfuzz.fuzz.ratio) and the same numbers in the same order, since
  "1:0" and "0:1" are two pieces of news; texts under SHORT characters must agree altogether.

A key is 32 bits of the link, or of three neighbouring words of three letters or more: the KEPT lowest of all triples of
a text, so that texts that agree in most of them share one nearly always. With one word changed, or some before or
after, 99 in 100 of the simulator's posts are found, and in a thousand others one post in twenty meets a false fellow.
The upper 32 bits are the channel's id. Keys only find; the comparison decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zlib import crc32

from rapidfuzz.fuzz import ratio

NEARLY = 90.0
RELATED = 60.0
SHORT = 20
KEPT = 3
FEW = 4  # telling words
LONGEST = 2_000
LINKS = 4  # of a post, at most
NOT_TEXT = re.compile(r"https?://\S+|@\w+")
WORD = re.compile(r"\w+")
TELLING = re.compile(r"\w{3,}")
NUMBER = re.compile(r"\d+")
ADDRESS = re.compile(
    r"https?://(?:[^/@?#\s]*@)?(?:www\.|m\.|amp\.)?([^/:?#\s]+)(?::\d+)?([^?#\s]*)(?:\?([^#\s]*))?", re.IGNORECASE
)
# Parameters that say who sent the reader, not what is read.
TRACKING = re.compile(
    r"(utm_|mtm_|pk_|wt_|at_|mc_|ns_|ga_|fb_|hsa_|trk|cmp|xtor|icid|ocid|ito)\w*|[a-z]*clid|igshid|cid|sref|ref|"
    r"ref_src|source|smid|partner|feature|share|via|si|s",
    re.IGNORECASE,
)
OURS = ("x.com", "twitter.com", "t.co", "pic.twitter.com", "pic.x.com", "mobile.twitter.com")


class Likeness:
    """What is compared of a post; made out when first asked for."""

    __slots__ = ("_compared", "_keys", "links", "words")

    def __init__(self, words: str, links: frozenset[str]) -> None:
        """`words`: its folded text (curation.matching.words_of)."""
        words = words[:LONGEST]
        self.words = NOT_TEXT.sub(" ", words) if "@" in words or "://" in words else words
        self.links = links
        self._keys: list[int] | None = None
        self._compared: tuple[str, list[str]] | None = None

    @property
    def keys(self) -> list[int]:
        """Those by which it is found, 32 bits each, without a channel."""
        if self._keys is None:
            self._keys = keys_of(self.words) + [crc32(link.encode()) for link in sorted(self.links)]
        return self._keys

    @property
    def compared(self) -> tuple[str, list[str]]:
        """The text that is compared, and its numbers."""
        if self._compared is None:
            text = " ".join(WORD.findall(self.words))
            self._compared = text, NUMBER.findall(text)
        return self._compared

    def agrees(self, other: Likeness) -> float:
        """0 to 100: how far two posts say the same; from NEARLY on they are alike."""
        if self.links & other.links:
            return 100.0
        (text, numbers), (others, others_numbers) = self.compared, other.compared
        if not text or not others:
            return 0.0
        if text == others:
            return 100.0
        told: float = ratio(text, others, score_cutoff=RELATED)
        short = min(len(text), len(others)) < SHORT
        return min(told, NEARLY - 1) if short or numbers != others_numbers else told


def keys_of(words: str) -> list[int]:
    """Of a text: the lowest checksums of its triples of telling words; of a short one, that of the whole."""
    telling = [crc32(word.encode()) for word in TELLING.findall(words)]
    if len(telling) < FEW:
        text = " ".join(WORD.findall(words))
        return [crc32(text.encode())] if text else []
    triples = zip(telling, telling[1:], telling[2:], strict=False)
    return sorted({(a * 961 + b * 31 + c) & 0xFFFFFFFF for a, b, c in triples})[:KEPT]


def likeness(words: str, entities: dict[str, list[dict[str, Any]]]) -> Likeness:
    """Of a post, from its folded text and its entities."""
    return Likeness(words, links_of(entities.get("urls", ())))


def links_of(urls: Iterable[dict[str, Any]]) -> frozenset[str]:
    """The links of a post that tell what it is about, normalised."""
    found = [link for url in urls if (link := link_of(url.get("expanded_url") or ""))]
    return frozenset(found[:LINKS])


def link_of(address: str) -> str:
    """An address as links are compared; empty for home pages, X's own links and what is no address."""
    match = ADDRESS.match(address[:2_000])
    if not match:
        return ""
    host, path, query = match[1].lower().rstrip("."), match[2].rstrip("/"), match[3]
    kept = sorted(pair for pair in parse_qsl(query) if not TRACKING.fullmatch(pair[0])) if query else []
    if host in OURS or not (path or kept):
        return ""
    return host + path + (f"?{urlencode(kept)}" if kept else "")


def in_channel(channel_id: int, keys: Iterable[int]) -> list[int]:
    """Keys as Candidate.alike holds them."""
    upper = (channel_id & 0x7FFFFFFF) << 32
    return [upper | key for key in keys]
