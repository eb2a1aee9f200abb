"""A post's text as it must be shown: whole, entities linked, nothing of it executed.

Offsets count code points of the text as X gave it, in which &, < and > are escaped once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate, pairwise, takewhile
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from curation.x.entities import SIGN, leading_to, plain_text

JOINED = "\u0300-\u036f\u200d\ufe0f\U0001f3fb-\U0001f3ff"  # accents, and what makes one emoji of several
SHORT_LINK = r"https?://t\.co/\w+"  # each version of a post has codes of its own for the same links
WORD = re.compile(rf"{SHORT_LINK}|{SIGN.pattern}|\s+|\w[\w{JOINED}]*|.(?:[{JOINED}]|(?<=\u200d).)*", re.DOTALL)
MOST_COMPARED = 40_000  # pairs of words: 200 by 200
BREAKS = "\n\x0b\x0c\r\x85\u2028\u2029"
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0"
)
GAP = re.compile(rf"[\s{UNSEEN}]{{4,}}")
LINES, WIDTH = 4, 240  # breaks, and signs that show nothing, from which on a gap is folded
LONG, A_LINE = 16, 80  # lines from which on a text scrolls within its row; signs in one
SAID = {"del": _("[taken out:"), "ins": _("[put in:")}
Span = tuple[int, int]
Dress = tuple[int, int, str]


@dataclass(frozen=True)
class Link:
    """Where a part of the text leads, and the words that stand for it; None shows the part itself."""

    start: int
    end: int
    href: str
    words: str | None = None


@dataclass(frozen=True)
class Piece:
    """A run of text in its dresses, the outer first: "ins" or "del" (what an edit changed), "mark" (a block's word)."""

    text: str
    dresses: tuple[str, ...] = ()


def shown_text(
    text: str,
    entities: dict[str, Any] | None,
    marks: Iterable[Span] = (),
    before: str = "",
    led_to: dict[str, str] | None = None,
) -> SafeString:
    """The text as HTML. `marks` are spans that a block found, `before` is the text before an edit, if it had one,
    whose short links `led_to` addresses."""
    removed, added = difference(before, text, led_to or {}, leading_to(entities)) if before else ({}, [])
    dresses = [(*span, "ins") for span in added] + [(*widened(span, text), "mark") for span in marks]
    cuts = sorted({0, len(text), *removed, *(edge for dress in dresses for edge in dress[:2])})
    html: list[SafeString] = []
    done = 0
    for link in [*links(entities, text), Link(len(text), len(text), "")]:
        html += [dressed(piece) for piece in pieces(text, done, link.start, cuts, dresses, removed)]
        if link.href:
            html.append(linked(link, text, cuts, dresses, removed))
        done = link.end
    html += [dressed(Piece(removed[len(text)], ("del",)))] if len(text) in removed else []
    return format_html_join("", "{}", ((part,) for part in html))


def brief(text: str, entities: dict[str, Any] | None) -> str:
    """The text on few lines, without markup: its links by the words that X shows for them, no gaps."""
    parts: list[str] = []
    done = 0
    for link in links(entities, text):
        if link.words is not None:
            parts += [plain_text(text[done : link.start]), link.words]
            done = link.end
    return GAP.sub(lambda gap: "\n" if folds(gap[0]) else gap[0], "".join([*parts, plain_text(text[done:])])).strip()


def is_long(text: str) -> bool:
    """Whether a text would push all that follows it off the screen."""
    return sum(1 + len(line) // A_LINE for line in GAP.sub("\n", text).split("\n")) > LONG


def folds(gap: str) -> bool:
    """Whether a run that shows nothing is too high to be left as it is."""
    return sum(sign in BREAKS for sign in gap) >= LINES or len(gap) >= WIDTH


def widened(span: Span, text: str) -> Span:
    """A span that cuts none of X's escaped signs in two."""
    start, end = span
    for sign in SIGN.finditer(text):
        start = sign.start() if sign.start() < start < sign.end() else start
        end = sign.end() if sign.start() < end < sign.end() else end
    return start, end


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
    dresses: list[Dress],
    removed: dict[int, str],
) -> Iterator[Piece]:
    """The runs between two places; what an edit removed stands before the place it was taken from."""
    edges = [start, *(cut for cut in cuts if start < cut < end), end]
    for left, right in pairwise(edges):
        if left in removed and left < len(text) and left < right:
            yield Piece(removed[left], ("del",))
        if left < right:
            worn = dict.fromkeys(kind for first, last, kind in dresses if first <= left and right <= last)
            yield Piece(text[left:right], tuple(worn))


def linked(link: Link, text: str, cuts: list[int], dresses: list[Dress], removed: dict[int, str]) -> SafeString:
    parts = list(pieces(text, link.start, link.end, cuts, dresses, removed))
    if link.words is not None:
        gone = [part for part in parts if "del" in part.dresses]
        worn = {kind for part in parts for kind in part.dresses} - {"del"}
        parts = [*gone, Piece(link.words, tuple(sorted(worn)))]
    body = format_html_join("", "{}", ((dressed(part, whole=True),) for part in parts))
    return format_html('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>', link.href, body)


def dressed(piece: Piece, *, whole: bool = False) -> SafeString:
    """A run in its tags. What an edit changed is said too, in the reader's language, for who sees no colour."""
    html = format_html("{}", plain_text(piece.text)) if whole else folded(plain_text(piece.text))
    for kind in reversed(piece.dresses):
        if kind in SAID:
            html = format_html(
                '<{0}><span class="sr" lang="{1}">{2} </span>{3}<span class="sr">]</span></{0}>',
                kind,
                get_language() or "en",
                SAID[kind],
                html,
            )
        else:
            html = format_html("<{0}>{1}</{0}>", kind, html)
    return html


def folded(text: str) -> SafeString:
    """The text, with each high gap behind a mark that says how many lines it has and opens it."""
    parts: list[SafeString] = []
    done = 0
    for gap in GAP.finditer(text):
        if folds(gap[0]):
            parts += [format_html("{}", text[done : gap.start()]), mark_of(gap[0])]
            done = gap.end()
    return format_html_join("", "{}", ((part,) for part in [*parts, format_html("{}", text[done:])]))


def mark_of(gap: str) -> SafeString:
    lines = max(1, sum(sign in BREAKS for sign in gap) - 1)
    words = ngettext("%(n)d empty line", "%(n)d empty lines", lines) % {"n": lines}
    open_words = format_html('<summary lang="{}">{}</summary>', get_language() or "en", words)
    return format_html('<details class="gap">{}{}</details>', open_words, gap)


def difference(
    before: str, after: str, led_to: dict[str, str] | None = None, leads_to: dict[str, str] | None = None
) -> tuple[dict[int, str], list[Span]]:
    """What an edit took out, by the place in `after` where it stood, and the spans of `after` that are new.

    Short links are compared by the addresses they led to and lead to: their codes change with every edit.
    Where very much changed, all between the first and the last change counts as new: hostile texts make the finer
    comparison take minutes."""
    old, words = WORD.findall(before), WORD.findall(after)
    places = [0, *accumulate(map(len, words))]
    old, new = [(led_to or {}).get(word, word) for word in old], [(leads_to or {}).get(word, word) for word in words]
    removed: dict[int, str] = {}
    added: list[Span] = []
    for first, last, start, end in changes(old, new):
        if first < last:
            removed[places[start]] = "".join(old[first:last])
        if start < end:
            added.append((places[start], places[end]))
    return removed, added


def changes(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Where two rows of words differ: from and to in the old one, from and to in the new one."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    tails = zip(reversed(old[same:]), reversed(new[same:]), strict=False)
    ends = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tails))
    a, b = old[same : len(old) - ends], new[same : len(new) - ends]
    if len(a) * len(b) > MOST_COMPARED:
        yield same, same + len(a), same, same + len(b)
        return
    for kind, first, last, start, end in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind != "equal":
            yield same + first, same + last, same + start, same + end
