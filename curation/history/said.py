"""The log's words: verbs, reasons, causes, and what a decision changed, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from curation.cards import DONE
from curation.causes import CAUSES
from curation.models import State, Tweet, Verb
from regions import tunable
from regions.clocks import moment
from regions.words import in_quotes

SAID = DONE | {
    Verb.MOVE: pgettext_lazy("a post was", "moved"),
    Verb.SCHEDULE: pgettext_lazy("a post was", "scheduled"),
    Verb.ANNOTATE: pgettext_lazy("a post was", "annotated"),
    Verb.OFFER: pgettext_lazy("a post was", "offered"),
    Verb.HOLD: pgettext_lazy("a post was", "held for a second look"),
    Verb.LIFT: pgettext_lazy("a post was", "given back, the block is lifted"),
    Verb.EDIT: pgettext_lazy("a post was", "edited at X"),
    Verb.WITHDRAW: pgettext_lazy("a post was", "withdrawn"),
    Verb.RESTORE: pgettext_lazy("a post was", "brought back, X shows it again"),
    Verb.LAPSE: pgettext_lazy("a post was", "lapsed"),
    Verb.UNDO: pgettext_lazy("a post was", "taken back"),
}
REASON_WORDS = tunable.REASONS | {"moved": gettext_lazy("moved")}
REMOVED = {
    Tweet.Gone.DELETED: gettext_lazy("It was deleted at X, so its text was removed."),
    Tweet.Gone.PROTECTED: gettext_lazy("Its author shows posts to followers alone, so its text was removed."),
    Tweet.Gone.SUSPENDED: gettext_lazy("Its author is suspended at X, so its text was removed."),
    Tweet.Gone.ERASED: gettext_lazy("Its author asked to be erased, so its text was removed."),
    "": gettext_lazy("Its time was up, so its text was removed."),
}
FIELDS = {
    "slot": gettext_lazy("slot"),
    "pinned_until": gettext_lazy("pinned until"),
    "go_live_at": gettext_lazy("goes live"),
    "expire_at": gettext_lazy("ends"),
    "context": gettext_lazy("context"),
    "label": gettext_lazy("label"),
    "held": gettext_lazy("held"),
    "with_similar": gettext_lazy("together with similar ones"),
    "blocked_by_lists": gettext_lazy("blocked by lists"),
    "confirmed_by_id": gettext_lazy("approved once by"),
}


@dataclass(frozen=True)
class Words:
    """One value in words. `quoted`: an editor's own; `erased`: they stand nowhere any more; `none`: there is none."""

    text: str
    quoted: bool = False
    erased: bool = False
    none: bool = False

    def __str__(self) -> str:
        return in_quotes(self.text) if self.quoted else self.text


@dataclass(frozen=True)
class Turn:
    """What a decision changed: a field by its name (empty: the state itself), before and after."""

    name: Any
    before: Words
    after: Words

    def __str__(self) -> str:
        led = f"{self.name}: " if self.name else ""
        return f"{led}{self.before} → {self.after}"


@dataclass(frozen=True)
class Known:
    """What standings only point at: words by digest, names by person."""

    words: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)


def turns(before: dict[str, Any], after: dict[str, Any], known: Known) -> Iterator[Turn]:
    """Every field that a person would miss, where it changed; what the state says anyway is left out."""
    was, became = stood(before), stood(after)
    if was != became:
        yield Turn("", Words(was), Words(became))
    for name, called in FIELDS.items():
        old, new = before.get(name), after.get(name)
        if (old or None) != (new or None):
            yield Turn(called, worded(name, old, known), worded(name, new, known))


def stood(standing: Mapping[str, Any]) -> str:
    """A standing's state in one word."""
    state = State(standing["state"])
    if state == State.APPROVED and standing.get("slot"):
        return _("pinned")
    return str(state.label)


def worded(name: str, value: Any, known: Known) -> Words:
    if value in (None, "", False):
        return Words(_("no") if name in TRUTHS else _("none"), none=True)
    return WORDED.get(name, plainly)(value, known)


def plainly(value: Any, _known: Known) -> Words:
    return Words(str(value))


def truly(_value: Any, _known: Known) -> Words:
    return Words(_("yes"))


def timed(value: str, _known: Known) -> Words:
    at = parse_datetime(value)
    return Words(moment(at) if at else value)


def quoted(value: str, known: Known) -> Words:
    words = known.words.get(value)
    return Words(_("erased words"), erased=True) if words is None else Words(words, quoted=True)


def named(value: int, known: Known) -> Words:
    return Words(known.names.get(value) or _("someone who is gone"))


TRUTHS = ("held", "with_similar", "blocked_by_lists")
WORDED: dict[str, Callable[[Any, Known], Words]] = {
    "pinned_until": timed,
    "go_live_at": timed,
    "expire_at": timed,
    "context": quoted,
    "label": quoted,
    "confirmed_by_id": named,
    **dict.fromkeys(TRUTHS, truly),
}


def because(verb: str, reason: str) -> str:
    """A decision's reason or cause in words; empty without one."""
    known = CAUSES if verb == Verb.WITHDRAW else REASON_WORDS
    return str(known.get(reason, reason))
