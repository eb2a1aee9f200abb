"""How the queue is narrowed: by a mark, an author, a language, a search. Each stands in the address, to be cleared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import get_language_info, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from curation.forms import FilterForm
from curation.keyset import found_in
from curation.models import Author, Candidate
from curation.queue import MOST_COUNTED, Place, counted_marks
from regions.requests import PageRequest

ALL = ""
LABELS: dict[str, str | Promise] = {
    ALL: pgettext_lazy("posts", "All"),
    "held": pgettext_lazy("posts", "Held"),
    "offered": pgettext_lazy("posts", "Offered"),
    "edited": pgettext_lazy("posts", "Edited"),
    "sensitive": pgettext_lazy("posts", "Sensitive"),
    "second": pgettext_lazy("posts", "To confirm"),
}
OWN_WORDS = ("q", "author", "lang")  # with one of them a tab's number would be that of another list


@dataclass(frozen=True)
class Tab:
    """A part of the queue. `waiting` is None where it is not counted; `query` is of its address."""

    show: str
    label: str | Promise
    waiting: int | None
    query: str
    current: bool


@dataclass(frozen=True)
class Chip:
    """A filter that is set: what it is, its value, and the address's query without it."""

    name: str
    label: str | Promise
    value: str
    query: str


def asked_of(request: PageRequest) -> FilterForm:
    """The filters of a page: of its address, and of an act those of the page it stands on."""
    if request.method == "GET":
        return FilterForm(request.GET)
    return FilterForm(QueryDict(urlsplit(request.htmx.current_url or "").query))


def query_of(asked: dict[str, Any], **changed: Any) -> str:
    """The query of a desk's address: what is asked for, with some of it changed; plain values stand in none."""
    return urlencode({name: value for name, value in (asked | changed).items() if value and value != "best"})


def narrowed(
    place: Place, asked: dict[str, Any], waiting: int, rows: Sequence[Candidate] = (), *, whole: bool = False
) -> dict[str, Any]:
    """What a page says of its filters: the tabs with their counts, and what else is set. `waiting`: how many wait at
    all; `rows`: those shown, which know the author's name; `whole`: there are no others."""
    shown = tabs(place, asked, waiting)
    narrow = any(asked.get(name) for name in ("show", *OWN_WORDS))
    known = next((tab.waiting for tab in shown if tab.current), None)
    if narrow and known is None:
        known = len(rows) if whole else found_by(place, asked)
    return {"tabs": shown, "chips": chips(asked, rows), "narrow": narrow, "found": known}


def found_by(place: Place, asked: dict[str, Any]) -> int:
    """How many of the queue are asked for; counted no further than one past MOST_COUNTED."""
    kept = {name: asked[name] for name in ("q", "show", "author", "lang") if asked.get(name)}
    return found_in(place.queues(**kept), MOST_COUNTED + 1)


def tabs(place: Place, asked: dict[str, Any], waiting: int) -> list[Tab]:
    """All, and one for each mark; that of a second pair of eyes only where a channel asks for one."""
    plain = not any(asked.get(name) for name in OWN_WORDS)
    counts: dict[str, int] = counted_marks(place.shown) | {ALL: waiting} if plain else {}
    current = asked.get("show", ALL)
    seconded = any(channel.second_pair for channel in place.shown) or bool(counts.get("second"))
    return [
        Tab(show, label, counts.get(show), query_of(asked, show=show), show == current)
        for show, label in LABELS.items()
        if show != "second" or seconded or current == show
    ]


def chips(asked: dict[str, Any], rows: Sequence[Candidate]) -> list[Chip]:
    """The search, the author and the language. An author is named by a row that is shown, else not at all."""
    found: list[tuple[str, str | Promise, str]] = []
    if asked["q"]:
        found.append(("q", gettext_lazy("Searched for"), asked["q"]))
    if asked.get("author"):
        found.append(("author", gettext_lazy("Author"), name_of(rows[0].tweet.author if rows else None)))
    if asked.get("lang"):
        found.append(("lang", gettext_lazy("Language"), language_of(asked["lang"])))
    return [Chip(name, label, value, query_of(asked, **{name: ""})) for name, label, value in found]


def name_of(author: Author | None) -> str:
    return author.name or str(author) if author else _("one alone")


def language_of(code: str) -> str:
    """A language's name in the reader's language, else its code."""
    try:
        return str(get_language_info(code)["name_translated"]).capitalize()
    except KeyError:
        return code.upper()
