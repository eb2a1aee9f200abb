"""What a request asks for beside the verb, and what of it is refused before anything is looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from curation.models import Candidate, State, Verb
from curation.operations.errors import BadWindow, BadWords, NotAllowed, TooMany
from curation.transitions import CARRIES, EDITORS_VERBS, REASONS
from regions.clocks import instant
from regions.models import Market
from regions.words import unusable

MOST_AT_ONCE = 200
MOST_ALSO = 20
FAR = timedelta(days=3653)
A_MINUTE = timedelta(minutes=1)  # a form's times have no seconds
TIMES = ("go_live_at", "expire_at", "until")
LONGEST = {"context": 200, "label": 40, "note": 500}


@dataclass(frozen=True)
class Wish:
    """What an editor asks for beside the verb. None leaves a field as it is.

    Times without a zone are the wall clock of the candidate's market. `category`: a slug; `market`: a code;
    `also`: blocks to lay in the same act, each {"kind", "value", "scope"}."""

    reason: str | None = None
    note: str = ""
    slot: int | None = None
    until: datetime | None = None
    swap: bool = False
    go_live_at: datetime | None = None
    expire_at: datetime | None = None
    context: str | None = None
    label: str | None = None
    with_similar: bool = False
    category: str | None = None
    market: str | None = None
    also: Sequence[Mapping[str, str]] = ()
    now: datetime = field(default_factory=timezone.now, compare=False)

    def asked(self) -> list[str]:
        """The fields that ask for something, in their order."""
        told = {name: getattr(self, name) for name in CARRIED}
        return [
            name for name, asked in told.items() if asked is not None and asked is not False and asked not in ((), [])
        ]

    def at(self, market: Market) -> Wish:
        """The same with its times as instants. Raises BadTime, and BadWindow for a time out of all reach."""
        told = {name: getattr(self, name) for name in TIMES if getattr(self, name) is not None}
        if not told:
            return self
        moments: dict[str, Any] = {name: instant(market, moment, field=name) for name, moment in told.items()}
        for name, moment in moments.items():
            if abs(moment - self.now) > FAR:
                raise BadWindow(_("That is more than ten years away."), field=name)
        return replace(self, **moments)


CARRIED = [name for name in Wish.__dataclass_fields__ if name not in ("note", "now")]


def check(verb: str, seen: Mapping[int, int | None], wish: Wish) -> None:
    """What can be refused without looking at any candidate."""
    if verb not in EDITORS_VERBS:
        raise NotAllowed(_("There is no such verb."), field="verb")
    if len(seen) > MOST_AT_ONCE:
        raise TooMany(field="candidates")
    for name in wish.asked():
        if name not in CARRIES[verb]:
            raise NotAllowed(_("%(verb)s does not take this.") % {"verb": Verb(verb).label}, field=name)
    if wish.reason is not None and wish.reason not in REASONS:
        raise NotAllowed(_("There is no such reason."), field="reason")
    if verb == Verb.ANNOTATE and wish.context is None and wish.label is None:
        raise BadWords(_("Say the context, the label, or both."), field="context")
    check_words(wish)
    check_also(wish.also)


def check_words(wish: Wish) -> None:
    """An editor's words stand in one line on a phone."""
    for name, longest in LONGEST.items():
        words = getattr(wish, name) or ""
        if len(words) > longest:
            raise BadWords(_("At most %(n)d characters in one line.") % {"n": longest}, field=name)
        if unusable(words):
            raise BadWords(_("One line, without characters that cannot be seen."), field=name)


def check_also(also: Sequence[Mapping[str, Any]]) -> None:
    """What blocks to lay may be, and who may lay them, is asked where they are laid."""
    if len(also) > MOST_ALSO:
        raise NotAllowed(_("At most %(n)d blocks at once.") % {"n": MOST_ALSO}, field="also")


def check_window(verb: str, wish: Wish, candidate: Candidate) -> None:
    """Times to come, in their order. `schedule` sets the window as given; others keep what they do not name. What is
    pending is scheduled for some time: a request that lost its times must not put it live at once."""
    if wish.until and wish.until <= wish.now:
        raise BadWindow(_("That time is past."), field="until")
    if wish.expire_at and wish.expire_at <= wish.now:
        raise BadWindow(_("That time is past."), field="expire_at")
    if wish.go_live_at and wish.go_live_at <= wish.now - A_MINUTE and not _same_minute(wish, candidate):
        raise BadWindow(_("That time is past. For now, leave it empty."), field="go_live_at")
    starts, ends = wish.go_live_at, wish.expire_at
    if verb == Verb.SCHEDULE and candidate.state == State.PENDING and not (starts or ends):
        raise BadWindow(_("Say from when, until when, or both."), field="go_live_at")
    if verb != Verb.SCHEDULE:
        starts, ends = starts or candidate.go_live_at, ends or candidate.expire_at
    if ends and ends <= max(wish.now, starts or wish.now):
        raise BadWindow(_("It would end before it begins."), field="expire_at")


def _same_minute(wish: Wish, candidate: Candidate) -> bool:
    """Whether the start is the one that stands already, as a form with minutes gives it back."""
    there, asked = candidate.go_live_at, wish.go_live_at
    return there is not None and asked is not None and abs(there - asked) < A_MINUTE
