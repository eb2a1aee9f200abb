"""When two posts say the same: keys by which similar ones are found, and the comparison that decides.

Compared is the folded text without links, mentions, signs and emoji, at most its first 2,000 characters. Two posts are
alike when they

- name the same link: an address without protocol, `www.`, fragment and tracking parameters; bare home pages and
  X's own links tell nothing;
- or have texts of which NEARLY per cent agree (rapidfuzz.fuzz.ratio) and the same numbers, since "1:0" and "2:0" are
  two pieces of news; texts under SHORT characters must agree altogether.

A key is 32 bits of the link, or of a pair of neighbouring words of TELLING letters or more: the KEPT lowest of all
pairs of a text, so that texts that agree in most pairs share one nearly always (of those that agree in two thirds,
96 in 100). The upper 32 bits are the channel's id. Keys only find; the comparison decides."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, urlencode
from zlib import crc32

from rapidfuzz.fuzz import ratio

NEARLY = 90.0
RELATED = 60.0
SHORT = 20
KEPT = 3
TELLING = 4
LONGEST = 2_000
LINKS = 4  # of a post, at most
NOT_TEXT = re.compile(r"https?://\S+|[@＠]\w+")
WORD = re.compile(r"\w+")
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


@dataclass
class Likeness:
    """What is compared of a post. `words`: its folded text (curation.matching.words_of)."""

    words: str
    links: frozenset[str]

    @cached_property
    def said(self) -> list[str]:
        return WORD.findall(NOT_TEXT.sub(" ", self.words[:LONGEST]))

    @cached_property
    def text(self) -> str:
        return " ".join(self.said)

    @cached_property
    def numbers(self) -> list[str]:
        return sorted(NUMBER.findall(self.text))

    @cached_property
    def keys(self) -> list[int]:
        """The keys of a post, 32 bits each, without a channel."""
        telling = [word for word in self.said if len(word) >= TELLING]
        pairs = map(" ".join, pairwise(telling)) if len(telling) > 2 else [self.text] * bool(self.text)
        lowest = sorted({crc32(pair.encode()) for pair in pairs})[:KEPT]
        return lowest + [crc32(link.encode()) for link in sorted(self.links)]

    def agrees(self, other: Likeness) -> float:
        """0 to 100: how far two posts say the same; from NEARLY on they are alike."""
        if self.links & other.links:
            return 100.0
        if not self.text or not other.text:
            return 0.0
        if self.text == other.text:
            return 100.0
        told: float = ratio(self.text, other.text, score_cutoff=RELATED)
        short = min(len(self.text), len(other.text)) < SHORT
        return min(told, NEARLY - 1) if short or self.numbers != other.numbers else told


def likeness(words: str, entities: dict[str, list[dict[str, Any]]]) -> Likeness:
    """Of a post, from its folded text and its entities."""
    return Likeness(words, links_of(entities.get("urls", ())))


def links_of(urls: Iterable[dict[str, Any]]) -> frozenset[str]:
    """The links of a post that tell what it is about, normalised."""
    found = (link_of(url.get("expanded_url") or "") for url in urls)
    return frozenset([link for link in found if link][:LINKS])


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
